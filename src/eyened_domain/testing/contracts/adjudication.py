"""What graders disagree on, and the task in which that is settled."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import SubTaskState
from eyened_domain.services.agreement import Agreement
from eyened_domain.services.forms import Forms
from eyened_domain.services.tasks import Tasks
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.graded_task import (
    ANN,
    BEN,
    GradedTask,
)


class AdjudicationContract(Contract):
    """That what graders disagree on is found, and settled beside what they have read."""

    def test_cases_that_disagree_most_come_first(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            found = Agreement().disagreements(
                uow, study.task, "AMD Grading", questions=["grade", "drusen"]
            )
            places = [study.images.index(uow.images.get(one[0])) for one in found.imagesets]
            assert places == [2, 5, 4, 1]  # 1/2, 1/2, (2/4)/2, (1/4)/2
            assert [one.disagreement for one in found.cases] == [0.5, 0.5, 0.25, 0.125]
            assert [one.question for one in found.cases] == ["drusen", "drusen", "grade", "grade"]
            first = found.cases[0]
            forms = uow.forms.by_ids(first.readings)
            assert (
                [one.creator.creator_name for one in forms] == list(first.graders) == ["ann", "ben"]
            )
            frame = found.frame()
            assert frame["image_instance_id"].to_list() == [one[0] for one in found.imagesets]
            assert frame["laterality"].to_list() == ["L"] * 4
            assert len(found.frame("polars")) == 4
            some = Agreement().disagreements(
                uow, study.task, "AMD Grading", questions=["grade"], most=2, at_least=0.3
            )
            assert [one.disagreement for one in some.cases] == [0.5]

    def test_repeats_say_nothing_of_what_graders_disagree_on(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 2)
            for place, grades in enumerate(((0, 0, 4), (0, 2, 0))):
                for name, grade in zip(("ann", "ben", "ann"), grades, strict=True):
                    study.read(name, place, {"grade": grade})
            uow.commit()
            (worst,) = Agreement().disagreements(uow, study.task, study.schema).cases
            assert (worst.disagreement, worst.graders) == (0.5, ("ann", "ben"))

    def test_eyes_that_are_looked_at_together_are_adjudicated_together(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 1)
            patient = study.images[0].patient
            for name, grade in (("ann", 0), ("ben", 4)):
                sub_task = study.sub_task(name, study.images[0])
                for side in ("L", "R"):
                    Forms().submit(
                        uow,
                        study.schema,
                        {"grade": grade},
                        about=patient,
                        by=study.graders[name],
                        laterality=side,
                        sub_task=sub_task,
                    )
            uow.commit()
            agreement = Agreement()
            worst = agreement.disagreements(uow, study.task, study.schema)
            assert worst.frame()["laterality"].to_list() == ["L", "R"]
            made = agreement.adjudicate(uow, study.task, worst, name="AMD settled", by="cas")
            uow.commit()
            (sub_task,) = uow.sub_tasks.where(task=made)
            links = sub_task.sub_task_image_links
            assert [link.image_instance_id for link in links] == worst.imagesets[0]

    def test_an_adjudication_is_kept_beside_the_readings(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            agreement = Agreement()
            before = study.rows()
            worst = agreement.disagreements(uow, study.task, study.schema, most=2)
            made = agreement.adjudicate(uow, study.task, worst, name="AMD settled", by="cas")
            uow.commit()
            sub_tasks = uow.sub_tasks.where(task=made)
            images = [
                [link.image_instance_id for link in one.sub_task_image_links] for one in sub_tasks
            ]
            assert images == worst.imagesets
            assert {one.task_state for one in sub_tasks} == {SubTaskState.NotStarted}
            assert made.task_definition is study.task.task_definition
            assert "AMD round 1" in (made.description or "")
            image = uow.images.get(images[0][0])
            Forms().submit(
                uow,
                study.schema,
                {"drusen": "hard"},
                about=image,
                by=study.graders["cas"],
                sub_task=sub_tasks[0],
            )
            uow.commit()
            assert study.rows() == before
            frame = agreement.readings(uow, study.task, study.schema, adjudication=made)
            told = frame[
                (frame["image_instance_id"] == image.image_instance_id)
                & (frame["question"] == "drusen")
            ]
            columns = ["grader", "adjudicated", "answer"]
            assert told[columns].to_numpy().tolist() == [
                ["ann", False, f'"{ANN[study.images.index(image)][1]}"'],
                ["ben", False, f'"{BEN[study.images.index(image)][1]}"'],
                ["cas", True, '"hard"'],
            ]

    def test_an_adjudication_is_claimed_as_any_task_is(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            worst = Agreement().disagreements(uow, study.task, study.schema, most=2)
            made = Agreement().adjudicate(uow, study.task, worst, name="settled", by="cas")
            uow.commit()
            claimed = [Tasks().claim_next(uow, made, name) for name in ("cas", "ann", "ben")]
            uow.commit()
            sub_tasks = [uow.sub_tasks.get(one.sub_task_id) for one in claimed if one is not None]
            assert [
                [link.image_instance_id for link in one.sub_task_image_links] for one in sub_tasks
            ] == worst.imagesets

    def test_what_cannot_be_shown_is_not_adjudicated(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 1)
            patient = study.images[0].patient
            for name, grade in (("ann", 0), ("ben", 4)):
                study.read(name, 0, {"grade": grade}, about=patient)
            uow.commit()
            agreement = Agreement()
            worst = agreement.disagreements(uow, study.task, study.schema)
            assert worst.imagesets == [[study.images[0].image_instance_id]]  # of the subtasks
            for link in uow.sub_task_images.where():
                uow.sub_task_images.delete(link)
            uow.commit()
            bare = agreement.disagreements(uow, study.task, study.schema)
            tasks = uow.tasks.count()
            for cases, error in ((bare, RuleBroken), ([], BadInput)):
                with pytest.raises(error):
                    agreement.adjudicate(uow, study.task, cases, name="AMD settled", by="cas")
            assert uow.tasks.count() == tasks
