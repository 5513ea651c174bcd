"""`DateModified` on a database: SQLAlchemy's own ways to change rows, and other time zones."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from eyened_domain import Database, FormAnnotation, ImageInstance
from eyened_domain.adapters.sql import clock
from eyened_domain.adapters.sql.schema.entities import table_of
from eyened_domain.testing import Builder, count_queries
from eyened_domain.testing.databases import settings_on

OLD = datetime(2001, 2, 3, 4, 5, 6)


@pytest.fixture
def form_id(database: Database, builder: Builder) -> int:
    with database.unit_of_work() as uow:
        form = builder.add(uow, FormAnnotation, date_modified=OLD)
        uow.commit()
        return form.form_annotation_id


def read(database: Database, form_id: int) -> FormAnnotation:
    with database.get_session() as session:
        return FormAnnotation.by_id(session, form_id)


def is_now(form: FormAnnotation) -> bool:
    """Whether a form was changed about when it was inserted, by the clock of its database."""
    assert form.date_modified is not None
    return abs(form.date_modified - form.date_inserted) < timedelta(minutes=1)


def by_statement(session: Any, form_id: int) -> None:
    session.execute(
        update(FormAnnotation)
        .where(FormAnnotation.FormAnnotationID == form_id)
        .values(form_data={"a": 1})
    )


def by_core(session: Any, form_id: int) -> None:
    table: Any = table_of(FormAnnotation)
    session.connection().execute(
        update(table).where(table.c.form_annotation_id == form_id).values(form_data={"a": 1})
    )


def by_primary_key(session: Any, form_id: int) -> None:
    session.execute(
        update(FormAnnotation), [{"form_annotation_id": form_id, "form_data": {"a": 1}}]
    )


def by_mappings(session: Any, form_id: int) -> None:
    session.bulk_update_mappings(
        FormAnnotation, [{"form_annotation_id": form_id, "form_data": {"a": 1}}]
    )


@pytest.mark.parametrize("change", [by_statement, by_core, by_primary_key, by_mappings])
def test_every_way_of_sqlalchemy_to_change_rows_notes_the_moment(
    database: Database, form_id: int, change: Any
) -> None:
    with database.get_session() as session:
        change(session, form_id)
        session.commit()
    form = read(database, form_id)
    assert form.form_data == {"a": 1}
    assert is_now(form)


def test_a_statement_that_gives_a_moment_keeps_it(database: Database, form_id: int) -> None:
    given = OLD + timedelta(days=1)
    with database.get_session() as session:
        session.execute(update(FormAnnotation).values(laterality=None, date_modified=given))
        session.commit()
    assert read(database, form_id).date_modified == given


def test_the_moment_costs_no_statement(database: Database, builder: Builder) -> None:
    with database.get_session() as session:
        series = builder.a_series()
        session.add_all(builder.an_image(series=series) for _ in range(50))
        session.commit()
        images = session.scalars(select(ImageInstance)).all()
        for number, image in enumerate(images):
            image.thumbnail_path = f"1/{number}"
        with count_queries(database) as counted:
            session.flush()
            assert all(image.date_modified for image in images)
        assert all("UPDATE" in one for one in counted.statements)


@pytest.fixture
def far_away(mariadb_url: str, tmp_path: Path) -> Any:
    """A server whose clock shows another time than ours."""
    database = Database(settings_on(mariadb_url, tmp_path))
    event.listen(database.engine, "connect", _move, insert=True)
    database.engine.dispose()
    yield database
    database.close()


def _move(connection: Any, _record: Any) -> None:
    connection.cursor().execute("SET time_zone = '-07:00'")


def test_a_row_is_changed_by_the_clock_that_it_was_inserted_by(
    far_away: Database, builder: Builder
) -> None:
    with far_away.unit_of_work() as uow:
        form = builder.add(uow, FormAnnotation)
        uow.commit()
        form.form_data = {"a": 1}
        uow.commit()
    found = read(far_away, form.form_annotation_id)
    assert is_now(found)
    assert found.date_modified is not None
    assert abs(found.date_modified - datetime.now()) > timedelta(hours=1)


def test_one_statement_has_one_moment(
    database: Database, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.get_session() as session:
        series = builder.a_series()
        images = [builder.an_image(series=series) for _ in range(20)]
        session.add_all(images)
        session.commit()
        seconds = (OLD + timedelta(seconds=second) for second in range(1000))
        monkeypatch.setattr(clock, "now_of", lambda _connection: next(seconds))
        for number, image in enumerate(images):
            image.thumbnail_path = f"1/{number}"
        session.commit()
        shown = {image.image_instance_id: image.date_modified for image in images}
    with database.get_session() as session:
        found = ImageInstance.fetch_all(session)
        assert {one.image_instance_id: one.date_modified for one in found} == shown
