"""Bad input: refused with an error that names record and field, and nothing is written."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eyened_domain import Database
from eyened_domain.errors import BadInput, EyenedError
from tests.integration.imports import (
    UNREAD,
    flat,
    importing_on,
    nested,
    options,
    png,
    row_counts,
    series,
    study,
)

TEN_MB = "x" * 10_000_000
DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]


def props(**given: Any) -> dict[str, Any]:
    return flat("good.png", image_props=given)


BAD: dict[str, tuple[Any, str | None]] = {
    "a path that leads up": (flat("../good.png"), "dataset_identifier"),
    "a path that leads up inside": (flat("a/../../good.png"), "dataset_identifier"),
    "an absolute path elsewhere": (flat("/etc/passwd"), "dataset_identifier"),
    "a path through a link to a file": (flat("link.png"), "dataset_identifier"),
    "a path through a link to a folder": (flat("linked/secret.png"), "dataset_identifier"),
    "a folder": (flat("folder"), "dataset_identifier"),
    "no path": (flat(""), "image"),
    "a number as path": (flat(5), "image"),  # type: ignore[arg-type]
    "a path of 10 MB": (flat(TEN_MB), "dataset_identifier"),
    "a path with a NUL": (flat("good.png\0.png"), "dataset_identifier"),
    "a path with emoji": (flat("😀.png"), "image"),
    "a missing file": (flat("missing.png"), "dataset_identifier"),
    "an empty file": (flat("empty.png"), "dataset_identifier"),
    "a truncated file": (flat("truncated.png"), "dataset_identifier"),
    "a text called png": (flat("text.png"), "dataset_identifier"),
    "an unknown column": (props(lateralty="R"), "lateralty"),
    "an unknown column beside": (flat("good.png", colour="red"), "colour"),
    "an unknown key": (nested(study(series("good.png"), studies=[])), "studies"),
    "a column of 10 MB": (flat("good.png", **{TEN_MB: 1}), TEN_MB[:80]),  # type: ignore[arg-type]
    "a primary key": (props(image_instance_id=7), "image_instance_id"),
    "another parent": (props(series_id=1), "series_id"),
    "a wrong enum name": (props(laterality="Right"), "laterality"),
    "a wrong enum case": (flat("good.png", sex="f"), "sex"),
    "an impossible date": (flat("good.png", day="2023-02-29"), "study_date"),
    "a date in another order": (flat("good.png", birth_date="24-12-1950"), "birth_date"),
    "a date before MySQL's": (flat("good.png", birth_date="0999-12-31"), "birth_date"),
    "a date as number": (flat("good.png", study_date=20240131), "study_date"),
    "a time with a zone": (props(acquisition_date_time=datetime.now(UTC)), "acquisition_date_time"),
    "a date of 10 MB": (flat("good.png", birth_date=TEN_MB), "birth_date"),
    "a text that is too long": (flat("good.png", study_description="x" * 65), "study_description"),
    "a name that is too long": (flat("good.png", patient="x" * 256), "patient_identifier"),
    "a name of 10 MB": (flat("good.png", patient=TEN_MB), "patient_identifier"),
    "a project of 10 MB": (flat("good.png", project_name=TEN_MB), "project_name"),
    "a value of 10 MB": (props(rows_y="1" * 10_000_000), "rows_y"),
    "an empty name": (flat("good.png", patient="  "), "patient_identifier"),
    "no project": (flat("good.png", project_name=None), "project_name"),
    "NaN": (props(resolution_axial=math.nan), "resolution_axial"),
    "NaN as text": (props(resolution_axial="nan"), "resolution_axial"),
    "infinity": (props(cf_quality=math.inf), "cf_quality"),
    "beyond single precision": (props(cf_quality=1e39), "cf_quality"),
    "beyond 32 bits": (props(fda_identifier=2**31), "fda_identifier"),
    "a number of 5000 digits": (props(fda_identifier=10**5000), "fda_identifier"),
    "a real of 5000 digits": (props(cf_quality=10**5000), "cf_quality"),
    "half a row": (props(rows_y=1.5), "rows_y"),
    "no rows": (props(rows_y=0), "rows_y"),
    "a negative size": (props(columns_x=-8), "columns_x"),
    "emoji in a name": (flat("good.png", patient="P😀"), "patient_identifier"),
    "a control character": (flat("good.png", patient="P\x07"), "patient_identifier"),
    "a line end in a name": (flat("good.png", patient="P\n1"), "patient_identifier"),
    "text turned round": (flat("good.png", patient="P\u202e1"), "patient_identifier"),
    "half a surrogate": (flat("good.png", patient="P\ud800"), "patient_identifier"),
    "a list as value": (props(modality=["OCT"]), "modality"),
    "lists without end": (props(cf_roi=DEEP), "cf_roi"),
    "JSON without end": (props(cf_roi="[" * 100_000), "cf_roi"),
    "JSON of 10 MB": (props(cf_roi={"a": TEN_MB}), "cf_roi"),
    "JSON that is none": (props(cf_roi="{"), "cf_roi"),
    "JSON with NaN": (props(cf_roi={"radius": math.nan}), "cf_roi"),
    "JSON with a set": (props(cf_roi={"a": {1}}), "cf_roi"),
    "both names of a column": (flat("good.png", sex="F", Sex="F"), "sex"),
    "studies that are no list": ({"project_name": "A", "studies": "x"}, "studies"),
    "a series without images": (nested(study({"images": []})), "images"),
    "props that are no mapping": (flat("good.png", patient_props=[1]), "patient_props"),
    "names that are no texts": (flat("good.png", patient_props={1: 2}), "1"),
    "a series that is no number": (flat("good.png", series_id="first"), "series_id"),
    "no mapping": ("good.png", None),
    "nothing": (None, None),
    "a record of numbers": ({1: 2}, "1"),
}


@pytest.fixture
def files(database: Database, tmp_path: Path) -> Path:
    importing_on(database)
    base = Path(database.settings.images_basepath)
    png(database, "good.png")
    whole = (base / "good.png").read_bytes()
    (base / "empty.png").touch()
    (base / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (base / "text.png").write_text("this is no picture")
    (base / "folder").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(whole)
    (base / "link.png").symlink_to(outside / "secret.png")
    (base / "linked").symlink_to(outside)
    return base


@pytest.mark.usefixtures("files")
def test_bad_input_is_refused_naming_record_and_field_and_nothing_is_written(
    database: Database,
) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    good = flat("other.png", patient="Good")
    for what, (record, field) in BAD.items():
        plan = importing.plan([record], options())
        assert [error.where.split(",")[0] for error in plan.errors] == ["record 1"], what
        (error,) = plan.errors
        assert error.field == field, (what, error)
        assert len(error.message) <= 300, what
        with pytest.raises(BadInput, match="record 1"):
            importing.apply(plan)
        skipped = importing.apply(importing.plan([record], options(on_error="skip")))
        assert skipped.import_id is None, what
        unread = importing.plan([good, record, good], UNREAD)
        assert unread.errors[-1].where == "record 3", what
        with pytest.raises(BadInput):
            importing.apply(unread)
    assert row_counts(database) == before


def test_the_same_image_twice_in_one_import_is_refused(database: Database) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    base = database.settings.images_basepath
    for again in (
        "a.png",
        "./a.png",
        "x//../a.png".replace("x//../", ".//"),
        f"{base}/a.png",
        "A.PNG",
    ):
        plan = importing.plan([flat("a.png"), flat(again, patient="P2")], UNREAD)
        assert [(e.where, e.field) for e in plan.errors] == [("record 2", "image")], again
        assert "record 1" in plan.errors[0].message
    plan = importing.plan([nested(study(series("a.png"), series("b.png", "a.png")))], UNREAD)
    assert [e.where for e in plan.errors] == ["record 1, studies[0], series[1], images[1]"]
    assert row_counts(database) == before


def test_good_names_of_many_languages_are_stored_as_given(database: Database) -> None:
    importing = importing_on(database)
    names = ["Müller", "Ångström", "Жуков", "東京 1", "O'Brien; DROP TABLE", '"quoted" `tick` %s']
    importing.run([flat(f"{n}.png", patient=name) for n, name in enumerate(names)], UNREAD)
    with database.get_session() as session:
        from eyened_domain import Patient

        stored = {one.patient_identifier for one in session.repository(Patient).where()}
    assert stored == set(names)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.datetimes(),
    st.binary(max_size=5),
    st.sampled_from(["R", "F", "2024-01-31", "OCT", "a.png", "1", "AREDS", "[png_series_2]a.png"]),
)
KEYS = (
    "project_name", "patient_identifier", "props", "studies", "study_date", "series", "series_id",
    "images", "image", "image_props", "patient_props", "sex", "laterality", "rows_y", "cf_roi",
    "modality", "birth_date", "sop_instance_uid", "series_instance_uid", "scan_mode", "source_name",
    "device_instance_id",
)  # fmt: skip
keys = st.one_of(st.sampled_from(KEYS), st.text(max_size=5), st.integers())
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=5), st.tuples(inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def empty_study(sqlite_at_head: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import shutil

    from eyened_domain.testing.databases import settings_on

    folder = tmp_path_factory.mktemp("anything")
    shutil.copyfile(sqlite_at_head, folder / "test_anything.db")
    opened = Database(settings_on(f"sqlite:///{folder}/test_anything.db", folder))
    yield importing_on(opened), opened, row_counts(opened)
    opened.close()


@given(records=st.lists(anything, max_size=4))
@example(records=[{"project_name": "A", "patient_identifier": "x", "props": {"sex": []}}])
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_records_of_any_shape_raise_nothing_but_our_errors(
    empty_study: Any, records: list[Any]
) -> None:
    importing, database, before = empty_study
    for read_files in (True, False):
        plan = importing.plan(records, options(read_files=read_files))
        assert all(error.where.startswith("record ") for error in plan.errors)
    assert row_counts(database) == before
    broken = [*records, flat("missing.png", day=str(date.max), patient="x")]
    with pytest.raises(EyenedError):
        importing.run(broken, options())
    assert row_counts(database) == before
