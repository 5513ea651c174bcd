"""What is published when something was tagged."""

from __future__ import annotations

from attrs import frozen

from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.services.events import Event


@frozen
class Tagged(Event):
    """A tag was put on something."""

    target: Entity
    tag_name: str
    by: Creator


@frozen
class Untagged(Event):
    """A tag was taken off something."""

    target: Entity
    tag_name: str


@frozen
class ManyTagged(Event):
    """A tag was put on things that were told by their ids."""

    entity: type[Entity]
    ids: tuple[int, ...]
    """Of those that did not have it."""
    tag_name: str
    by: Creator


@frozen
class ManyUntagged(Event):
    """A tag was taken off things that were told by their ids."""

    entity: type[Entity]
    ids: tuple[int, ...]
    """Of those that had it."""
    tag_name: str
