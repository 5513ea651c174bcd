"""Changed objects of which only columns were changed are written without a look at their links.

SQLAlchemy's flush asks each link of each object what there is to do, which takes longer than
the statement. Where a flush does nothing but change columns of stored objects, their rows are
written here: in the order of their primary keys, and in one statement for those in a row that
change the same columns, as SQLAlchemy does it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Update, bindparam, update
from sqlalchemy.orm import InstanceState, Mapper, Session, UOWTransaction
from sqlalchemy.orm.base import NO_VALUE
from sqlalchemy.orm.exc import StaleDataError

from eyened_domain.adapters.sql.clock import now_of
from eyened_domain.adapters.sql.new_rows import has_one_table, place_of
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.entity import Entity

Change = tuple[InstanceState[Any], dict[str, Any]]
"""An object, and the new values of its columns, by field name."""


def update_alone(session: Session, context: UOWTransaction) -> bool:
    """Write the rows of changed objects, where a flush has nothing else to do.

    Args:
        session: being flushed.
        context: of the flush.

    Returns:
        whether that was so; otherwise nothing has been written.

    Raises:
        StaleDataError: a row is gone.
    """
    states = list(context.states)
    if session.deleted or not all(map(_is_plain, states)):
        return False
    states.sort(key=lambda state: (place_of(state.manager.mapper), state.key and state.key[1]))
    for mapper, some in groupby(states, key=lambda state: state.manager.mapper):
        connection = context.transaction.connection(mapper)
        changes = [(state, _changed(state)) for state in some]
        _write(connection, mapper, [change for change in changes if change[1]])
    return True


def _is_plain(state: InstanceState[Any]) -> bool:
    """Whether an object is stored, and nothing but columns beside its key was changed."""
    mapper = state.manager.mapper
    if state.key is None or not has_one_table(mapper):
        return False
    if mapper.dispatch.before_update or mapper.dispatch.after_update:
        return False
    entity: type[Entity] = state.class_
    columns = entity.__entity__.columns
    return all(
        name in columns and not columns[name].primary_key and name in state.dict
        for name in state.committed_state
    )


def _changed(state: InstanceState[Any]) -> dict[str, Any]:
    """Return the columns that hold something else than was read."""
    held = state.dict
    return {
        name: held[name]
        for name, before in state.committed_state.items()
        if before is NO_VALUE or not state.manager[name].impl.is_equal(held[name], before)
    }


def _write(connection: Connection, mapper: Mapper[Any], changes: list[Change]) -> None:
    stamped = _stamped(mapper)
    moment = now_of(connection) if stamped and changes else None
    for state, values in changes:
        for name in stamped:
            state.dict[name] = values.setdefault(name, moment)
    for names, some in groupby(changes, key=lambda change: tuple(sorted(change[1]))):
        rows = [_row(state, values) for state, values in some]
        result = connection.execute(_statement(mapper, names), rows if len(rows) > 1 else rows[0])
        if result.rowcount != len(rows) and connection.dialect.supports_sane_multi_rowcount:
            raise StaleDataError(
                f"{len(rows)} rows of {mapper.class_.__name__} were to be changed, and "
                f"{result.rowcount} were found"
            )


def _row(state: InstanceState[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a row's statement."""
    key = state.key[1] if state.key else ()
    return {f"new_{name}": value for name, value in values.items()} | {
        f"key_{number}": part for number, part in enumerate(key)
    }


def _stamped(mapper: Mapper[Any]) -> list[str]:
    """Return the columns that hold the moment of the last change."""
    entity: type[Entity] = mapper.class_
    return [name for name, column in entity.__entity__.columns.items() if column.set_on_update]


@lru_cache(maxsize=512)
def _statement(mapper: Mapper[Any], names: tuple[str, ...]) -> Update:
    """Return the statement that writes these columns of a row."""
    table = table_of(mapper.class_)
    return (
        update(table)
        .where(
            *(
                column == bindparam(f"key_{number}")
                for number, column in enumerate(mapper.primary_key)
            )
        )
        .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names})
    )
