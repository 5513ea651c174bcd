"""Puts in view what the rules of objects read, where it is known by its id only.

Before a flush: of new objects, and of those whose links were changed. One statement per
link of the paths in `Entity.rules_read`, and none for what the session holds already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import PassiveFlag, Session, object_mapper
from sqlalchemy.orm.attributes import (
    get_history,
    instance_state,
    set_attribute,
)

from eyened_domain.adapters.sql.navigation import fill, find_parents
from eyened_domain.adapters.sql.own_values import id_of, read_if_emptied
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.composition import check_parts, depends_on_parts
from eyened_domain.model.entity import Entity
from eyened_domain.model.feature import Feature, FeatureFeatureLink
from eyened_domain.model.fields import LinkInfo

Filled = tuple[Any, str]
"""An object, and the link to one that was filled for its rules."""
_Step = tuple[Any, tuple[str, ...]]
"""An object, and the links that are followed from it."""


@contextmanager
def in_view(session: Session) -> Iterator[None]:
    """Have in view what the rules of the objects that are about to be stored read.

    New objects do not keep it: a flush takes twice as long over links that are set.
    """
    filled: list[Filled] = []
    try:
        _put_in_view(session, filled)
        yield
    finally:
        take_out(filled)


def take_out(filled: list[Filled]) -> None:
    """Take from new objects what was put in view, as if their links had never been looked at."""
    for one, name in filled:
        if instance_state(one).key is None:
            one.__dict__.pop(name, None)


def _put_in_view(session: Session, filled: list[Filled]) -> None:
    steps: list[_Step] = []
    for one in (*session.new, *session.dirty):
        if isinstance(one, Entity) and _settle(session, one) and one.rules_read:
            steps += [(one, tuple(path.split("."))) for path in one.rules_read]
    while steps:
        steps = _follow(session, steps, filled)


def check_stored_parts(session: Session) -> None:
    """Check the rules on what features are made of, with what is stored.

    One statement, where something is to be stored that depends on it.

    Raises:
        RuleBroken: see `model.composition.check_parts`.
    """
    changing = [one for one in (*session.new, *session.dirty) if isinstance(one, Entity)]
    concerned = [one for one in changing if depends_on_parts(one) and _is_to_be_written(one)]
    if not concerned:
        return
    columns = table_of(FeatureFeatureLink).c
    asked = select(columns.parent_feature_id, columns.child_feature_id, columns.feature_index)
    gone = {instance_state(one).key for one in (*session.deleted, *concerned)}
    without = {key[1] for key in gone if key is not None and key[0] is FeatureFeatureLink}
    features = {key[1][0] for key in gone if key is not None and key[0] is Feature}
    stored = [tuple(row) for row in session.connection().execute(asked)]
    check_parts(
        [one for one in stored if one not in without and not features.intersection(one[:2])],
        concerned,
    )


def _is_to_be_written(one: Entity) -> bool:
    state = instance_state(one)
    return state.key is None or any(is_changed(one, name) for name in one.__entity__.fields)


def _follow(session: Session, steps: list[_Step], filled: list[Filled]) -> list[_Step]:
    """Load what the first links lead to; return the steps from there."""
    by_link: dict[tuple[type[Entity], str], list[_Step]] = defaultdict(list)
    for one, path in steps:
        by_link[type(one), path[0]].append((one, path[1:]))
    further: list[_Step] = []
    for (entity, name), some in by_link.items():
        filled += load(session, entity.__entity__.links[name], [one for one, _ in some])
        for one, path in some:
            target = one.__dict__.get(name)
            if target is None:
                continue
            read_if_emptied(target)  # and what it links to: rules compare the ids of these
            for held in map(target.__dict__.get, target.__entity__.link_of.values()):
                read_if_emptied(held)
            if path:
                _settle(session, target)
                further.append((target, path))
    return further


def load(session: Session, link: LinkInfo, owners: Iterable[Any]) -> list[Filled]:
    """Load what a link to one of these objects leads to, in one statement.

    Returns:
        the objects whose link was filled, with its name.
    """
    via = str(link.via)
    lacking = [
        one for one in owners if link.name not in one.__dict__ and one.__dict__.get(via) is not None
    ]
    if not lacking:
        return []
    prop = object_mapper(lacking[0]).relationships[link.name]
    found = find_parents(session, prop, {one.__dict__[via] for one in lacking})
    for one in lacking:
        target = found.get(one.__dict__[via])
        if target is None:
            continue
        state = instance_state(one)
        if state.key is None:  # it is taken out again
            one.__dict__[link.name] = target
        else:
            fill(state, link.name, target)
    return [(one, link.name) for one in lacking]


def _settle(session: Session, one: Any) -> bool:
    """Let the links of an object and the ids behind them say the same, as a flush will.

    Returns:
        whether the object is new, or one of its links was changed.
    """
    state = instance_state(one)
    is_new = state.key is None
    if is_new and not (one.rules_read or depends_on_parts(one)):
        return False
    if not is_new and not state.committed_state:
        return False
    changed = is_new
    for link in one.__entity__.links.values():
        if link.many or not (is_new or {link.name, link.via} & state.committed_state.keys()):
            continue
        changed = settle_link(session, one, link, is_new=is_new) or changed
    return changed


def settle_link(session: Session, one: Any, link: LinkInfo, *, is_new: bool) -> bool:
    """Let a link to one and the id behind it say the same, as a flush will.

    Returns:
        whether it is a link of a new object, or was changed.
    """
    via = str(link.via)
    if is_new or is_changed(one, link.name):
        target = one.__dict__.get(link.name)
        own = None if target is None else id_of(target)
        if own is not None and one.__dict__.get(via) != own:
            set_attribute(one, via, own)
        return True
    if not is_changed(one, via):
        return False
    if link.name in one.__dict__:
        session.expire(one, [link.name])
    return True


def is_linked_anew(one: Entity) -> bool:
    """Whether an object is new, or one of its links to one was changed."""
    return instance_state(one).key is None or any(
        is_changed(one, name) for pair in one.__entity__.link_of.items() for name in pair
    )


def is_changed(one: Any, name: str) -> bool:
    """Whether an attribute was set to something else than it was read or stored with."""
    return get_history(one, name, PassiveFlag.PASSIVE_NO_INITIALIZE).has_changes()
