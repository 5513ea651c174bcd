"""Blind readings: who reads what, how often, and what they have said."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotAllowed, NotFound, RuleBroken
from eyened_domain.model import SubTask, SubTaskState, TaskState
from eyened_domain.services.agreement import Agreement
from eyened_domain.services.cohorts import Cohorts
from eyened_domain.services.history import History
from eyened_domain.services.search import Search
from eyened_domain.services.task_making import ReadingPlan
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import MakeUnitOfWork
from eyened_domain.testing.contracts.task_stock import Stock, TaskContract

GROUPS = {"residents": ["ann", "bob"], "consultants": ["eve"]}


class TaskReadingContract(TaskContract):
    """Readings of the same images by several graders."""

    def test_nobody_reads_the_same_images_twice(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        sets = [[one] for one in stock.images]
        task_id = self.made(make_unit_of_work, sets, plan=ReadingPlan(readings=2))
        for name in ("ann", "bob"):
            read = self.read(make_unit_of_work, task_id, name)
            assert [work.set_number for work in read] == [1, 2, 3, 4, 5, 6]
        assert self.claimed(make_unit_of_work, task_id, "eve") is None

    def test_a_task_is_known_by_its_id_and_a_grader_by_name_everywhere(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images])
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            (mine,) = self.tasks.readings(uow, task_id, by="ann")
            assert mine.sub_task_id == claim.sub_task_id
            assert self.tasks.plan(uow, task_id) == ReadingPlan()
            assert len(self.tasks.forms(uow, task_id)) == 0
            assert len(self.tasks.segmentations(uow, task_id)) == 0
            assert self.tasks.prioritise(uow, claim.sub_task_id, 1) == 1
            self.tasks.close(uow, task_id, abort=True)
            assert uow.tasks.get(task_id).task_state is TaskState.Aborted

    def test_what_is_no_task_grader_claim_or_plan_is_refused_as_such(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images])
        tasks: Any = self.tasks
        with make_unit_of_work() as uow:
            wrong: list[Callable[[], Any]] = [
                lambda: tasks.plan(uow, None),
                lambda: tasks.forms(uow, "task"),
                lambda: tasks.close(uow, None),
                lambda: tasks.readings(uow, task_id, by=2),
                lambda: tasks.finish(uow, None),
                lambda: tasks.release(uow, 1),
                lambda: tasks.create(uow, "x", "grading", [stock.images], plan={"readings": 2}),
                lambda: tasks.change_plan(uow, task_id, None),
                lambda: tasks.prioritise(uow, None, 1),
                lambda: Agreement().answers(uow, "task", "form"),  # type: ignore[arg-type]
                lambda: Cohorts().save(uow, "x", {"a": 1}, by="ann"),  # type: ignore[arg-type]
                lambda: Search().objects(uow, [1, 2]),  # type: ignore[arg-type]
                lambda: History().find(uow, of=1),  # type: ignore[arg-type]
                lambda: History().frame(uow, 1),  # type: ignore[arg-type]
                lambda: History().revert(uow, [None]),  # type: ignore[list-item]
            ]
            for number, call in enumerate(wrong):
                with pytest.raises((BadInput, NotFound)) as caught:
                    call()
                assert caught.value.args, number
            with pytest.raises(NotFound, match="'anna'"):
                tasks.readings(uow, task_id, by="anna")

    def test_a_certain_second_reading_is_refused_as_well(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        sets = [stock.images[:1]]
        task_id = self.made(make_unit_of_work, sets, plan=ReadingPlan(readings=2))
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            (other,) = [
                one.sub_task_id
                for one in uow.tasks.get(task_id).sub_tasks
                if one.sub_task_id != claim.sub_task_id
            ]
            with pytest.raises(RuleBroken, match="'ann' reads the images of SubTask"):
                self.tasks.claim(uow, other, "ann")
            with pytest.raises(RuleBroken, match="graders are to be different"):
                self.tasks.reassign(uow, other, "ann")
            self.tasks.reassign(uow, other, "eve")
            uow.commit()
        assert self.claimed(make_unit_of_work, task_id, "bob") is None

    def test_readings_are_reserved_by_name_the_same_number_for_all(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        sets = [[one] for one in stock.images]
        plan = ReadingPlan(readings=2, graders=["ann", "bob", "eve"])
        task_id = self.made(make_unit_of_work, sets, plan=plan)
        with make_unit_of_work() as uow:
            readings = self.tasks.readings(uow, task_id)
            assert {*Counter(one.creator_id for one in readings).values()} == {4}
            pairs = Counter((one.set_number, one.creator_id) for one in readings)
            assert {*pairs.values()} == {1}
        for name, identity in stock.graders.items():
            read = self.read(make_unit_of_work, task_id, name)
            mine = [one.set_number for one in readings if one.creator_id == identity]
            assert [work.set_number for work in read] == mine

    def test_a_reading_is_for_any_of_its_group(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, build: Builder
    ) -> None:
        plan = ReadingPlan(readings=2, groups=GROUPS)
        with make_unit_of_work() as uow:
            uow.creators.add(build.a_creator(creator_name="zoe"))
            uow.commit()
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images], plan=plan)
        assert {one.reading for one in self.read(make_unit_of_work, task_id, "eve", 5)} == {2}
        first = self.claimed(make_unit_of_work, task_id, "ann")
        assert first is not None
        read = self.read(make_unit_of_work, task_id, "bob")
        assert [(one.set_number, one.reading) for one in read] == [(n, 1) for n in range(2, 7)]
        with make_unit_of_work() as uow:
            with pytest.raises(NotAllowed, match="'zoe' is in none of the groups of Task 'task'"):
                self.tasks.claim_next(uow, task_id, "zoe")
            wrong = self.tasks.readings(uow, task_id)[-1].sub_task_id
            with pytest.raises(RuleBroken, match="reading 2 is for another group"):
                self.tasks.claim(uow, wrong, "ann")
            members = {**GROUPS, "residents": ["ann", "bob", "zoe"]}
            changed = ReadingPlan(readings=2, groups=members, due=date(2030, 1, 2))
            self.tasks.change_plan(uow, uow.tasks.get(task_id), changed)
            assert self.tasks.plan(uow, uow.tasks.get(task_id)) == changed
            assert self.tasks.claim_next(uow, task_id, "zoe") is None
            with pytest.raises(RuleBroken, match="were made with readings 2"):
                self.tasks.change_plan(uow, uow.tasks.get(task_id), ReadingPlan())

    @pytest.mark.parametrize("graders", [(), ("ann", "bob")], ids=["anybody", "by name"])
    def test_a_repeat_comes_to_the_same_grader_and_not_next_to_its_first_reading(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, graders: tuple[str, ...]
    ) -> None:
        plan = ReadingPlan(readings=2, repeats=0.5, seed=7, graders=graders)
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images], plan=plan)
        for name in ("ann", "bob"):
            read = self.read(make_unit_of_work, task_id, name)
            assert len(read) == 6 + 3
            numbers = [one.set_number for one in read]
            assert all(one != other for one, other in pairwise(numbers))
            for place, one in enumerate(read):
                assert one.is_repeat == (one.set_number in numbers[:place])
        with make_unit_of_work() as uow:
            repeats = [one for one in self.tasks.readings(uow, task_id) if one.is_repeat]
            assert len(repeats) == 6

    def test_the_same_images_come_last_where_something_else_waits(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        """The claim sees to it, also where priorities have changed the order."""
        plan = ReadingPlan(repeats=1.0)
        sets = [[one] for one in stock.images[:2]]
        task_id = self.made(make_unit_of_work, sets, plan=plan)
        with make_unit_of_work() as uow:
            of_first = [one for one in self.tasks.readings(uow, task_id) if one.set_number == 1]
            self.tasks.prioritise(uow, [one.sub_task_id for one in of_first], 1)
            uow.commit()
        read = self.read(make_unit_of_work, task_id, "ann")
        assert [one.set_number for one in read] == [1, 2, 1, 2]

    def test_a_repeat_waits_for_its_first_reading(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [stock.images[:1]], plan=ReadingPlan(repeats=1.0))
        first = self.claimed(make_unit_of_work, task_id, "ann")
        assert first is not None
        assert self.claimed(make_unit_of_work, task_id, "ann") is None
        with make_unit_of_work() as uow:
            repeat = self.tasks.readings(uow, task_id)[1]
            assert repeat.is_repeat
            with pytest.raises(RuleBroken, match="repeats a reading that is not ready"):
                self.tasks.claim(uow, repeat.sub_task_id, "ann")
            with pytest.raises(RuleBroken, match="stays with who has done the first"):
                self.tasks.reassign(uow, repeat.sub_task_id, "bob")
        self.finished(make_unit_of_work, first)
        assert self.claimed(make_unit_of_work, task_id, "bob") is None
        again = self.claimed(make_unit_of_work, task_id, "ann")
        assert again is not None
        assert again.sub_task_id == repeat.sub_task_id

    def test_who_is_to_read_has_to_be_there(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        for plan in (
            ReadingPlan(graders=["ann", "bobb"]),
            ReadingPlan(groups={"all": ["ann", "bobb"]}),
        ):
            with make_unit_of_work() as uow:
                with pytest.raises(NotFound, match="did you mean 'bob'"):
                    self.tasks.create(uow, "t", "grading", [stock.images[:1]], plan=plan)
                assert uow.tasks.count() == 0

    def test_what_another_program_has_made_is_claimed_as_well(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, build: Builder
    ) -> None:
        states = [("Busy", "eve"), ("NotStarted", None), ("NotStarted", "bob"), ("Ready", "eve")]
        with make_unit_of_work() as uow:
            task = uow.tasks.add(build.a_task(task_state="NotStarted"))
            for state, name in states:
                whose = None if name is None else stock.graders[name]
                task.sub_tasks.append(SubTask(task_state=state, creator_id=whose))
            uow.commit()
            task_id, ids = task.task_id, [one.sub_task_id for one in task.sub_tasks]
        first = self.claimed(make_unit_of_work, task_id, "ann")
        assert first is not None
        assert first.sub_task_id == ids[1]
        assert self.claimed(make_unit_of_work, task_id, "ann") is None
        mine = self.claimed(make_unit_of_work, task_id, "bob")
        assert mine is not None
        assert mine.sub_task_id == ids[2]
        with make_unit_of_work() as uow:
            later = SubTask(task_id=task_id, task_state="NotStarted")
            uow.sub_tasks.add(later)
            uow.commit()
        assert self.claimed(make_unit_of_work, task_id, "ann") is not None

    def test_what_another_program_takes_and_gives_back_is_respected(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [[one] for one in stock.images[:3]])

        def written(place: int, **values: Any) -> None:
            with make_unit_of_work() as uow:
                one = uow.tasks.get(task_id).sub_tasks[place]
                for name, value in values.items():
                    setattr(one, name, value)
                uow.commit()

        written(0, task_state="Busy", creator_id=stock.graders["eve"])
        written(1, creator_id=stock.graders["eve"])
        third = self.claimed(make_unit_of_work, task_id, "ann")
        assert third is not None
        with make_unit_of_work() as uow:
            places = [one.sub_task_id for one in uow.tasks.get(task_id).sub_tasks]
        assert third.sub_task_id == places[2]
        assert self.claimed(make_unit_of_work, task_id, "ann") is None
        written(0, task_state="NotStarted", creator_id=None)
        again = self.claimed(make_unit_of_work, task_id, "ann")
        assert again is not None
        assert again.sub_task_id == places[0]
        written(0, creator_id=stock.graders["eve"])
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="program has changed it"):
            self.tasks.finish(uow, again)

    def test_readings_of_the_same_images_have_the_same_number(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one, two, three = stock.images[:3]
        sets = [[two, one], [three]]
        task_id = self.made(make_unit_of_work, sets, plan=ReadingPlan(readings=2))
        claim = self.claimed(make_unit_of_work, task_id, "bob")
        assert claim is not None
        with make_unit_of_work() as uow:
            found = self.tasks.readings(uow, task_id)
            told = [(r.set_number, r.reading, r.image_ids, r.state) for r in found]
            waits = SubTaskState.NotStarted
            assert told == [
                (1, 1, (one, two), SubTaskState.Busy),
                (1, 2, (one, two), waits),
                (2, 1, (three,), waits),
                (2, 2, (three,), waits),
            ]
            assert [r.creator_id for r in found] == [stock.graders["bob"], None, None, None]
            mine = self.tasks.readings(uow, task_id, by=uow.creators.by_name("bob"))
            assert mine == found[:1]

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_forms_and_segmentations_of_a_task_are_frames(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, build: Builder, backend: str
    ) -> None:
        task_id = self.made(make_unit_of_work, [stock.images[:2]], plan=ReadingPlan(readings=2))
        claims = [self.claimed(make_unit_of_work, task_id, name) for name in ("ann", "bob")]
        with make_unit_of_work() as uow:
            image = uow.images.get(stock.images[0])
            schema = build.a_form_schema(entity_type="ImageInstance")
            feature = build.a_feature()
            for claim, grade in zip(claims, (2, 3), strict=True):
                assert claim is not None
                for inactive in (False, True):
                    form = build.a_form_annotation(
                        form_schema=schema,
                        image_instance=image,
                        creator_id=claim.creator_id,
                        sub_task_id=claim.sub_task_id,
                        form_data={"grade": grade, "reading": "mine"},
                        inactive=inactive,
                    )
                    uow.forms.add(form)
                    one = build.a_segmentation(
                        image_instance=image,
                        feature=feature,
                        creator_id=claim.creator_id,
                        sub_task_id=claim.sub_task_id,
                        inactive=inactive,
                    )
                    uow.segmentations.add(one)
            uow.forms.add(build.a_form_annotation(form_data={"grade": 9}))
            uow.commit()
        with make_unit_of_work() as uow:
            task = uow.tasks.get(task_id)
            forms = self.tasks.forms(uow, task, backend=backend)
            drawn = self.tasks.segmentations(uow, task, backend=backend)
            assert [*forms["grade"]] == [2, 3]
            assert [*forms['["reading"]']] == ["mine", "mine"]
            for frame in (forms, drawn):
                assert [*frame["task_name"]] == ["task", "task"]
                assert [*frame["set_number"]] == [1, 1]
                assert [*frame["reading"]] == [1, 2]
                assert [*frame["is_repeat"]] == [False, False]
                assert [[*one] for one in frame["image_ids"]] == [stock.images[:2]] * 2
                assert [*frame["creator_name"]] == ["ann", "bob"]
                assert [*frame["image_instance_id"]] == stock.images[:1] * 2
            assert len({*drawn["feature_name"]}) == 1
            everything = self.tasks.forms(uow, task, include_inactive=True, backend=backend)
            assert len(everything) == 4

    def test_a_plan_that_cannot_be_meant_is_refused(self) -> None:
        refused: dict[str, dict[str, Any]] = {
            "readings: 1 to 100, not 0": {"readings": 0},
            "readings: a whole number": {"readings": 1.5},
            "repeats: a share from 0 to 1": {"repeats": 2},
            "2 cannot read each set 3 times": {"readings": 3, "graders": ["ann", "bob"]},
            "not both": {"graders": ["ann"], "groups": {"all": ["bob"]}},
            "2 groups for 3 readings": {"readings": 3, "groups": GROUPS},
            "has 1 of 2 graders": {"readings": 2, "groups": {"all": ["ann"]}},
            "the same name stands there twice": {"graders": ["ann", "Ann"]},
            "a list of names is needed": {"graders": "ann"},
            "due: a date": {"due": "2030"},
            "lease: a timedelta": {"lease": 60},
        }
        for words, values in refused.items():
            with pytest.raises(BadInput, match=words):
                ReadingPlan(**values)
