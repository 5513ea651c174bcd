"""Wrong tries of passwords: how long the next one has to wait. The host keeps the count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import field, frozen

from eyened_domain.errors import BadInput

_MOST_DOUBLINGS = 40


@frozen
class Tries:
    """Wrong tries in a row, as the host keeps them: two columns of a table, or of a cache."""

    wrong: int = 0
    """How many there were since the last right one."""
    last: datetime | None = None
    """When the last one was; without a zone it is UTC."""


def _now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Throttle:
    """How long who has tried wrong passwords waits: twice as long after each further one.

    Nothing is kept here: `Tries` go in and come out.

    Attributes:
        free: how many wrong tries cost no waiting.
        first: how long to wait after one more than these.
        longest: how long to wait at the most.
        forgotten_after: after how long the tries before do not count any more.
        clock: gives the moment, with a time zone.
    """

    free: int = 4
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)
    forgotten_after: timedelta = timedelta(days=1)
    clock: Callable[[], datetime] = field(default=_now, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.free < 0 or not timedelta() < self.first <= self.longest <= self.forgotten_after:
            raise BadInput(
                "Throttle: free is not negative, and 0 < first <= longest <= forgotten_after"
            )

    def wait(self, tries: Tries) -> timedelta:
        """Return how long the next try has to wait from now on; zero when it may come."""
        beyond = tries.wrong - self.free
        if beyond <= 0 or tries.last is None:
            return timedelta()
        pause = self.longest
        if beyond <= _MOST_DOUBLINGS:
            pause = min(self.first * 2 ** (beyond - 1), self.longest)
        return max(pause - self._since(tries.last), timedelta())

    def after_wrong(self, tries: Tries) -> Tries:
        """Return the tries with one more."""
        is_forgotten = tries.last is not None and self._since(tries.last) >= self.forgotten_after
        return Tries(1 if is_forgotten else tries.wrong + 1, self.clock())

    def _since(self, moment: datetime) -> timedelta:
        """Return how long ago it was; a moment to come, of another clock, is now."""
        known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(self.clock() - known, timedelta())
