"""Rows that go along with a deletion and are not in hand, though what hangs on them is.

An object between two others may never have been loaded, or nobody has kept it. The database
deletes its row all the same, and the rows that hang on that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.references import columns_by_rule, goes_along_with

Key = tuple[str, Any]
"""The name of the class whose table holds the id, and the id."""
CHUNK = 10_000


def unseen_going_along(session: Session, gone: set[Key]) -> list[Entity]:
    """Read the rows that are not in hand and go along, of those that objects in hand hang on.

    Args:
        session: with the objects in hand.
        gone: the rows that are to be deleted.
    """
    roots = {name for name, _ in gone}
    hang_on: dict[Key, list[Key]] = {}
    asked: set[Key] = set()
    wanted = _missing(session, _parents_in_hand(session), roots) - gone
    while wanted:
        asked |= wanted
        rows = dict(_ask(session, wanted))
        hang_on |= rows
        parents = {parent for several in rows.values() for parent in several}
        wanted = _missing(session, parents, roots) - gone - asked
    found: set[Key] = set()
    more = True
    while more:
        more = False
        for key, several in hang_on.items():
            if key not in found and not (found | gone).isdisjoint(several):
                found.add(key)
                more = True
    return list(_read(session, found))


def _parents_in_hand(session: Session) -> set[Key]:
    """Return the rows that objects in hand hang on, or would lose a link to."""
    return {
        (parent, state.dict.get(column))
        for state in session.identity_map.all_states()
        for rule in ("CASCADE", "SET NULL")
        for column, parent in columns_by_rule(state.class_.__name__, rule)
    }


def _missing(session: Session, keys: set[Key], roots: set[str]) -> set[Key]:
    """Return those that are not in hand, and may go along with a row of these classes."""
    return {
        (name, value)
        for name, value in keys
        if value is not None
        and not roots.isdisjoint(goes_along_with(name))
        and identity_key(entity_class(name), value) not in session.identity_map
    }


def _ask(session: Session, wanted: set[Key]) -> Iterator[tuple[Key, list[Key]]]:
    """Yield the rows that are asked for, each with those that it hangs on."""
    for name, values in portions(wanted):
        entity = entity_class(name)
        columns = entity.__mapper__.columns
        links = columns_by_rule(name, "CASCADE")
        (key,) = entity.__mapper__.primary_key
        asked = select(key, *(columns[column] for column, _ in links)).where(key.in_(values))
        for value, *parents in session.connection().execute(asked):
            pairs = zip(links, parents, strict=True)
            yield (name, value), [(parent, one) for (_, parent), one in pairs]


def _read(session: Session, keys: set[Key]) -> Iterator[Entity]:
    """Yield the objects with these keys."""
    for name, values in portions(keys):
        entity = entity_class(name)
        (key,) = entity.__mapper__.primary_key
        yield from session.scalars(select(entity).where(key.in_(values)))


def portions(keys: set[Key]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the name of a class and as many of its ids as a statement may hold, till all are."""
    by_name: defaultdict[str, list[Any]] = defaultdict(list)
    for name, value in sorted(keys):
        by_name[name].append(value)
    for name, values in by_name.items():
        for start in range(0, len(values), CHUNK):
            yield name, values[start : start + CHUNK]
