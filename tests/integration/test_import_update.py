"""An image that is there already: skip, match or update."""

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain import Database, ImageInstance, Patient, SourceInfo
from eyened_domain.errors import ConfigurationError, Duplicate
from eyened_domain.model import Modality
from tests.integration.imports import (
    UNREAD,
    dump,
    flat,
    importing_on,
    nested,
    options,
    row_counts,
    series,
    study,
)

OTHER = {"laterality": "L", "modality": "OCT", "manufacturer": "Topcon", "cf_quality": 1 / 3}


def only(database: Database, entity: type[Any]) -> Any:
    with database.get_session() as session:
        return session.repository(entity).one()


def update(**changes: Any) -> Any:
    return options(read_files=False, conflict="update", **changes)


def test_match_leaves_what_disagrees_as_it_is(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png", sex="F", image_props={"cf_quality": 0.5})], UNREAD)
    before = dump(database)
    result = importing.run([flat("a.png", sex="M", image_props=OTHER)], UNREAD)
    assert (result.import_id, result.written.matched) == (None, 1)
    assert dump(database) == before


def test_match_refuses_an_image_that_hangs_elsewhere(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png")], UNREAD)
    for record, field in (
        (flat("a.png", patient="P2"), "patient_identifier"),
        (flat("a.png", day="2030-01-01"), "study_date"),
        (flat("a.png") | {"project_name": "Other"}, "project_name"),
        (nested(study(series("a.png")), patient=None, project="Other"), "project_name"),
    ):
        (error,) = importing.plan([record], UNREAD).errors
        assert error.field == field
        assert "there already" in error.message


def test_skip_does_not_look_at_what_a_record_says_of_an_image_that_is_there(
    database: Database,
) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png")], UNREAD)
    before = row_counts(database)
    skip = options(read_files=False, conflict="skip")
    elsewhere = [flat("a.png", patient="P2"), flat("A.png", day="2030-01-01")]
    plan = importing.plan(elsewhere[:1], skip)
    assert not plan.errors
    assert plan.levels["ImageInstance"].skipped == 1
    assert plan.levels["Patient"].new == 0
    assert importing.apply(plan).import_id is None
    assert row_counts(database) == before
    mixed = [nested(study(series("a.png", "b.png")))]
    assert importing.run(mixed, skip).written.made == {"ImageInstance": 1}
    assert only_series_count(database) == 1
    moved = [nested(study(series("a.png", "c.png"), day="2030-01-01"))]
    made = importing.run(moved, skip).written.made
    assert made == {"Study": 1, "Series": 1, "ImageInstance": 1}


def only_series_count(database: Database) -> int:
    return row_counts(database)["Series"]


def test_a_new_image_joins_the_series_of_those_beside_it(database: Database) -> None:
    importing = importing_on(database)
    importing.run([nested(study(series("a.png")))], UNREAD)
    more = [nested(study(series("new.png", "a.png", "b.png")))]
    without = options(read_files=False, create_series=False)
    plan = importing.plan(more, without)
    assert (plan.levels["Series"].new, plan.levels["Series"].existing) == (0, 1)
    assert importing.apply(plan).written.made == {"ImageInstance": 2}


def test_update_names_and_writes_what_differs_and_nothing_else(database: Database) -> None:
    importing = importing_on(database)
    importing.run(
        [nested(study(series("a.png", "b.png")), props={"sex": "F", "birth_date": "1950-01-01"})],
        UNREAD,
    )
    images: list[dict[str, Any]] = [
        {"image": "a.png", "props": {"laterality": "L"}},
        {"image": "b.png", "props": {"laterality": "R"}},
    ]
    record = nested(
        study({"images": images, "props": {"series_number": 4}}, props={"study_round": 2}),
        props={"sex": "M", "birth_date": "1950-01-01"},
    )
    plan = importing.plan([record], update())
    changed = {name: dict(level.changed) for name, level in plan.levels.items() if level.changed}
    assert changed == {
        "Patient": {"sex": 1},
        "Study": {"study_round": 1},
        "Series": {"series_number": 1},
        "ImageInstance": {"laterality": 1},
    }
    result = importing.apply(plan)
    assert result.written.changed == {"Patient": 1, "Study": 1, "Series": 1, "ImageInstance": 1}
    before = row_counts(database)
    again = importing.plan([record], update())
    assert not any(level.changed for level in again.levels.values())
    assert importing.apply(again).import_id is None
    assert row_counts(database) == before


@pytest.mark.parametrize("number", [1 / 3, 0.1, 0.0117, 16_777_217.0, 1e-30, 3.0000001])
def test_a_number_of_single_precision_given_again_is_no_change(
    database: Database, number: float
) -> None:
    importing = importing_on(database)
    record = flat("a.png", image_props={"resolution_axial": number})
    importing.run([record], UNREAD)
    plan = importing.plan([record], update())
    assert not plan.levels["ImageInstance"].changed
    assert importing.apply(plan).import_id is None
    other = flat("a.png", image_props={"resolution_axial": number * 1.00001})
    result = importing.run([other], update())
    assert result.plan.levels["ImageInstance"].changed == {"resolution_axial": 1}
    importing.undo(int(result.import_id or 0))
    assert importing.run([record], update()).import_id is None


def test_update_keeps_the_modality_and_its_entry_together(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png", image_props={"modality": "ColorFundus"})], UNREAD)
    before = dump(database)
    result = importing.run([flat("a.png", image_props={"modality": "OCT"})], update())
    assert result.written.made == {"ModalityTable": 1}
    with database.get_session() as session:
        image = session.repository(ImageInstance).one()
        assert image.modality is Modality.OCT
        assert image.modality_entry.modality_tag == "OCT"
        assert image.device_instance.description == "unknown"
    importing.undo(int(result.import_id or 0))
    assert dump(database) == before


def test_update_moves_an_image_to_the_device_that_the_record_says(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png", manufacturer="Zeiss", device_description="Room 1")], UNREAD)
    record = flat("a.png", device_description="Room 2", scan_mode="Disc")
    plan = importing.plan([record], update())
    assert plan.levels["ImageInstance"].changed == {"device_description": 1, "scan_mode": 1}
    importing.apply(plan)
    with database.get_session() as session:
        image = session.repository(ImageInstance).one()
        assert image.device_instance.description == "Room 2"
        assert image.device_instance.device_model.manufacturer == "Zeiss"
        assert image.scan is not None
        assert image.scan.scan_mode == "Disc"
    assert importing.run([record], update()).import_id is None


def test_names_that_differ_in_accents_and_blanks_are_the_same(database: Database) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    plan = importing.plan([flat("a.png", patient="José"), flat("b.png", patient="jose ")], UNREAD)
    assert (plan.errors, plan.levels["Patient"].new) == ([], 1)
    plan = importing.plan([flat("José/a.png"), flat("Jose/a.png")], UNREAD)
    assert [(e.where, e.field) for e in plan.errors] == [("record 2", "image")]
    assert row_counts(database) == before
    importing.run([flat("a.png", patient="José")], UNREAD)
    made = importing.run([flat("b.png", patient="Jose")], UNREAD).written.made
    assert made.get("Patient", 0) == 0
    with database.get_session() as session:
        assert session.repository(Patient).count() == 1


def test_a_key_that_only_the_database_takes_for_the_same_ends_in_one_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a collation has more letters alike than this library knows of."""
    from eyened_domain.services.importing import entries, lookups

    importing = importing_on(database)
    importing.run([flat("a.png", patient="strasse")], UNREAD)
    before = row_counts(database)
    monkeypatch.setattr(entries, "fold", str)
    monkeypatch.setattr(lookups, "fold", str)
    with pytest.raises(Duplicate) as caught:
        importing.run([flat("b.png", patient="STRASSE")], UNREAD)
    assert caught.value.entity == "Patient"
    assert row_counts(database) == before
    records = [flat(f"x{name}.png", patient=name) for name in ("A", "STRASSE", "B", "C")]
    result = importing.run(records, options(read_files=False, on_error="skip"))
    assert [error.where for error in result.plan.errors] == ["record 2"]
    assert result.written.made["Patient"] == 3


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_an_import_whose_last_patient_is_refused_is_recorded_as_finished(
    database: Database, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    from eyened_domain.services.importing import entries, lookups, planner

    importing = importing_on(database)
    importing.run([flat("a.png", patient="strasse")], UNREAD)
    monkeypatch.setattr(entries, "fold", str)
    monkeypatch.setattr(lookups, "fold", str)
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", size)
    records = [flat(f"x{name}.png", patient=name) for name in ("A", "B", "C", "STRASSE")]
    result = importing.run(records, options(read_files=False, on_error="skip"))
    assert [error.where for error in result.plan.errors] == ["record 4"]
    assert [run.finished_at is None for run in importing.history()] == [False, False]


def test_a_row_that_somebody_else_writes_first_is_found(
    mariadb_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eyened_domain.services.importing import applying
    from eyened_domain.testing.databases import settings_on

    database = Database(settings_on(mariadb_url, tmp_path))
    other = Database(settings_on(mariadb_url, tmp_path))
    elsewhere = options(read_files=False, source_name="Elsewhere")
    importing = importing_on(database)
    first = importing.run([flat("0.png"), flat("1.png", source_name="Elsewhere")], UNREAD)
    importing.undo(int(first.import_id or 0))
    with database.unit_of_work() as uow:
        for name in ("images", "Elsewhere"):
            uow.sources.add(SourceInfo(source_name=name, source_path=name, thumbnail_path=name))
        uow.commit()
    plan = importing.plan([flat("a.png")], UNREAD)
    make_projects = applying.PortionWriter._make_projects
    raced: list[Any] = []

    def after_the_other(self: Any, patients: Any) -> None:
        if not raced:
            raced.append("now")
            raced.append(importing_on(other).run([flat("b.png")], elsewhere))
        make_projects(self, patients)

    monkeypatch.setattr(applying.PortionWriter, "_make_projects", after_the_other)
    result = importing.apply(plan)
    assert raced[1].written.made["Project"] == raced[1].written.made["Study"] == 1
    assert result.written.made == {"Series": 1, "ImageInstance": 1}
    assert row_counts(database)["Patient"] == 1
    database.close()
    other.close()


def test_without_the_record_of_imports_it_says_what_to_run_and_writes_nothing(
    empty_database_url: str, tmp_path: Any
) -> None:
    from eyened_domain.adapters.sql.schema import metadata
    from eyened_domain.testing.databases import settings_on
    from eyened_domain.testing.engines import engine_on

    engine = engine_on(empty_database_url)
    own = {"ImportBatch", "ImportItem", "UnitOfWorkLog", "History", "HistoryStream"}
    metadata.create_all(engine, [t for t in metadata.sorted_tables if t.name not in own])
    engine.dispose()
    database = Database(settings_on(empty_database_url, tmp_path))
    importing = importing_on(database)
    plan = importing.plan([flat("a.png")], UNREAD)
    for action in (lambda: importing.apply(plan), lambda: importing.undo(1), importing.history):
        with pytest.raises(ConfigurationError, match="eorm upgrade"):
            action()
    with database.get_session() as session:
        assert session.repository(Patient).count() == 0
    database.close()
