"""Positions for a unit of work that nobody else can reserve for.

Where a database has one writer, and that is the unit of work itself, a side connection would
wait for it. Positions that were reserved before are taken first. When there are none, the
unit reserves some in its own transaction; what it did not need is for others once it is
committed. When it is rolled back its reservation is rolled back as well, but files are
there: their positions are then noted as garbage.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import attrs
from sqlalchemy import Connection, event, insert, update
from sqlalchemy.orm import Session, SessionTransaction

from eyened_domain.adapters.pixels.positions.reservations import Reservations
from eyened_domain.adapters.pixels.positions.rows import (
    GARBAGE,
    ReservedPosition,
    array_id_for,
    noted_at,
    now,
)
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import EyenedError

_RESERVED = "eyened_domain.reserved_within"


@attrs.define
class _Within:
    """What a session has reserved in its transaction.

    Attributes:
        reservations: who hands out what is left of it after the commit.
        taken: positions that were written to.
        in_savepoints: those of them that were reserved in a savepoint, and may be undone with it.
        spare: positions that were not, by array.
    """

    reservations: Reservations
    taken: list[ReservedPosition] = attrs.field(factory=list)
    in_savepoints: list[ReservedPosition] = attrs.field(factory=list)
    spare: dict[ArrayKey, list[ReservedPosition]] = attrs.field(factory=dict)


def take(session: Session, reservations: Reservations, key: ArrayKey) -> ReservedPosition:
    """Return a position for a session that is the one writer."""
    within: _Within = session.info.setdefault(_RESERVED, _Within(reservations))
    if not within.spare.get(key):
        waiting = reservations.take_waiting(key)
        if waiting is not None:
            return waiting
        # a savepoint that is rolled back would take the spare ones with it, unnoticed
        is_nested = session.in_nested_transaction()
        reserved = reservations.take_within(session.connection(), key, 1 if is_nested else None)
        within.spare[key] = reserved
        within.in_savepoints += reserved if is_nested else []
    position = within.spare[key].pop(0)
    within.taken.append(position)
    return position


def _note_undone(session: Session) -> None:
    """Note the positions that were reserved in savepoints which were rolled back."""
    within: _Within | None = session.info.get(_RESERVED)
    for reserved in within.in_savepoints if within else ():
        _note_garbage(session.connection(), reserved)


def _hand_over(session: Session) -> None:
    within: _Within | None = session.info.pop(_RESERVED, None)
    if within is None:
        return
    if within.taken:
        with suppress(EyenedError):  # it is committed; the next that reserves does it
            within.reservations.note_owner()
    for key, spare in within.spare.items():
        within.reservations.hand_over(key, spare)


def _note_rolled_back(session: Session, transaction: SessionTransaction) -> None:
    """Note the positions of a session that was rolled back, or closed without a commit."""
    if transaction.parent is not None or _RESERVED not in session.info:
        return
    within: _Within = session.info.pop(_RESERVED)
    if not within.taken:
        return
    engine = session.get_bind().engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with engine.begin() as connection:
        for reserved in within.taken:
            _note_garbage(connection, reserved)


def _note_garbage(connection: Connection, reserved: ReservedPosition) -> None:
    """Note a position as garbage, if nothing is noted of it."""
    array_id = array_id_for(connection, reserved.key)
    beyond = reserved.position + 1
    connection.execute(
        update(zarr_array)
        .where(zarr_array.c.zarr_array_id == array_id, zarr_array.c.next_index < beyond)
        .values(next_index=beyond)
    )
    if noted_at(connection, reserved.key, reserved.position) is None:
        values: dict[str, Any] = {"zarr_array_id": array_id, "slot_index": reserved.position}
        values |= {"state": GARBAGE, "token": reserved.token, "since": now()}
        connection.execute(insert(zarr_slot), [values])


event.listen(DomainSession, "before_commit", _note_undone)
event.listen(DomainSession, "after_commit", _hand_over)
event.listen(DomainSession, "after_transaction_end", _note_rolled_back)
