"""How entities hang together, worked out once of the foreign keys that they declare."""

from __future__ import annotations

from functools import cache

from attrs import frozen

from eyened_domain.model.entity import entity_class, entity_classes, root_of
from eyened_domain.model.fields import ColumnInfo, OnDelete


@frozen(kw_only=True)
class Referrer:
    """A column of another table that points to a table."""

    root: str
    entity: str
    column: ColumnInfo


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


@cache
def columns_by_rule(name: str, rule: OnDelete) -> tuple[tuple[str, str], ...]:
    """Return the columns of an entity with a delete rule, and the table each refers to."""
    return tuple(
        (column.name, root_of(str(column.references)))
        for column in entity_class(name).__entity__.foreign_keys
        if column.on_delete == rule
    )


@cache
def goes_along_with(name: str) -> frozenset[str]:
    """Return the classes with whose rows those of a class are deleted, near and far."""
    found, queue = set[str](), [name]
    for one in queue:
        parents = {parent for _, parent in columns_by_rule(one, "CASCADE")} - found
        found |= parents
        queue += parents
    return frozenset(found)


@cache
def parts_of(root: str) -> tuple[Referrer, ...]:
    """Return the columns by which rows are part of one of a table, and are deleted with it.

    Those that the database deletes along (CASCADE), and those that say the same in short: a form
    about an image goes along with image, series, study and patient, so that its columns of study
    and patient (NO ACTION) make it part of these as well.
    """
    return tuple(
        one
        for one in referrers(root)
        if one.column.on_delete == "CASCADE"
        or (one.column.on_delete == "NO ACTION" and root in goes_along_with(one.entity))
    )
