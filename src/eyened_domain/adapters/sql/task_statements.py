"""The statements on the order in which subtasks wait; `task_queue` executes them.

They are made once: making them anew takes longer than a database of modest size answers.
"""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import (
    DateTime,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects import mysql, sqlite

from eyened_domain.adapters.sql.clock import utc_now
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.facts import CLAIM_INDEX
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask, Task
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.services.task_queue import Held

work: Table = table_of(SubTaskWork)
sub_task: Table = table_of(SubTask)
task: Table = table_of(Task)
configuration: Table = table_of(TaskConfiguration)
creator: Table = table_of(Creator)

_THE_TASK = work.c.task_id == bindparam("task_id")
_IN_ORDER = (work.c.priority, work.c.position)
WAITS = work.c.held_back == false()
"""What is not somebody's, nor ready."""
_HAS_EXPIRED = type_coerce(work.c.lease_expires, DateTime()) < utc_now()  # as it is stored


def _exists(*conditions: Any) -> Any:
    return exists(select(literal_column("1")).select_from(work).where(*conditions))


_IS_CREATOR = {
    True: creator.c.creator_id == bindparam("creator"),
    False: creator.c.creator_name == bindparam("creator"),
}
"""Who is meant, by id or by name."""


def _look(is_creator: Any) -> Select[Any]:
    creator_id, creator_name = (
        select(column).where(is_creator).scalar_subquery()
        for column in (creator.c.creator_id, creator.c.creator_name)
    )
    return (
        select(
            utc_now().label("now"),
            task.c.task_name.label("task_name"),
            task.c.task_state.label("task_state"),
            configuration.c.configuration.label("configuration"),
            creator_id.label("creator_id"),
            creator_name.label("creator_name"),
            _exists(_THE_TASK, _HAS_EXPIRED).label("has_expired"),
            _exists(_THE_TASK, WAITS, work.c.reserved_for_id == creator_id).label("has_reserved"),
        )
        .select_from(task.outerjoin(configuration, configuration.c.task_id == task.c.task_id))
        .where(task.c.task_id == bindparam("task_id"))
    )


LOOK = {by_id: _look(is_creator) for by_id, is_creator in _IS_CREATOR.items()}
"""What a claim looks at first, for a grader known by id (True) or by name."""

_others: Any = work.alias("others")
_REPEAT = (
    select(_others.c.sub_task_id)
    .where(
        _others.c.task_id == work.c.task_id,
        _others.c.set_number == work.c.set_number,
        _others.c.is_repeat == true(),
        work.c.is_repeat == false(),
        _others.c.reading == work.c.reading,
        _others.c.reserved_for_id.is_(None),
    )
    .limit(1)
    .correlate(work)
    .scalar_subquery()
)
_HELD = (
    utc_now().label("now"),
    _REPEAT.label("repeat_id"),
    sub_task.c.task_state.label("state"),
    sub_task.c.creator_id.label("creator_id"),
    *(work.c[name].label(name) for name in attrs.fields_dict(Held) if name in work.c),
)
_BOTH = work.join(sub_task, sub_task.c.sub_task_id == work.c.sub_task_id)
ONE = select(*_HELD).select_from(_BOTH).where(work.c.sub_task_id == bindparam("sub_task_id"))
"""A subtask and its row of work."""


def _by(index: str, table: Table, statement: Select[Any]) -> Select[Any]:
    """Let servers read a table by an index, whatever they reckon.

    Where there are few rows they would read, and lock, all of them.
    """
    for dialect in ("mysql", "mariadb"):
        statement = statement.with_hint(table, f"FORCE INDEX (`{index}`)", dialect)
    return statement


def _in_turn(statement: Select[Any]) -> Select[Any]:
    """Let servers read `SubTaskWork` in the order of the claim's index, before `SubTask`."""
    for dialect in ("mysql", "mariadb"):
        statement = statement.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return _by(CLAIM_INDEX, work, _by("PRIMARY", sub_task, statement))


def _first(for_whom: Any, *columns: Any) -> Select[Any]:
    return _in_turn(
        select(*columns)
        .where(_THE_TASK, WAITS, for_whom)
        .order_by(*_IN_ORDER)
        .limit(bindparam("most"))
    )


_FOR_WHOM = {
    True: work.c.reserved_for_id == bindparam("creator_id"),
    False: work.c.reserved_for_id.is_(None),
}
"""What waits for one grader, and what waits for anybody."""
FIRST = {
    is_one: _first(for_whom, *_HELD).select_from(_BOTH) for is_one, for_whom in _FOR_WHOM.items()
}
"""What waits for one grader (True), or for anybody, in its order; `FIRST_IDS` has no subtasks."""
FIRST_IDS = {
    is_one: _first(for_whom, work.c.sub_task_id, work.c.priority)
    for is_one, for_whom in _FOR_WHOM.items()
}
_HAS_READ = exists(
    select(literal_column("1"))
    .select_from(_others)
    .where(
        _others.c.task_id == work.c.task_id,
        _others.c.set_number == work.c.set_number,
        _others.c.is_repeat == work.c.is_repeat,
        _others.c.grader_id == bindparam("creator_id"),
    )
    .correlate(work)
)
_READ_LAST = (
    select(_others.c.set_number)
    .where(
        _others.c.task_id == bindparam("task_id"),
        _others.c.grader_id == bindparam("creator_id"),
        _others.c.finished_at.is_not(None),
    )
    .order_by(_others.c.finished_at.desc(), _others.c.position.desc())
    .limit(1)
    .scalar_subquery()
)
_ANY_READING: Any = bindparam("any_reading")


def _may_take(for_whom: Any) -> Select[Any]:
    """Return what waits for one grader, or for anybody, and what the grader may take of it."""
    of_readings = work.c.reading.in_(bindparam("readings", expanding=True))
    was_read_last = (work.c.set_number == _READ_LAST).label("was_read_last")
    return _first(for_whom, work.c.sub_task_id, *_IN_ORDER, was_read_last).where(
        or_(true() == _ANY_READING, of_readings), ~_HAS_READ
    )


MAY_TAKE = union_all(*(select(_may_take(for_whom).subquery()) for for_whom in _FOR_WHOM.values()))
"""What waits for one grader, and for anybody: the first of each that the grader may take."""
TAKE = (
    update(work).where(work.c.sub_task_id == bindparam("taken_id"), WAITS).values(held_back=true())
)
"""Takes a row that waits; where it does not, it updates none."""
EXPIRED = (
    select(work.c.sub_task_id, work.c.grader_id, work.c.reserved_for_id)
    .where(_THE_TASK, _HAS_EXPIRED)
    .order_by(type_coerce(work.c.lease_expires, DateTime()))
    .limit(bindparam("most"))
)
"""Rows with a lease that has expired; `STILL_EXPIRED` looks again, to lock them."""
STILL_EXPIRED = _by(
    "PRIMARY",
    work,
    select(work.c.sub_task_id, work.c.grader_id, work.c.reserved_for_id)
    .where(work.c.sub_task_id.in_(bindparam("ids", expanding=True)), _HAS_EXPIRED)
    .order_by(work.c.sub_task_id),
)
INSERT = {
    True: sqlite.insert(work).on_conflict_do_nothing(index_elements=[work.c.sub_task_id]),
    False: mysql.insert(work).on_duplicate_key_update(sub_task_id=work.c.sub_task_id),
}
"""Inserts rows that are not there, on SQLite (True) and on servers."""
_IS_OPEN = sub_task.c.task_state == SubTaskState.NotStarted
DRIFTED = (
    select(sub_task.c.sub_task_id, work.c.sub_task_id.is_not(None))
    .select_from(sub_task.outerjoin(work, work.c.sub_task_id == sub_task.c.sub_task_id))
    .where(
        sub_task.c.task_id == bindparam("task_id"),
        or_(
            work.c.sub_task_id.is_(None),
            and_(WAITS, sub_task.c.task_state != SubTaskState.NotStarted),
            and_(
                WAITS,
                sub_task.c.creator_id.is_not(None),
                or_(
                    work.c.reserved_for_id.is_(None),
                    work.c.reserved_for_id != sub_task.c.creator_id,
                ),
            ),
            and_(
                work.c.held_back == true(),
                _IS_OPEN,
                or_(work.c.is_repeat == false(), work.c.reserved_for_id.is_not(None)),
            ),
        ),
    )
    .order_by(sub_task.c.sub_task_id)
)
"""Subtasks that their rows of work do not agree with, and whether these are there."""
PROGRESS = (
    select(
        sub_task.c.task_state,
        sub_task.c.creator_id,
        creator.c.creator_name,
        func.date(work.c.finished_at),
        func.count(),
    )
    .select_from(
        sub_task.outerjoin(work, work.c.sub_task_id == sub_task.c.sub_task_id).outerjoin(
            creator, creator.c.creator_id == sub_task.c.creator_id
        )
    )
    .where(sub_task.c.task_id == bindparam("task_id"))
    .group_by(
        sub_task.c.task_state,
        sub_task.c.creator_id,
        creator.c.creator_name,
        func.date(work.c.finished_at),
    )
)
"""How many subtasks are in the same state, of the same creator and day."""
