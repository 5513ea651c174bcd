"""How the tables hang together, worked out once of what the entities declare."""

from __future__ import annotations

from functools import cache
from typing import Any

from attrs import frozen

from eyened_domain.model.entity import entity_classes, root_of
from eyened_domain.model.fields import ColumnInfo

Key = tuple[Any, ...]


@frozen(kw_only=True)
class Referrer:
    """A column of another table that points to a table."""

    root: str
    entity: str
    column: ColumnInfo


@cache
def indexed(root: str) -> tuple[tuple[str, ...], ...]:
    """Return the columns by which the rows of a table can be looked up at once."""
    found: dict[tuple[str, ...], None] = {}
    for entity in entity_classes():
        info = entity.__entity__
        if info.root == root:
            found |= dict.fromkeys(info.unique)
            found |= {(column.name,): None for column in info.foreign_keys}
    return tuple(found)


@cache
def referrers(root: str) -> tuple[Referrer, ...]:
    """Return the columns that point to a table."""
    found: dict[tuple[str, str], Referrer] = {}
    for entity in entity_classes():
        info = entity.__entity__
        for column in info.foreign_keys:
            if root_of(str(column.references)) == root:
                # a special kind inherits the columns of its parent: the first one counts
                found.setdefault(
                    (info.root, column.name),
                    Referrer(root=info.root, entity=info.name, column=column),
                )
    return tuple(found.values())
