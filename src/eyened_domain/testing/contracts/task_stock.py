"""What the contracts of tasks begin with: images, graders, a kind of task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from attrs import frozen

from eyened_domain.model import SubTaskState, SubTaskWork
from eyened_domain.services.tasks import Claim, Tasks
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

LONG_AGO = datetime(2020, 1, 1)
NAMES = ("ann", "bob", "eve")


@frozen
class Stock:
    """What is stored: the ids of images, and those of graders by name."""

    images: list[int]
    graders: dict[str, int]


class TaskContract(Contract):
    """Tasks on images that are there."""

    tasks = Tasks()

    @pytest.fixture
    def stock(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> Stock:
        """Six images, three of each of two studies; three graders; a kind of task, `grading`."""
        with make_unit_of_work() as uow:
            series = [build.a_series(), build.a_series()]
            images = uow.images.add_all([build.an_image(series=series[n // 3]) for n in range(6)])
            people = uow.creators.add_all([build.a_creator(creator_name=name) for name in NAMES])
            uow.task_definitions.add(build.a_task_definition(task_definition_name="grading"))
            uow.commit()
            return Stock(
                [image.image_instance_id for image in images],
                {one.creator_name: one.creator_id for one in people},
            )

    def made(
        self, make: MakeUnitOfWork, image_sets: Any, name: str = "task", **options: Any
    ) -> int:
        """Return the id of a task that is stored."""
        with make() as uow:
            task = self.tasks.create(uow, name, "grading", image_sets, **options)
            uow.commit()
            return task.task_id

    def claimed(self, make: MakeUnitOfWork, task_id: int, name: str) -> Claim | None:
        """Return a claim that is committed."""
        with make() as uow:
            claim = self.tasks.claim_next(uow, task_id, name)
            uow.commit()
            return claim

    def finished(self, make: MakeUnitOfWork, claim: Claim) -> None:
        """Finish a claim, and commit."""
        with make() as uow:
            self.tasks.finish(uow, claim)
            uow.commit()

    def read(
        self, make: MakeUnitOfWork, task_id: int, name: str, most: int = 1000
    ) -> list[SubTaskWork]:
        """Let somebody read as long as something waits; return what was read, in order."""
        found: list[SubTaskWork] = []
        while len(found) < most and (claim := self.claimed(make, task_id, name)) is not None:
            with make() as uow:
                found.append(uow.sub_task_work.get(claim.sub_task_id))
            self.finished(make, claim)
        return found


def let_expire(make: MakeUnitOfWork, claim: Claim) -> None:
    """Let the end of a lease lie in the past."""
    with make() as uow:
        row = {"sub_task_id": claim.sub_task_id, "lease_expires": LONG_AGO}
        uow.rows.update(SubTaskWork, [row])
        uow.commit()


def state_of(uow: UnitOfWork, sub_task_id: int) -> tuple[SubTaskState, str | None]:
    """Return the state of a subtask, and whose it is."""
    one = uow.sub_tasks.get(sub_task_id)
    return one.task_state, None if one.creator is None else one.creator.creator_name
