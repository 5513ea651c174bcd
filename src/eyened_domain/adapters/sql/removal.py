"""Objects in hand whose rows the database deletes, or changes, along with another one.

The database follows its delete rules by itself. The objects of the session that it reaches
are deleted with the one that was deleted, so that each is known to be gone, and leaves the
lists that it was in; those whose link becomes NULL hold that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import InstanceState, Session, UOWTransaction
from sqlalchemy.orm.attributes import flag_modified, instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.forbidding import forbidding
from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.quiet_lists import drop, note_moves
from eyened_domain.adapters.sql.restoring import fill_deleted
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    keep_from_deletion,
    touched_states,
)
from eyened_domain.adapters.sql.staleness import is_stale
from eyened_domain.adapters.sql.true_changes import is_true_change
from eyened_domain.adapters.sql.unseen import unseen_going_along
from eyened_domain.errors import Duplicate, RuleBroken
from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.fields import ColumnInfo

Keys = set[tuple[str, Any]]
"""Names of the classes whose tables hold the ids, and the ids."""


def delete_along(session: Session, *, unseen: bool = False) -> None:
    """Delete the objects in hand that the database deletes along with those to be deleted.

    Args:
        session: with what is to be deleted.
        unseen: also those that rows between them lead to, which are not in hand.
    """
    in_hand: list[Entity] = []  # nothing lets go of them before they are deleted
    gone = _keys(session)
    while gone:
        if unseen:
            # once in hand, they are found to go along like all others
            in_hand += [*forbidding(session, gone), *unseen_going_along(session, gone)]
        reached = [
            *(one for one, _ in _referring(session, gone, "CASCADE")),
            *_moved_to_deleted(session),
        ]
        reached = [one for one in reached if one not in session.deleted]
        for one in reached:
            Session.delete(session, one)
        gone = _keys(session) if reached else set()


def keep_moved_by_id(session: Session, reached: Iterable[Any]) -> None:
    """Keep objects that SQLAlchemy deletes along, though an id links them elsewhere by now.

    What hangs on one that is kept is kept as well.

    Args:
        session: with what is to be deleted.
        reached: what a delete has reached by the lists in hand.
    """
    waiting = list(reached)
    while waiting:
        gone = _keys(session)
        kept = [one for one in waiting if not _hangs_on_one_of(session, one, gone)]
        for one in kept:
            keep_from_deletion(session, one)
        waiting = [one for one in waiting if one in session.deleted] if kept else []


def _hangs_on_one_of(session: Session, one: Entity, gone: Keys) -> bool:
    """Whether an object is linked to one that is to be deleted, and goes along with it."""
    held, changed = one.__dict__, instance_state(one).committed_state
    for column in one.__entity__.columns.values():
        if column.references and column.on_delete == "CASCADE":
            link = one.__entity__.link_of.get(column.name)
            is_emptied = column.name not in held and link not in changed  # by a rollback
            if is_emptied or _leads_to_one_of(session, one, column, gone):
                return True
    return False


def take_back(session: Session, one: Entity) -> None:
    """Take back that an object is to be deleted, with what was to go along with it."""
    reached = [one] if one in session.deleted else []
    gone = _keys_of(reached)
    while gone:
        more = [
            other
            for other, _ in _referring(session, gone, "CASCADE")
            if other in session.deleted and other not in reached
        ]
        reached += more
        gone = _keys_of(more)
    for other in reached:
        keep_from_deletion(session, other)


def _moved_to_deleted(session: Session) -> Iterator[Any]:
    """Yield the stored objects that were linked to one that is to be deleted, and go along."""
    for state in touched_states(session):
        for column in state.class_.__entity__.columns.values():
            link = str(state.class_.__entity__.link_of.get(column.name))
            if column.on_delete == "CASCADE" and link in state.committed_state:
                other = state.dict.get(link)
                if other is not None and other in session.deleted:
                    yield state.obj()


def take_places(session: Session) -> None:
    """Let a new object that takes the place of one to be deleted write its row in full.

    SQLAlchemy makes one UPDATE of the two, of what was set by then: all that the new one holds.
    What the database fills in is taken over, which the UPDATE would empty.
    """
    # by the keys that they are stored with: a rollback may have emptied them
    places = {(type(one), instance_state(one).key[1]): one for one in session.deleted}  # type: ignore[index]
    for new in session.new if places else ():
        before = places.get((type(new), _key_parts(new)))
        if before is not None and isinstance(new, Entity):
            for name, column in new.__entity__.columns.items():
                is_empty = new.__dict__.get(name) is None and not column.references
                if column.generated and is_empty and not column.primary_key:
                    setattr(new, name, getattr(before, name))
                elif name in new.__dict__:
                    flag_modified(new, name)


def refuse_same_key(session: Session) -> None:
    """Raise where a new object has the primary key of another one in hand.

    It is not free either while the other one changes it in the same flush.

    Raises:
        Duplicate: it has.
    """
    taken: set[Any] = set()
    for new in session.new:
        if not isinstance(new, Entity):
            continue
        parts = _key_parts(new)
        if None in parts:
            continue
        key = identity_key(type(new), parts)
        other = session.identity_map.get(key)
        if key in taken:
            raise _same_key(new)
        taken.add(key)
        if other is None or other in session.deleted:
            continue
        if is_stale(session, other) and not session.is_modified(other) and _is_gone(other):
            _take_off_lists(session, other)
            session.expunge(other)
        else:
            raise _same_key(new)


def _same_key(new: Entity) -> Duplicate:
    name, fields = type(new).__name__, ", ".join(new.__entity__.primary_key)
    return Duplicate(
        f"there is a {name} with the same {fields} already; look it up instead of adding another",
        entity=name,
        field=fields,
    )


def _is_gone(one: Any) -> bool:
    """Whether somebody else has deleted an object's row; it stays readable."""
    state = instance_state(one)
    session, mapper = state.session, state.manager.mapper
    row = select(literal(1)).select_from(table_of(mapper.class_))
    keys = zip(mapper.primary_key, state.key[1], strict=True)  # type: ignore[index]
    there = row.where(*(column == value for column, value in keys))
    if session is None or session.connection().scalar(there) is not None:
        return False
    if state.expired:
        fill_deleted(one)
    return True


def _key_parts(one: Any) -> tuple[Any, ...]:
    """Return the primary key as it is going to be, with the ids of what is linked."""
    info, parts = one.__entity__, []
    for name in info.primary_key:
        other = one.__dict__.get(info.link_of.get(name))
        parts.append(one.__dict__.get(name) if other is None else id_of(other))
    return tuple(parts)


def refuse_links_to_deleted(session: Session, objects: Iterable[Entity]) -> None:
    """Raise where an object points to one that is about to be deleted.

    The database would delete the one along with the other, or refuse it, as it happens.

    Raises:
        RuleBroken: an object that is to be stored does so.
    """
    gone = _keys(session)
    for one in objects:
        for column in one.__entity__.columns.values() if gone else ():
            if column.references and _leads_to_one_of(session, one, column, gone):
                raise RuleBroken(
                    f"{type(one).__name__}.{column.name} points to a {column.references} that is "
                    "to be deleted; link it to another one, or delete it, too",
                    entity=type(one).__name__,
                    field=column.name,
                )


def _leads_to_one_of(session: Session, one: Entity, column: ColumnInfo, gone: Keys) -> bool:
    """Whether a link leads to one that is to be deleted; the object or the id, as was set last."""
    link = one.__entity__.link_of.get(column.name)
    if link in instance_state(one).committed_state:
        target = one.__dict__.get(str(link))
        return target is not None and target in session.deleted
    return (root_of(str(column.references)), one.__dict__.get(column.name)) in gone


def keep_links(session: Session) -> None:
    """Let what is to be deleted hold what it was linked to, where that is in hand."""
    keep_links_of(session, session.deleted)


def loosen_from_themselves(session: Session) -> None:
    """Let what is to be deleted not be linked to itself: it would wait for its own deletion."""
    for one in session.deleted:
        for link in one.__entity__.to_one if isinstance(one, Entity) else ():
            if one.__dict__.get(link.name) is not one:
                continue
            set_committed_value(one, link.name, None)
            several = one.__dict__.get(str(link.back))
            if several is not None:
                others = [other for other in several if other is not one]
                set_committed_value(one, str(link.back), others)


def keep_links_of(session: Session, objects: Iterable[Any]) -> None:
    """Let objects hold what they are linked to, where that is in hand."""
    for one in objects:
        for link in one.__entity__.links.values():
            if link.many or link.name in one.__dict__:
                continue
            identity = getattr(one, str(link.via))
            key = None if identity is None else identity_key(entity_class(link.target), identity)
            if key is not None and key in session.identity_map:
                set_committed_value(one, link.name, session.identity_map[key])


def follow_deletions(session: Session, _context: UOWTransaction) -> None:
    """Let the objects in hand know what has been deleted (an `after_flush` listener)."""
    if not session.deleted:
        return
    note_moves(session, session.deleted)
    gone = _keys(session)
    for one, column in _referring(session, gone, "SET NULL"):
        set_committed_value(one, column.name, None)
        link = one.__entity__.link_of.get(column.name)
        if link is not None and link in one.__dict__:
            set_committed_value(one, link, None)
    for one in session.deleted:
        if isinstance(one, Entity):
            _take_off_lists(session, one)


def _keys(session: Session) -> Keys:
    return _keys_of(session.deleted)


def _keys_of(objects: Iterable[Any]) -> Keys:
    return {
        (type(one).__entity__.root, instance_state(one).key[1][0])  # type: ignore[index]
        for one in objects
        if isinstance(one, Entity) and len(one.__entity__.primary_key) == 1
    }


def _referring(session: Session, gone: Keys, rule: str) -> Iterator[tuple[Any, ColumnInfo]]:
    """Yield the objects in hand that point to one of these by a column with that delete rule."""
    for state in session.identity_map.all_states():
        for column in state.class_.__entity__.columns.values():
            if column.references and column.on_delete == rule:
                one = state.obj()
                # what a rollback has emptied is read anew
                value = getattr(one, column.name) if state.expired else state.dict.get(column.name)
                key = (root_of(column.references), value)
                if value is not None and key in gone and not _is_moved(state, column):
                    yield one, column


def _is_moved(state: InstanceState[Any], column: ColumnInfo) -> bool:
    """Whether the object was linked to something else since it was read."""
    one, link = state.obj(), state.class_.__entity__.link_of.get(column.name)
    names = [name for name in (column.name, link) if name in state.committed_state]
    return one is not None and any(is_true_change(one, str(name)) for name in names)


def _take_off_lists(session: Session, one: Entity) -> None:
    for link in one.__entity__.links.values():
        other = None if link.many or link.back is None else one.__dict__.get(link.name)
        if other is not None:
            drop(session, other, str(link.back), one)
