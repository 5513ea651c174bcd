"""What became of the items of a long work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")

_LONGEST = 500
_NOT_THE_ITEMS_FAULT = frozenset(
    {"StorageError", "ConfigurationError", "Conflict", "FolderMissing"}
)


@frozen
class Failure:
    """Why something failed, as text: an exception need not survive the way between processes.

    Attributes:
        kind: the name of the exception's class.
        message: what it said.
    """

    kind: str
    message: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Describe an exception, whatever it does when it is asked what it says."""
        try:
            message = " ".join(str(error).split())
        except Exception:  # noqa: BLE001 - a stranger's exception
            message = "(it has no message that can be read)"
        return cls(type(error).__name__, message[:_LONGEST])

    @property
    def is_of_the_surroundings(self) -> bool:
        """Whether a store or a setting is to blame: the same item may succeed another time."""
        return self.kind in _NOT_THE_ITEMS_FAULT

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


WORKER_DIED = "WorkerDied"
"""The `kind` of a failure in which the item took the process that worked on it with it."""


@frozen
class Outcome(Generic[T]):
    """What became of one item: a value, or why there is none."""

    item: T
    value: Any = None
    failure: Failure | None = None


@frozen(kw_only=True)
class ItemFailure:
    """One item that failed, for people to read.

    Attributes:
        item_id: the primary key.
        name: what it is known by; of an image its DatasetIdentifier.
        failure: why.
    """

    item_id: int
    name: str
    failure: Failure


def _as_tuple(failures: Iterable[ItemFailure]) -> tuple[ItemFailure, ...]:
    return tuple(failures)


@frozen(kw_only=True)
class BatchReport:
    """What a run did.

    Attributes:
        made: items whose result was stored.
        overtaken: items that somebody else finished, changed or deleted meanwhile.
        skipped: items that nothing is made of.
        failures: items that failed, and why.
        stopped: whether the run was asked to stop before its end.
    """

    made: int = 0
    overtaken: int = 0
    skipped: int = 0
    failures: tuple[ItemFailure, ...] = field(default=(), converter=_as_tuple)
    stopped: bool = False

    @property
    def undone(self) -> tuple[ItemFailure, ...]:
        """The failures that a store or a setting is to blame for; the next run tries again."""
        return tuple(one for one in self.failures if one.failure.is_of_the_surroundings)

    def __str__(self) -> str:
        counts = [f"{self.made:,} made", f"{len(self.failures):,} failed"]
        counts.extend(
            f"{count:,} {what}"
            for count, what in (
                (self.skipped, "skipped"),
                (self.overtaken, "done or changed by somebody else meanwhile"),
            )
            if count
        )
        return ", ".join(counts) + (" (stopped before the end)" if self.stopped else "")
