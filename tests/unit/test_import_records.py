"""Records become entries: names, values, levels; without any database."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve, fields
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from eyened_domain import ImageInstance, Patient, Series, Study
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.memory.database import MemoryDatabase
from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.enums import Laterality, Modality, SexEnum
from eyened_domain.model.names import fold
from eyened_domain.services.image_files import ImageHeader
from eyened_domain.services.importing import (
    ImportDefaults,
    Importing,
    ImportOptions,
    ImportResult,
    OnConflict,
)
from eyened_domain.services.importing.changes import differing, same
from eyened_domain.services.importing.columns import convert
from eyened_domain.services.importing.entries import PatientEntry, images_of, joined
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.portions import Portions
from eyened_domain.services.importing.records import RecordReader

DEFAULT = date(1970, 1, 1)


def read(record: Any) -> tuple[PatientEntry | None, RecordReader]:
    reader = RecordReader(DEFAULT)
    return reader.read(1, record), reader


def test_a_nested_record_becomes_levels() -> None:
    entry, reader = read(
        {
            "project_name": " AREDS ",
            "patient_identifier": 17,
            "props": {"Sex": "F", "birth_date": "1950-12-24"},
            "studies": [
                {
                    "props": {"StudyRound": "3"},
                    "series": [
                        {
                            "series_id": "4",
                            "images": [
                                {"image": "a.png", "props": {"Laterality": "R", "Rows_y": "6"}}
                            ],
                        }
                    ],
                }
            ],
        }
    )
    assert not reader.errors
    assert entry is not None
    assert (entry.project_name, entry.identifier) == ("AREDS", "17")
    assert entry.columns == {"sex": SexEnum.F, "birth_date": date(1950, 12, 24)}
    (study,) = entry.studies
    assert (study.study_date, study.columns) == (DEFAULT, {"study_round": 3})
    assert study.series[0].series_id == 4
    (image,) = images_of([entry])
    assert image.columns == {"laterality": Laterality.R, "rows_y": 6}
    assert image.where == "record 1, studies[0], series[0], images[0]"


def test_bare_names_of_a_flat_record_find_their_level() -> None:
    entry, reader = read(
        {
            "project_name": "A",
            "image": "a.png",
            "Sex": "M",
            "StudyRound": 2,
            "series_number": "7",
            "Modality": "OCT",
            "Manufacturer": "Topcon",
            "patient.birth_date": date(1950, 12, 24),
            "ImageInstance.PupilDilated": "yes",
        }
    )
    assert not reader.errors
    assert entry is not None
    (image,) = images_of([entry])
    assert entry.columns == {"sex": SexEnum.M, "birth_date": date(1950, 12, 24)}
    assert entry.studies[0].columns == {"study_round": 2}
    assert entry.studies[0].series[0].columns == {"series_number": 7}
    assert image.columns == {"modality": Modality.OCT, "pupil_dilated": True}
    assert image.origin.manufacturer == "Topcon"


@pytest.mark.parametrize("entity", [Patient, Study, Series, ImageInstance])
def test_every_column_is_given_under_both_names_or_refused_under_both(entity: Any) -> None:
    for name, column in entity.__entity__.columns.items():
        outcomes: list[list[Any]] = []
        for given_name in (name, column.database_name):
            try:
                outcomes.append([*convert(entity, {given_name: None})])
            except BadInput as error:
                outcomes.append([error.field])
        assert outcomes[0] == outcomes[1], name


def test_an_empty_text_and_none_mean_not_given() -> None:
    assert convert(Patient, {"sex": None, "birth_date": ""}) == {}


def test_equal_values_of_another_type_are_not_mixed_up() -> None:
    for value, expected in ((True, True), (1, True), (1.0, True), ("1", True), (0, False)):
        found = convert(ImageInstance, {"pupil_dilated": value})["pupil_dilated"]
        assert found is expected
    first = convert(ImageInstance, {"cf_roi": '{"radius": 3}'})["cf_roi"]
    first["radius"] = 4
    assert convert(ImageInstance, {"cf_roi": '{"radius": 3}'}) == {"cf_roi": {"radius": 3}}


def test_errors_of_one_level_leave_the_others() -> None:
    image = {"image": "a.png"}
    entry, reader = read(
        {
            "project_name": "A",
            "patient_identifier": "P",
            "studies": [
                {"study_date": "2024-02-30", "series": [{"images": [image]}]},
                {"series": [{"images": [image, {"image": 3}, {"picture": 4}]}, {"images": []}]},
            ],
        }
    )
    assert entry is not None
    assert [one.path for one in images_of([entry])] == ["a.png"]
    assert [error.where for error in reader.errors] == [
        "record 1, studies[0]",
        "record 1, studies[1], series[0], images[1]",
        "record 1, studies[1], series[0], images[2]",
        "record 1, studies[1], series[1]",
    ]


def test_a_misspelt_column_is_told_its_likely_name() -> None:
    _, reader = read({"project_name": "A", "image": "a.png", "lateralty": "R"})
    assert "laterality" in reader.errors[0].message
    with pytest.raises(UnknownName, match="birth_date"):
        convert(Patient, {"birthdate": "1950-12-24"})


def test_flat_records_of_one_patient_and_study_are_joined() -> None:
    reader = RecordReader(DEFAULT)
    entries: list[PatientEntry] = []
    records: list[dict[str, Any]] = [
        {"patient_identifier": "P", "sex": "F"},
        {"patient_identifier": "P", "sex": "F"},
        {"patient_identifier": "P", "sex": "F", "study_date": "2024-01-31"},
        {"patient_identifier": "P"},
        {"patient_identifier": None},
        {"patient_identifier": None},
    ]
    for number, record in enumerate(records, start=1):
        entry = reader.read(number, {"project_name": "A", "image": f"{number}.png", **record})
        assert entry is not None
        entries.append(entry)
    found = joined(entries)
    assert [len(images_of([entry])) for entry in found] == [3, 1, 1, 1]
    assert [len(entry.studies) for entry in found] == [2, 1, 1, 1]
    assert images_of(found) == images_of(entries)
    assert [len(images_of([entry])) for entry in entries] == [1] * 6, "entries stay as they are"


def test_names_fold_as_the_keys_of_mysql_do() -> None:
    assert fold("José ") == fold("JOSE") == "jose"
    assert fold("Straße") == fold("STRASSE")
    assert fold("a b") != fold("ab")


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.floats(allow_nan=False, width=32), st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_read_back_in_single_precision_is_the_same(number: float, other: float) -> None:
    import struct

    assert same(number, number)
    if abs(other) < 3e38:
        assert same(struct.unpack("f", struct.pack("f", other))[0], other)
    assert not same(1.0, 1.0000002)


def test_only_what_differs_is_named() -> None:
    held = {"a": 1, "b": datetime(2024, 1, 31), "c": None, "d": 0.1}
    given_columns = {"a": 1, "b": datetime(2024, 1, 30), "c": 2, "d": 0.1, "e": 3}
    assert differing(held, given_columns) == {"b": datetime(2024, 1, 30), "c": 2}


def test_portions_come_back_in_order_from_memory_and_from_file(recwarn: Any) -> None:
    portions = Portions()
    for number in range(60):
        portions.append([PatientEntry("A", str(number), {}, f"record {number}")])
    for _ in range(2):
        assert [portion[0].identifier for portion in portions] == [str(n) for n in range(60)]
    assert len(portions) == 60
    del portions
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]


def test_options_say_which_words_they_know() -> None:
    with pytest.raises(BadInput, match="skip, match, update"):
        ImportOptions(conflict="overwrite")
    assert ImportOptions.from_dict(ImportOptions(conflict="update").as_dict()) == ImportOptions(
        conflict=OnConflict.update
    )


def test_a_plan_with_nothing_in_it_writes_nothing() -> None:
    assert not ImportPlan(options=ImportOptions()).writes


def test_an_entry_is_never_changed() -> None:
    entry, _ = read({"project_name": "A", "patient_identifier": "P", "image": "a.png"})
    assert entry is not None
    study = entry.studies[0]
    series = study.series[0]
    image = series.images[0]
    for one in (entry, study, series, image, image.origin):
        for field in fields(type(one)):
            with pytest.raises(FrozenInstanceError):
                setattr(one, field.name, getattr(one, field.name))
    for held in (entry.studies, study.series, series.images):
        assert isinstance(held, tuple)


class FilesOfASeries(FileSystemImageFiles):
    """Files that say something of the series that their image is in."""

    def read_header(self, identifier: str, **sizes: int | None) -> ImageHeader:
        header = super().read_header(identifier, **sizes)
        return evolve(header, columns={"series_number": 7, "manufacturer": "Zeiss"})


@pytest.mark.parametrize("conflict", ["skip", "match", "update"])
def test_no_step_of_an_import_changes_what_an_entry_holds(
    conflict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[PatientEntry, dict[str, Any]]] = []
    read_one = RecordReader.read

    def note(reader: RecordReader, number: int, record: Any) -> PatientEntry | None:
        entry = read_one(reader, number, record)
        if entry is not None:
            held.append((entry, asdict(entry)))
        return entry

    def importing(names: str, **said: Any) -> ImportResult:
        records = [
            {"project_name": "A", "patient_identifier": "P", "image": f"{name}.png", **said}
            for name in names
        ]
        making: dict[str, Any] = {
            f"create_{kind}": True for kind in ("projects", "patients", "studies")
        }
        options = ImportOptions(conflict=conflict, on_error="skip", **making)
        return Importing(database, files, ImportDefaults(images_basepath=tmp_path)).run(
            [*records, records[0], {**records[0], "image": "e.png", "birth_date": "1950-01-01"}],
            options,
        )

    for name in "abce":
        Image.new("RGB", (8, 6)).save(tmp_path / f"{name}.png")
    database, files = MemoryDatabase(), FilesOfASeries(tmp_path)
    monkeypatch.setattr(RecordReader, "read", note)
    assert importing("ab", laterality="R", sex="F").written.made["ImageInstance"] == 3
    importing("abcd", laterality="L", modality="OCT", study_round=2, device_description="Room")
    assert len(held) == 10
    for entry, before in held:
        assert asdict(entry) == before
