"""Whether the history is as it was written: no entry altered, forged, taken out or moved.

Each row has a keyed digest, which nobody can make without SECRET_KEY. A stream's numbers have no
gaps, and its head says which is the last. A stream is known by a row of `HistoryStream`, and the
next ones say that they have seen it. What is not found by that: the newest changes of a stream,
where its end is put back to what it was before, digests and all. A seal tells (`seals`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, and_, or_, select

from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.history.writing import SIGNED
from eyened_domain.adapters.sql.schema.bookkeeping import (
    HISTORY_HEAD,
    history,
    history_stream,
)

_PAGE = 5000
_STREAM_SIGNED = tuple(history_stream.c[name] for name in ("stream_id", "opened_at", "follows"))


@frozen
class Fault:
    """Something that is not as it was written."""

    is_missing: bool
    """Whether something is gone; otherwise it was altered, or written by somebody else."""
    message: str
    stream_id: str
    number: int | None = None


class Auditor:
    """Reads the whole history, and tells what is wrong with it.

    Args:
        macs: computes the digests.
        sealed: the last number of each stream, as a seal says.
    """

    def __init__(self, macs: Macs, sealed: Mapping[str, int] | None = None) -> None:
        self._macs, self._sealed = macs, sealed or {}
        self.ends: dict[str, int] = {}
        """The last number of each stream, as its head says."""
        self.looked_at: int = 0

    def faults(
        self, connection: Connection, tick: Callable[[int, int | None], None]
    ) -> Iterator[Fault]:
        """Yield what is wrong, in one snapshot of the database.

        Args:
            connection: in a transaction that sees one state of the database.
            tick: called with how many entries have been read.
        """
        streams = {row[0]: row for row in connection.execute(select(*_STREAM_SIGNED, _MAC))}
        yield from self._of_streams(streams)
        found: set[str] = set()
        for stream_id, rows in groupby(_rows(connection), key=lambda row: str(row[0])):
            found.add(stream_id)
            if stream_id not in streams:
                yield Fault(True, f"stream {stream_id} is in no row of HistoryStream", stream_id)
            yield from self._of_stream(stream_id, rows, tick)
        for stream_id in sorted(streams.keys() - found):
            yield Fault(True, f"all entries of stream {stream_id} are gone", stream_id)
        yield from self._of_seal()

    def _of_streams(self, streams: Mapping[str, Any]) -> Iterator[Fault]:
        for stream_id, row in streams.items():
            if self._macs.of(*row[:-1]) != row[-1]:
                said = f"the row of HistoryStream of stream {stream_id} was altered or forged"
                yield Fault(False, said, stream_id)
                continue
            for one in json.loads(row[2]):
                if one not in streams:
                    said = f"stream {one}, which stream {stream_id} followed, is gone"
                    yield Fault(True, said, one)

    def _of_stream(
        self, stream_id: str, rows: Iterator[Any], tick: Callable[[int, int | None], None]
    ) -> Iterator[Fault]:
        last, end = 0, None
        for row in rows:
            number, is_true = row[1], self._macs.of(*row[:-1]) == row[-1]
            if not is_true:
                yield _altered(row)
            if number == HISTORY_HEAD:
                end = row[11] if is_true else None
                break
            if number > last + 1:
                yield _gone(stream_id, last + 1, number - 1)
            last = number
            self.looked_at += 1
            if self.looked_at % _PAGE == 1:
                tick(self.looked_at, None)
        if end is None:
            said = f"stream {stream_id} lacks its head, which says how many entries there are"
            yield Fault(True, said, stream_id)
            return
        self.ends[stream_id] = end
        if end > last:
            yield _gone(stream_id, last + 1, end)
        elif end < last:
            said = f"stream {stream_id} ends with entry {end}, and goes on to {last}"
            yield Fault(False, said, stream_id, end)

    def _of_seal(self) -> Iterator[Fault]:
        for stream_id, sealed in self._sealed.items():
            end = self.ends.get(stream_id, 0)
            if end < sealed:
                yield _gone(stream_id, end + 1, sealed, "; the seal says that they were there")


_MAC = history_stream.c.mac


def _gone(stream_id: str, first: int, last: int, more: str = "") -> Fault:
    many = f"entry {first} is" if first == last else f"entries {first} to {last} are"
    return Fault(True, f"{many} gone from stream {stream_id}{more}", stream_id, first)


def _altered(row: Any) -> Fault:
    stream_id, number, _, entity, key, kind = row[:6]
    if number == 0:
        said = f"the head of stream {stream_id} was altered or forged"
    else:
        said = (
            f"entry {number} of stream {stream_id} ({kind} of {entity} {key}) was altered or forged"
        )
    return Fault(False, said, stream_id, number)


def _rows(connection: Connection) -> Iterator[Any]:
    """Yield the rows of the history in the order of their key, a page at a time."""
    stream, number = history.c.stream_id, history.c.number
    statement = select(*SIGNED, history.c.mac).order_by(stream, number).limit(_PAGE)
    page = connection.execute(statement).all()
    while page:
        yield from page
        last = page[-1]
        further = or_(stream > last[0], and_(stream == last[0], number > last[1]))
        asked = statement.where(stream >= last[0], further)
        page = connection.execute(asked).all() if len(page) == _PAGE else []
