"""Putting away, restoring and deleting takes as many statements for many rows as for few."""

from typing import Any

import pytest

from benchmarks.dataset import fill
from eyened_domain import Database, Project, Trash
from eyened_domain.testing.queries import count_queries

AT_MOST = {"plan": 19, "put away": 17, "restore": 7, "delete": 25}


def counted(database: Database) -> dict[str, int]:
    """Count the statements of each thing that can be done with a project."""
    totals: dict[str, int] = {}
    trash = Trash()

    def note(name: str, act: Any) -> None:
        with database.unit_of_work() as uow:
            project = Project.by_name(uow, "Benchmark")
            with count_queries(database) as sent:
                act(uow, project)
                uow.flush()
            uow.commit()
            totals[name] = sent.total

    note("plan", trash.plan_delete)
    note("put away", trash.put_away)
    note("restore", trash.restore)
    note("delete", trash.delete)
    return totals


@pytest.mark.parametrize("images", [40, 400])
def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    database: Database, images: int
) -> None:
    fill(database.engine, images)
    for name, total in counted(database).items():
        assert total <= AT_MOST[name], name
    with database.unit_of_work(include_inactive=True) as uow:
        assert uow.images.count() == uow.patients.count() == 0
