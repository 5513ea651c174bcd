"""The rows of positions: reserved, live, garbage. Plain statements on a connection."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import attrs
from sqlalchemy import Connection, Update, bindparam, exists, insert, or_, select, update

from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema.pixels import OWNERS, zarr_array, zarr_slot
from eyened_domain.errors import Conflict, Duplicate
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

RESERVED, LIVE, GARBAGE, QUARANTINE = "reserved", "live", "garbage", "quarantine"

GUARD = 16
"""Positions that are left free before reserved ones; without a file, one costs nothing."""

# Statements that every save needs are built once: building one takes longer than SQLite runs it.
_HERE = (zarr_slot.c.zarr_array_id == bindparam("b_array")) & (
    zarr_slot.c.slot_index == bindparam("b_position")
)
_NAMED = (zarr_array.c.group_name == bindparam("b_group")) & (
    zarr_array.c.array_name == bindparam("b_array")
)
_ARRAY = select(zarr_array.c.zarr_array_id, zarr_array.c.next_index).where(_NAMED)
_STATE = select(zarr_slot.c.state).where(_HERE)
_TO_GARBAGE = update(zarr_slot).where(_HERE).values(state=GARBAGE, since=bindparam("b_since"))
_DIGESTS = select(
    zarr_array.c.group_name, zarr_array.c.array_name, zarr_slot.c.slot_index, zarr_slot.c.digest
).join(zarr_array, zarr_array.c.zarr_array_id == zarr_slot.c.zarr_array_id)
_NOTED = (
    select(
        zarr_slot.c.state,
        zarr_slot.c.token,
        zarr_slot.c.digest,
        zarr_slot.c.since,
    )
    .join(zarr_array, zarr_array.c.zarr_array_id == zarr_slot.c.zarr_array_id)
    .where(_NAMED, zarr_slot.c.slot_index == bindparam("b_position"))
)


@attrs.frozen
class ReservedPosition:
    """A position that was reserved.

    Attributes:
        key: the array.
        array_id: ZarrArrayID.
        position: on axis 0 of the array.
        token: of the reservation, 32 hexadecimal digits.
    """

    key: ArrayKey
    array_id: int
    position: int
    token: str


def now() -> int:
    """Return the time as `ZarrSlot.Since` holds it: whole seconds of Unix time."""
    return int(time.time())


def has_pixels(connection: Connection) -> bool:
    """Whether any row points to pixels, or ever did since this software came."""
    tables = [table for table, _ in OWNERS.values()]
    asked = [exists(select(1).where(table.c.zarr_array_index.is_not(None))) for table in tables]
    return bool(connection.scalar(select(or_(*asked, exists(select(zarr_slot.c.slot_index))))))


def array_id_of(connection: Connection, key: ArrayKey, *, lock: bool = False) -> Any:
    """Return ZarrArrayID and NextIndex of an array, None when it is not known; lock its row."""
    names = {"b_group": key.group, "b_array": key.name}
    return connection.execute(_ARRAY.with_for_update() if lock else _ARRAY, names).first()


def reserve(
    connection: Connection, files: SlotFiles, key: ArrayKey, count: int, token: str
) -> list[ReservedPosition]:
    """Reserve positions that nobody has had, and nobody else will get.

    The array's row is locked until the transaction ends. Some positions are left free before
    the reserved ones: an older program, which appends without asking, may be about to take
    the first that is free, and to say that the array is as long as that. It then goes on from
    there, until somebody finds the array too short and lets it grow again.

    Args:
        connection: in a transaction, which the caller commits before pixels are written.
        files: the store; its metadata grows by the positions.
        key: the array, which `SlotFiles.prepare` has made.
        count: how many.
        token: what the reservation is known by, in the database and in the files.

    Raises:
        StorageError: the metadata cannot be written.
    """
    array_id, next_index = _locked(connection, key)
    first = max(int(next_index), int(files.document(key)["shape"][0])) + GUARD
    while files.is_taken(key, range(first - GUARD, first + count)):
        first += count
    positions = range(first, first + count)
    connection.execute(
        update(zarr_array)
        .where(zarr_array.c.zarr_array_id == array_id)
        .values(next_index=positions.stop)
    )
    common = {"zarr_array_id": array_id, "state": RESERVED, "token": token, "since": now()}
    connection.execute(insert(zarr_slot), [{**common, "slot_index": p} for p in positions])
    files.grow(key, positions.stop)
    return [ReservedPosition(key, array_id, position, token) for position in positions]


def grow_again(connection: Connection, files: SlotFiles, key: ArrayKey) -> None:
    """Let the metadata of an array cover all positions that were ever reserved.

    Args:
        connection: in a transaction; the array's row is locked until it ends.
        files: the store.
        key: the array.
    """
    found = array_id_of(connection, key, lock=True)
    if found is not None:
        files.grow(key, int(found.next_index))


def _locked(connection: Connection, key: ArrayKey) -> tuple[int, int]:
    array_id_for(connection, key)
    found = array_id_of(connection, key, lock=True)
    return found.zarr_array_id, found.next_index


def array_id_for(connection: Connection, key: ArrayKey) -> int:
    """Return ZarrArrayID of an array, which is noted when it is not known.

    Raises:
        Conflict: somebody else has noted it at the same time.
    """
    found = array_id_of(connection, key)
    if found is None:
        row = {"group_name": key.group, "array_name": key.name, "next_index": 0}
        try:
            # in no savepoint: a deadlock, which is usual here, takes the savepoint away as well
            connection.execute(insert(zarr_array), [row])
        except Duplicate as error:
            raise Conflict(f"{key.path} was made by somebody else; run it again") from error
        found = array_id_of(connection, key)
    identity: int = found.zarr_array_id
    return identity


def point(
    connection: Connection,
    reserved: ReservedPosition,
    owner: Segmentation | ModelSegmentation,
    *,
    before: int | None,
    before_is_known: bool,
    digest: bytes,
    size: int,
    token: str,
    values: dict[str, Any],
) -> None:
    """Let the row of a segmentation point to a new position, if it still points where it did.

    Args:
        connection: of the unit of work.
        reserved: the position; its file is on the disk.
        owner: the segmentation, which has an id.
        before: where it pointed when it was read.
        before_is_known: whether there is a row for that position.
        digest: of the slot.
        size: bytes of its file.
        token: of the reservation, or when a file without a manifest was written.
        values: of other columns of the row, set along with it.

    Raises:
        Conflict: it points elsewhere now, or the reservation was collected.
    """
    _, key = OWNERS[type(owner)]
    identity = getattr(owner, key)
    # the row comes last: a program that commits in spite of a conflict has its old pixels
    noted = {"identity": identity, "digest": digest, "bytes": size, "token": token}
    _make_live(connection, reserved, key, noted)
    changed = connection.execute(
        _pointing(type(owner), tuple(values)),
        {"b_identity": identity, "b_before": before, "b_position": reserved.position}
        | {f"b_{name}": value for name, value in values.items()},
    )
    if changed.rowcount != 1:
        discard(connection, reserved.array_id, reserved.position, reserved.token)
        raise Conflict(
            f"the pixels of {type(owner).__name__} {identity} were changed by somebody else since "
            "it was read; run it again",
            entity=type(owner).__name__,
            field="zarr_array_index",
            value=before,
        )
    if before is not None:
        discard(connection, reserved.array_id, before, reserved.token, is_known=before_is_known)


@cache
def _pointing(owner: type[Segmentation | ModelSegmentation], names: tuple[str, ...]) -> Update:
    """Return the statement that lets a row point elsewhere; built once, which takes a while."""
    table, key = OWNERS[owner]
    index = table.c.zarr_array_index
    before = bindparam("b_before", type_=index.type)
    values = {name: bindparam(f"b_{name}", type_=table.c[name].type) for name in names}
    return (
        update(table)
        .where(table.c[key] == bindparam("b_identity"), index.is_not_distinct_from(before))
        .values(zarr_array_index=bindparam("b_position"), **values)
    )


@cache
def _making_live(key: str) -> Update:
    """Return the statement that makes a reserved position live, of the table with that key."""
    names = {key: "identity"} | {one: one for one in ("digest", "bytes", "token", "since")}
    return (
        update(zarr_slot)
        .where(_HERE, zarr_slot.c.state == RESERVED)
        .values(state=LIVE, **{name: bindparam(f"b_{given}") for name, given in names.items()})
    )


def _make_live(
    connection: Connection, reserved: ReservedPosition, key: str, values: dict[str, Any]
) -> None:
    here = {"b_array": reserved.array_id, "b_position": reserved.position, "b_since": now()}
    changed = connection.execute(
        _making_live(key), here | {f"b_{name}": value for name, value in values.items()}
    )
    if changed.rowcount != 1:
        raise Conflict(
            f"the reservation of position {reserved.position} of {reserved.key.path} was collected "
            "while its pixels were written; run it again"
        )


def discard(
    connection: Connection, array_id: int, position: int, token: str, *, is_known: bool = False
) -> None:
    """Note that nobody points to a position any more.

    Args:
        connection: of the unit of work.
        array_id: ZarrArrayID.
        position: on axis 0 of the array.
        token: noted along with it when there is no row for it yet.
        is_known: there is one.

    Raises:
        Conflict: somebody else has just noted something of it.
    """
    here = {"b_array": array_id, "b_position": position}
    # looked up first: an UPDATE that finds nothing locks the gap that others reserve in
    if is_known or connection.execute(_STATE, here).first() is not None:
        changed = connection.execute(_TO_GARBAGE, here | {"b_since": now()})
        if changed.rowcount:
            return
    row = {"zarr_array_id": array_id, "slot_index": position, "state": GARBAGE}
    try:  # pixels of an older program
        connection.execute(insert(zarr_slot), [{**row, "token": token, "since": now()}])
    except Duplicate as error:
        raise Conflict(f"position {position} was adopted by somebody else; run it again") from error


def digests_of_owners(
    connection: Connection, key: str, identities: Iterable[int]
) -> dict[tuple[str, str, int], bytes]:
    """Return the digest of each live slot of these segmentations, by group, array, position."""
    asked = _DIGESTS.where(zarr_slot.c.state == LIVE, zarr_slot.c[key].in_(list(identities)))
    return {(g, a, int(p)): bytes(d) for g, a, p, d in connection.execute(asked) if d}


def noted_at(connection: Connection, key: ArrayKey, position: int) -> Any:
    """Return state, token, digest and since of a position; None when it is not known."""
    names = {"b_group": key.group, "b_array": key.name}
    return connection.execute(_NOTED, names | {"b_position": position}).first()
