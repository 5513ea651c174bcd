"""Positions that a unit of work reserves in its own transaction.

Where a database has one writer, and that is the unit of work itself, nobody else could
reserve anything meanwhile. When the unit is rolled back its reservation is rolled back as
well, but the file is there: the position is then noted as garbage.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event, insert, update
from sqlalchemy.orm import Session, SessionTransaction

from eyened_domain.adapters.sql.engine import BEGIN
from eyened_domain.adapters.sql.pixels.reservations import Reservations
from eyened_domain.adapters.sql.pixels.slots import GARBAGE, Slot, array_id_for, digest_at, now
from eyened_domain.adapters.sql.tables.pixels import zarr_array, zarr_slot
from eyened_domain.adapters.storage.zarr_store.layout import ArrayKey

_TAKEN = "eyened_domain.reserved_within"


def take(session: Session, reservations: Reservations, key: ArrayKey) -> Slot:
    """Return a position that is reserved in the session's transaction."""
    slot = reservations.take_within(session.connection(), key)
    session.info.setdefault(_TAKEN, []).append(slot)
    return slot


def watch(session_class: type[Session]) -> None:
    """Make the sessions of a class note the positions that a rollback leaves behind."""
    event.listen(session_class, "before_commit", _note_undone)
    event.listen(session_class, "after_commit", _forget_taken)
    event.listen(session_class, "after_transaction_end", _note_rolled_back)


def _note_undone(session: Session) -> None:
    """Note the positions that were reserved in savepoints which were rolled back."""
    for slot in session.info.get(_TAKEN, ()):
        _note_garbage(session.connection(), slot)


def _forget_taken(session: Session) -> None:
    session.info.pop(_TAKEN, None)


def _note_rolled_back(session: Session, transaction: SessionTransaction) -> None:
    """Note the positions of a session that was rolled back, or closed without a commit."""
    if transaction.parent is not None or not session.info.get(_TAKEN):
        return
    taken: list[Slot] = session.info.pop(_TAKEN)
    engine = session.get_bind().engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with engine.begin() as connection:
        for slot in taken:
            _note_garbage(connection, slot)


def _note_garbage(connection: Connection, slot: Slot) -> None:
    """Note a position as garbage, if nothing is noted of it."""
    array_id = array_id_for(connection, slot.key)
    beyond = slot.position + 1
    connection.execute(
        update(zarr_array)
        .where(zarr_array.c.zarr_array_id == array_id, zarr_array.c.next_index < beyond)
        .values(next_index=beyond)
    )
    if not digest_at(connection, slot.key, slot.position)[0]:
        values: dict[str, Any] = {"zarr_array_id": array_id, "slot_index": slot.position}
        values |= {"state": GARBAGE, "token": slot.token, "since": now()}
        connection.execute(insert(zarr_slot), [values])
