"""Tagging things that are told by their ids: whole sets of rows, without objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.tag import Tag
from eyened_domain.model.values import shown
from eyened_domain.services.row_shapes import none_with_ids
from eyened_domain.services.sought_values import converted, listed
from eyened_domain.services.tagging.events import ManyUntagged
from eyened_domain.services.tagging.kinds import Taggable
from eyened_domain.services.unit_of_work import UnitOfWork

Pairs = list[tuple[int, int]]
"""Ids of tags, and ids of things."""


def ids_in(kind: Taggable, ids: Iterable[int]) -> list[int]:
    """Return ids as the column holds them, each once.

    Raises:
        BadInput: one cannot be an id.
    """
    info = kind.entity.__entity__
    given = listed(info, ids, "ids")
    for one in given:
        if isinstance(one, bool | str):
            raise BadInput(
                f"{info.name}.{kind.key}: a whole number is needed, not {shown(one)}",
                entity=info.name,
                field=kind.key,
                value=shown(one),
            )
    return list(dict.fromkeys(converted(info, kind.key, one, stored=True) for one in given))


def check_there(uow: UnitOfWork, kind: Taggable, ids: list[int]) -> None:
    """Raise `NotFound` unless things with these ids are stored; the message names the missing."""
    found = {row[0] for row in uow.rows.find(kind.entity, kind.key, ids, [kind.key])}
    missing = [one for one in ids if one not in found]
    if missing:
        raise none_with_ids(kind.entity, kind.key, missing, len(ids), "; nothing was tagged")


def linked(uow: UnitOfWork, kind: Taggable, tags: Iterable[Tag], ids: list[int]) -> Pairs:
    """Return which of these things have which of these tags."""
    wanted = [tag.tag_id for tag in tags]
    if not wanted:
        return []
    rows = uow.rows.find(kind.link, kind.key, ids, ["tag_id", kind.key], tag_id=wanted)
    return [(tag_id, identity) for tag_id, identity in rows]


def link_ids(
    uow: UnitOfWork, kind: Taggable, tag: Tag, ids: list[int], beside: dict[str, Any]
) -> None:
    """Put a tag on things that have not got it; `beside` is what a link holds besides the two."""
    rows = [{"tag_id": tag.tag_id, kind.key: identity, **beside} for identity in ids]
    uow.rows.insert_links(kind.link, rows)


def unlink_ids(uow: UnitOfWork, kind: Taggable, tags: Iterable[Tag], ids: list[int]) -> Pairs:
    """Take tags off things; return which things had which tags."""
    gone = linked(uow, kind, tags, ids)
    for tag in tags:
        those = tuple(identity for tag_id, identity in gone if tag_id == tag.tag_id)
        if those:
            uow.rows.delete_links(kind.link, kind.key, those, tag_id=tag.tag_id)
    return gone


def note_untagged(uow: UnitOfWork, kind: Taggable, tags: Iterable[Tag], gone: Pairs) -> None:
    """Record the events of things whose tags were taken off."""
    for tag in tags:
        ids = tuple(identity for tag_id, identity in gone if tag_id == tag.tag_id)
        if ids:
            uow.record(ManyUntagged(kind.entity, ids, tag.tag_name))
