"""What is left out of finders, lists and frames unless it is asked for.

Images, segmentations, annotations and forms have a flag, ``inactive``: it alone says of them
whether they are. What has no flag, and is deleted along with something that has one, is left out
with that: tags on an inactive image, its links to subtasks, its attribute values, the
segmentations that models made of it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.model.fields import LinkInfo
from eyened_domain.services.column_paths import path_of

INACTIVE = "inactive"
"""The column that says that an object is inactive."""


@cache
def flags_of(entity: type[Entity]) -> tuple[str, ...]:
    """Return the flags that leave an object out, as paths (`services.column_paths`).

    ``("inactive",)`` of an image, ``("image_instance_id.inactive",)`` of a tag on one; none where
    objects are never left out. A row that only stands between two others is never left out by
    itself.
    """
    return _flags(entity, frozenset())


@cache
def flags_in(link: LinkInfo) -> tuple[str, ...]:
    """Return the flags that leave an object out of a list.

    Nothing is left out with the owner of the list: the tags on an inactive image are in its list.
    Nor is it where a list leads through a table between: what a value was computed from stays
    told.
    """
    if not link.many or link.through:
        return ()
    target = entity_class(link.target)
    via = target.__entity__.links[str(link.back)].via
    flags = flags_of(target)
    return () if any(flag.startswith(f"{via}.") for flag in flags) else flags


@cache
def tells_of(link: LinkInfo, entity: type[Entity]) -> bool:
    """Return whether what a list leaves out depends on the flag of an entity."""
    target = entity_class(link.target)
    return any(path_of(target, flag).owner is entity for flag in flags_in(link))


def includes_inactive(source: Any, asked: bool | None) -> bool:
    """Return whether inactive things are asked for.

    Args:
        source: a unit of work or a session, which says so where nothing else is said.
        asked: what the call says; None if nothing.
    """
    return bool(getattr(source, "include_inactive", False)) if asked is None else asked


def _flags(entity: type[Entity], below: frozenset[str]) -> tuple[str, ...]:
    """Return the flags of an entity; `below` are those that it was reached from."""
    info = entity.__entity__
    if INACTIVE in info.columns:
        return (INACTIVE,)
    if info.name in _between() | below:
        return ()
    return tuple(
        f"{column.name}.{flag}"
        for column in info.foreign_keys
        if column.on_delete == "CASCADE"
        for flag in _flags(entity_class(str(column.references)), below | {info.name})
    )


@cache
def _between() -> frozenset[str]:
    """Return the names of the entities that many-to-many links lead through."""
    links = (link for entity in entity_classes() for link in entity.__entity__.through)
    return frozenset(link.through[0] for link in links if link.through)
