"""Tasks are made of image sets, in their order, or not at all."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import re
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model import SubTask, Task, TaskState
from eyened_domain.services.task_making import ImageSet
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import MakeUnitOfWork
from eyened_domain.testing.contracts.task_stock import Stock, TaskContract


def sets_of(task: Task) -> list[list[int]]:
    """Return the images of each subtask."""
    return [
        sorted(link.image_instance_id for link in one.sub_task_image_links)
        for one in task.sub_tasks
    ]


def nothing_of(uow: UnitOfWork) -> bool:
    """Whether nothing of a task is stored."""
    counts = (uow.tasks.count(), uow.sub_tasks.count(), uow.sub_task_work.count())
    return counts == (0, 0, 0)


class TaskMakingContract(TaskContract):
    """What becomes of image sets."""

    def test_a_task_is_made_by_the_call_that_people_know(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one, two, three = stock.images[:3]
        with make_unit_of_work() as uow:
            made = Task.create_from_imagesets(
                uow,
                taskdef_name="grading",
                task_name="first",
                imagesets=[[two, one], [three]],
                creator_name="ann",
            )
            assert sets_of(made) == [[one, two], [three]]
            uow.commit()
        with make_unit_of_work() as uow:
            task = Task.by_name(uow, "first")
            assert sets_of(task) == [[one, two], [three]]
            assert task.task_state is TaskState.NotStarted
            assert task.creator is not None
            assert task.creator.creator_name == "ann"
            assert task.task_definition.task_definition_name == "grading"
            assert [one.creator for one in task.sub_tasks] == [None, None]

    def test_images_that_are_not_there_are_all_named_and_nothing_is_written(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        missing = range(9001, 9016)
        with make_unit_of_work() as uow:
            with pytest.raises(NotFound, match=r"9001, .*9010, … \(15 of 16\)") as refused:
                self.tasks.create(uow, "t", "grading", [[stock.images[0]], missing])
            assert refused.value.value == [*missing]
            assert nothing_of(uow)

    def test_a_mistyped_name_makes_nobody(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        sets = [[stock.images[0]]]
        with make_unit_of_work() as uow:
            with pytest.raises(NotFound, match="did you mean 'ann'"):
                self.tasks.create(uow, "t", "grading", sets, by="annn")
            with pytest.raises(NotFound, match="did you mean 'grading'"):
                self.tasks.create(uow, "t", "gradin", sets, by="ann")
            assert nothing_of(uow)
            assert (uow.creators.count(), uow.task_definitions.count()) == (3, 1)

    def test_a_definition_is_made_when_that_is_asked_for(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        sets = [[stock.images[0]]]
        for name in ("reading", "READING"):
            self.made(make_unit_of_work, sets, make_definition=True)
            with make_unit_of_work() as uow:
                self.tasks.create(uow, "t", name, sets, make_definition=True)
                uow.commit()
        with make_unit_of_work() as uow:
            names = [one.task_definition_name for one in uow.task_definitions.where()]
            assert names == ["grading", "reading"]

    def test_what_is_no_image_set_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one = stock.images[0]
        refused: dict[str, Any] = {
            "there are none": [],
            "image set 2 is empty": [[one], []],
            "image set 1 has the same image twice": [[one, one]],
            "a single one is put in": [one],
            "'a'": [["a"]],
            "holds None": [[None]],
            "a list of image sets is needed": "12",
            r"1 \(the most urgent\) to 9, not 0": [ImageSet((one,), 0)],
        }
        with make_unit_of_work() as uow:
            for words, sets in refused.items():
                with pytest.raises(BadInput, match=words):
                    self.tasks.create(uow, "t", "grading", sets)
            assert nothing_of(uow)

    def test_inactive_images_stay_out_unless_they_are_asked_for(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one, two = stock.images[:2]
        with make_unit_of_work() as uow:
            uow.images.get(two).inactive = True
            uow.commit()
        with make_unit_of_work(include_inactive=True) as uow:
            with pytest.raises(RuleBroken, match=rf"ImageInstance {two} \(1 of 2\) is inactive"):
                self.tasks.create(uow, "t", "grading", [[one], [two]])
            assert nothing_of(uow)
            task = self.tasks.create(uow, "t", "grading", [[one], [two]], include_inactive=True)
            assert sets_of(task) == [[one], [two]]

    def test_images_are_grouped_in_the_order_in_which_they_come(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        images = stock.images
        with make_unit_of_work() as uow:
            mixed = [images[4], images[0], images[5], images[1]]
            for by in ("series", "study", "patient"):
                sets = self.tasks.sets_of(uow, mixed, by=by)
                assert [one.image_ids for one in sets] == [
                    (images[4], images[5]),
                    (images[0], images[1]),
                ]
            found = self.tasks.sets_of(uow, uow.images.by_ids(mixed))
            assert [one.image_ids for one in found] == [(one,) for one in mixed]
            with pytest.raises(BadInput, match="by image, series, study, patient; not by 'eye'"):
                self.tasks.sets_of(uow, mixed, by="eye")
            with pytest.raises(NotFound, match="9001"):
                self.tasks.sets_of(uow, [9001], by="study")

    def test_image_sets_are_read_from_a_frame(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one, two, three = stock.images[:3]
        with make_unit_of_work() as uow:
            frame = {
                "image_set": ["b", "a", "b"],
                "ImageInstanceID": [three, one, two],
                "priority": [None, 1, None],
            }
            assert self.tasks.sets_in(uow, frame) == [
                ImageSet((three, two)),
                ImageSet((one,), priority=1),
            ]
            by_name = [
                {
                    "dataset_identifier": image.dataset_identifier,
                    "source_name": image.source_info.source_name,
                }
                for image in uow.images.by_ids([two, one])
            ]
            assert self.tasks.sets_in(uow, by_name) == [ImageSet((two,)), ImageSet((one,))]

    def test_frames_that_say_no_images_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, build: Builder
    ) -> None:
        one, two = stock.images[:2]
        refused: dict[str, Any] = {
            "says which by one of": {"image_set": [1]},
            "'eye' is no column of image sets": {"image_instance_id": [one], "eye": ["L"]},
            "row 1: image_instance_id is missing": {"image_instance_id": [one, None]},
            "row 0: image_set is missing": {"image_instance_id": [one], "image_set": [None]},
            r"priorities \[1, 2\]": {
                "image_instance_id": [one, two],
                "image_set": [1, 1],
                "priority": [1, 2],
            },
        }
        with make_unit_of_work() as uow:
            for words, frame in refused.items():
                with pytest.raises(BadInput, match=words):
                    self.tasks.sets_in(uow, frame)
            with pytest.raises(NotFound, match=re.escape("dataset_identifier 'no.png'")):
                self.tasks.sets_in(uow, {"dataset_identifier": ["no.png"]})
            name = uow.images.get(one).dataset_identifier
            uow.images.get(two).dataset_identifier = name
            uow.images.get(two).source_info = build.a_source()
            uow.flush()
            with pytest.raises(Duplicate, match="give source_name"):
                self.tasks.sets_in(uow, {"dataset_identifier": [name]})

    def test_subtasks_in_hand_are_those_that_were_made(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        with make_unit_of_work() as uow:
            task = self.tasks.create(uow, "t", "grading", [[one] for one in stock.images])
            assert len(task.sub_tasks) == uow.repository(SubTask).count() == len(stock.images)
            image = uow.images.get(stock.images[2])
            assert [link.sub_task for link in image.sub_task_image_links] == [task.sub_tasks[2]]

    def test_a_deleted_task_takes_along_all_that_was_made(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images])
        with make_unit_of_work() as uow:
            uow.tasks.delete(uow.tasks.get(task_id))
            uow.commit()
            assert nothing_of(uow)
            assert uow.task_configurations.count() == 0
