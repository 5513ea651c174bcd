"""Objects that were new before a rollback are new again: without the ids that they got.

SQLAlchemy lets them keep what the database has filled in, and takes their links for stored.
The ids may be somebody else's by then. Here what was empty when they were first sent is
empty again, and their links to other objects count as set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen
from sqlalchemy import event
from sqlalchemy.orm import InstanceState, Session, SessionTransaction, make_transient
from sqlalchemy.orm.attributes import flag_modified, instance_state

from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    adapter_of,
    changes_of_unloaded_lists,
)
from eyened_domain.model.copying import KEPT
from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import LinkInfo

_SENT = "eyened_domain.sent_new"
_TO_RENEW = "eyened_domain.to_be_new_again"


@frozen
class _Sent:
    """What a new object held when it was first sent.

    Attributes:
        empty: the columns that were empty, and the links to one that were not set.
        links: what the others led to.
    """

    empty: frozenset[str] = frozenset()
    links: dict[str, Any] = field(factory=dict)


Sent = dict[InstanceState[Any], _Sent]


def note_new(session: Session, objects: Iterable[Any]) -> None:
    """Note which columns of new objects are empty, before they are sent."""
    levels: dict[SessionTransaction | None, Sent] = session.info.setdefault(_SENT, {})
    sent = levels.setdefault(session.get_nested_transaction(), {})
    for one in objects:
        if isinstance(one, Entity):
            held, state = one.__dict__, instance_state(one)
            empty = {name for name in one.__entity__.columns if held.get(name) is None}
            links = dict.fromkeys(one.__entity__.link_of.values())
            kept = held.get(KEPT, {}).values()  # a copy points to what its original points to
            set_links = links.keys() & {*state.committed_state, *kept}
            sent[state] = _Sent(
                frozenset(empty | links.keys() - set_links),
                {name: held[name] for name in set_links if held.get(name) is not None},
            )


def renew_after_rollback(session_class: type[Session]) -> None:
    """Make what the sessions of a class have stored new again when it is rolled back."""
    event.listen(session_class, "pending_to_transient", _remember_unsent)
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _renew)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def keep_stored(session: Session) -> None:
    """Let what a session has sent stay stored: it was committed, though no answer came."""
    session.info.pop(_SENT, None)


@contextmanager
def renewing(session: Session) -> Iterator[None]:
    """Let what a session has stored and not committed be new again once the block closes it."""
    levels: dict[SessionTransaction | None, Sent] = session.info.pop(_SENT, {})
    for sent in levels.values():
        _return_links(sent)
    yield
    for sent in levels.values():
        for state, before in sent.items():
            one = state.obj()
            if one is not None and state.session_id is None:
                make_transient(one)
                _make_new(state, one, before.empty)


def _remember(session: Session) -> None:
    sent: Sent = session.info.get(_SENT, {}).pop(session.get_nested_transaction(), {})
    _return_links(sent)
    session.info.setdefault(_TO_RENEW, {}).update(sent)


def _remember_unsent(session: Session, one: Any) -> None:
    session.info.setdefault(_TO_RENEW, {}).setdefault(instance_state(one), _Sent())


def _renew(session: Session, _transaction: SessionTransaction) -> None:
    sent: Sent = session.info.pop(_TO_RENEW, {})
    for state, before in sent.items():
        one = state.obj()
        if one is not None and state.was_deleted and state.session_id is None:
            make_transient(one)  # it was stored and deleted in what was rolled back
        if one is not None and state.key is None:
            _make_new(state, one, before.empty)


def _return_links(sent: Sent) -> None:
    """Give objects the links back that a query has taken from them, with what it has read.

    Called while all have their ids, so that it can be seen which have not led elsewhere since.
    """
    for state, before in sent.items():
        held, info = state.dict, state.class_.__entity__
        for name, target in before.links.items():
            own = id_of(target)
            if name not in held and own is not None and held.get(info.links[name].via) == own:
                held[name] = target


def _make_new(state: InstanceState[Any], one: Entity, empty: frozenset[str]) -> None:
    """Empty what the storage has filled in, and let the links of an object count as set."""
    held, info = state.dict, one.__entity__
    changes_of_unloaded_lists(state).clear()  # of lists that were stored, and not loaded
    for name in empty & info.links.keys():
        held.pop(name, None)
    for name in empty - info.links.keys():
        by = info.link_of.get(name)
        is_id_set_last = name in state.committed_state and by not in state.committed_state
        if _is_filled_in(one, name) and not (by is not None and is_id_set_last):
            held[name] = None
    for link in info.links.values():
        if link.many and not link.through and link.name in held:
            _drop_moved(one, link)
        if held.get(link.name) and (not link.many or link.through):
            flag_modified(one, link.name)


def _drop_moved(one: Entity, link: LinkInfo) -> None:
    """Take off a list what has been moved to it, and is linked elsewhere again."""
    there = one.__dict__[link.name]
    for item in [item for item in there if item.__dict__.get(str(link.back)) is not one]:
        adapter_of(there).remove_without_event(item)


def _is_filled_in(one: Entity, name: str) -> bool:
    """Whether the storage fills a column in that is empty: an id, a moment, a link's id."""
    column, link = one.__entity__.columns[name], one.__entity__.link_of.get(name)
    return column.primary_key or column.generated or link in one.__dict__


def _hand_to_parent(session: Session, transaction: SessionTransaction) -> None:
    """Keep what was sent in a savepoint for a rollback of the transaction around it."""
    levels: dict[SessionTransaction | None, Sent] = session.info.get(_SENT, {})
    if transaction.parent is None:
        levels.clear()
    elif transaction in levels:
        sent = levels.pop(transaction)
        around = levels.setdefault(session.get_nested_transaction(), {})
        for state, before in sent.items():
            around.setdefault(state, before)
