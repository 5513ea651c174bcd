"""Rows that forbid one deletion, and go along with another one of the same flush.

A row of a composite feature goes along with the composite, and forbids that its part is deleted.
Where both are deleted, the row has to be deleted first: which of the two statements comes first
is the session's own affair. So such rows are brought in hand, where they are seen to go along.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.staleness import AS_HELD
from eyened_domain.adapters.sql.unseen import Key, portions
from eyened_domain.model.entity import Entity, entity_classes, root_of
from eyened_domain.model.references import goes_along_with


def forbidding(session: Session, gone: set[Key]) -> list[Entity]:
    """Return the objects that forbid that one of these is deleted, if they may go along.

    Args:
        session: with what is to be deleted.
        gone: the rows that are to be deleted; of a single one, nothing is asked.
    """
    if len(gone) < 2:
        return []  # what forbids it and goes along with it would be forbidden all the same
    roots = frozenset(name for name, _ in gone)
    return [
        one
        for name, values in portions(gone)
        for entity, column in _forbidding_columns(name, roots)
        for one in session.scalars(
            select(entity).where(entity.__mapper__.columns[column].in_(values)),
            execution_options={AS_HELD: True},
        )
    ]


@cache
def _forbidding_columns(name: str, gone: frozenset[str]) -> tuple[tuple[type[Entity], str], ...]:
    """Return what forbids deletions of a class, and goes along with those of others.

    Args:
        name: of the class that is referred to.
        gone: the names of all classes of which something is to be deleted.
    """
    return tuple(
        (entity, column.name)
        for entity in entity_classes()
        if entity.__entity__.parent is None
        and not gone.isdisjoint(goes_along_with(entity.__name__))
        for column in entity.__entity__.columns.values()
        if column.forbids_deletion and root_of(str(column.references)) == name
    )
