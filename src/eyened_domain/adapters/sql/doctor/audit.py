"""The history, entry by entry: what was altered, forged or taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from eyened_domain.adapters.sql.history.auditing import Auditor, Fault
from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.history.seals import read_seal, write_seal
from eyened_domain.config import Secret
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch

MOST_FINDINGS = 1000


class Audit:
    """The entries of the history; an `Examination`.

    Nothing of it is repaired: what somebody has altered is for people to look at.

    Args:
        engine: of the database.
        secret: SECRET_KEY, with which the entries were signed.
        seal: a file that says what was there before; written anew when nothing is wrong.
    """

    title = "Entries of the history"
    level = 1

    def __init__(self, engine: Engine, secret: Secret, seal: Path | None = None) -> None:
        self._engine, self._macs, self._seal = engine, Macs(secret), seal
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`; the database is seen at one moment, whoever is writing."""
        watch.tick(0)
        sealed = {} if self._seal is None else read_seal(self._seal, self._macs)
        auditor = Auditor(self._macs, sealed)
        count = 0
        with self._engine.connect() as connection:
            for fault in islice(auditor.faults(connection, watch.tick), MOST_FINDINGS):
                count += 1
                yield _finding(fault)
        self.looked_at = auditor.looked_at
        if self._seal is not None and not count:
            write_seal(self._seal, self._macs, auditor.ends)

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:
        """See `Examination`."""
        return found

    def fix(self, found: Sequence[Finding]) -> Iterable[Repair]:  # noqa: ARG002
        """See `Examination`; there is nothing to be done."""
        return ()


def _finding(fault: Fault) -> Finding:
    return Finding(
        Kind.HISTORY_MISSING if fault.is_missing else Kind.HISTORY_ALTERED,
        fault.message,
        entity="History",
        path=fault.stream_id,
        position=fault.number,
    )
