"""The engine of all long work: items through any executor, a bounded number at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from attrs import frozen

from eyened_domain.errors import StorageError
from eyened_domain.services.batches.outcomes import WORKER_DIED, Failure, Outcome

T = TypeVar("T")

IN_FLIGHT = 32
"""Items that are with the executor at a time, unless told otherwise."""


@runtime_checkable
class Restartable(Protocol):
    """An executor that can go on after one of its workers has died."""

    def restart(self) -> None:
        """Begin anew with fresh workers; called when the ones that there were are gone."""


class SerialExecutor(Executor):
    """Does the work at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function; the future that is returned is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            future.set_exception(error)
        return future


def _never() -> bool:
    return False


def work_on(
    items: Iterable[T],
    work: Callable[[T], Any],
    *,
    executor: Executor | None = None,
    in_flight: int = IN_FLIGHT,
    should_stop: Callable[[], bool] = _never,
) -> Generator[Outcome[T], None, None]:
    """Do the work on each item and give what became of it, as it becomes known.

    No item ends the run. Whatever the work raises is described in the outcome of its item,
    also what cannot be pickled. When a worker process dies, the items that were with the
    executor are tried again one by one, so that only the guilty one is blamed.

    Args:
        items: any number; they are taken as there is room for them.
        work: called with an item, maybe in another process: for that both, and what it
            returns, must be picklable.
        executor: any; without one the work is done in this thread. After the death of a
            worker the run can go on with one that is `Restartable`, or heals by itself
            (dask). The caller shuts it down.
        in_flight: how many items are with the executor at the most.
        should_stop: asked between items; when it says so nothing more is begun, and what
            is under way is waited for.

    Raises:
        StorageError: no worker is left that could do the work, for no fault of an item.
    """
    if executor is None:
        executor, in_flight = SerialExecutor(), 1
    return _Run(items, _Guarded(work), executor, in_flight, should_stop).outcomes()


@frozen
class _Guarded:
    """The work, with what it raises turned into text where it was raised."""

    work: Callable[[Any], Any]

    def __call__(self, item: Any) -> Any:
        try:
            return self.work(item)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told in the outcome
            return Failure.of(error)


def _do_nothing() -> None:
    """Do nothing, to find out whether a worker can."""


class _Run(Generic[T]):
    def __init__(
        self,
        items: Iterable[T],
        work: _Guarded,
        executor: Executor,
        in_flight: int,
        should_stop: Callable[[], bool],
    ) -> None:
        self._items = iter(items)
        self._work = work
        self._executor = executor
        self._most = max(1, in_flight)
        self._should_stop = should_stop
        self._flying: dict[Future[Any], T] = {}
        self._suspects: deque[T] = deque()

    def outcomes(self) -> Generator[Outcome[T], None, None]:
        try:
            while True:
                if self._should_stop():
                    self._call_back()
                else:
                    self._take_off()
                if self._flying:
                    yield from self._land()
                elif self._suspects:
                    yield self._alone(self._suspects.popleft())
                else:
                    return
        finally:
            for future in self._flying:
                future.cancel()

    def _call_back(self) -> None:
        """Take back what has not been begun; it is due again in the next run."""
        self._suspects.clear()
        for future in [one for one in self._flying if one.cancel()]:
            del self._flying[future]

    def _take_off(self) -> None:
        while not self._suspects and len(self._flying) < self._most:
            try:
                item = next(self._items)
            except StopIteration:
                return
            try:
                self._flying[self._executor.submit(self._work, item)] = item
            except BrokenExecutor:
                self._suspects.append(item)

    def _land(self) -> Iterator[Outcome[T]]:
        for future in wait(self._flying, return_when=FIRST_COMPLETED).done:
            item = self._flying.pop(future)
            if _took_its_worker_along(future):
                self._suspects.append(item)
            else:
                yield _outcome(item, future)

    def _alone(self, item: T) -> Outcome[T]:
        """Try a suspect with nothing else under way: if a worker dies now, it is the one."""
        self._find_a_worker()
        try:
            future = self._executor.submit(self._work, item)
        except BrokenExecutor as error:  # a worker that had nothing to do died
            raise _no_worker(error) from error
        wait([future])
        if not _took_its_worker_along(future):
            return _outcome(item, future)
        reason = "the process that worked on it died (it was killed, crashed, or out of memory)"
        return Outcome(item, failure=Failure(WORKER_DIED, reason))

    def _find_a_worker(self) -> None:
        """Make sure that there are workers, so that no item is blamed when there are none.

        Raises:
            StorageError: there are none.
        """
        error = self._probed()
        if error is not None and isinstance(self._executor, Restartable):
            self._executor.restart()
            error = self._probed()
        if error is not None:
            raise _no_worker(error) from error

    def _probed(self) -> BaseException | None:
        try:
            return self._executor.submit(_do_nothing).exception()
        except (BrokenExecutor, CancelledError) as gone:
            return gone


def _no_worker(error: BaseException) -> StorageError:
    return StorageError(
        f"the workers have died, and no new one can be started ({Failure.of(error)}); "
        "what is done is kept, run it again for the rest"
    )


def _took_its_worker_along(future: Future[Any]) -> bool:
    if future.cancelled():
        raise StorageError(
            "the executor has cancelled the work: it was shut down, or the connection to it is "
            "lost; what is done is kept, run it again for the rest"
        )
    error = future.exception()
    # KilledWorker is dask's word for it; dask is not imported here.
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _outcome(item: T, future: Future[Any]) -> Outcome[T]:
    error = future.exception()
    if error is not None:  # the item, or what came of it, could not be pickled
        return Outcome(item, failure=Failure.of(error))
    value = future.result()
    if isinstance(value, Failure):
        return Outcome(item, failure=value)
    return Outcome(item, value=value)
