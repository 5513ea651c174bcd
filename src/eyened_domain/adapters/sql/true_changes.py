"""Which of the changes that SQLAlchemy counts are changes of a row, or of a list.

It counts a link as changed that was set without being loaded, also to what it leads to; and
it takes an object off a list that is deleted anyway.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.links_in_view import is_changed
from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    changes_of_unloaded_lists,
    count_as_read,
    touched_states,
)
from eyened_domain.model.entity import Entity


def changed_objects(session: Session) -> list[Entity]:
    """Return the stored objects whose rows are about to be changed."""
    return [
        one
        for one in session.dirty
        if isinstance(one, Entity)
        and session.is_modified(one, include_collections=False)
        and any(is_true_change(one, name) for name in instance_state(one).committed_state)
    ]


def is_true_change(one: Entity, name: str) -> bool:
    """Whether a column or a link of a stored object that was set says something else now."""
    link = one.__entity__.links.get(name)
    if link is None:
        return is_changed(one, name)
    via = str(link.via)
    if link.many or via in instance_state(one).committed_state:
        return not link.many
    target: Any = one.__dict__.get(name)
    own = None if target is None else id_of(target)  # a new one has none yet
    return own is None or own != one.__dict__.get(via)


def forget_untrue_changes(session: Session) -> None:
    """Let objects count as unchanged whose columns were only set to what they held.

    SQLAlchemy would empty them, with their links, when a savepoint is rolled back.
    """
    for state in touched_states(session):
        names, columns = state.committed_state.keys(), state.class_.__entity__.columns.keys()
        is_of_columns = names and names <= columns and not changes_of_unloaded_lists(state)
        if is_of_columns and not any(is_changed(state.obj(), name) for name in names):
            count_as_read(state)


def leave_lists(session: Session) -> None:
    """Let lists say nothing of objects that are deleted anyway, or are in no session.

    SQLAlchemy would empty the links of those that were taken off, and keep those that came.
    """
    for state in touched_states(session):
        for pending in changes_of_unloaded_lists(state).values():
            for items in (pending.deleted_items, pending.added_items):
                for one in [one for one in items if _is_no_matter(session, one)]:
                    items.remove(one)
        for name, before in state.committed_state.items():
            link = state.class_.__entity__.links.get(name)
            if link is not None and link.many and isinstance(before, list):
                # a row between two that are deleted was never written: so it is not deleted
                with_new = not (link.through and state.obj() in session.deleted)
                now = state.dict.get(name)
                state.committed_state[name] = _as_it_matters(
                    session, before, now, with_new=with_new
                )


def _as_it_matters(
    session: Session, before: list[Any], now: list[Any] | None, *, with_new: bool
) -> list[Any]:
    """Return a list as it was, with what does not matter as it is now."""
    there, had = {id(one) for one in now or ()}, {id(one) for one in before}
    kept = [one for one in before if id(one) in there or not _is_no_matter(session, one)]
    new = [one for one in now or () if id(one) not in had] if with_new else []
    come = [one for one in new if one in session.deleted]
    return kept + come


def _is_no_matter(session: Session, one: Any) -> bool:
    state = instance_state(one)
    return one in session.deleted or state.was_deleted or state.session_id is None
