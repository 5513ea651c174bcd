"""Leaves inactive things out of what a session reads; see `services.inactive`.

Lists that are loaded, lazily or by `selectinload` and `subqueryload`, are without them, unless the
session includes them. Queries that people write are SQLAlchemy's own, and find what they say.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, not_, true
from sqlalchemy.orm import ORMExecuteState, RelationshipProperty, Session, with_loader_criteria

from eyened_domain.adapters.sql.joins import Joins
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.entity import Entity
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.inactive import flags_in

_INCLUDES = "eyened_domain.includes_inactive"


def include_inactive(session: Session, value: bool) -> None:
    """Let a session include inactive things, or not; lists in hand stay as they are."""
    session.info[_INCLUDES] = value


def includes_inactive(session: Session) -> bool:
    """Return whether a session includes inactive things."""
    included: bool = session.info.get(_INCLUDES, False)
    return included


@cache
def is_active(entity: type[Entity], flag: str) -> ColumnElement[bool]:
    """Return the condition that a flag is not set, where it leads to anything.

    Args:
        entity: on whose table the condition is.
        flag: see `services.inactive.flags_of`.
    """
    path, table = path_of(entity, flag), table_of(entity)
    if not path.steps:
        return table.c[path.column] == false()
    first = path.steps[0]
    theirs = Joins(first.target, named_anew=True)
    is_set = theirs.column(flag.partition(".")[2]) == true()
    (key,) = first.target.__entity__.primary_key
    is_the_one = theirs.table.c[key] == table.c[first.via]
    return not_(exists().select_from(theirs.source).where(is_the_one, is_set))


@cache
def active_in(prop: RelationshipProperty[Any]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on what a relation leads to that is not left out of it."""
    target: type[Entity] = prop.mapper.class_
    link = prop.parent.class_.__entity__.links[prop.key]
    return tuple(is_active(target, flag) for flag in flags_in(link))


def leave_out_inactive(execution: ORMExecuteState) -> None:
    """Load lists without what is inactive (a `do_orm_execute` listener)."""
    path = execution.loader_strategy_path if execution.is_relationship_load else None
    prop = None if path is None else path[-1]
    if not isinstance(prop, RelationshipProperty) or includes_inactive(execution.session):
        return
    conditions = active_in(prop)
    if not conditions:
        return
    statement: Any = execution.statement
    if execution.lazy_loaded_from is not None:
        execution.statement = statement.where(*conditions)
        return
    entity = prop.mapper.class_
    execution.statement = statement.options(
        with_loader_criteria(
            entity, and_(*conditions), include_aliases=True, propagate_to_loaders=False
        )
    )
