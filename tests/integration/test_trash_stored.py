"""The trash on a database: as many statements for many rows as for few; others who write."""

from typing import Any

import pytest

from benchmarks.dataset import fill
from eyened_domain import Database, ImageInstance, Project, Segmentation, Trash
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.queries import count_queries

AT_MOST = {"plan": 19, "put away": 18, "restore": 8, "delete": 35}
"""The history among them: what rows held is read before they are deleted."""


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


def test_what_others_have_committed_since_is_deleted_along_and_told(mariadb_url: str) -> None:
    """What hangs on an object is read as it is now, and locked: nothing goes untold."""
    database, build = Database({"database_url": mariadb_url, "secret_key": "x"}), Builder()
    with database.unit_of_work() as uow:
        identity = build.add(uow, ImageInstance)
        uow.commit()
    with database.unit_of_work() as uow:
        image = uow.images.get(identity.image_instance_id)  # from here on, it sees no more
        with database.unit_of_work() as other:
            build.add(other, Segmentation, image_instance=other.images.get(image.image_instance_id))
            other.commit()
        assert uow.segmentations.count() == 0
        assert Trash().delete(uow, image).counts == {"ImageInstance": 1, "Segmentation": 1}
        uow.commit()
        assert uow.segmentations.count() == 0
    database.close()
