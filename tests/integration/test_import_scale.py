"""Many images: statements by the thousand, bounded memory, and several importers at once."""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from eyened_domain import Database, Project
from eyened_domain.adapters.sql import bulk_portions
from eyened_domain.services.importing import planner, portions
from eyened_domain.testing.queries import assert_queries
from tests.integration.imports import UNREAD, domain_counts, flat, importing_on, many, options


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def test_each_further_thousand_images_costs_the_same_statements(database: Database) -> None:
    importing = importing_on(database)
    importing.run(many(10), UNREAD)
    sent: dict[int, int] = {}
    for thousands in (1, 2, 4):
        with counted(database) as statements:
            importing.run(many(1000 * thousands, prefix=f"{thousands}/"), UNREAD)
        sent[thousands] = len(statements)
    assert sent[4] - sent[2] == 2 * (sent[2] - sent[1])
    assert sent[2] - sent[1] <= 40, sent


@pytest.mark.parametrize("mode", ["again", "update", "undo"])
def test_finding_changing_and_undoing_cost_the_same_statements_per_thousand(
    database: Database, mode: str
) -> None:
    importing = importing_on(database)
    sent: dict[int, int] = {}
    importing.run([flat("first.png")], UNREAD)
    for thousands in (1, 2, 3):
        result = importing.run(many(1000 * thousands, prefix=f"{thousands}/"), UNREAD)
        with counted(database) as statements:
            if mode == "again":
                importing.run(many(1000 * thousands, prefix=f"{thousands}/"), UNREAD)
            elif mode == "update":
                changed = [
                    one | {"sex": "F"} for one in many(1000 * thousands, prefix=f"{thousands}/")
                ]
                importing.run(changed, options(read_files=False, conflict="update"))
            else:
                importing.undo(int(result.import_id or 0))
        sent[thousands] = len(statements)
    assert sent[3] - sent[2] <= sent[2] - sent[1] + 2, sent
    assert sent[2] - sent[1] <= 50, sent


def test_memory_does_not_grow_with_the_images(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eyened_domain.testing.databases import settings_on

    monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 200)
    monkeypatch.setattr(portions, "_PORTIONS_IN_MEMORY", 2)
    database = Database(settings_on(sqlite_url, tmp_path))
    importing = importing_on(database)
    importing.run(many(500, prefix="warm/"), UNREAD)
    peaks = {}

    def collect(*_: object) -> None:
        gc.collect()

    gc.freeze()  # what was there before need not be looked at again
    for count in (1000, 3000):
        gc.collect()
        tracemalloc.start()
        records = many(count, prefix=f"{count}/", per_patient=100)
        # Entries go as they are done with; what SQLAlchemy leaves in circles waits for `collect`.
        plan = importing.plan(records, UNREAD, progress=collect)
        importing.apply(plan, progress=collect)
        del plan
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    gc.unfreeze()
    database.close()
    per_image = (peaks[3000] - peaks[1000]) / 2000
    assert per_image < 500, f"{per_image:.0f} bytes stay in memory for each image"


def bring(settings: dict[str, str], first: int, done: Any) -> None:
    """Import 300 images, of which others import most as well; in a process of its own."""
    planner.IMAGES_PER_PORTION = 50
    database = Database(settings)
    records = list(many(500))[first : first + 300]
    result = importing_on(database).run(records, options(read_files=False, on_error="skip"))
    done.put((result.written.made.get("ImageInstance", 0), len(result.plan.errors)))
    database.close()


def test_two_processes_import_into_one_database_at_once(database_url: str, tmp_path: Path) -> None:
    from eyened_domain.testing.databases import settings_on

    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    settings = settings_on(database_url, tmp_path)
    workers = [context.Process(target=bring, args=(settings, n, done)) for n in (0, 200)]
    for worker in workers:
        worker.start()
    results = [done.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    database = Database(settings)
    counts = domain_counts(database)
    database.close()
    assert sum(made for made, _ in results) == counts["ImageInstance"] == counts["Series"] == 500
    assert [errors for _, errors in results] == [0, 0]
    assert counts["Patient"] == 50


def test_one_image_more_in_a_study_is_imported_in_at_most_fourteen_statements(
    database: Database,
) -> None:
    importing = importing_on(database)
    importing.run([flat("first.png")], UNREAD)
    with assert_queries(database, at_most=14):
        result = importing.run([flat("second.png")], UNREAD)
    assert result.written.made == {"Series": 1, "ImageInstance": 1}


def test_twenty_thousand_images_are_imported_in_at_most_sixty_statements(
    database: Database,
) -> None:
    importing = importing_on(database)
    with assert_queries(database, at_most=60):
        result = importing.run(many(20_000, per_patient=20), UNREAD)
    assert result.written.made["ImageInstance"] == 20_000


def test_a_look_up_is_bounded_in_the_length_of_its_texts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_portions, "_LONGEST", 1000)
    with database.unit_of_work() as uow, counted(database) as statements:
        names = [f"{number:0100}" for number in range(25)]
        assert uow.rows.find(Project, "project_name", names, ("project_id",)) == []
    assert len([one for one in statements if one != "BEGIN"]) == 3
