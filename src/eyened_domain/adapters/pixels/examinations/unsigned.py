"""Pixels of older programs: their checksums are taken once, and zeros become files."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, insert, select

from eyened_domain.adapters.pixels.examinations.damage import stored_digest
from eyened_domain.adapters.pixels.examinations.quarantine import YOUNG_S, known_array
from eyened_domain.adapters.pixels.positions.ownership import check_owner
from eyened_domain.adapters.pixels.positions.pointing import pointing_again, unknown_rows
from eyened_domain.adapters.pixels.positions.rows import LIVE, now
from eyened_domain.adapters.pixels.zarr.adopted import token_of, token_of_adopted
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slices import zeros
from eyened_domain.adapters.pixels.zarr.slot_file import Stamp
from eyened_domain.adapters.pixels.zarr.survey import slot_at
from eyened_domain.adapters.sql.schema.pixels import KINDS, OWNERS, table_and_key, zarr_slot
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Conflict, Duplicate, PixelsDamaged
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch

_CHUNK = 200
_TRIES = 5
"""How often rows are noted that others note something of at the same time."""


@attrs.frozen
class _Signed:
    """A slot whose checksum was taken."""

    identity: int
    position: int
    digest: bytes
    bytes: int
    token: str


class Unsigned:
    """Rows whose pixels an older program wrote; an `Examination`.

    Args:
        engine: of the database.
        files: the store.
        adopt: take their checksums when things are fixed.
        young_s: how old in seconds rows and files must be: their program may be at work.
    """

    title = "Pixels of older programs"
    level = 1

    def __init__(
        self, engine: Engine, files: SlotFiles, *, adopt: bool = False, young_s: float = YOUNG_S
    ) -> None:
        self._engine = engine
        self._files = files
        self._adopt = adopt
        self._young_s = young_s
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`: one finding for each array."""
        watch.tick(0)
        with self._engine.connect() as connection:
            for kind in KINDS:
                rows = unknown_rows(connection, kind)
                self.looked_at += sum(map(len, rows.values()))
                for (group, name), ones in sorted(rows.items()):
                    yield self._finding(kind, group, name, ones)

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:
        """See `Examination`."""
        return found

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Take the checksums; of pixels that cannot be read there is none."""
        check_owner(self._engine, self._files)
        for one in found:
            kind, key, rows = one.detail
            if key is None:
                continue
            waiting = sorted({position: identity for identity, position in rows}.items())
            adopted = 0
            for start in range(0, len(waiting), _CHUNK):
                adopted += self._adopt_some(kind, key, waiting[start : start + _CHUNK])
            if adopted:
                yield Repair(one, f"the checksums of {adopted} of {len(rows)} were taken")

    def _finding(
        self, kind: type[Any], group: str, name: str, rows: list[tuple[int, int]]
    ) -> Finding:
        entity = kind.__entity__.name
        return Finding(
            Kind.NOT_ADOPTED,
            f"{len(rows)} rows of {entity} in {group}/{name} were written by an older program: "
            "damage to their pixels goes unseen; `eorm doctor --adopt` takes their checksums",
            entity=entity,
            path=f"{group}/{name}",
            fix="their checksums are taken" if self._adopt else None,
            detail=(kind, ArrayKey.parse(group, name), rows),
        )

    def _adopt_some(self, kind: type[Any], key: ArrayKey, waiting: list[tuple[int, int]]) -> int:
        token = uuid.uuid4().hex
        signed = [
            one
            for position, identity in waiting
            if (one := self._signed(kind, key, position, identity, token)) is not None
        ]
        for left in reversed(range(_TRIES)):
            try:
                return self._noted(kind, key, signed)
            except (Conflict, Duplicate):  # somebody has just written what follows one of them
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _noted(self, kind: type[Any], key: ArrayKey, signed: list[_Signed]) -> int:
        writing = self._engine.execution_options(**{BEGIN: "IMMEDIATE"})
        with writing.begin() as connection:
            return _note(connection, kind, key, signed)

    def _signed(
        self, kind: type[Any], key: ArrayKey, position: int, identity: int, token: str
    ) -> _Signed | None:
        standing = slot_at(self._files, key, position)
        if standing is not None and standing.changed > time.time() - self._young_s:
            return None  # somebody may be writing it
        try:
            with self._files.open(key, position, None) as file:
                digest, is_ours = stored_digest(file, self._files.codec(key), key)
                if not is_ours:
                    token = token_of_adopted(file.changed_ns)
                return _Signed(identity, position, digest, file.size, token)
        except PixelsDamaged:
            return None
        except SlotGone:
            if not self._files.is_within(key, position) or self._is_young(kind, identity):
                return None
        return self._zeros(key, position, identity, token)

    def _zeros(self, key: ArrayKey, position: int, identity: int, token: str) -> _Signed | None:
        """Write the zeros, for which an older program has no file: no file then means loss."""
        stamp = Stamp(position, token, identity)
        content = self._files.codec(key).encode(zeros(key, None), stamp)
        try:
            self._files.put(key, position, content)
        except Conflict:  # somebody has written there
            return None
        token = token_of(self._files, key, position, content, token)
        return _Signed(identity, position, content.digest, content.size, token)

    def _is_young(self, kind: type[Any], identity: int) -> bool:
        table, key = table_and_key(kind)
        before = datetime.now() - timedelta(seconds=self._young_s)
        asked = select(key).where(key == identity, table.c.date_inserted > before)
        with self._engine.connect() as connection:
            return connection.execute(asked).first() is not None


def _note(connection: Connection, kind: type[Any], key: ArrayKey, signed: list[_Signed]) -> int:
    """Note slots as live, of the rows that still point to them and of which nothing is noted."""
    if not signed:
        return 0
    array_id = known_array(connection, key, max(one.position for one in signed) + 1)
    now_at = pointing_again(connection, kind.__entity__.name, [one.identity for one in signed])
    known = set(
        connection.scalars(
            select(zarr_slot.c.slot_index).where(
                zarr_slot.c.zarr_array_id == array_id,
                zarr_slot.c.slot_index.in_([one.position for one in signed]),
            )
        )
    )
    values = [
        {
            "zarr_array_id": array_id,
            "slot_index": one.position,
            "state": LIVE,
            "token": one.token,
            "digest": one.digest,
            "bytes": one.bytes,
            "since": now(),
            OWNERS[kind][1]: one.identity,
        }
        for one in signed
        if one.position not in known
        and now_at.get(one.identity) == (key.group, key.name, one.position)
    ]
    if values:
        connection.execute(insert(zarr_slot), values)
    return len(values)
