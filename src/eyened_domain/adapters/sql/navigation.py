"""Navigation in one statement per level, not one per object.

When a relation of one object is loaded lazily, the same relation is loaded for its
siblings too: the objects of the same class in the session that lack it, in chunks of one
`IN` query each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Result, Select, select
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.orm import (
    InstanceState,
    Mapper,
    ORMExecuteState,
    RelationshipDirection,
    RelationshipProperty,
    Session,
)

from eyened_domain.adapters.sql.inactive import active_in, includes_inactive
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    flush_before_query,
    flushes_before,
)
from eyened_domain.services.garbage import rarer_collections

CHUNK = 10_000
"""How many siblings one statement serves; SQLite takes 32,766 parameters at most."""
_WALKED_PER_STATEMENT = 256
"""A walk past so many objects is counted as much as a statement."""
_DEBTS = "eyened_domain.navigation.debts"
_Wanted = tuple[InstanceState[Any], Any]
"""An object that lacks the relation, and the value of the key that leads to what it lacks."""


def load_siblings(execution: ORMExecuteState) -> Result[Any] | None:
    """Answer a lazy load for the siblings as well (a `do_orm_execute` listener).

    Returns:
        the rows that the lazy load asked for; None to let SQLAlchemy load the usual way.
    """
    if not execution.is_relationship_load:
        return None
    state, path = execution.lazy_loaded_from, execution.loader_strategy_path
    if state is None or path is None or state.key is None:
        return None
    prop = path[-1] if isinstance(path[-1], RelationshipProperty) else None
    if prop is None or not state.mapper.isa(prop.parent):
        return None
    session = execution.session
    if flushes_before(execution):  # the listener comes before the session's own flush
        flush_before_query(session)
    key = _key_in_owner(prop)
    if key not in state.dict or prop.key in state.dict:
        return None
    siblings = _siblings(session, state, prop, key)
    if not siblings:
        return None
    with rarer_collections():
        found = _load(session, prop, [(one, one.dict[key]) for one in (state, *siblings)])
    return IteratorResult(SimpleResultMetaData([prop.key]), iter([(one,) for one in found]))


def _key_in_owner(prop: RelationshipProperty[Any]) -> str:
    """Return the attribute that says what an object is linked to: a foreign or primary key."""
    if prop.direction is RelationshipDirection.MANYTOONE:
        ((column, _),) = prop.local_remote_pairs or ()
    else:
        column = prop.synchronize_pairs[0][0]
    return _key_of(prop.parent, column)


def _siblings(
    session: Session, state: InstanceState[Any], prop: RelationshipProperty[Any], key: str
) -> list[InstanceState[Any]]:
    """Return the objects that lack the same relation, unless looking costs more than it saves.

    Looking walks all objects of the session. What a walk cost more than it saved is paid
    for by single loads before the next walk, so that the walks together stay linear in
    the number of loads.
    """
    debts: dict[Any, int] = session.info.setdefault(_DEBTS, {})
    if debts.get(prop, 0) > 0:
        debts[prop] -= 1
        return []
    identity_map, deleted = session.identity_map, session.deleted
    related = _mappers_of(prop)
    found = [
        other
        for other in identity_map.all_states()
        if other.manager.mapper in related
        and prop.key not in (held := other.dict)
        and key in held
        and other is not state
        and not other.expired
        and not (deleted and other.obj() in deleted)
    ]
    debts[prop] = max(0, len(identity_map) // _WALKED_PER_STATEMENT - len(found))
    return found


def _mappers_of(prop: RelationshipProperty[Any]) -> frozenset[Mapper[Any]]:
    return frozenset(prop.parent.self_and_descendants)


def _load(session: Session, prop: RelationshipProperty[Any], wanted: list[_Wanted]) -> list[Any]:
    """Load the relation of all the states, set it, and return what the first one has."""
    if prop.direction is RelationshipDirection.MANYTOONE:
        return _load_parents(session, prop, wanted)
    return _load_children(session, prop, wanted)


def _load_parents(
    session: Session, prop: RelationshipProperty[Any], wanted: list[_Wanted]
) -> list[Any]:
    found = find_parents(session, prop, {value for _, value in wanted if value is not None})
    for state, value in wanted[1:]:
        fill(state, prop.key, found.get(value))
    first = found.get(wanted[0][1])
    return [] if first is None else [first]


def find_parents(
    session: Session, prop: RelationshipProperty[Any], values: Collection[Any]
) -> dict[Any, Any]:
    """Return what a link to one leads to, by the keys that it goes by.

    Args:
        session: what it holds already is not asked for.
        prop: the link.
        values: the keys; those that lead nowhere are not in the answer, or lead to None.
    """
    mapper = prop.mapper
    ((_, remote),) = prop.local_remote_pairs or ()
    found = {value: _held(session, mapper, value) for value in values}
    missing = [value for value, one in found.items() if one is None]
    remote_attribute = getattr(mapper.class_, _key_of(mapper, remote))
    for some in _chunks(missing):
        for one in session.scalars(select(mapper.class_).where(remote_attribute.in_(some))):
            found[getattr(one, remote_attribute.key)] = one
    return found


def _held(session: Session, mapper: Mapper[Any], value: Any) -> Any:
    found = session.identity_map.get(mapper.identity_key_from_primary_key((value,)))
    return found if isinstance(found, mapper.class_) else None


def _load_children(
    session: Session, prop: RelationshipProperty[Any], wanted: list[_Wanted]
) -> list[Any]:
    children: dict[Any, list[Any]] = defaultdict(list)
    for some in _chunks([value for _, value in wanted]):
        for value, child in session.execute(_children_of(session, prop, some)):
            children[value].append(child)
    for state, value in wanted[1:]:
        fill(state, prop.key, children.get(value, ()))
    return children.get(wanted[0][1], [])


def _children_of(
    session: Session, prop: RelationshipProperty[Any], values: list[Any]
) -> Select[Any]:
    foreign = prop.synchronize_pairs[0][1]
    target = prop.mapper.class_
    statement = select(foreign, target).select_from(target)
    if prop.secondary is not None:
        statement = statement.join(prop.secondary, prop.secondaryjoin)
    conditions = () if includes_inactive(session) else active_in(prop)
    return statement.where(foreign.in_(values), *conditions).order_by(*(prop.order_by or ()))


def _key_of(mapper: Mapper[Any], column: Any) -> str:
    return mapper.get_property_by_column(column).key


def fill(state: InstanceState[Any], key: str, value: Any) -> None:
    """`set_committed_value` for who has the state already."""
    implementation: Any = state.manager[key].impl
    implementation.set_committed_value(state, state.dict, value)


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])
