"""Level 2: is every file there that rows speak of, and is there a row for every file?

Files are listed before rows are read: what was written in between is then a row whose file
is not in the list, and is looked at again before anything is said of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs
from sqlalchemy import Engine, insert

from eyened_domain.adapters.pixels.examinations.damage import (
    is_signed,
    missing,
    what_is_wrong,
)
from eyened_domain.adapters.pixels.examinations.quarantine import (
    DOCTORS_TOKEN,
    YOUNG_S,
    damaged,
    known_array,
    quarantine,
)
from eyened_domain.adapters.pixels.examinations.taking_over import take_over
from eyened_domain.adapters.pixels.positions.mounted import check_store
from eyened_domain.adapters.pixels.positions.ownership import check_owner, why_not_ours
from eyened_domain.adapters.pixels.positions.pointers import Pointers
from eyened_domain.adapters.pixels.positions.pointing import (
    Pointing,
    SlotRow,
    pointing_again,
    pointing_rows,
    row_and_position,
    slot_row,
    slot_rows,
)
from eyened_domain.adapters.pixels.positions.rows import (
    GARBAGE,
    QUARANTINE,
    array_id_of,
    has_pixels,
    now,
)
from eyened_domain.adapters.pixels.zarr import survey
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.identity import owner_of
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.survey import FoundFile, MetadataState
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Duplicate, EyenedError
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch


@attrs.frozen
class _Array:
    """One array: what stands in it, and what the database says of it."""

    path: str
    key: ArrayKey | None
    standing: dict[int, FoundFile] | None
    rows: list[Pointing]
    slots: dict[int, SlotRow]

    @property
    def length(self) -> int:
        """How long the metadata must say that it is."""
        taken = [one.position for one in self.rows]
        taken += [p for p, one in self.slots.items() if one.state not in (GARBAGE, "reserved")]
        return max(taken, default=-1) + 1


@attrs.frozen
class _Spot:
    """An array as a row sees it: its length is None when its metadata cannot say."""

    path: str
    key: ArrayKey | None
    length: int | None


class StoreFiles:
    """The files of a store against the rows; an `Examination`.

    Args:
        engine: of the database.
        files: the store.
        young_s: how old in seconds a file must be before it is said that nobody points to it.
        adopt: take over what another program has written when things are fixed.
    """

    title = "Files of pixels"
    level = 2

    def __init__(
        self, engine: Engine, files: SlotFiles, *, young_s: float = YOUNG_S, adopt: bool = False
    ) -> None:
        self._engine = engine
        self._files = files
        self._young_s = young_s
        self._adopt = adopt
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        with self._engine.connect() as connection:
            if not self._files.root.exists() and not has_pixels(connection):
                return
            check_store(connection, self._files.root)
        yield from self._whose()
        yield from self._groups()
        standing: dict[tuple[str, str], dict[int, FoundFile]] = {}
        for key in survey.arrays_in(self._files):
            seen = sum(map(len, standing.values()))
            standing[key.group, key.name] = survey.slots_in(self._files, key, _ticking(watch, seen))
        with self._engine.connect() as connection:
            rows, slots = pointing_rows(connection), slot_rows(connection, digests=False)
        self.looked_at = sum(map(len, standing.values()))
        for names in sorted({*standing, *rows, *slots}):
            watch.tick(self.looked_at)
            array = _Array(
                "/".join(names),
                ArrayKey.parse(*names),
                standing.get(names),
                rows.get(names, []),
                slots.get(names, {}),
            )
            yield from self._metadata(array)
            yield from self._rows(array)
            yield from self._nobodys(array)

    def look_again(self, found: Sequence[Finding]) -> Iterator[Finding]:
        """See `Examination`: each finding by itself, by the row as it is now."""
        for one in found:
            if one.identity is not None:
                yield from self._row_again(one)
            elif one.kind is Kind.UNKNOWN_FILE:
                if self._is_nobodys(one.detail, one.position or 0):
                    yield one
            elif isinstance(one.detail, _Array):
                yield from self._metadata(one.detail)
            else:
                yield one

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """See `Examination`; nothing is deleted."""
        check_owner(self._engine, self._files)
        mending: dict[Kind, Callable[[Finding], str | None]] = {
            Kind.METADATA_MISSING: self._rebuild,
            Kind.METADATA_DAMAGED: self._rebuild,
            Kind.METADATA_SHORT: self._grow,
            Kind.UNKNOWN_FILE: self._note_garbage,
            Kind.PIXELS_DAMAGED: self._quarantine,
            Kind.PIXELS_REPLACED: self._take_over,
            Kind.PIXELS_ERASED: self._take_over,
        }
        for one in found:
            try:
                done = mending[one.kind](one)
            except EyenedError as error:
                yield Repair(one, None, str(error))
                continue
            if done is not None:
                yield Repair(one, done)

    def _whose(self) -> Iterator[Finding]:
        reason = why_not_ours(self._engine, self._files)
        if reason is None:
            return
        path = str(self._files.root)
        if owner_of(self._files) is None:
            if next(iter(survey.arrays_in(self._files)), None) is None:
                return  # nobody has stored anything yet; who does so first says whose it is
            said = "the store does not say which database it belongs to"
            yield Finding(
                Kind.STORE_WITHOUT_OWNER, f"{said}: `eorm doctor --claim-store`", path=path
            )
        else:
            yield Finding(Kind.FOREIGN_STORE, f"the store {reason}", path=path)

    def _groups(self) -> Iterator[Finding]:
        for group in survey.groups_without_metadata(self._files):
            yield Finding(
                Kind.METADATA_MISSING,
                f"the zarr.json of {'group ' + group if group else 'the store'} is missing or "
                "damaged",
                path=group or "/",
                fix="is written again",
            )

    def _metadata(self, array: _Array) -> Iterator[Finding]:
        if array.key is None or array.standing is None:
            return
        if not array.rows and not array.standing:
            return  # somebody died while making it; who stores the first mask makes it whole
        state, length = survey.metadata_state(self._files, array.key)
        common: dict[str, Any] = {"path": array.path, "detail": array}
        if state is MetadataState.MISSING:
            said = f"the zarr.json of {array.path} is missing: none of its masks can be read"
            yield Finding(Kind.METADATA_MISSING, said, fix="is made from the files", **common)
        elif state is MetadataState.DAMAGED:
            said = f"the zarr.json of {array.path} is damaged: none of its masks can be read"
            yield Finding(Kind.METADATA_DAMAGED, said, fix="is made from the files", **common)
        elif length < min(array.length, _end(array.standing)):
            said = (
                f"the zarr.json of {array.path} says that it has {length} positions, and rows "
                f"point to {array.length}"
            )
            yield Finding(Kind.METADATA_SHORT, said, fix="is made longer", **common)

    def _rows(self, array: _Array) -> Iterator[Finding]:
        spot = self._spot(array.path, array.key, there=array.standing is not None)
        for one in array.rows:
            file = (array.standing or {}).get(one.position)
            found = self._row(one, spot, file, array.slots.get(one.position))
            if found is not None:
                yield found

    def _spot(self, path: str, key: ArrayKey | None, *, there: bool) -> _Spot:
        if key is None or not there:
            return _Spot(path, key, 0)
        state, length = survey.metadata_state(self._files, key)
        return _Spot(path, key, length if state is MetadataState.SOUND else None)

    def _row(
        self, one: Pointing, spot: _Spot, file: FoundFile | None, slot: SlotRow | None
    ) -> Finding | None:
        common: dict[str, Any] = {
            "entity": one.entity,
            "identity": one.identity,
            "path": spot.path,
            "position": one.position,
            "detail": spot.key,
        }
        where = f"position {one.position} of {spot.path}"
        if file is not None and file.bytes is not None:
            if spot.key is None or slot is None or not self._is_suspect(spot.key, file, slot):
                return None
            wrong = self._damage(spot.key, one.position)
            return None if wrong is None else damaged(one, wrong, common, adopt=self._adopt)
        if slot is not None and slot.state == QUARANTINE:
            return None
        if slot is not None and spot.key is not None:
            wrong = missing(self._files, spot.key, one.position, slot)
            return damaged(one, wrong, common, adopt=self._adopt)
        if one.position < 0 or (spot.length is not None and one.position >= spot.length):
            said = f"{one.entity} {one.identity} points to {where}, which is not there"
            return Finding(Kind.POINTS_NOWHERE, said, **common)
        return None

    def _is_suspect(self, key: ArrayKey, file: FoundFile, slot: SlotRow) -> bool:
        """Whether a file may be another than the one that was stored, without decoding it."""
        if slot.size not in (None, file.bytes) or slot.state == QUARANTINE:
            return True
        was_changed = slot.size is not None and file.changed >= slot.since + 1
        return was_changed and not is_signed(self._files, key, slot.position)

    def _damage(self, key: ArrayKey, position: int) -> tuple[Kind, str] | None:
        with self._engine.connect() as connection:
            slot = slot_row(connection, key, position)
        return what_is_wrong(self._files, key, position, slot)

    def _row_again(self, found: Finding) -> Iterator[Finding]:
        entity, identity, position = row_and_position(found)
        with self._engine.connect() as connection:
            now_at = pointing_again(connection, entity, [identity])
            group, name, at = now_at.get(identity, ("", "", None))
            if (f"{group}/{name}", at) != (found.path, position):
                return
            key = ArrayKey.parse(group, name)
            slot = None if key is None else slot_row(connection, key, position)
        there = key is not None and survey.is_there(self._files, key)
        file = survey.slot_at(self._files, key, position) if key is not None else None
        spot = self._spot(f"{group}/{name}", key, there=there)
        again = self._row(Pointing(entity, identity, position), spot, file, slot)
        if again is not None:
            yield again

    def _nobodys(self, array: _Array) -> Iterator[Finding]:
        if array.key is None or array.standing is None:
            return
        pointed = {one.position for one in array.rows}
        old = time.time() - self._young_s
        for position, file in sorted(array.standing.items()):
            if position in pointed or position in array.slots or file.changed > old:
                continue
            yield Finding(
                Kind.UNKNOWN_FILE,
                f"nothing points to the file at position {position} of {array.path}",
                path=array.path,
                position=position,
                fix="becomes garbage, which is collected when it is old",
                detail=array.key,
            )

    def _is_nobodys(self, key: ArrayKey, position: int) -> bool:
        with self._engine.connect() as connection:
            known = slot_row(connection, key, position) is not None
            pointed = Pointers.to(connection, key).among(connection, [position])
        standing = survey.slot_at(self._files, key, position)
        return not known and not pointed and standing is not None

    def _rebuild(self, found: Finding) -> str | None:
        if not isinstance(found.detail, _Array):
            survey.write_group_metadata(self._files, "" if found.path == "/" else found.path or "")
            return "was written again"
        array = found.detail
        standing = array.standing or {}
        if array.key is None:
            return None
        key = array.key
        length = max(array.length, _end(standing), self._next_index(key))
        positions = sorted(p for p, one in standing.items() if one.bytes)
        if not survey.rebuild_metadata(self._files, key, length, positions):
            return None
        return f"was made from the files, with {length} positions"

    def _next_index(self, key: ArrayKey) -> int:
        with self._engine.connect() as connection:
            found = array_id_of(connection, key)
        return 0 if found is None else int(found.next_index)

    def _grow(self, found: Finding) -> str:
        array = found.detail
        length = min(array.length, _end(array.standing))
        writing = self._engine.execution_options(**{BEGIN: "IMMEDIATE"})
        with writing.begin() as connection:
            array_id_of(connection, array.key, lock=True)
            self._files.grow(array.key, length)
        return f"says {length} positions now"

    def _note_garbage(self, found: Finding) -> str | None:
        key, position = found.detail, row_and_position(found)[2]
        if not self._is_nobodys(key, position):
            return None
        writing = self._engine.execution_options(**{BEGIN: "IMMEDIATE"})
        with writing.begin() as connection:
            array_id = known_array(connection, key, position + 1)
            values = {"zarr_array_id": array_id, "slot_index": position, "state": GARBAGE}
            values |= {"token": DOCTORS_TOKEN, "since": now()}
            try:
                with connection.begin_nested():
                    connection.execute(insert(zarr_slot), [values])
            except Duplicate:
                return None
        return "is garbage now"

    def _quarantine(self, found: Finding) -> str | None:
        return quarantine(self._engine, self._files, found, young_s=self._young_s)

    def _take_over(self, found: Finding) -> str | None:
        return take_over(self._engine, self._files, found)


def _end(standing: Iterable[int] | None) -> int:
    return max(standing or (), default=-1) + 1


def _ticking(watch: Watch, seen: int) -> Callable[[], None]:
    return lambda: watch.tick(seen)
