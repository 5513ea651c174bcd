"""Rows that are there: what differs of them from what is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from eyened_domain.errors import Duplicate, NotFound
from eyened_domain.model.entity import EntityInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import folded
from eyened_domain.model.values import is_same
from eyened_domain.services.many_rows.checks import Writing
from eyened_domain.services.many_rows.columns import Batch
from eyened_domain.services.many_rows.modalities import (
    SAID_TWICE,
    make_entries,
    settle_modalities,
)
from eyened_domain.services.many_rows.refusals import explained
from eyened_domain.services.many_rows.rules import check_rules, has_rules
from eyened_domain.services.row_shapes import Row


@frozen
class Change:
    """What is to be written of a row that is there."""

    number: int
    row: Row
    """The columns that are to hold something else, and the primary key."""
    whole: Row
    """With what the others hold, as far as they were read."""


class StoredRows:
    """Compares and updates rows.

    Args:
        writing: of which entity.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def changes(self, batch: Batch, *, clear: bool) -> list[Change]:
        """Return what is to be written of rows that are there, which are locked by that."""
        if not len(batch):
            return []
        if self._writing.entity is ImageInstance:
            settle_modalities(self._writing.rows, batch, self._writing.faults(), clear=clear)
        if clear:
            needed = {n for n, one in self._writing.info.columns.items() if not one.nullable}
            self._writing.refuse_empty(batch, [name for name in batch.values if name in needed])
        held = self._held(batch)
        changed: list[Change] = []
        for number, row in zip(batch.numbers, batch.rows(), strict=True):
            before = held[row[self._writing.key]]
            differing = _differing(self._writing.info, before, row, clear=clear)
            if differing:
                new = {self._writing.key: row[self._writing.key], **differing}
                changed.append(Change(number=number, row=new, whole={**before, **new}))
        self._refuse_taken(changed, held)
        if has_rules(self._writing.entity):
            self._check_changed(changed)
        return changed

    def write(self, changes: list[Change]) -> None:
        """Write what was found to differ."""
        rows = [one.row for one in changes]
        if self._writing.entity is ImageInstance:
            make_entries(self._writing.rows, rows)
        if rows:
            whole = [(one.number, one.whole) for one in changes]
            with explained(
                self._writing.rows, self._writing.entity, whole, self._writing.faults, new=False
            ):
                self._writing.rows.update(self._writing.entity, rows)

    def _held(self, batch: Batch) -> dict[Any, Row]:
        """Return what the rows hold now in the columns that matter, by id; they are locked."""
        names = list(batch.values)
        if has_rules(self._writing.entity):
            names = list(self._writing.info.columns)
        names += [n for key in self._keys_of(names) for n in key if n not in names]
        ids = batch.values[self._writing.key]
        found = self._writing.rows.find(
            self._writing.entity, self._writing.key, sorted(ids), names, lock=True
        )
        place = names.index(self._writing.key)
        held = {row[place]: dict(zip(names, row, strict=True)) for row in found}
        faults = self._writing.faults()
        for number, identity in zip(batch.numbers, ids, strict=True):
            if identity not in held:
                faults.add(
                    number,
                    self._writing.key,
                    f"there is no {self._writing.info.name} {identity}",
                    identity,
                )
        faults.raise_as(NotFound)
        return held

    def _keys_of(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the natural keys that some columns belong to."""
        return [key for key in self._writing.info.unique if not set(key).isdisjoint(names)]

    def _refuse_taken(self, changed: list[Change], held: dict[Any, Row]) -> None:
        """Raise where a row is to take a natural key that another one of them has, or takes."""
        faults = self._writing.faults()
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
                elif owner not in {None, one.row[self._writing.key]}:
                    reason = f"{self._writing.info.name} {owner} has it before this is written"
                    faults.add(one.number, ", ".join(key), f"{reason}; do it in two steps")
        faults.raise_as(Duplicate)

    def _check_changed(self, changed: list[Change]) -> None:
        links = {column.name for column in self._writing.info.foreign_keys}
        only_linked = self._writing.entity.checked_when_linked
        judged = [one for one in changed if not only_linked or not links.isdisjoint(one.row)]
        whole = [(one.number, one.whole) for one in judged]
        check_rules(self._writing.rows, self._writing.entity, whole, self._writing.faults())


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
