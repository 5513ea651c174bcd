"""Forms in files: what goes out comes back the same."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.adapters.files.form_files import read_forms, write_forms
from eyened_domain.errors import BadInput, FileMissing
from eyened_domain.model.values import is_same_json

TOLD = {
    "form_annotation_id": 7,
    "schema_name": "AMD Grading",
    "project_name": "P",
    "patient_identifier": "001",
    "laterality": "L",
    "creator_name": "dr_smith",
    "inactive": False,
    "date_inserted": "2026-01-05T12:00:00",
}
ODD = [
    *(
        "",
        " ",
        "1",
        "-0",
        "1e5",
        "1E999",
        "true",
        "null",
        "[]",
        "{}",
        "[1]",
        '"',
        '"a"',
        '"a',
        "=A1",
    ),
    *("+1", "-", "@x", "a\nb", "\n", "a\r", "\ttab", "NaN", "01", "\ufeff", "\x00", "ünï", "a,b;c"),
]
TEXTS = st.text() | st.sampled_from(ODD)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
ANSWERS = st.recursive(
    VALUES | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FILES = st.sampled_from([".csv", ".jsonl"])


def there_and_back(records: list[Any], ending: str) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"forms{ending}"
        assert write_forms(path, lambda: iter(records)) == len(records)
        return list(read_forms(path))


@given(st.lists(ANSWERS, min_size=1, max_size=4), FILES)
def test_answers_come_back_as_they_went_out(answers: list[Any], ending: str) -> None:
    records = [{**TOLD, "answers": one} for one in answers]
    for record, found in zip(records, there_and_back(records, ending), strict=True):
        is_null = ending == ".csv" and record["answers"] is None
        assert is_null or is_same_json(found["answers"], record["answers"])
        assert {**found, "answers": None} == {**record, "answers": None}


@given(TEXTS.filter(bool), FILES)
def test_names_and_identifiers_come_back_as_they_went_out(text: str, ending: str) -> None:
    record = {**TOLD, "patient_identifier": text, "schema_name": text, "answers": {text: text}}
    assert there_and_back([record], ending) == [record]


def test_a_spreadsheet_finds_nothing_to_compute_in_a_cell(tmp_path: Path) -> None:
    texts = ["=1+1", "+1 dpt", "-0.5 dpt", "@SUM(A1)", "\t=1"]
    record = {**TOLD, "patient_identifier": "=1+1", "answers": {"=name": texts}}
    write_forms(tmp_path / "forms.csv", lambda: [record])
    with (tmp_path / "forms.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("+", "-", "@", "\t", "\r", "=1"))]


def test_cells_are_as_people_write_them(tmp_path: Path) -> None:
    answers = {"n": 3, "s": "three", "t": "3", "e": [], "x": {"y": True}}
    write_forms(tmp_path / "forms.csv", lambda: [{**TOLD, "answers": answers}])
    head, row = (tmp_path / "forms.csv").read_text().splitlines()
    assert head.endswith(",date_inserted,e,n,s,t,x.y")
    assert row.endswith(',false,2026-01-05T12:00:00,[],3,three,"""3""",true')


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_may_be_parted_and_named_as_others_do(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "forms.csv"
    lines = [["SchemaName", "creator_name", "a[0]", "a[1]"], ["AMD", "dr_smith", "1", ""]]
    file.write_text("\n".join(delimiter.join(line) for line in lines) + "\n\n")
    (record,) = read_forms(file)
    assert record == {"schema_name": "AMD", "creator_name": "dr_smith", "answers": {"a": [1]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'schema_name'"),
        ("creator_name,grade\n", "no column 'schema_name'"),
        ("schema_name,a,a\n", "column 'a' is there twice"),
        ("schema_name,a..b\n", "line 1: 'a..b' is no path"),
        ("schema_name,a\nAMD\n", "line 2: 1 cells under 2 columns"),
        ("schema_name,a[0],a[1]\nAMD,,1\n", r"line 2: a\[0\] is missing"),
        ("schema_name,a,a.b\nAMD,1,1\n", "line 2: a.b has a value"),
        ("schema_name,a\nAMD," + "9" * 5000 + "\n", "line 2: .* too long a number"),
        ('schema_name,a\nAMD,"x"y\n', "line 2: "),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "forms.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        list(read_forms(tmp_path / "forms.csv"))


@pytest.mark.parametrize("line", ['{"answers": NaN}', "[" * 100_000, '{"a": 1'])
def test_json_that_is_none_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "forms.jsonl").write_text(f"{{}}\n{line}\n")
    with pytest.raises(BadInput, match="line 2"):
        list(read_forms(tmp_path / "forms.jsonl"))


def test_files_are_never_written_over_and_of_a_failure_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "forms.csv"

    def failing() -> Any:
        yield {**TOLD, "answers": None}
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_forms(file, failing)
    assert not file.exists()
    write_forms(file, list)
    with pytest.raises(BadInput, match="exists already"):
        write_forms(file, list)
    with pytest.raises(BadInput, match="forms are written to"):
        write_forms(tmp_path / "forms.xlsx", list)
    with pytest.raises(BadInput, match="cannot be written"):
        write_forms(tmp_path / "no" / "forms.csv", list)
    with pytest.raises(FileMissing):
        list(read_forms(tmp_path / "none.csv"))
