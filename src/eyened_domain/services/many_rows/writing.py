"""Writes many rows of an entity: checked as objects are, whole sets at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, Duplicate, EyenedError, NotFound
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.grid import PixelGrid
from eyened_domain.model.values import Blob, Json, Real, is_same, shown
from eyened_domain.services.many_rows.columns import (
    Batch,
    Named,
    converted,
    named,
    read_columns,
)
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.many_rows.links import (
    Linking,
    find_by,
    folded,
    ids_of_objects,
    raise_links,
)
from eyened_domain.services.many_rows.modalities import SAID_TWICE, make_entries, settle_modalities
from eyened_domain.services.many_rows.refusals import explained
from eyened_domain.services.many_rows.rules import check_rules, has_rules
from eyened_domain.services.rows import Row, Rows


@frozen
class RowsWritten:
    """What became of many rows."""

    ids: list[int]
    """The id of each row, in the order in which they were given."""
    new: int = 0
    """How many were inserted."""
    changed: int = 0
    """How many were there, and hold something else now."""
    same: int = 0
    """How many were there and held all of it; nothing of them was written."""


@frozen
class Change:
    """What is to be written of a row that is there."""

    number: int
    row: Row
    """The columns that are to hold something else, and the primary key."""
    whole: Row
    """With what the others hold, as far as they were read."""


class ManyRows:
    """Inserts, updates and upserts rows of one entity.

    Args:
        entity: whose rows.
        rows: the storage's set-based reading and writing.

    Raises:
        BadInput: rows of the entity are not written by themselves.
    """

    def __init__(self, entity: type[Entity], rows: Rows) -> None:
        self._entity = entity
        self._info = entity.__entity__
        self._rows = rows
        self._total = 0
        _refuse_entity(entity)
        (self._key,) = self._info.primary_key

    def insert(self, given: Any) -> list[int]:
        """See `ManyRowsMethods.insert_many`."""
        batch, _ = self._read(given)
        return self._write_new(batch, self._new_rows(batch))

    def update(self, given: Any, *, clear: bool) -> RowsWritten:
        """See `ManyRowsMethods.update_many`."""
        batch, _ = self._read(given)
        if self._key not in batch.values:
            raise BadInput(
                f"{self._info.name}: rows are updated by their {self._key}, which was not given; "
                "upsert_many finds them by what names them",
                entity=self._info.name,
                field=self._key,
            )
        self._refuse_empty(batch, [self._key])
        self._refuse_twice(batch, [self._key], BadInput)
        return self._update(batch, clear=clear)

    def upsert(self, given: Any, *, match: str | Sequence[str] | None, clear: bool) -> RowsWritten:
        """See `ManyRowsMethods.upsert_many`."""
        batch, columns = self._read(given)
        if self._key in batch.values:
            raise BadInput(
                f"{self._info.name}: rows are upserted by what names them, and {self._key} is "
                "given by the storage; update_many writes rows by their id",
                entity=self._info.name,
                field=self._key,
            )
        names = self._matched(match, columns, batch)
        self._refuse_empty(batch, names)
        self._refuse_twice(batch, names, BadInput)
        there = self._find(batch, names)
        old = [p for p, identity in enumerate(there) if identity is not None]
        new = [p for p, identity in enumerate(there) if identity is None]
        written, fresh = batch.taken(old), batch.taken(new)
        for name in names:  # what it was found by stays as it is written there
            del written.values[name]
        written.values[self._key] = [there[p] for p in old]
        changes = self._changes(written, clear=clear)
        rows = self._new_rows(fresh)
        ids = dict(zip(new, self._write_new(fresh, rows), strict=True))
        ids |= {p: there[p] for p in old}
        self._write_changes(changes)
        return RowsWritten(
            ids=[ids[p] for p in range(len(batch))],
            new=len(new),
            changed=len(changes),
            same=len(old) - len(changes),
        )

    # --- what is given -------------------------------------------------------------------------

    def _read(self, given: Any) -> tuple[Batch, Named]:
        """Return the rows as the entity holds them, with the ids of what they are linked to."""
        columns, self._total = read_columns(given)
        what = named(self._entity, columns)
        faults = self._faults()
        linking = Linking(self._rows, columns, self._total)
        known = {n: linking.prepared(self._entity, one, faults) for n, one in what.links.items()}
        values = {
            name: converted(self._info, name, label, columns[label], faults)
            for name, label in what.columns.items()
        }
        for name, label in what.objects.items():
            via = str(self._info.links[name].via)
            values[via] = ids_of_objects(self._info, name, columns[label], faults)
        faults.raise_as(BadInput)
        missing, several = self._faults(), self._faults()
        for name, one in known.items():
            values[str(self._info.links[name].via)] = linking.ids(one, missing, several)
        raise_links(missing, several)
        return Batch(list(range(self._total)), values), what

    def _faults(self) -> Faults:
        return Faults(self._info.name, self._total)

    def _refuse_empty(self, batch: Batch, names: Sequence[str]) -> None:
        faults = self._faults()
        for name in names:
            for number, value in zip(batch.numbers, batch.values[name], strict=True):
                if value is None:
                    faults.add(number, name, "is needed and was not given")
        faults.raise_as(BadInput)

    def _refuse_twice(
        self, batch: Batch, names: Sequence[str], kind: type[EyenedError]
    ) -> None:
        """Raise where two rows say the same by which rows are told apart."""
        keys = list(zip(*(map(folded, batch.values[name]) for name in names), strict=True))
        if len(set(keys)) == len(keys):
            return
        faults = self._faults()
        seen: dict[tuple[Any, ...], int] = {}
        for at, (number, key) in enumerate(zip(batch.numbers, keys, strict=True)):
            first = number if None in key else seen.setdefault(key, number)
            if first != number:
                told = ", ".join(shown(batch.values[name][at]) for name in names)
                faults.add(number, ", ".join(names), f"the same as row {first}: {told}")
        faults.raise_as(kind)

    # --- new rows ------------------------------------------------------------------------------

    def _new_rows(self, batch: Batch) -> list[Row]:
        """Return rows as they are to be inserted; everything is checked by then."""
        if not len(batch):
            return []
        if self._entity is ImageInstance:
            settle_modalities(self._rows, batch, self._faults(), clear=False)
        self._fill(batch)
        for key in self._info.unique:
            if batch.values.keys() >= set(key):
                self._refuse_twice(batch, key, Duplicate)
        rows = batch.rows()
        if has_rules(self._entity):
            numbered = zip(batch.numbers, rows, strict=True)
            check_rules(self._rows, self._entity, numbered, self._faults())
        return rows

    def _write_new(self, batch: Batch, rows: list[Row]) -> list[int]:
        if not rows:
            return []
        if self._entity is ImageInstance:
            make_entries(self._rows, rows)
        numbered = list(zip(batch.numbers, rows, strict=True))
        with explained(self._rows, self._entity, numbered, self._faults, new=True):
            return self._rows.insert(self._entity, rows, key=self._told_by(batch))

    def _fill(self, batch: Batch) -> None:
        """Fill in what a new object holds where nothing is given, and refuse what is needed."""
        values = batch.values
        for name, default in self._info.defaults.items():
            if default is not None and None in values.get(name, [None]):
                some = values.get(name, [None] * len(batch))
                values[name] = [default if value is None else value for value in some]
        lacking = [name for name in self._info.needed if name not in values]
        if lacking:
            raise BadInput(
                f"{self._info.name}.{lacking[0]} is needed and was not given: a column of that "
                f"name{self._known_by(lacking[0])}",
                entity=self._info.name,
                field=lacking[0],
            )
        self._refuse_empty(batch, self._info.needed)
        faults = self._faults()
        for name, some in list(values.items()):
            column = self._info.columns[name]
            if column.references or not column.generated or None not in some:
                continue
            del values[name]
            for number, value in zip(batch.numbers, some, strict=True):
                if value is not None:
                    faults.add(number, name, "is given in some rows; give it in all or none", value)
        faults.raise_as(BadInput)

    def _known_by(self, name: str) -> str:
        link = self._info.link_of.get(name)
        return "" if link is None else f", or what {link} is known by"

    def _told_by(self, batch: Batch) -> list[str]:
        """Return columns by which the new rows are read back."""
        if self._key in batch.values:
            return [self._key]
        for key in self._info.unique:
            if batch.values.keys() >= set(key):
                return list(key)
        columns = self._info.columns
        return [n for n in batch.values if not isinstance(columns[n].kind, Json | Blob | Real)]

    # --- rows that are there -------------------------------------------------------------------

    def _update(self, batch: Batch, *, clear: bool) -> RowsWritten:
        changes = self._changes(batch, clear=clear)
        self._write_changes(changes)
        return RowsWritten(
            ids=list(batch.values[self._key]),
            changed=len(changes),
            same=len(batch) - len(changes),
        )

    def _changes(self, batch: Batch, *, clear: bool) -> list[Change]:
        """Return what is to be written of rows that are there, which are locked by that."""
        if not len(batch):
            return []
        if self._entity is ImageInstance:
            settle_modalities(self._rows, batch, self._faults(), clear=clear)
        if clear:
            needed = {n for n, one in self._info.columns.items() if not one.nullable}
            self._refuse_empty(batch, [name for name in batch.values if name in needed])
        held = self._held(batch)
        changed: list[Change] = []
        for number, row in zip(batch.numbers, batch.rows(), strict=True):
            before = held[row[self._key]]
            differing = _differing(self._info, before, row, clear=clear)
            if differing:
                new = {self._key: row[self._key], **differing}
                changed.append(Change(number=number, row=new, whole={**before, **new}))
        self._refuse_taken(changed, held)
        if has_rules(self._entity):
            self._check_changed(changed)
        return changed

    def _write_changes(self, changes: list[Change]) -> None:
        rows = [one.row for one in changes]
        if self._entity is ImageInstance:
            make_entries(self._rows, rows)
        if rows:
            whole = [(one.number, one.whole) for one in changes]
            with explained(self._rows, self._entity, whole, self._faults, new=False):
                self._rows.update(self._entity, rows)

    def _held(self, batch: Batch) -> dict[Any, Row]:
        """Return what the rows hold now in the columns that matter, by id; they are locked."""
        names = list(batch.values)
        if has_rules(self._entity):
            names = list(self._info.columns)
        names += [n for key in self._keys_of(names) for n in key if n not in names]
        ids = batch.values[self._key]
        found = self._rows.find(self._entity, self._key, sorted(ids), names, lock=True)
        place = names.index(self._key)
        held = {row[place]: dict(zip(names, row, strict=True)) for row in found}
        faults = self._faults()
        for number, identity in zip(batch.numbers, ids, strict=True):
            if identity not in held:
                faults.add(number, self._key, f"there is no {self._info.name} {identity}", identity)
        faults.raise_as(NotFound)
        return held

    def _keys_of(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the natural keys that some columns belong to."""
        return [key for key in self._info.unique if not set(key).isdisjoint(names)]

    def _refuse_taken(self, changed: list[Change], held: dict[Any, Row]) -> None:
        """Raise where a row is to take a natural key that another one of them has, or takes."""
        faults = self._faults()
        for key in self._keys_of([name for one in changed for name in one.row]):
            has = {_key_of(row, key): identity for identity, row in held.items()}
            taken: dict[Any, int] = {}
            for one in changed:
                wanted = _key_of(one.whole, key)
                if one.row.keys().isdisjoint(key) or None in wanted:
                    continue
                owner, first = has.get(wanted), taken.setdefault(wanted, one.number)
                if first != one.number:
                    faults.add(one.number, ", ".join(key), f"the same as row {first}")
                elif owner not in {None, one.row[self._key]}:
                    reason = f"{self._info.name} {owner} has it before this is written"
                    faults.add(one.number, ", ".join(key), f"{reason}; do it in two steps")
        faults.raise_as(Duplicate)

    def _check_changed(self, changed: list[Change]) -> None:
        links = {column.name for column in self._info.foreign_keys}
        only_linked = self._entity.checked_when_linked
        judged = [one for one in changed if not only_linked or not links.isdisjoint(one.row)]
        whole = [(one.number, one.whole) for one in judged]
        check_rules(self._rows, self._entity, whole, self._faults())

    # --- what is matched -----------------------------------------------------------------------

    def _matched(
        self, match: str | Sequence[str] | None, what: Named, batch: Batch
    ) -> tuple[str, ...]:
        """Return the columns by which rows that are there are found."""
        if match is None:
            for key in self._info.unique:
                if batch.values.keys() >= set(key):
                    return key
            keys = " or ".join(f"({', '.join(key)})" for key in self._info.unique)
            raise BadInput(
                f"{self._info.name}: say with match=… by which columns rows are found that are "
                f"there{f'; no natural key was given whole: {keys}' if keys else ''}",
                entity=self._info.name,
                field="match",
            )
        names = []
        for name in [match] if isinstance(match, str) else list(match):
            found = self._info.field_name(name if isinstance(name, str) else shown(name))
            link = self._info.links.get(found)
            column = found if link is None else str(link.via)
            if column not in batch.values:
                raise BadInput(
                    f"{self._info.name}: match={shown(name)} is not among what was given: "
                    f"{what.told()}",
                    entity=self._info.name,
                    field="match",
                )
            if isinstance(self._info.columns[column].kind, Json | Blob | Real):
                raise BadInput(
                    f"{self._info.name}.{column} is not compared exactly; match by others",
                    entity=self._info.name,
                    field="match",
                )
            names.append(column)
        if not names:
            raise BadInput(f"{self._info.name}: match names no column", entity=self._info.name)
        return tuple(dict.fromkeys(names))

    def _find(self, batch: Batch, names: tuple[str, ...]) -> list[int | None]:
        """Return the id of each row that is there, and lock it."""
        keys = [tuple(some) for some in zip(*(batch.values[n] for n in names), strict=True)]
        columns = (self._key, *names)
        found: dict[tuple[Any, ...], list[int]] = {}
        for identity, *held in find_by(self._rows, self._entity, names, keys, columns, lock=True):
            found.setdefault(tuple(map(folded, held)), []).append(identity)
        faults = self._faults()
        there: list[int | None] = []
        for number, key in zip(batch.numbers, keys, strict=True):
            ids = found.get(tuple(map(folded, key)), [])
            there.append(ids[0] if ids else None)
            if len(ids) > 1:
                told = ", ".join(map(str, ids[:5]))
                reason = f"there are several {self._info.name} with {', '.join(map(shown, key))}"
                faults.add(number, ", ".join(names), f"{reason}: {told}")
        faults.raise_as(Duplicate)
        return there


def _refuse_entity(entity: type[Entity]) -> None:
    info = entity.__entity__
    reason = None
    if info.parent or info.discriminator:
        reason = "each is of a special kind, whose row stands in two tables; add objects"
    elif len(info.primary_key) > 1:
        reason = f"they are known by several columns ({', '.join(info.primary_key)}); add objects"
    elif issubclass(entity, PixelGrid):
        reason = "each goes with its pixels; add objects, or use Segmenting"
    if reason is not None:
        raise BadInput(
            f"{info.name}: rows of it are not written many at a time: {reason}", entity=info.name
        )


def _key_of(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(folded(row[name]) for name in key)


def _differing(info: EntityInfo, held: Row, row: Row, *, clear: bool) -> Row:
    """Return the columns that are to hold something else; an empty one counts only to clear."""
    found = {
        name: value
        for name, value in row.items()
        if (value is not None or clear) and not is_same(info.columns[name].kind, held[name], value)
    }
    if not found.keys().isdisjoint(SAID_TWICE) and info.name == ImageInstance.__name__:
        found |= {name: row[name] for name in SAID_TWICE}
    return found
