"""Links that were set by id alone: the object that is linked to, and its lists, follow.

SQLAlchemy looks at the id when it loads a link, and leaves what is loaded as it is. Here,
once the id is stored, the link leads where the id says, and the object stands in the lists in
hand that it belongs to: as if the link itself had been set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.links_in_view import is_changed
from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.quiet_lists import drop, take
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo

_SET = "eyened_domain.links_set_by_id"


def forget_looked_up(new: Iterable[Entity]) -> None:
    """Let new objects forget a link that was looked up by an id, where that is another one now."""
    for one in new:
        held, set_links = one.__dict__, instance_state(one).committed_state
        for column, name in one.__entity__.link_of.items():
            target = held.get(name)
            if target is None or name in set_links:
                continue
            if id_of(target) != held.get(column):
                del held[name]


def note_ids(session: Session, objects: Iterable[Entity]) -> None:
    """Note the links of objects that are about to be flushed which were set by id alone.

    They leave the lists that they were in at once: rules read these.
    """
    noted: list[tuple[Entity, LinkInfo, Any]] = []
    session.info[_SET] = noted  # without what a flush that failed has left
    for one in objects:
        state = instance_state(one)
        changed = state.committed_state
        for column, name in one.__entity__.link_of.items():
            if state.key is None:
                is_set = column in changed or one.__dict__.get(column) is not None
            else:
                is_set = column in changed and is_changed(one, column)
            if is_set and name not in changed:
                link, before = one.__entity__.links[name], one.__dict__.get(name)
                noted.append((one, link, before))
                if before is not None and link.back and id_of(before) != one.__dict__.get(column):
                    drop(session, before, link.back, one)


def follow_ids(session: Session, _context: UOWTransaction) -> None:
    """Let links and lists follow the ids that are stored now (an `after_flush` listener)."""
    targets: dict[tuple[str, Any], Any] = {}
    joining: defaultdict[tuple[int, str], list[Entity]] = defaultdict(list)
    # in the order of their keys, as when the lists are loaded
    for one, link, before in sorted(session.info.pop(_SET, ()), key=lambda note: _key_of(note[0])):
        identity = one.__dict__.get(str(link.via))
        asked = (link.target, identity)
        target = targets[asked] if asked in targets else _in_hand(session, link, identity)
        targets[asked] = target
        if before is not None and before is not target:
            if link.back:
                drop(session, before, link.back, one)
            one.__dict__.pop(link.name, None)
        if target is not None:
            set_committed_value(one, link.name, target)
            if link.back in target.__dict__:
                joining[id(target), str(link.back)].append(one)
    owners = {id(target): target for target in targets.values()}
    for (owner, name), several in joining.items():
        take(session, owners[owner], name, several)


def _key_of(one: Entity) -> tuple[Any, ...]:
    return tuple(one.__dict__[name] for name in one.__entity__.primary_key)


def _in_hand(session: Session, link: LinkInfo, identity: Any) -> Any:
    if identity is None:
        return None
    target = entity_class(link.target)
    return session.identity_map.get(identity_key(target, identity))
