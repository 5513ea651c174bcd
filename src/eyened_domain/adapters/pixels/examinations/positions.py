"""Level 1: do the rows of segmentations and the rows of positions agree?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, func, or_, select, update

from eyened_domain.adapters.pixels.positions.pointers import Pointers
from eyened_domain.adapters.pixels.positions.pointing import (
    array_of,
    group_of,
    noted,
    row_and_position,
    source_of,
)
from eyened_domain.adapters.pixels.positions.rows import GARBAGE, LIVE, QUARANTINE, now
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import (
    KINDS,
    OWNERS,
    table_and_key,
    zarr_array,
    zarr_slot,
)
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import StorageError
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch

model_segmentation: Table = table_of(ModelSegmentation)
segmentation: Table = table_of(Segmentation)


class Positions:
    """Rows of segmentations against rows of positions; an `Examination`.

    Args:
        engine: of the database.
        files: the store, which is asked before a position is noted as live.
    """

    title = "Rows and positions"
    level = 1

    def __init__(self, engine: Engine, files: SlotFiles) -> None:
        self._engine = engine
        self._files = files
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        watch.tick(0)
        with self._engine.connect() as connection:
            self.looked_at = sum(_count(connection, kind) for kind in KINDS)
            for kind in KINDS:
                shared = {found.identity: found for found in _shared(connection, kind)}
                yield from shared.values()
                for found in _misnoted(connection, kind):
                    if found.identity not in shared:
                        yield found
            yield from _ownerless(connection)

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:  # noqa: ARG002 - it is cheap
        """See `Examination`."""
        return list(self.look(Watch()))

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Note positions as they are; a position whose file is gone is left as it is."""
        writing = self._engine.execution_options(**{BEGIN: "IMMEDIATE"})
        for one in found:
            with writing.begin() as connection:
                mend = _discard if one.kind is Kind.OWNER_GONE else self._make_live
                done = mend(connection, one)
            if done is not None:
                yield Repair(one, done)

    def _make_live(self, connection: Connection, found: Finding) -> str | None:
        array_id, key, column = found.detail
        _, _, position = row_and_position(found)
        if not self._files.has(key, position):
            return None
        other = set(_OWNER_COLUMNS) - {column}
        connection.execute(
            update(zarr_slot)
            .where(
                zarr_slot.c.zarr_array_id == array_id,
                zarr_slot.c.slot_index == found.position,
                zarr_slot.c.state != QUARANTINE,
            )
            .values({"state": LIVE, column: found.identity} | dict.fromkeys(other))
        )
        return f"is noted as live, of {found.entity} {found.identity}"


_OWNER_COLUMNS = tuple(key for _, key in OWNERS.values())


def _count(connection: Connection, kind: type[Any]) -> int:
    table, key = table_and_key(kind)
    asked = select(func.count(key)).where(table.c.zarr_array_index.is_not(None))
    return int(connection.scalar(asked) or 0)


def _misnoted(connection: Connection, kind: type[Any]) -> Iterator[Finding]:
    """Yield the rows whose position is not live, or another row's."""
    table, key = table_and_key(kind)
    mine = OWNERS[kind][1]
    (other,) = set(_OWNER_COLUMNS) - {mine}
    asked = noted(
        kind,
        key,
        table.c.zarr_array_index,
        zarr_array.c.zarr_array_id,
        zarr_array.c.group_name,
        zarr_array.c.array_name,
        zarr_slot.c.state,
        outer=False,
    ).where(
        or_(
            zarr_slot.c.state != LIVE,
            zarr_slot.c[mine].is_(None),
            zarr_slot.c[mine] != key,
            zarr_slot.c[other].is_not(None),
        )
    )
    entity = kind.__entity__.name
    for identity, position, array_id, group, name, state in connection.execute(asked):
        array = ArrayKey.parse(group, name)
        common: dict[str, Any] = {
            "entity": entity,
            "identity": identity,
            "path": f"{group}/{name}",
            "position": position,
            "detail": (array_id, array, mine),
        }
        where = f"position {position} of {group}/{name}"
        if state == QUARANTINE:
            said = f"the pixels of {entity} {identity} are in quarantine ({where}); restore them"
            yield Finding(Kind.IN_QUARANTINE, said, **common)
        elif state != LIVE:
            said = f"{entity} {identity} points to {where}, which is noted as {state}"
            yield Finding(Kind.WRONG_STATE, said, fix="is noted as live", **common)
        else:
            said = f"{entity} {identity} points to {where}, which is noted for another row"
            yield Finding(Kind.WRONG_OWNER, said, fix="is noted for this row", **common)


def _shared(connection: Connection, kind: type[Any]) -> Iterator[Finding]:
    """Yield the rows that point where another row points."""
    table, key = table_and_key(kind)
    group, name, position = group_of(kind), array_of(kind), table.c.zarr_array_index
    whose = table.c.data_representation if table is segmentation else table.c.model_id
    size = (table.c.depth, table.c.height, table.c.width)
    twice = (
        select(position)
        .where(position.is_not(None))
        .group_by(whose, *size, position)
        .having(func.count(key) > 1)
    )
    positions = sorted(set(connection.scalars(twice)))
    seen: dict[tuple[str, str, int], list[int]] = {}
    for start in range(0, len(positions), 1000):
        asked = (
            select(group, name, position, key)
            .select_from(source_of(kind))
            .where(position.in_(positions[start : start + 1000]))
        )
        for a_group, a_name, at, identity in connection.execute(asked):
            seen.setdefault((a_group, a_name, at), []).append(identity)
    entity = kind.__entity__.name
    for (a_group, a_name, at), identities in seen.items():
        for identity in identities if len(identities) > 1 else ():
            others = ", ".join(str(one) for one in identities if one != identity)
            yield Finding(
                Kind.SHARED_POSITION,
                f"{entity} {identity} points to position {at} of {a_group}/{a_name}, and so does "
                f"{entity} {others}: one of them shows the other's pixels",
                entity=entity,
                identity=identity,
                path=f"{a_group}/{a_name}",
                position=at,
            )


def _ownerless(connection: Connection) -> Iterator[Finding]:
    """Yield the live positions that no row points to."""
    asked = (
        select(
            zarr_slot.c.zarr_array_id,
            zarr_slot.c.slot_index,
            zarr_array.c.group_name,
            zarr_array.c.array_name,
        )
        .join(zarr_array, zarr_array.c.zarr_array_id == zarr_slot.c.zarr_array_id)
        .where(zarr_slot.c.state == LIVE)
    )
    for table, key in ((t, t.c[name]) for t, name in OWNERS.values()):
        owner = zarr_slot.c[key.key]
        asked = asked.join(
            table,
            and_(key == owner, table.c.zarr_array_index == zarr_slot.c.slot_index),
            isouter=True,
        )
    asked = asked.where(
        segmentation.c.segmentation_id.is_(None),
        model_segmentation.c.model_segmentation_id.is_(None),
    )
    by_array: dict[tuple[int, str, str], list[int]] = {}
    for array_id, position, group, name in connection.execute(asked):
        by_array.setdefault((array_id, group, name), []).append(int(position))
    for (array_id, group, name), positions in by_array.items():
        yield from _nobodys(connection, array_id, ArrayKey.parse(group, name), positions)


def _nobodys(
    connection: Connection, array_id: int, key: ArrayKey | None, positions: list[int]
) -> Iterator[Finding]:
    if key is None:
        return
    pointers = _pointers(connection, key)
    if pointers is None:
        return
    for start in range(0, len(positions), 1000):
        chunk = positions[start : start + 1000]
        for position in sorted(set(chunk) - pointers.among(connection, chunk)):
            yield Finding(
                Kind.OWNER_GONE,
                f"no row points to position {position} of {key.path} any more",
                path=key.path,
                position=position,
                fix="becomes garbage, which is collected when it is old",
                detail=(array_id, key, None),
            )


def _pointers(connection: Connection, key: ArrayKey) -> Pointers | None:
    try:
        return Pointers.to(connection, key)
    except StorageError:
        return None


def _discard(connection: Connection, found: Finding) -> str | None:
    array_id, key, _ = found.detail
    if Pointers.to(connection, key).among(connection, [row_and_position(found)[2]]):
        return None
    connection.execute(
        update(zarr_slot)
        .where(
            zarr_slot.c.zarr_array_id == array_id,
            zarr_slot.c.slot_index == found.position,
            zarr_slot.c.state == LIVE,
        )
        .values(state=GARBAGE, since=now())
    )
    return "is garbage now"
