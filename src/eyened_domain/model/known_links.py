"""What an object points at, as far as it is known without asking the storage.

Rules look at what is in memory. Before an object is stored, the storage puts in view what
its rules read (`Entity.rules_read`), where that is known by its id only. Elsewhere a link
can be known as an object, as an id, as both, or, right after one of the two was changed, as
two that contradict each other; then the storage decides, and no rule judges.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import frozen

from eyened_domain.model.entity import Entity, entity_class


@frozen
class Target:
    """What a link leads to: the object, its id, both, or (both None) not known."""

    target: Entity | None
    identity: int | None

    def differs_from(self, other: Target) -> bool:
        """Whether it is certain that the two are not the same."""
        if self.identity is not None and other.identity is not None:
            return self.identity != other.identity
        if self.target is None or other.target is None:
            return self._is_new() != other._is_new() and UNKNOWN not in (self, other)
        return self.target is not other.target

    def _is_new(self) -> bool:
        """Whether it is an object without an id, which nothing that has one can be."""
        return self.target is not None and self.identity is None

    def __str__(self) -> str:
        return "not stored yet" if self.identity is None else str(self.identity)


UNKNOWN = Target(None, None)


def loaded(owner: Entity | None, name: str) -> Any:
    """Return what a link or a column holds if that is in memory; otherwise None."""
    return None if owner is None else owner.__dict__.get(name)


def target_of(owner: Entity | None, link: str) -> Target:
    """Return what is known of where a link to one leads, without loading anything."""
    if owner is None:
        return UNKNOWN
    info = owner.__entity__.links[link]
    identity = owner.__dict__.get(str(info.via))
    target = owner.__dict__.get(link)
    if target is None:
        cleared = link in owner.__dict__
        return UNKNOWN if cleared else Target(None, identity)
    own = target.__dict__.get(entity_class(info.target).__entity__.primary_key[0])
    if identity is not None and own is not None and identity != own:
        return UNKNOWN
    return Target(target, own)


class Certainty(Enum):
    """How sure it is that a link leads somewhere."""

    NO = 0
    MAYBE = 1
    """The object and the id contradict each other: one was changed, and it is unknown which."""
    YES = 2


def is_set(owner: Entity, link: str, *, new: bool) -> Certainty:
    """Return whether a link to one leads somewhere, without loading anything.

    Args:
        owner: the object with the link.
        link: its name.
        new: whether the owner was never stored, so that an object without its id is not one
            whose id was taken away.
    """
    identity = owner.__dict__.get(str(owner.__entity__.links[link].via))
    target = owner.__dict__.get(link)
    if target is None:
        if identity is None:
            return Certainty.NO
        return Certainty.MAYBE if link in owner.__dict__ else Certainty.YES
    if identity is None and not new and target_of(owner, link).identity is not None:
        return Certainty.MAYBE
    return Certainty.YES
