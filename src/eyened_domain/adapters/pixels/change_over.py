"""One transaction that lets all rows point into a new store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from eyened_domain.adapters.pixels.positions.rows import LIVE, now
from eyened_domain.adapters.pixels.zarr.copying import Entry, Journal, rows_of
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema.pixels import (
    KINDS,
    OWNERS,
    table_and_key,
    zarr_array,
    zarr_slot,
)

_PORTION = 1000


def is_changed_over(connection: Connection, token: str) -> bool:
    """Whether the database points into the store that a run with that token made."""
    asked = select(zarr_slot.c.slot_index).where(zarr_slot.c.token == token).limit(1)
    return connection.execute(asked).first() is not None


def change_over(connection: Connection, journal: Journal) -> None:
    """Let all rows point where their copies are, and note the new positions as live.

    Args:
        connection: in a transaction, in which the rows are locked.
        journal: what was copied.
    """
    for kind in KINDS:
        _point(connection, kind, journal)
    beyond = int(connection.scalar(select(func.max(zarr_array.c.zarr_array_id))) or 0)
    connection.execute(delete(zarr_slot))
    connection.execute(delete(zarr_array))
    # ids that were never used: a program that holds an old reservation finds nothing there
    ids = {key: beyond + n for n, key in enumerate(journal.lengths(), start=1)}
    arrays = [
        {
            "zarr_array_id": ids[key],
            "group_name": key.group,
            "array_name": key.name,
            "next_index": length,
        }
        for key, length in journal.lengths().items()
    ]
    if arrays:
        connection.execute(insert(zarr_array), arrays)
    for portion in _portions(_slots(journal, ids)):
        connection.execute(insert(zarr_slot), portion)


def _point(connection: Connection, kind: type[Any], journal: Journal) -> None:
    table, key = table_and_key(kind)
    for portion in _portions(rows_of(journal, kind.__entity__.name)):
        positions = case(dict(portion), value=key)
        connection.execute(
            update(table)
            .where(key.in_([identity for identity, _ in portion]))
            .values(zarr_array_index=positions)
        )


def _slots(journal: Journal, ids: dict[ArrayKey, int]) -> Iterator[dict[str, Any]]:
    since = now()
    owners = {kind.__entity__.name: column for kind, (_, column) in OWNERS.items()}
    for (entity, identity), one in journal.entries.items():
        owner = dict.fromkeys(owners.values()) | {owners[entity]: identity}
        yield {**owner, **_values(one, ids), "token": journal.token, "since": since}


def _values(one: Entry, ids: dict[ArrayKey, int]) -> dict[str, Any]:
    return {
        "zarr_array_id": ids[one.key],
        "slot_index": one.new,
        "state": LIVE,
        "digest": one.digest,
        "bytes": one.bytes,
    }


def _portions(many: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(many)
    while portion := list(islice(waiting, _PORTION)):
        yield portion
