"""Records become rows: plan and apply, on SQLite and MariaDB."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eyened_domain import Database, ImageInstance, Patient, Project, Series, Study
from eyened_domain.errors import BadInput, FileMissing, NotFound
from eyened_domain.model import SexEnum
from eyened_domain.services.importing import ImportPlan, planner
from tests.integration.imports import (
    ALL,
    LEVELS,
    UNREAD,
    domain_counts,
    dump,
    flat,
    importing_on,
    many,
    nested,
    options,
    png,
    row_counts,
    series,
    study,
)

TWO_PATIENTS = [
    nested(
        study(series("a/1.png", "a/2.png"), series("a/3.png"), props={"study_round": 1}),
        study(series("a/4.png"), day="2025-01-31"),
        props={"sex": "F", "birth_date": "1950-12-24"},
    ),
    nested(study(series("b/1.png")), patient="P2"),
]
PATHS = ["a/1.png", "a/2.png", "a/3.png", "a/4.png", "b/1.png"]


@pytest.fixture
def images(database: Database) -> None:
    importing_on(database)
    png(database, *PATHS)


@pytest.mark.usefixtures("images")
def test_the_plan_says_what_applying_it_writes(database: Database) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    plan = importing.plan(TWO_PATIENTS, ALL, source="a file")
    assert row_counts(database) == before, "a plan writes nothing"
    result = importing.apply(plan)
    planned = {name: plan.levels[name].new for name in LEVELS}
    assert planned == {"Project": 1, "Patient": 2, "Study": 3, "Series": 4, "ImageInstance": 5}
    assert {name: result.written.made[name] for name in LEVELS} == planned
    counts = domain_counts(database)
    assert {name: counts[name] for name in LEVELS} == planned
    filled = plan.levels["ImageInstance"].filled
    assert filled["laterality"] == filled["rows_y"] == filled["dataset_identifier"] == 5
    assert plan.levels["Patient"].filled == {"patient_identifier": 2, "sex": 1, "birth_date": 1}
    assert "ImageInstance" in str(plan)
    assert importing.history()[0].source == "a file"


@pytest.mark.usefixtures("images")
def test_a_second_run_finds_everything_and_writes_no_row_in_any_table(database: Database) -> None:
    importing = importing_on(database)
    importing.run(TWO_PATIENTS, ALL)
    before, rows = row_counts(database), dump(database)
    for conflict in ("match", "skip", "update"):
        plan = importing.plan(TWO_PATIENTS, options(conflict=conflict))
        assert not plan.errors
        assert not any(level.new or level.changed for level in plan.levels.values())
        result = importing.apply(plan)
        assert (result.import_id, result.written.made, result.written.changed) == (None, {}, {})
        assert (row_counts(database), dump(database)) == (before, rows)
    assert plan.levels["ImageInstance"].existing == 5


@pytest.mark.usefixtures("images")
def test_a_saved_plan_is_applied_as_the_plan_itself(database: Database, tmp_path: Path) -> None:
    importing = importing_on(database)
    records = [
        *TWO_PATIENTS,
        flat("a/1.png", patient="P9"),  # bad: it is P1's
        flat("c.png", image_props={"cf_roi": {"radius": 3}, "acquisition_date_time": "2024-01-31"}),
    ]
    png(database, "c.png")
    plan = importing.plan(records, options(on_error="skip"), source="x")
    plan.save(tmp_path / "plan.jsonl")
    loaded = ImportPlan.load(tmp_path / "plan.jsonl")
    assert loaded.as_dict() == plan.as_dict()
    assert str(loaded) == str(plan)
    result = importing.apply(loaded)
    stored = dump(database)
    importing.undo(int(result.import_id or 0))
    importing.apply(plan)
    without_ids = _without_numbers(stored), _without_numbers(dump(database))
    assert without_ids[0] == without_ids[1]
    with pytest.raises(BadInput, match="exists already"):
        plan.save(tmp_path / "plan.jsonl")


def _without_numbers(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, Any]:
    plain = {
        name: [tuple(v for v in row if not isinstance(v, int)) for row in some]
        for name, some in rows.items()
    }
    return {name: sorted(some, key=repr) for name, some in plain.items()}


def test_a_plan_that_is_cut_off_or_changed_is_refused_at_any_length(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "plan.jsonl"
    importing_on(database).plan(many(3), UNREAD).save(path)
    whole = path.read_text()
    importing_on(database)
    for length in range(0, len(whole) - 1, 7):
        path.write_text(whole[:length])
        with pytest.raises(BadInput):
            ImportPlan.load(path)
    for old, new in (
        ("0/1.png", "../1.png"),
        ('"laterality": "R"', '"laterality": "X"'),
        ('"columns"', '"colums"'),
    ):
        assert old in whole
        path.write_text(whole.replace(old, new))
        with pytest.raises(BadInput):
            ImportPlan.load(path)
    path.write_text(whole + "more")
    with pytest.raises(BadInput):
        ImportPlan.load(path)
    with pytest.raises(FileMissing):
        ImportPlan.load(tmp_path / "nothing")
    with pytest.raises(BadInput):
        ImportPlan.load(tmp_path)


@pytest.mark.usefixtures("images")
def test_with_stop_one_bad_record_keeps_everything_out(database: Database) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    plan = importing.plan([*TWO_PATIENTS, flat("missing.png")], ALL)
    with pytest.raises(BadInput, match=r"record 3.*missing\.png"):
        importing.apply(plan)
    assert row_counts(database) == before


def test_with_skip_one_bad_of_fifty_leaves_forty_nine(database: Database) -> None:
    importing = importing_on(database)
    records = [flat(f"{n}.png", patient=f"P{n}") for n in range(50)]
    png(database, *(f"{n}.png" for n in range(50) if n != 17))
    result = importing.run(records, options(on_error="skip"))
    counts = domain_counts(database)
    assert counts["ImageInstance"] == counts["Patient"] == counts["Series"] == 49
    assert [error.where for error in result.plan.errors] == ["record 18"]
    assert result.plan.levels["ImageInstance"].skipped == 1
    assert "49 ImageInstance" in str(result)


def test_flat_and_nested_records_give_the_same_rows(database: Database) -> None:
    importing = importing_on(database)
    nested_records = [
        nested(
            study(series("a.png"), series("b.png"), props={"study_round": 1}),
            study(series("c.png"), day="2025-01-31"),
            props={"Sex": "F"},
        )
    ]
    flat_records: list[dict[str, Any]] = [
        flat("a.png", patient_props={"sex": "F"}, study_props={"StudyRound": 1}),
        flat("b.png", Sex="F", study_round="1"),
        flat("c.png", day="2025-01-31", **{"patient.sex": "F"}),
    ]
    found = []
    for records in (nested_records, flat_records):
        result = importing.run(records, UNREAD)
        found.append(_without_numbers(dump(database)))
        importing.undo(int(result.import_id or 0))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["projects", "patients", "studies"])
def test_what_is_not_there_is_made_only_where_the_option_allows_it(
    database: Database, kind: str
) -> None:
    importing = importing_on(database)
    importing.run([flat("there.png")], UNREAD)
    before = row_counts(database)
    record = {
        "projects": flat("new.png") | {"project_name": "New"},
        "patients": flat("new.png", patient="New"),
        "studies": flat("new.png", day="2030-01-01"),
    }[kind]
    plan = importing.plan([record], options(read_files=False, **{f"create_{kind}": False}))
    (error,) = plan.errors
    assert f"create_{kind}" in error.message
    assert re.search("New|2030-01-01", error.message)
    with pytest.raises(BadInput):
        importing.apply(plan)
    assert row_counts(database) == before
    assert importing.run([flat("more.png")], options(read_files=False)).written.made["Series"] == 1


def test_without_create_series_an_image_has_to_name_one(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png")], UNREAD)
    without = options(read_files=False, create_series=False)
    (error,) = importing.plan([flat("b.png")], without).errors
    assert error.field == "series_id"
    with database.get_session() as session:
        series_id = session.repository(Series).one().series_id
    importing.run([flat("b.png", series_id=str(series_id))], without)
    with database.get_session() as session:
        assert len(session.repository(Series).one().images) == 2


def test_a_series_of_another_study_or_of_none_is_refused(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png"), flat("b.png", day="2025-01-01")], UNREAD)
    with database.get_session() as session:
        ids = {s.study.study_date: s.series_id for s in session.repository(Series).where()}
    for wrong in (ids[date(2025, 1, 1)], 999_999):
        (error,) = importing.plan([flat("c.png", series_id=wrong)], UNREAD).errors
        assert error.field == "series_id"
        assert str(wrong) in error.message


def test_a_patient_without_identifier_gets_sixteen_hex_digits_and_is_found_again(
    database: Database,
) -> None:
    importing = importing_on(database)
    records = [nested(study(series("a.png", "b.png")), patient=None, props={"sex": "M"})]
    importing.run(records, UNREAD)
    with database.get_session() as session:
        assert re.fullmatch("[0-9a-f]{16}", session.repository(Patient).one().patient_identifier)
    before = row_counts(database)
    assert importing.run(records, UNREAD).import_id is None
    assert row_counts(database) == before
    more = [nested(study(series("a.png", "b.png", "c.png")), patient=None)]
    assert importing.run(more, UNREAD).written.made == {"ImageInstance": 1}
    elsewhere = nested(study(series("a.png", "d.png")), patient=None, project="Other")
    importing.run([elsewhere], options(read_files=False, on_error="skip"))
    with database.get_session() as session:
        names = [one.patient_identifier for one in session.repository(Patient).where()]
    assert len(set(names)) == 2, "the name of one project's patient is not taken to another"
    (error,) = importing.plan([nested(patient=None)], UNREAD).errors
    assert error.field == "patient_identifier"
    (error,) = importing.plan([nested(study(), patient=None)], UNREAD).errors
    assert error.field == "patient_identifier"


def test_dates_are_stored_as_given_and_a_missing_one_is_the_default(database: Database) -> None:
    importing = importing_on(database)
    records = [
        flat("a.png", day="1999-02-28", image_props={"AcquisitionDateTime": "1999-02-28T23:59:59"}),
        nested(study(series("b.png"), day=None)),
    ]
    importing.run(records, UNREAD)
    with database.get_session() as session:
        days = sorted(str(one.study_date) for one in session.repository(Study).where())
        image = session.repository(ImageInstance).one(dataset_identifier="a.png")
    assert days == ["1970-01-01", "1999-02-28"]
    assert str(image.acquisition_date_time) == "1999-02-28 23:59:59"


def test_records_without_images_make_projects_patients_and_studies_only(
    database: Database,
) -> None:
    importing = importing_on(database)
    records = [
        {"project_name": "AREDS", "patient_identifier": "P1", "props": {"sex": "M"}},
        nested({"study_date": "2024-01-31", "props": {"study_round": 2}}, patient="P2"),
    ]
    result = importing.run(records, ALL)
    assert result.written.made == {"Project": 1, "Patient": 2, "Study": 1}
    assert {n: level.new for n, level in result.plan.levels.items()} == {
        "Project": 1, "Patient": 2, "Study": 1, "Series": 0, "ImageInstance": 0,
    }  # fmt: skip
    assert importing.run(records, ALL).import_id is None


def test_no_records_are_an_empty_plan(database: Database) -> None:
    importing = importing_on(database)
    before, seen = row_counts(database), []
    plan = importing.plan([], ALL, progress=lambda done, total: seen.append((done, total)))
    assert importing.apply(plan).import_id is None
    assert row_counts(database) == before
    assert seen == [(0, 0)]


def test_bad_ancestors_leave_out_what_hangs_on_them_and_are_not_made(database: Database) -> None:
    importing = importing_on(database)
    png(database, "good.png")
    records = [
        nested(study(series("x.png")), patient="Bad1", props={"sex": "X"}),
        nested(study(series("x.png"), day="2024-02-30"), patient="Bad2"),
        nested(study(series("missing.png")), patient="Bad3", project="Never"),
        nested(study(series("missing2.png"), series("good.png"), series("missing3.png"))),
    ]
    result = importing.run(records, options(on_error="skip"))
    assert [error.where.split(",")[0] for error in result.plan.errors] == [
        "record 1", "record 2", "record 3", "record 4", "record 4",
    ]  # fmt: skip
    with database.get_session() as session:
        assert [one.project_name for one in session.repository(Project).where()] == ["AREDS"]
        assert [p.patient_identifier for p in session.repository(Patient).where()] == ["P1"]
        assert session.repository(Series).count() == 1


def test_records_of_one_patient_are_put_together_unless_they_contradict(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 2)
    importing = importing_on(database)
    records = [
        flat("a.png", sex="F"),
        flat("b.png", birth_date="1950-12-24", patient="p1 "),
        flat("c.png", patient="Other"),
        flat("d.png", sex="F", study_round=3),
        flat("e.png", sex="M"),
        flat("f.png", study_round=4),
    ]
    result = importing.run(records, options(read_files=False, on_error="skip"))
    assert [(error.where, error.field) for error in result.plan.errors] == [
        ("record 5", "sex"),
        ("record 6", "study_round"),
    ]
    with database.get_session() as session:
        patient = session.repository(Patient).one(patient_identifier="P1")
        assert (patient.sex, str(patient.birth_date)) == (SexEnum.F, "1950-12-24")
        assert [one.study_round for one in patient.studies] == [3]
    filled = result.plan.levels["Patient"].filled
    assert filled == {"patient_identifier": 2, "sex": 1, "birth_date": 1}
    assert result.plan.levels["ImageInstance"].new == 4


def test_portions_of_any_size_give_the_same_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [*many(23, per_patient=4), nested(study(series(*(f"n/{n}.png" for n in range(9)))))]
    found = []
    for size in (1, 2, 5, 1000):
        monkeypatch.setattr(planner, "IMAGES_PER_PORTION", size)
        importing = importing_on(database)
        result = importing.run(iter(records), UNREAD)
        found.append((_without_numbers(dump(database)), result.plan.as_dict()))
        importing.undo(int(result.import_id or 0))
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
@pytest.mark.usefixtures("images")
def test_files_read_by_others_give_the_same_plan(database: Database, pool: Any) -> None:
    importing = importing_on(database)
    records = [*TWO_PATIENTS, flat("missing.png"), flat("b/1.png", patient="P2", rows_y=7)]
    (Path(database.settings.images_basepath) / "bad.png").write_bytes(b"\x89PNG")
    records.append(flat("bad.png"))
    alone = importing.plan(records, options(on_error="skip"))
    with pool(2) as executor:
        together = importing.plan(records, options(on_error="skip"), executor=executor)
    assert together.as_dict() == alone.as_dict()
    assert len(alone.errors) == 3


def test_progress_is_told_in_records_and_in_portions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 10)
    importing, seen = importing_on(database), []
    records = list(many(25))
    plan = importing.plan(records, UNREAD, progress=lambda *done: seen.append(done))
    assert seen == [(10, 25), (20, 25), (25, 25)]
    seen.clear()
    importing.apply(plan, progress=lambda *done: seen.append(done))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("gone", ["images", "series", "studies", "patients", "projects"])
def test_what_the_plan_found_and_is_gone_stops_the_import(database: Database, gone: str) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png")], UNREAD)
    records = [nested(study(series("a.png", "b.png")))]
    finding = options(read_files=False, create_projects=False)
    plans = [importing.plan(records, finding), importing.plan([flat("a.png")], finding)]
    with database.unit_of_work() as uow:
        repository = getattr(uow, gone)
        repository.delete(repository.where()[0])
        uow.commit()
    before = row_counts(database)
    for plan in plans:
        with pytest.raises(NotFound, match="gone"):
            importing.apply(plan)
        assert row_counts(database) == before


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_an_import_is_recorded_as_finished_in_portions_and_in_one(
    database: Database, monkeypatch: pytest.MonkeyPatch, on_error: str, size: int
) -> None:
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", size)
    importing = importing_on(database)
    importing.run([flat("2.png"), flat("3.png")], UNREAD)
    records = [flat(f"{number}.png") for number in range(4)]  # nothing new in the last portions
    result = importing.run(records, options(read_files=False, on_error=on_error))
    (run, before) = importing.history()
    assert run.import_id == result.import_id
    assert run.finished_at is not None
    assert before.finished_at is not None


def test_an_import_that_is_stopped_between_portions_is_not_recorded_as_finished(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 2)
    importing = importing_on(database)
    plan = importing.plan(list(many(6)), options(read_files=False, on_error="skip"))

    def stop(done: int, total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.apply(plan, progress=stop)
    (run,) = importing.history()
    assert run.finished_at is None
    assert domain_counts(database)["ImageInstance"] == 4
    importing.undo(run.import_id)
    assert domain_counts(database)["ImageInstance"] == 0


def test_progress_is_told_while_files_are_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "FILES_AT_A_TIME", 2)
    importing, seen = importing_on(database), []
    png(database, *(f"{number}.png" for number in range(5)))
    records = [flat(f"{number}.png") for number in range(5)]
    plan = importing.plan(records, ALL, progress=lambda *done: seen.append(done))
    assert plan.errors == []
    assert seen == [(2, 5), (4, 5), (5, 5)]
