"""The rows that point to positions, as plain statements: which array, which position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from sqlalchemy import Connection, String, Table, and_, case, cast, literal, select, type_coerce

from eyened_domain.adapters.pixels.positions.rows import LIVE
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import (
    KINDS,
    OWNERS,
    table_and_key,
    zarr_array,
    zarr_slot,
)
from eyened_domain.model.computation import Model
from eyened_domain.model.enums import Datatype
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.services.doctor import Finding

model: Table = table_of(Model)

_PORTION = 10_000


@attrs.frozen
class Pointing:
    """A row that points to a position.

    Attributes:
        entity: Segmentation or ModelSegmentation.
        identity: its primary key.
        position: ZarrArrayIndex.
    """

    entity: str
    identity: int
    position: int


@attrs.frozen
class SlotRow:
    """A row of ZarrSlot.

    Attributes:
        array_id: ZarrArrayID.
        position: SlotIndex.
        state: reserved, live, garbage or quarantine.
        size: bytes of its file.
        since: since when the state is so, in seconds of Unix time.
        digest: of the slot, where it was asked for.
        token: of the reservation, or of the adoption; where it was asked for.
    """

    array_id: int
    position: int
    state: str
    size: int | None
    since: int
    digest: bytes | None = None
    token: str | None = None


def row_and_position(found: Finding) -> tuple[str, int, int]:
    """Return entity, id and position of a finding about a row that points to a position."""
    return found.entity or "", found.identity or 0, found.position or 0


def group_of(kind: type[Any]) -> Any:
    """Return the SQL for the name of the group that a row's pixels are in."""
    if kind is Segmentation:
        meaning = OWNERS[kind][0].c.data_representation
        return literal("DataRepresentation.") + type_coerce(meaning, String)
    return literal("model_") + model.c.model_name + literal("_") + model.c.version


def array_of(kind: type[Any]) -> Any:
    """Return the SQL for the name of the array that a row's pixels are in."""
    columns = OWNERS[kind][0].c
    dtype = case(*((columns.data_type == one, one.numpy_name) for one in Datatype), else_="unknown")
    text: Any = type_coerce(dtype, String)
    for size in (columns.depth, columns.height, columns.width):
        text = text + literal("_") + cast(size, String(20))
    return text + literal(".zarr")


def source_of(kind: type[Any]) -> Any:
    """Return what to select the rows from: with the model, which names the group."""
    table = OWNERS[kind][0]
    if kind is Segmentation:
        return table
    return table.join(model, model.c.model_id == table.c.model_id)


def noted(kind: type[Any], *columns: Any, outer: bool) -> Any:
    """Return a statement on rows and what is noted of their positions, but for what is in order.

    In order is a position that is noted as live and as the row's own.
    """
    array = and_(
        zarr_array.c.group_name == group_of(kind), zarr_array.c.array_name == array_of(kind)
    )
    table, _ = table_and_key(kind)
    slot = and_(
        zarr_slot.c.zarr_array_id == zarr_array.c.zarr_array_id,
        zarr_slot.c.slot_index == table.c.zarr_array_index,
    )
    sound = _sound_slot(kind)
    source = source_of(kind).join(sound, _is_sound(kind, sound), isouter=True)
    source = source.join(zarr_array, array, isouter=outer).join(zarr_slot, slot, isouter=outer)
    asked = (
        select(*columns)
        .select_from(source)
        .where(table.c.zarr_array_index.is_not(None), sound.c.slot_index.is_(None))
    )
    for dialect in ("mysql", "mariadb"):  # from the rows: there is no index to find them by
        asked = asked.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return asked


def _sound_slot(kind: type[Any]) -> Any:
    return zarr_slot.alias(f"sound_{OWNERS[kind][1]}")


def _is_sound(kind: type[Any], sound: Any) -> Any:
    table, key = table_and_key(kind)
    mine = OWNERS[kind][1]
    (other,) = {name for _, name in OWNERS.values()} - {mine}
    return and_(
        sound.c[mine] == key,
        sound.c.slot_index == table.c.zarr_array_index,
        sound.c.state == LIVE,
        sound.c[other].is_(None),
    )


def unknown_rows(
    connection: Connection, kind: type[Any]
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Return the rows that point to positions of which nothing is noted, by group and array.

    Each row as its id and its position.
    """
    table, key = table_and_key(kind)
    columns = key, table.c.zarr_array_index, group_of(kind), array_of(kind)
    asked = noted(kind, *columns, outer=True).where(zarr_slot.c.slot_index.is_(None))
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for identity, position, group, name in connection.execute(asked):
        found.setdefault((group, name), []).append((identity, position))
    return found


def pointing_rows(connection: Connection) -> dict[tuple[str, str], list[Pointing]]:
    """Return all rows that point to positions, by group and array."""
    found: dict[tuple[str, str], list[Pointing]] = {}
    for kind in KINDS:
        for names, one in _pointing(connection, kind):
            found.setdefault(names, []).append(one)
    return found


def pointing_again(
    connection: Connection, entity: str, identities: list[int]
) -> dict[int, tuple[str, str, int]]:
    """Return where rows point now: group, array and position, by their ids."""
    kind = Segmentation if entity == "Segmentation" else ModelSegmentation
    _, key = table_and_key(kind)
    return {
        one.identity: (*names, one.position)
        for names, one in _pointing(connection, kind, key.in_(identities))
    }


def _pointing(
    connection: Connection, kind: type[Any], *conditions: Any
) -> Iterator[tuple[tuple[str, str], Pointing]]:
    """Yield rows with the names of their arrays.

    These are one column, put together by the database: PyMySQL takes its time for each.
    """
    table, key = table_and_key(kind)
    position = table.c.zarr_array_index
    asked = (
        select(key, position, group_of(kind) + literal("/") + array_of(kind))
        .select_from(source_of(kind))
        .where(position.is_not(None), *conditions)
    )
    known: dict[str, tuple[str, str]] = {}
    entity = kind.__entity__.name
    result = connection.execution_options(yield_per=_PORTION).execute(asked)
    for identity, at, path in result:
        names = known.get(path)
        if names is None:
            group, _, name = path.rpartition("/")
            names = known[path] = (group, name)
        yield names, Pointing(entity, identity, at)


def slot_rows(
    connection: Connection, *conditions: Any, digests: bool = True
) -> dict[tuple[str, str], dict[int, SlotRow]]:
    """Return what the database knows of positions, by group and array, and by position.

    Args:
        connection: to the database.
        conditions: which positions.
        digests: with their digests and tokens; without it is faster.
    """
    asked = select(
        zarr_slot.c.zarr_array_id,
        zarr_slot.c.slot_index,
        zarr_slot.c.state,
        zarr_slot.c.bytes,
        zarr_slot.c.since,
        *([zarr_slot.c.digest, zarr_slot.c.token] if digests else []),
    ).where(*conditions)
    by_id: dict[int, dict[int, SlotRow]] = {}
    result = connection.execution_options(yield_per=_PORTION).execute(asked)
    for array_id, position, *rest in result:
        row = SlotRow(array_id, int(position), *rest)
        by_id.setdefault(array_id, {})[row.position] = row
    arrays = select(zarr_array.c.zarr_array_id, zarr_array.c.group_name, zarr_array.c.array_name)
    named = {array_id: (group, name) for array_id, group, name in connection.execute(arrays)}
    return {named[a]: rows for a, rows in by_id.items() if a in named}


def slot_row(connection: Connection, key: ArrayKey, position: int) -> SlotRow | None:
    """Return what the database knows of one position."""
    found = slot_rows(
        connection,
        zarr_slot.c.slot_index == position,
        zarr_slot.c.zarr_array_id
        == select(zarr_array.c.zarr_array_id)
        .where(zarr_array.c.group_name == key.group, zarr_array.c.array_name == key.name)
        .scalar_subquery(),
    )
    return found.get((key.group, key.name), {}).get(position)
