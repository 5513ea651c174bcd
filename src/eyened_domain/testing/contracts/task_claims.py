"""Subtasks that are claimed: each is one grader's, as long as the lease lasts."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import timedelta

import pytest

from eyened_domain.errors import LeaseLost, NotFound, RuleBroken
from eyened_domain.model import SubTaskState, SubTaskWork, TaskState
from eyened_domain.services.task_making import ImageSet, ReadingPlan
from eyened_domain.testing.contracts.base import MakeUnitOfWork
from eyened_domain.testing.contracts.task_stock import (
    LONG_AGO,
    Stock,
    TaskContract,
    let_expire,
    state_of,
)

BUSY, READY, NOT_STARTED = SubTaskState.Busy, SubTaskState.Ready, SubTaskState.NotStarted


class TaskClaimContract(TaskContract):
    """Claims, leases, and what becomes of them."""

    @pytest.fixture
    def task_id(self, make_unit_of_work: MakeUnitOfWork, stock: Stock) -> int:
        """A task with a subtask for each image."""
        return self.made(make_unit_of_work, [[one] for one in stock.images])

    def test_subtasks_are_claimed_in_their_order_each_once(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        names = ["ann", "bob"] * 3
        claims = [self.claimed(make_unit_of_work, task_id, name) for name in names]
        assert self.claimed(make_unit_of_work, task_id, "eve") is None
        with make_unit_of_work() as uow:
            task = uow.tasks.get(task_id)
            assert task.task_state is TaskState.Busy
            assert [one and one.sub_task_id for one in claims] == [
                one.sub_task_id for one in task.sub_tasks
            ]
            assert [state_of(uow, one.sub_task_id) for one in task.sub_tasks] == [
                (BUSY, name) for name in names
            ]

    def test_what_is_urgent_comes_first(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        one, two, three, four = stock.images[:4]
        sets = [[one], ImageSet((two,), priority=1), ImageSet((three,), priority=9), [four]]
        task_id = self.made(make_unit_of_work, sets)
        with make_unit_of_work() as uow:
            last = uow.tasks.get(task_id).sub_tasks[3]
            assert self.tasks.prioritise(uow, [last], 2) == 1
            uow.commit()
        read = self.read(make_unit_of_work, task_id, "ann")
        assert [work.set_number for work in read] == [2, 4, 1, 3]

    def test_a_claim_that_is_rolled_back_was_none(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            first = self.tasks.claim_next(uow, task_id, "ann")
        again = self.claimed(make_unit_of_work, task_id, "bob")
        assert first is not None
        assert again is not None
        assert first.sub_task_id == again.sub_task_id

    def test_a_claimed_subtask_is_in_hand(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock, task_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            claim = self.tasks.claim_next(uow, task_id, uow.creators.by_name("ann"))
            assert claim is not None
            sub_task = uow.sub_tasks.get(claim.sub_task_id)
            links = sub_task.sub_task_image_links
            assert [link.image_instance_id for link in links] == stock.images[:1]
            assert sub_task.task.task_state is TaskState.Busy

    def test_a_finished_subtask_stays_with_its_grader(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            self.tasks.finish(uow, claim, "drusen")
            uow.commit()
        with make_unit_of_work() as uow:
            assert state_of(uow, claim.sub_task_id) == (READY, "ann")
            assert uow.sub_tasks.get(claim.sub_task_id).comments == "drusen"
            work = uow.sub_task_work.get(claim.sub_task_id)
            assert (work.lease_token, work.lease_expires) == (None, None)
            assert work.finished_at is not None
            with pytest.raises(LeaseLost, match="it is Ready, of 'ann'"):
                self.tasks.finish(uow, claim)

    def test_a_released_subtask_is_the_next_ones(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            self.tasks.release(uow, claim, "too dark for me")
            uow.commit()
        with make_unit_of_work() as uow:
            assert state_of(uow, claim.sub_task_id) == (NOT_STARTED, None)
            assert uow.sub_tasks.get(claim.sub_task_id).comments == "too dark for me"
        again = self.claimed(make_unit_of_work, task_id, "bob")
        assert again is not None
        assert again.sub_task_id == claim.sub_task_id

    def test_a_lease_that_has_expired_lets_the_next_one_claim(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        dead = self.claimed(make_unit_of_work, task_id, "ann")
        alive = self.claimed(make_unit_of_work, task_id, "ann")
        assert dead is not None
        assert alive is not None
        let_expire(make_unit_of_work, dead)
        again = self.claimed(make_unit_of_work, task_id, "bob")
        assert again is not None
        assert again.sub_task_id == dead.sub_task_id
        for use in (self.tasks.renew, self.tasks.finish, self.tasks.release):
            with make_unit_of_work() as uow:
                with pytest.raises(LeaseLost, match="was lost, it is Busy, of 'bob'"):
                    use(uow, dead)
                assert state_of(uow, dead.sub_task_id) == (BUSY, "bob")
        self.finished(make_unit_of_work, alive)
        self.finished(make_unit_of_work, again)

    def test_a_lease_is_renewed_also_when_it_has_expired_and_nobody_came(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        let_expire(make_unit_of_work, claim)
        with make_unit_of_work() as uow:
            renewed = self.tasks.renew(uow, claim)
            uow.commit()
        assert renewed.expires >= claim.expires
        with make_unit_of_work() as uow:
            held = uow.sub_task_work.get(claim.sub_task_id)
            assert held.lease_expires == renewed.expires
        other = self.claimed(make_unit_of_work, task_id, "bob")
        assert other is not None
        assert other.sub_task_id != claim.sub_task_id
        self.finished(make_unit_of_work, renewed)

    def test_a_lease_lasts_as_long_as_the_task_says(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        plan = ReadingPlan(lease=timedelta(hours=2))
        task_id = self.made(make_unit_of_work, [stock.images[:1]], plan=plan)
        with make_unit_of_work() as uow:
            before = uow.task_queue.now()
            claim = self.tasks.claim_next(uow, task_id, "ann")
            assert claim is not None
            assert timedelta(0) <= claim.expires - before - plan.lease < timedelta(minutes=1)

    def test_a_closed_task_is_not_worked_on(
        self, make_unit_of_work: MakeUnitOfWork, stock: Stock
    ) -> None:
        task_id = self.made(make_unit_of_work, [stock.images[:1], stock.images[1:2]])
        first = self.claimed(make_unit_of_work, task_id, "ann")
        assert first is not None
        with (
            make_unit_of_work() as uow,
            pytest.raises(RuleBroken, match="2 of 2 subtasks are not ready"),
        ):
            self.tasks.close(uow, uow.tasks.get(task_id))
        self.finished(make_unit_of_work, first)
        self.read(make_unit_of_work, task_id, "ann")
        with make_unit_of_work() as uow:
            self.tasks.close(uow, uow.tasks.get(task_id))
            uow.commit()
        with make_unit_of_work() as uow:
            with pytest.raises(RuleBroken, match="Task 'task' is Finished; reopen it first"):
                self.tasks.claim_next(uow, task_id, "bob")
            with pytest.raises(RuleBroken, match="reopen it first"):
                self.tasks.reopen(uow, first.sub_task_id)
            uow.tasks.get(task_id).reopen()
            self.tasks.reopen(uow, first.sub_task_id)
            self.tasks.close(uow, uow.tasks.get(task_id), abort=True)
            assert uow.tasks.get(task_id).task_state is TaskState.Aborted

    def test_who_reopens_a_reading_goes_on_with_it(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="Busy: reopen"):
            self.tasks.reopen(uow, claim.sub_task_id)
        self.finished(make_unit_of_work, claim)
        with make_unit_of_work() as uow:
            again = self.tasks.reopen(uow, claim.sub_task_id)
            uow.commit()
        let_expire(make_unit_of_work, again)
        other = self.claimed(make_unit_of_work, task_id, "bob")
        mine = self.claimed(make_unit_of_work, task_id, "ann")
        assert other is not None
        assert mine is not None
        assert mine.sub_task_id == claim.sub_task_id != other.sub_task_id

    def test_what_is_reassigned_is_lost_by_who_had_it(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            self.tasks.reassign(uow, claim.sub_task_id, "bob")
            uow.commit()
        with make_unit_of_work() as uow:
            assert state_of(uow, claim.sub_task_id) == (NOT_STARTED, "bob")
            with pytest.raises(LeaseLost, match="it is NotStarted, of 'bob'"):
                self.tasks.finish(uow, claim)
        other = self.claimed(make_unit_of_work, task_id, "eve")
        mine = self.claimed(make_unit_of_work, task_id, "bob")
        assert other is not None
        assert mine is not None
        assert mine.sub_task_id == claim.sub_task_id != other.sub_task_id
        self.finished(make_unit_of_work, mine)
        with make_unit_of_work() as uow:
            with pytest.raises(RuleBroken, match="stays with who has read it"):
                self.tasks.reassign(uow, mine.sub_task_id, "eve")
            self.tasks.reassign(uow, other.sub_task_id, None)
            uow.commit()
        anybody = self.claimed(make_unit_of_work, task_id, "ann")
        assert anybody is not None
        assert anybody.sub_task_id == other.sub_task_id

    def test_a_certain_subtask_is_claimed_and_taken_up_again(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            last = uow.tasks.get(task_id).sub_tasks[-1]
            claim = self.tasks.claim(uow, last, "ann")
            uow.commit()
        with make_unit_of_work() as uow:
            again = self.tasks.claim(uow, claim.sub_task_id, "ann")
            assert again.token != claim.token
            uow.commit()
        with make_unit_of_work() as uow:
            with pytest.raises(LeaseLost):
                self.tasks.renew(uow, claim)
            with pytest.raises(RuleBroken, match="is Busy: start"):
                self.tasks.claim(uow, claim.sub_task_id, "bob")
            self.tasks.finish(uow, again)
            uow.commit()
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="is Ready: start"):
            self.tasks.claim(uow, claim.sub_task_id, "ann")

    def test_a_task_or_grader_that_is_not_there_is_said(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(NotFound, match="no Task with task_id 9001"):
                self.tasks.claim_next(uow, 9001, "ann")
            with pytest.raises(NotFound, match="did you mean 'ann'"):
                self.tasks.claim_next(uow, task_id, "anna")

    def test_a_deleted_subtask_is_a_lease_that_was_lost(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        claim = self.claimed(make_unit_of_work, task_id, "ann")
        assert claim is not None
        with make_unit_of_work() as uow:
            uow.sub_tasks.delete(uow.sub_tasks.get(claim.sub_task_id))
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.sub_task_work.get(claim.sub_task_id, default=None) is None
            with pytest.raises(LeaseLost, match="was deleted"):
                self.tasks.renew(uow, claim)

    def test_progress_tells_states_graders_and_days(
        self, make_unit_of_work: MakeUnitOfWork, task_id: int
    ) -> None:
        read = self.read(make_unit_of_work, task_id, "ann", 2)
        assert self.claimed(make_unit_of_work, task_id, "bob") is not None
        with make_unit_of_work() as uow:
            row = {"sub_task_id": read[0].sub_task_id, "finished_at": LONG_AGO}
            uow.rows.update(SubTaskWork, [row])
            today = uow.task_queue.now().date()
            found = self.tasks.progress(uow, task_id)
            assert found.states == {NOT_STARTED: 3, BUSY: 1, READY: 2}
            assert found.graders == {
                "ann": {NOT_STARTED: 0, BUSY: 0, READY: 2},
                "bob": {NOT_STARTED: 0, BUSY: 1, READY: 0},
            }
            assert found.days == {LONG_AGO.date(): 1, today: 1}
            assert found.total == 6
