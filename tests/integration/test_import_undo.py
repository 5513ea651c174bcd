"""An import is recorded, and undone: exactly its rows, unless something hangs on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from eyened_domain import (
    Creator,
    Database,
    FormAnnotation,
    FormSchema,
    ImageInstance,
    ImageInstanceTagLink,
    Patient,
    Project,
    Segmentation,
    Series,
    Study,
    Tag,
)
from eyened_domain.adapters.sql.schema.bookkeeping import import_item
from eyened_domain.errors import NotFound, RuleBroken
from eyened_domain.model import SexEnum
from eyened_domain.services.importing import planner
from eyened_domain.testing import Builder
from tests.integration.imports import (
    ALL,
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


@pytest.fixture
def import_id(database: Database) -> int:
    """An import of two images of two patients, after another import."""
    importing = importing_on(database)
    importing.run([flat("before.png", manufacturer="Topcon")], UNREAD)
    records = [flat("a.png", manufacturer="Topcon"), flat("b.png", patient="P2", scan_mode="Disc")]
    return int(importing.run(records, UNREAD).import_id or 0)


def test_undo_leaves_every_table_as_it_was(database: Database) -> None:
    importing = importing_on(database)
    importing.run(many(7), UNREAD)
    png(database, "new/1.png", "new/2.png")
    before, rows = domain_counts(database), dump(database)
    records = [
        flat("new/1.png", patient="P0", day="2010-01-01"),
        flat("new/2.png", patient="N", manufacturer="Zeiss", scan_mode="X", source_name="S"),
    ]
    result = importing.run(records, ALL)
    assert domain_counts(database) != before
    undone = importing.undo(int(result.import_id or 0))
    assert (domain_counts(database), dump(database)) == (before, rows)
    assert undone.deleted["ImageInstance"] == 2
    assert undone.kept == []


def test_undo_of_many_portions_takes_out_all_of_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 7)
    importing = importing_on(database)
    before = domain_counts(database)
    for on_error in ("stop", "skip"):
        result = importing.run(many(40), options(read_files=False, on_error=on_error))
        assert domain_counts(database)["ImageInstance"] == 40
        importing.undo(int(result.import_id or 0))
        assert domain_counts(database) == before


def attach_segmentation(uow: Any, image: ImageInstance) -> None:
    segmentation = Builder().build(Segmentation)
    segmentation.image_instance = image
    uow.repository(Segmentation).add(segmentation)


def attach_tag(uow: Any, image: ImageInstance) -> None:
    builder = Builder()
    tag, creator = builder.build(Tag), builder.build(Creator)
    link = ImageInstanceTagLink(tag=tag, image_instance=image, creator=creator)
    uow.repository(ImageInstanceTagLink).add(link)


def attach_form(uow: Any, image: ImageInstance) -> None:
    builder = Builder()
    form = FormAnnotation(
        form_schema=builder.build(FormSchema),
        patient=image.patient,
        creator=builder.build(Creator),
        form_data={},
        inactive=False,
    )
    uow.repository(FormAnnotation).add(form)


def attach_image(uow: Any, image: ImageInstance) -> None:
    like = {
        name: getattr(image, name)
        for name in ("series", "source_info", "device_instance", "modality_entry", "laterality")
    }
    uow.images.add(ImageInstance(dataset_identifier="attached.png", **like))


@pytest.mark.parametrize(
    ("attach", "named"),
    [
        (attach_segmentation, "Segmentation"),
        (attach_tag, "ImageInstanceTagLink"),
        (attach_form, "FormAnnotation"),
        (attach_image, "ImageInstance"),
    ],
)
def test_undo_is_refused_when_something_was_attached_and_says_what(
    database: Database, import_id: int, attach: Any, named: str
) -> None:
    with database.unit_of_work() as uow:
        attach(uow, uow.images.one(dataset_identifier="b.png"))
        uow.commit()
    before = row_counts(database)
    with pytest.raises(RuleBroken, match=named):
        importing_on(database).undo(import_id)
    assert row_counts(database) == before


def test_undo_is_refused_when_a_later_import_added_to_its_rows(
    database: Database, import_id: int
) -> None:
    importing = importing_on(database)
    later = importing.run([flat("c.png", patient="P2")], UNREAD)
    with pytest.raises(RuleBroken, match="Series"):
        importing.undo(import_id)
    importing.undo(int(later.import_id or 0))
    importing.undo(import_id)


def test_an_import_is_undone_once(database: Database, import_id: int) -> None:
    importing = importing_on(database)
    importing.undo(import_id)
    before = row_counts(database)
    with pytest.raises(RuleBroken, match="undone already"):
        importing.undo(import_id)
    assert row_counts(database) == before
    with pytest.raises(NotFound):
        importing.undo(999_999)


def test_a_device_that_another_import_uses_is_kept(database: Database) -> None:
    importing = importing_on(database)
    first = importing.run([flat("a.png", manufacturer="Topcon")], UNREAD)
    importing.run([flat("b.png", patient="P2", manufacturer="Topcon")], UNREAD)
    with pytest.raises(RuleBroken):
        importing.undo(int(first.import_id or 0))  # both patients are of one project
    elsewhere = flat("c.png", patient="P3", manufacturer="Zeiss") | {"project_name": "Other"}
    third = importing.run([elsewhere], UNREAD)
    again = elsewhere | {"image": "d.png", "project_name": "AREDS"}
    importing.run([again], UNREAD)
    undone = importing.undo(int(third.import_id or 0))
    assert {one.split()[0] for one in undone.kept} == {"DeviceInstance", "DeviceModel"}
    with database.get_session() as session:
        image = session.repository(ImageInstance).one(dataset_identifier="d.png")
        assert image.device_instance.device_model.manufacturer == "Zeiss"


def test_undo_restores_what_an_update_changed(database: Database) -> None:
    importing = importing_on(database)
    first = {"cf_quality": 1 / 3, "modality": "OCT", "cf_roi": {"radius": 3}}
    importing.run([flat("a.png", sex="F", image_props=first)], UNREAD)
    before = dump(database)
    second = {"cf_quality": 2 / 3, "modality": "ColorFundus", "cf_roi": {"radius": 4}}
    second |= {"acquisition_date_time": "2024-01-31T10:00:00", "manufacturer": "Zeiss"}
    record = flat("a.png", sex="M", birth_date="1950-12-24", image_props=second)
    result = importing.run([record], options(read_files=False, conflict="update"))
    assert result.written.changed == {"Patient": 1, "ImageInstance": 1}
    undone = importing.undo(int(result.import_id or 0))
    assert undone.restored == {"Patient": 1, "ImageInstance": 1}
    assert dump(database) == before


def test_undo_is_refused_when_what_it_changed_was_changed_since(database: Database) -> None:
    importing = importing_on(database)
    importing.run([flat("a.png", sex="F")], UNREAD)
    update = options(read_files=False, conflict="update")
    second = importing.run([flat("a.png", sex="M")], update)
    third = importing.run([flat("a.png", sex="F")], update)
    with pytest.raises(RuleBroken, match=r"Patient .* was changed since"):
        importing.undo(int(second.import_id or 0))
    importing.undo(int(third.import_id or 0))
    importing.undo(int(second.import_id or 0))
    with database.get_session() as session:
        assert session.repository(Patient).one().sex is SexEnum.F


def test_an_import_whose_rows_are_gone_can_still_be_undone(
    database: Database, import_id: int
) -> None:
    importing = importing_on(database)
    update = options(read_files=False, conflict="update")
    changed = importing.run([flat("a.png", image_props={"laterality": "L"})], update)
    with database.unit_of_work() as uow:
        uow.images.delete(uow.images.one(dataset_identifier="a.png"))
        uow.commit()
    assert importing.undo(int(changed.import_id or 0)).restored == {}
    assert importing.undo(import_id).deleted["ImageInstance"] == 1


def test_an_id_that_was_free_again_and_given_to_a_later_import_stays(
    sqlite_url: str, tmp_path: Path
) -> None:
    from eyened_domain.testing.databases import settings_on

    database = Database(settings_on(sqlite_url, tmp_path))
    importing = importing_on(database)
    importing.run([flat("keep.png")], UNREAD)
    first = importing.run([flat("a.png")], UNREAD)
    with database.unit_of_work() as uow:
        image = uow.images.one(dataset_identifier="a.png")
        freed = image.image_instance_id
        uow.images.delete(image)
        uow.commit()
    with database.engine.begin() as connection:  # as in files of before ids were given once only
        back = text("UPDATE sqlite_sequence SET seq = :freed - 1 WHERE name = 'ImageInstance'")
        connection.execute(back, {"freed": freed})
    importing.run([flat("b.png", patient="P2")], UNREAD)
    with database.get_session() as session:
        given = session.repository(ImageInstance).one(dataset_identifier="b.png").image_instance_id
    assert given == freed, "the id is given again"
    importing.undo(int(first.import_id or 0))
    with database.get_session() as session:
        names = {one.dataset_identifier for one in session.repository(ImageInstance).where()}
    assert names == {"keep.png", "b.png"}
    database.close()


def test_what_is_recorded_is_compact(database: Database) -> None:
    importing_on(database).run([nested(study(series(*(f"{n}.png" for n in range(500)))))], UNREAD)
    counts = row_counts(database)
    assert counts["ImportBatch"] == 1
    assert counts["ImportItem"] <= 10


def test_undo_keeps_out_what_others_attach_meanwhile(mariadb_url: str, tmp_path: Path) -> None:
    """A row that refers to the import's cannot come in between the check and the deletion."""
    from eyened_domain.services.importing.undoing import Undoing
    from eyened_domain.testing.databases import settings_on
    from eyened_domain.testing.engines import engine_on

    database = Database(settings_on(mariadb_url, tmp_path))
    importing = importing_on(database)
    import_id = int(importing.run([flat("a.png")], UNREAD).import_id or 0)
    with database.get_session() as session:
        study_id = session.repository(Study).one().study_id
    engine = engine_on(mariadb_url)
    with database.unit_of_work() as uow:
        Undoing(uow).undo(import_id)
        with engine.connect() as other:
            other.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 1")
            table = import_item.metadata.tables["Series"]
            with pytest.raises(Exception, match=r"(?i)lock|hold"):
                other.execute(insert(table).values(study_id=study_id))
        uow.commit()
    engine.dispose()
    with database.get_session() as session:
        for entity in (Project, Series, Study):
            assert session.repository(entity).count() == 0
    database.close()
