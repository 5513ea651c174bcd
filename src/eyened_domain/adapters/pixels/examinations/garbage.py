"""What piles up in the store: pixels that nobody points to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Engine

from eyened_domain.adapters.pixels.collect import GRACE_S, Collector
from eyened_domain.adapters.pixels.positions.ownership import why_not_ours
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch


class Garbage:
    """Pixels that nobody points to, and files half written, when they are old; an `Examination`.

    Args:
        engine: of the database.
        files: the store.
        grace_s: how old in seconds.
    """

    title = "Garbage in the store"
    level = 2

    def __init__(self, engine: Engine, files: SlotFiles, *, grace_s: float = GRACE_S) -> None:
        self._engine = engine
        self._files = files
        self._grace_s = grace_s
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        watch.tick(0)
        if not self._files.root.exists() or why_not_ours(self._engine, self._files) is not None:
            return  # what is another's is no garbage of ours
        told = Collector(self._engine, self._files, grace_s=self._grace_s).collect()
        self.looked_at = told.positions
        if told.positions or told.leftovers:
            yield Finding(
                Kind.GARBAGE,
                f"{told.positions} positions that nobody points to ({told.bytes:,} bytes) and "
                f"{told.leftovers} files half written are old enough to be collected",
                path=str(self._files.root),
                fix="is collected",
            )

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:
        """See `Examination`: the collector looks again at each by itself."""
        return found

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Collect."""
        for one in found:
            collector = Collector(self._engine, self._files, grace_s=self._grace_s)
            done = collector.collect(dry_run=False)
            yield Repair(
                one,
                f"collected {done.positions} positions ({done.bytes:,} bytes) and {done.leftovers} "
                "files half written",
            )
