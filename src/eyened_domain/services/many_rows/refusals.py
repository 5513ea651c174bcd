"""What the storage has refused, told row by row: asked only when it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from eyened_domain.errors import Duplicate, RuleBroken
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.names import folded
from eyened_domain.model.values import shown
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.many_rows.links import find_by
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows

Numbered = Sequence[tuple[int, Row]]
"""The numbers of rows in what was given, and what they hold."""


@contextmanager
def explained(
    rows: Rows, entity: type[Entity], many: Numbered, faults: Callable[[], Faults], *, new: bool
) -> Iterator[None]:
    """Let an error of the storage in the block name all rows that it is about.

    Args:
        rows: the storage's set-based reading.
        entity: whose rows.
        many: the rows that the block writes.
        faults: gives a fresh collection.
        new: whether the block inserts them.

    Raises:
        RuleBroken: rows are linked to ids that there are not.
        Duplicate: stored rows have the natural keys of some.
    """
    try:
        yield
    except RuleBroken:
        _refuse_unknown_ids(rows, entity, many, faults())
        raise
    except Duplicate:
        _refuse_taken_keys(rows, entity, many, faults(), new=new)
        raise


def _refuse_unknown_ids(rows: Rows, entity: type[Entity], many: Numbered, faults: Faults) -> None:
    for column in entity.__entity__.foreign_keys:
        target = str(column.references)
        (key,) = entity_class(target).__entity__.primary_key
        wanted = {row[column.name] for _, row in many if row.get(column.name) is not None}
        there = {row[0] for row in rows.find(entity_class(target), key, wanted, (key,))}
        for number, row in many:
            value = row.get(column.name)
            if value is not None and value not in there:
                faults.add(number, column.name, f"there is no {target} {value}", value)
    faults.raise_as(RuleBroken)


def _refuse_taken_keys(
    rows: Rows, entity: type[Entity], many: Numbered, faults: Faults, *, new: bool
) -> None:
    info = entity.__entity__
    own = {number: row.get(info.primary_key[0]) for number, row in many}
    for key in (info.primary_key, *info.unique):
        wanted = {n: _key_of(row, key) for n, row in many if row.keys() >= set(key)}
        whole = [one for one in wanted.values() if None not in one]
        columns = (*info.primary_key, *key)
        found: dict[tuple[Any, ...], Any] = {}
        for identity, *held in find_by(rows, entity, key, whole, columns):
            found[tuple(map(folded, held))] = identity
        for number, one in wanted.items():
            there = found.get(tuple(map(folded, one)))
            if there is not None and (new or there != own[number]):
                told = ", ".join(map(shown, one))
                faults.add(number, ", ".join(key), f"{info.name} {there} has it already: {told}")
    faults.raise_as(Duplicate)


def _key_of(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)
