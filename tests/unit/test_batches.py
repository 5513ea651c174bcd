"""The engine of long work: what must hold whoever does it, and whatever an item does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from typing import Any

import pytest
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from eyened_domain.adapters.executors import ProcessWorkers
from eyened_domain.errors import BadInput, StorageError
from eyened_domain.services import batches
from eyened_domain.services.batches import (
    Due,
    Failure,
    ItemFailure,
    Outcome,
    RunOptions,
    Saved,
    work_on,
)
from eyened_domain.services.batches.outcomes import WORKER_DIED

run_job: Any = batches.run_job  # the stand-ins have what it asks of a storage and a job

EXECUTORS: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
    "serial": nullcontext,
    "threads": lambda: ThreadPoolExecutor(2),
    "processes": lambda: ProcessWorkers(2),
    "processes of the caller": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
}
few = settings(max_examples=30, deadline=None)
everywhere = pytest.mark.parametrize("kind", EXECUTORS)


class Closed(Exception):
    """Neither pickled nor read."""

    def __init__(self, first: int, second: int) -> None:
        self.lock = threading.Lock()
        self.both = first + second

    def __str__(self) -> str:
        raise ValueError("no text")


def work(item: object) -> object:
    """What a worker does: a number is doubled, a word is an order."""
    match item:
        case int():
            return item * 2
        case "refuse":
            raise BadInput("this image\nis bad", field="x", value=3)
        case "closed":
            raise Closed(1, 2)
        case "exit":
            raise SystemExit(3)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "lock":
            return threading.Lock()
    raise AssertionError(item)


def by_item(outcomes: Iterator[Outcome[Any]]) -> dict[Any, Outcome[Any]]:
    return {one.item: one for one in outcomes}


@everywhere
def test_every_item_gets_its_outcome_and_none_ends_the_run(kind: str) -> None:
    items = [*range(20), "refuse", "closed", "exit", *range(20, 50)]
    with EXECUTORS[kind]() as executor:
        found = by_item(work_on(items, work, executor=executor, in_flight=5))
    assert set(found) == set(items)
    assert all(found[n].value == 2 * n and found[n].failure is None for n in range(50))
    assert found["refuse"].failure == Failure("BadInput", "this image is bad")
    assert found["closed"].failure == Failure("Closed", "(it has no message that can be read)")
    assert found["exit"].failure == Failure("SystemExit", "3")


def test_what_cannot_be_pickled_fails_by_itself() -> None:
    unpicklable = lambda: 3  # noqa: E731
    with ProcessWorkers(2) as executor:
        found = list(work_on([1, "lock", unpicklable, 2], work, executor=executor))
    assert {one.item: one.value for one in found if one.failure is None} == {1: 2, 2: 4}
    failed = {one.item: one.failure for one in found if one.failure is not None}
    assert set(failed) == {"lock", unpicklable}
    assert "pickle" in str(failed["lock"])


def test_a_killed_worker_is_blamed_on_its_item_and_the_run_goes_on() -> None:
    items = [*range(10), "die", *range(10, 30)]
    with ProcessWorkers(2) as executor:
        found = by_item(work_on(items, work, executor=executor, in_flight=6))
    assert set(found) == set(items)
    failed = [one.item for one in found.values() if one.failure is not None]
    assert failed == ["die"]
    assert [one.failure.kind for one in found.values() if one.failure] == [WORKER_DIED]
    assert all(found[n].value == 2 * n for n in range(30))


def test_when_every_item_kills_its_worker_each_is_blamed_once() -> None:
    with ProcessWorkers(1) as executor:
        found = list(work_on(["die", "die", 4], work, executor=executor))
    assert [one.failure is not None for one in found].count(True) == 2
    assert len(found) == 3


def test_a_pool_that_cannot_be_restarted_ends_the_run_and_blames_nobody() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        outcomes = work_on(["die", 1, 2], work, executor=executor)
        with pytest.raises(StorageError, match="run it again for the rest"):
            list(outcomes)


def test_an_executor_that_is_shut_down_ends_the_run() -> None:
    class Gone(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(StorageError, match="cancelled"):
        list(work_on([1], work, executor=Gone()))


class Manual(Executor):
    """Does nothing until told, and remembers how much it was given at a time."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any, Any]] = []
        self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args))
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) == 3:
            self.do_one()
        return future

    def do_one(self) -> None:
        future, fn, args = self.waiting.pop(0)
        future.set_running_or_notify_cancel()
        future.set_result(fn(*args))


def test_no_more_is_taken_than_there_is_room_for() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1_000_000):
            taken.append(n)
            yield n

    executor = Manual()
    outcomes = work_on(items(), work, executor=executor, in_flight=3)
    assert next(outcomes).item == 0
    assert (len(taken), executor.most) == (3, 3)
    outcomes.close()
    assert all(future.cancelled() for future, _, _ in executor.waiting)


@everywhere
def test_asked_to_stop_it_begins_nothing_more_and_keeps_what_is_done(kind: str) -> None:
    seen: list[Any] = []
    with EXECUTORS[kind]() as executor:
        seen.extend(
            work_on(
                range(10_000),
                work,
                executor=executor,
                in_flight=4,
                should_stop=lambda: len(seen) >= 3,
            )
        )
    assert 3 <= len(seen) <= 3 + 4
    assert all(one.value == 2 * one.item for one in seen)


def test_what_has_not_been_begun_is_taken_back_when_asked_to_stop() -> None:
    executor = Manual()
    seen: list[Any] = []
    outcomes = work_on(
        range(10), work, executor=executor, in_flight=3, should_stop=lambda: bool(seen)
    )
    seen.append(next(outcomes))
    assert list(outcomes) == []
    assert [future.cancelled() for future, _, _ in executor.waiting] == [True, True]


# -- jobs: portions, stopping and going on -----------------------------------------------


class Numbers:
    """A storage of numbered rows: what is due of them, and what has been stored in portions."""

    def __init__(self, due: set[int], *, skipped: Set[int] = frozenset()) -> None:
        self.rows = sorted(due | skipped)
        self.skipped = skipped
        self.done: dict[int, int] = {}
        self.portions: list[int] = []
        self.reads = 0

    def unit_of_work(self) -> AbstractContextManager[Numbers]:
        self.reads += 1
        return nullcontext(self)

    def run(self, work: Callable[[Numbers], Any], *, retries: int = 3) -> Any:
        work(self)  # rolled back, as after a deadlock
        before = dict(self.done)
        self.done.clear()
        self.done.update({k: v for k, v in before.items() if k not in self.last_portion})
        return work(self)

    last_portion: Set[int] = frozenset()


@frozen
class Doubling:
    """Doubles the numbers that are not done; negative results are refused."""

    work: Callable[[Any], Any] = field(default=work)

    def count(self, uow: Numbers) -> int:
        return len([n for n in uow.rows if n not in uow.done])

    def due(self, uow: Numbers, after: int, most: int) -> Due[int]:
        page = [n for n in uow.rows if n > after and n not in uow.done][:most]
        return Due(
            [n for n in page if n not in uow.skipped],
            skipped=len([n for n in page if n in uow.skipped]),
            last=page[-1] if len(page) == most else None,
        )

    def save(self, uow: Numbers, outcomes: list[Outcome[int]]) -> Saved:
        good = {one.item: one.value for one in outcomes if one.failure is None}
        uow.portions.append(len(outcomes))
        uow.last_portion = set(good)
        uow.done.update(good)
        failures = [
            ItemFailure(item_id=one.item, name=str(one.item), failure=one.failure)
            for one in outcomes
            if one.failure is not None
        ]
        return Saved(made=len(good), failures=failures)


@few
@given(
    due=st.builds(
        lambda start, stop, holes: set(range(start, stop)) - holes,
        st.integers(1, 600),
        st.integers(1, 1800),
        st.sets(st.integers(1, 1800), max_size=40),
    ),
    skipped=st.sets(st.integers(1, 2000), max_size=30),
    portion=st.integers(1, 400),
    in_flight=st.integers(1, 50),
)
def test_everything_due_is_done_once_in_portions(
    due: set[int], skipped: set[int], portion: int, in_flight: int
) -> None:
    storage = Numbers(due, skipped=frozenset(skipped))
    shown: list[Any] = []
    options = RunOptions(
        portion=portion, in_flight=in_flight, progress=lambda *now: shown.append(now)
    )
    report = run_job(storage, Doubling(), options)
    assert storage.done == {n: 2 * n for n in due - skipped}
    assert (report.made, report.skipped) == (len(due - skipped), len(skipped))
    assert (report.failures, report.stopped) == ((), False)
    assert all(size <= portion for size in storage.portions)
    assert len(storage.portions) == 2 * -(-len(due - skipped) // portion)
    assert [done for done, _ in shown] == sorted(done for done, _ in shown)
    assert all(done <= total for done, total in shown)


@few
@given(after=st.integers(0, 60), portion=st.integers(1, 20))
def test_stopped_anywhere_and_run_again_everything_is_done(after: int, portion: int) -> None:
    storage, count = Numbers(set(range(1, 51))), [0]

    def progress(done: int, total: int | None) -> None:
        count[0] = done

    options = RunOptions(portion=portion, progress=progress, should_stop=lambda: count[0] >= after)
    first = run_job(storage, Doubling(), options)
    assert first.made == len(storage.done) == min(after, 50)
    assert first.stopped is (after <= 50)
    second = run_job(storage, Doubling(), evolve(options, should_stop=lambda: False))
    assert second.made == 50 - first.made
    assert storage.done == {n: 2 * n for n in range(1, 51)}


@pytest.mark.parametrize("error", [KeyboardInterrupt, StorageError("gone"), MemoryError])
def test_what_was_finished_before_an_interruption_is_stored(error: Any) -> None:
    storage = Numbers(set(range(1, 51)))

    def progress(done: int, total: int | None) -> None:
        if done == 17:
            raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        run_job(storage, Doubling(), RunOptions(portion=10, progress=progress))
    assert set(storage.done) == set(range(1, 18))


def test_a_report_reads_like_a_sentence() -> None:
    storage = Numbers({1, 2, 3}, skipped=frozenset({7}))
    job = Doubling(lambda n: work("refuse") if n == 2 else work(n))
    report = run_job(storage, job)
    assert str(report) == "2 made, 1 failed, 1 skipped"
    assert [str(one.failure) for one in report.failures] == ["BadInput: this image is bad"]
    assert report.undone == ()
