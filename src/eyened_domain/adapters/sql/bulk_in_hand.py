"""Objects in hand after rows were written by set: they hold what their rows hold by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.quiet_lists import forget
from eyened_domain.adapters.sql.removal import keep_links_of
from eyened_domain.adapters.sql.restoring import keep_for_rollback
from eyened_domain.adapters.sql.sqlalchemy_internals import count_as_deleted
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.services.inactive import INACTIVE, tells_of
from eyened_domain.services.row_shapes import Row

_MADE = "eyened_domain.made_by_set"
_GONE = "eyened_domain.made_by_set_and_gone"
Made = dict[SessionTransaction, list[Any]]
"""The identity keys of rows that were inserted by set, by the savepoint that they are in."""


def let_objects_hold(session: Session, entity: type[Entity], key: str, rows: Sequence[Row]) -> None:
    """Let the objects in hand hold what was written to their rows, and be linked by it.

    Args:
        session: that holds the objects.
        entity: whose rows.
        key: its primary key.
        rows: what was written, with the key.
    """
    info = entity.__entity__
    known = session.identity_map
    some = rows if len(known) else ()
    pairs = ((known.get(identity_key(entity, row[key])), row) for row in some)
    held = [(one, row) for one, row in pairs if one is not None]
    keep_for_rollback(session, [one for one, _ in held])
    before: list[Row] = []
    for one, row in held:
        mine = one.__dict__
        moved = [n for n in info.link_of if n in row and mine.get(n) != row[n]]
        before.append({name: mine.get(name) for name in moved})
        links = [info.link_of[name] for name in moved if info.link_of[name] in mine]
        for name, value in row.items():
            if name in mine:
                set_committed_value(one, name, value)
        if links:
            session.expire(one, links)
    refresh_lists(session, entity, [*before, *rows])
    refresh_flags(session, entity, rows)


def refresh_lists(session: Session, entity: type[Entity], rows: Sequence[Row]) -> None:
    """Let lists in hand be read again that rows may have come to, or left.

    Args:
        session: that holds the owners of the lists.
        entity: whose rows.
        rows: the ids that rows are linked to, or were.
    """
    if not len(session.identity_map):
        return
    for link in entity.__entity__.to_one:
        via, target = str(link.via), entity_class(link.target)
        ids = {row[via] for row in rows if via in row}
        for one in list(session.identity_map.values()) if ids and link.back else ():
            state: Any = instance_state(one)
            if isinstance(one, target) and link.back in state.dict and state.key[1][0] in ids:
                forget(session, one, str(link.back))


def refresh_flags(session: Session, entity: type[Entity], rows: Iterable[Row]) -> None:
    """Let lists in hand be read again that leave out what is inactive, if flags were written.

    Args:
        session: that holds the owners of the lists.
        entity: whose rows.
        rows: what was written.
    """
    if not len(session.identity_map) or not any(INACTIVE in row for row in rows):
        return
    held: list[Any] = list(session.identity_map.values())
    for one in held:
        for link in one.__entity__.links.values():
            if link.name in one.__dict__ and tells_of(link, entity):
                forget(session, one, link.name)


def let_go(session: Session, entity: type[Entity], is_gone: Callable[[Entity], bool]) -> None:
    """Let objects in hand be deleted whose rows are, and leave the lists that they are in.

    Args:
        session: that holds the objects.
        entity: whose rows were deleted.
        is_gone: says of an object whether its row was.
    """
    gone = [one for one in session.identity_map.values() if type(one) is entity and is_gone(one)]
    keep_for_rollback(session, gone)
    keep_links_of(session, gone)
    count_as_deleted(session, map(instance_state, gone))
    refresh_lists(session, entity, [one.__dict__ for one in gone])


def value_in_hand(one: Entity, name: str) -> Any:
    """Return what a column of a stored object holds; that of its key also where it has expired."""
    keys = one.__entity__.primary_key
    identity: Any = instance_state(one).key
    return identity[1][keys.index(name)] if name in keys else one.__dict__.get(name)


def note_made(session: Session, entity: type[Entity], ids: Iterable[int]) -> None:
    """Note rows that were inserted by set, should the savepoint that they are in be rolled back.

    SQLAlchemy knows nothing of them, and would keep the objects that were read of them since.
    """
    nested = session.get_nested_transaction()
    if nested is not None:
        levels: Made = session.info.setdefault(_MADE, {})
        levels.setdefault(nested, []).extend(identity_key(entity, one) for one in ids)


def let_go_of_unmade(session_class: type[Session]) -> None:
    """Let the sessions of a class let go of objects whose rows a rollback has taken back."""
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _let_go)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def _remember(session: Session) -> None:
    made: Made = session.info.get(_MADE, {})
    nested = session.get_nested_transaction()
    if nested in made:
        session.info[_GONE] = made.pop(nested)


def _let_go(session: Session, _transaction: SessionTransaction) -> None:
    for key in session.info.pop(_GONE, ()):
        one = session.identity_map.get(key)
        if one is not None:
            session.expunge(one)


def _hand_to_parent(session: Session, transaction: SessionTransaction) -> None:
    made: Made = session.info.get(_MADE, {})
    keys = made.pop(transaction, None)
    around = session.get_nested_transaction()
    if keys is not None and around is not None:
        made.setdefault(around, []).extend(keys)
