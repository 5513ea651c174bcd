"""The port of the doctor: an examination that an adapter can do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from eyened_domain.services.doctor.findings import Finding, Repair
from eyened_domain.services.progress import Progress


class OutOfTime(Exception):
    """The time that was given is over."""


class Watch:
    """The time that an examination has, and how far it is.

    Args:
        seconds: how long it may take; None for as long as it needs.
        progress: called with how many are done, and of how many.
    """

    def __init__(self, seconds: float | None = None, progress: Progress | None = None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds
        self._progress = progress

    def tick(self, done: int, total: int | None = None) -> None:
        """Tell how far it is.

        Raises:
            OutOfTime: the time is over.
        """
        if self._progress is not None:
            self._progress(done, total)
        if self._until is not None and time.monotonic() >= self._until:
            raise OutOfTime


class Examination(Protocol):
    """One thing that the doctor looks at."""

    @property
    def title(self) -> str:
        """What is looked at, for people: ``"Files of pixels"``."""

    @property
    def level(self) -> int:
        """1 asks the database, 2 looks whether files are there, 3 opens them."""

    @property
    def looked_at(self) -> int:
        """How many things were looked at."""

    def look(self, watch: Watch) -> Iterable[Finding]:
        """Return what seems to be wrong; somebody may be writing at this moment.

        Raises:
            OutOfTime: the time is over; what was found so far has been returned.
            EyenedError: it cannot be looked at.
        """

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:
        """Return those of the findings that are there still, as they are now."""

    def fix(self, found: Sequence[Finding]) -> Iterable[Repair]:
        """Repair what can be repaired without losing anything; leave the others alone."""
