"""New objects are inserted many at a time: a few statements a table, whatever their number.

SQLAlchemy's flush looks at each link of each object by itself, which takes several times as
long as the database needs. Where a flush has many new objects whose links lead to what is
stored, or to others of them, their rows are sent together, table by table, and the ids and
moments that the database gives are read back with them. The rest of the flush is
SQLAlchemy's, and so is everything where a case is not plain: see `_together` and `_fill_ids`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Table, insert
from sqlalchemy.orm import InstanceState, Mapper, Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.changed_rows import note_locked
from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.schema import metadata, table_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    count_as_stored,
)
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo

FEWEST = 16
"""How many new objects there must be; fewer are stored sooner by SQLAlchemy."""
CHUNK = 5000
"""How many rows one call of the driver's is given."""
States = list[InstanceState[Any]]


def insert_together(session: Session, context: UOWTransaction) -> None:
    """Insert the new objects of a flush whose rows are plain, before it does the rest.

    Args:
        session: being flushed, after every check of its objects.
        context: of the flush.
    """
    if len(session.new) < FEWEST or not session.get_bind().dialect.insert_returning:
        return
    new = [state for state in context.states if state.key is None]
    by_mapper = _together(session, new)
    if sum(map(len, by_mapper.values())) < FEWEST:
        return
    left = {state.manager.mapper.base_mapper for state in new} - by_mapper.keys()
    for mapper in sorted(by_mapper, key=place_of):
        states = sorted(by_mapper[mapper], key=lambda one: one.insert_order or 0)
        plain = [] if left & _referred_to(mapper) else [one for one in states if _fill_ids(one)]
        if len(plain) < len(states):
            left.add(mapper)
        if plain:
            _insert(context.transaction.connection(mapper), mapper, plain)
            _make_persistent(session, context, mapper, plain)


def _together(session: Session, new: States) -> dict[Mapper[Any], States]:
    """Return the new objects whose rows may be inserted together, by their mappers.

    There are none in a flush that deletes objects, since a new one may take the place of one of
    them. Left out are classes of which objects are changed, since these may make room for new
    ones, those with more than one table, and those whose every insertion somebody listens to.
    """
    if session.deleted:
        return {}
    found: defaultdict[Mapper[Any], States] = defaultdict(list)
    for state in new:
        found[state.manager.mapper].append(state)
    changed = {
        type(one) for one in session.dirty if session.is_modified(one, include_collections=False)
    }
    return {
        mapper: states
        for mapper, states in found.items()
        if mapper.class_ not in changed and _is_plain(mapper)
    }


def _is_plain(mapper: Mapper[Any]) -> bool:
    is_heard = bool(mapper.dispatch.before_insert) or bool(mapper.dispatch.after_insert)
    return has_one_table(mapper) and not is_heard and issubclass(mapper.class_, Entity)


def has_one_table(mapper: Mapper[Any]) -> bool:
    """Whether the rows of a class are in one table, with those of no other class."""
    return mapper.inherits is None and mapper.polymorphic_on is None


def _fill_ids(state: InstanceState[Any]) -> bool:
    """Give an object the ids of what it is linked to; whether its row is known by that.

    A link that was emptied while its id was given, one to an object that is not stored yet,
    and lists of many to many are left to SQLAlchemy.
    """
    held, ids = state.dict, {}
    entity: type[Entity] = state.class_
    links, several = _links(entity)
    if any(held.get(name) for name in several):
        return False
    for link in links:
        if link.name not in state.committed_state:  # at most looked up by its id
            continue
        via, target = str(link.via), held.get(link.name)
        if target is not None:
            ids[via] = id_of(target)
            if instance_state(target).key is None or ids[via] is None:
                return False
        elif held.get(via) is not None:
            return False
    held.update(ids)
    primary_key = entity.__entity__.primary_key
    return len(primary_key) == 1 or all(held.get(name) is not None for name in primary_key)


@cache
def _links(entity: type[Entity]) -> tuple[list[LinkInfo], list[str]]:
    """Return the links to one of a class, and the names of those of many to many."""
    links = entity.__entity__.links.values()
    return [one for one in links if not one.many], [one.name for one in links if one.through]


@cache
def _referred_to(mapper: Mapper[Any]) -> frozenset[Mapper[Any]]:
    """Return the classes that a class refers to, by the mappers of their roots."""
    columns = mapper.class_.__entity__.columns.values()
    names = {one.references for one in columns if one.references}
    return frozenset(entity_class(name).__mapper__.base_mapper for name in names)


def place_of(mapper: Mapper[Any]) -> int:
    """Return where the table of a class stands: behind those that it refers to."""
    return _order()[table_of(mapper.class_)]


@cache
def _order() -> dict[Table, int]:
    return {table: place for place, table in enumerate(metadata.sorted_tables)}


def _insert(connection: Connection, mapper: Mapper[Any], states: States) -> None:
    """Insert the rows of objects, and read back what the database gives."""
    for rows, given, read in _alike(mapper, states):
        statement = insert(table_of(mapper.class_))
        if read:
            statement = statement.returning(*read, sort_by_parameter_order=True)
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            values = [{name: state.dict.get(name) for name in given} for state in some]
            result = connection.execute(statement, values)
            keys = [one.key for one in read]
            for state, row in zip(some, result.all() if read else (), strict=bool(read)):
                state.dict.update(zip(keys, row, strict=True))


def _alike(
    mapper: Mapper[Any], states: States
) -> Iterator[tuple[States, list[str], list[Column[Any]]]]:
    """Yield objects for which the database fills in the same columns.

    Yields:
        the objects, the names of the columns that are sent, and the columns to read back.
    """
    filled_in = _filled_in(mapper)
    groups: defaultdict[tuple[str, ...], States] = defaultdict(list)
    for state in states:
        held = state.dict
        groups[tuple(name for name in filled_in if held.get(name) is None)].append(state)
    names = [column.key for column in table_of(mapper.class_).columns]
    for lacking, group in groups.items():
        held_by_any = set().union(*(_held(state) for state in group))
        given = [name for name in names if name in held_by_any]
        yield group, given, [filled_in[name] for name in lacking]


def _held(state: InstanceState[Any]) -> Iterable[str]:
    return [name for name, value in dict.items(state.dict) if value is not None]


@cache
def _filled_in(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """Return the columns that are filled in where no value is given: ids and moments."""
    table = table_of(mapper.class_)
    has_number = len(table.primary_key.columns) == 1
    return {
        column.key: column
        for column in table.columns
        if column.default is not None
        or column.server_default is not None
        or (column.primary_key and has_number)
    }


def _make_persistent(
    session: Session, context: UOWTransaction, mapper: Mapper[Any], states: States
) -> None:
    """Let the session know that objects are stored, and the flush that it need not do it."""
    note_locked(session, [state.obj() for state in states])
    for state in states:
        del context.states[state]
    context.mappers[mapper].difference_update(states)
    count_as_stored(session, states)
