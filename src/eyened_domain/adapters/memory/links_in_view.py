"""Puts in view what the rules of objects read, where it is known by its id only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.agreement import agree_for_rules
from eyened_domain.adapters.memory.held import Held, held_of
from eyened_domain.model.composition import check_parts, depends_on_parts
from eyened_domain.model.entity import root_of
from eyened_domain.model.feature import Feature, FeatureFeatureLink

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def put_in_view(objects: Objects, changed: list[Held]) -> None:
    """Find what the rules of the objects that are about to be stored read.

    Args:
        objects: what the unit of work holds.
        changed: what is about to be stored; new objects, and those whose links were
            changed, are looked at.
    """
    for held in changed:
        one = held.entity
        if held.row is None and not (one.rules_read or depends_on_parts(one)):
            continue
        if _settle(objects, held):
            for path in held.entity.rules_read:
                _follow(objects, held, path.split("."))


def check_stored_parts(objects: Objects, changed: list[Held]) -> None:
    """Check the rules on what features are made of, with what is stored.

    Raises:
        RuleBroken: see `model.composition.check_parts`.
    """
    concerned = [held for held in changed if depends_on_parts(held.entity)]
    if not concerned:
        return
    gone = [held.row for held in (*objects.deleted.values(), *concerned) if held.row is not None]
    without = {row.key for row in gone if row.entity is FeatureFeatureLink}
    features = {row.key[0] for row in gone if row.entity is Feature}
    stored: list[Any] = list(objects.view.table(root_of("FeatureFeatureLink")).rows)
    check_parts(
        [one for one in stored if one not in without and not features.intersection(one[:2])],
        [held.entity for held in concerned],
    )


def _follow(objects: Objects, held: Held, path: list[str]) -> None:
    for name in path:
        link = held.entity.__entity__.links[name]
        mine = held.entity.__dict__
        if name not in mine:
            found = objects.linked(link, mine[str(link.via)], flush=False)
            if found is not None:
                held.found(link, found)
        target = mine.get(name)
        known = None if target is None else held_of(target)
        if known is None:
            return
        held = known
        _settle(objects, held)


def _settle(objects: Objects, held: Held) -> bool:
    """Let the links of an object and the ids behind them say the same.

    Returns:
        whether the object is new, or one of its links was changed.
    """
    changed = held.row is None
    for link in held.info.to_one:
        changed = agree_for_rules(objects, held, link) or changed
    return changed
