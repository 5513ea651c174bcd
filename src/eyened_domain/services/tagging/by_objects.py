"""Tagging things that are at hand as objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.model.tag import Tag
from eyened_domain.services.tagging.events import Tagged
from eyened_domain.services.tagging.kinds import Taggable
from eyened_domain.services.tagging.wanted import Wanted, add_missing, tags_there
from eyened_domain.services.unit_of_work import UnitOfWork

_CHUNK = 10_000
_MANY = 100
"""New links from here on are inserted as rows."""


@frozen
class Asked:
    """What is to be put on things."""

    wanted: Wanted
    by: Creator
    comment: str | None


def put_on(
    uow: UnitOfWork, kind: Taggable, targets: Sequence[Entity], asked: Asked
) -> dict[tuple[Entity, str], Any]:
    """Return the links between things of one kind and tags, by thing and folded name."""
    uow.flush()
    there = tags_there(uow, kind, asked.wanted)
    has = _links(uow, kind, there.values(), targets) if there else {}
    tags = add_missing(uow, kind, asked.wanted, there, asked.by)
    pairs = [(target, folded) for target in targets for folded in tags]
    missing = [pair for pair in pairs if (tags[pair[1]], pair[0]) not in has]
    if len(missing) >= _MANY or kind.field not in kind.link.__entity__.links:
        _insert(uow, kind, [(tags[folded], target) for target, folded in missing], asked)
        has = _links(uow, kind, tags.values(), targets)
        made = {}
    else:
        made = {
            (target, folded): kind.put(tags[folded], target, asked.by, asked.comment)
            for target, folded in missing
        }
        uow.repository(kind.link).add_all(made.values())
    for target, folded in missing:
        uow.record(Tagged(target, asked.wanted[folded], asked.by))
    return {(target, folded): has.get((tags[folded], target)) for target, folded in pairs} | made


def _insert(
    uow: UnitOfWork, kind: Taggable, missing: Sequence[tuple[Tag, Entity]], asked: Asked
) -> None:
    """Insert links as rows: a tenth of the time that objects take."""
    uow.repository(kind.entity).add_all(target for _, target in missing)
    uow.flush()
    beside = kind.beside(asked.by, asked.comment)
    uow.rows.insert_links(
        kind.link,
        [
            {"tag_id": tag.tag_id, kind.key: getattr(target, kind.key), **beside}
            for tag, target in missing
        ],
    )


def link_of(uow: UnitOfWork, kind: Taggable, target: Entity, wanted: Wanted) -> Any:
    """Return the link between a thing and a tag; None where there is none."""
    uow.flush()
    (tag,) = tags_there(uow, kind, wanted).values() or (None,)
    return None if tag is None else _links(uow, kind, [tag], [target]).get((tag, target))


def _links(
    uow: UnitOfWork, kind: Taggable, tags: Iterable[Tag], targets: Sequence[Entity]
) -> Mapping[tuple[Tag, Entity], Any]:
    """Return the links that are there, by tag and target."""
    tag_of = {tag.tag_id: tag for tag in tags}
    target_of = {getattr(target, kind.key): target for target in targets}
    ids = [one for one in target_of if one is not None]
    wanted: list[dict[str, Any]] = [
        {"tag_id": list(tag_of), kind.key: ids[start : start + _CHUNK]}
        for start in range(0, len(ids), _CHUNK)
    ]
    return {
        (tag_of[link.tag_id], target_of[getattr(link, kind.key)]): link
        for one in wanted
        for link in uow.repository(kind.link).where(include_inactive=True, **one)
    }
