"""Which tags there are, and who put them on what, and when."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import TagType
from eyened_domain.model.tag import Tag
from eyened_domain.model.values import Kind as ValueKind
from eyened_domain.model.values import Text
from eyened_domain.services.data_frames import make_frame
from eyened_domain.services.tagging.kinds import KINDS, Taggable
from eyened_domain.services.tagging.wanted import Wanted, tags_named
from eyened_domain.services.unit_of_work import UnitOfWork

_SHOWN = ("tag_id", "tag_name", "tag_type", "tag_description", "creator.creator_name")


@frozen
class TagUse:
    """A tag, and how often it is used."""

    tag_id: int
    tag_name: str
    tag_type: TagType
    tag_description: str
    creator_name: str
    """Who made the tag."""
    count: int
    """On how many things it is."""
    stars: int
    """How many people have starred it."""


def uses(uow: UnitOfWork, kind: Taggable | None, *, include_inactive: bool) -> list[TagUse]:
    """Return the tags of a kind, or all, with their counts, in one statement."""
    kinds = KINDS if kind is None else (kind,)
    lists: dict[str, dict[str, Any]] = {
        one.tag_list: {} if include_inactive else one.active for one in kinds
    }
    equals = {} if kind is None else {"tag_type": kind.tag_type}
    rows = uow.rows.counted(Tag, _SHOWN, {**lists, "creator_tag_links": {}}, **equals)
    width = len(_SHOWN)
    return [TagUse(*(*row[:width], sum(row[width:-1]), row[-1])) for row in rows]


def frame_of(
    uow: UnitOfWork, kind: Taggable, wanted: Wanted | None, *, include_inactive: bool, backend: str
) -> Any:
    """Return who put which tag on which things of a kind, and when, as a DataFrame."""
    remark = ["comment"] if kind.takes_comments else []
    asked = ["tag.tag_name", kind.key, "creator.creator_name", "date_inserted", *remark]
    by: str
    values: list[Any]
    if wanted is None:
        by, values = "tag.tag_type", [kind.tag_type]
    else:
        by, values = "tag_id", [tag.tag_id for tag in tags_named(uow, kind, wanted)]
    equals = {} if include_inactive else kind.active
    rows = uow.rows.find(kind.link, by, values, asked, **equals)
    rows.sort(key=lambda row: (row[3], row[0], row[1]))
    names = ("tag_name", kind.key, "creator_name", "date_inserted", *remark)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    columns.setdefault("comment", [None] * len(rows))
    return make_frame(columns, _kinds(kind), backend=backend)


def _kinds(kind: Taggable) -> dict[str, ValueKind]:
    links = kind.link.__entity__.columns
    return {
        "tag_name": Tag.__entity__.columns["tag_name"].kind,
        kind.key: links[kind.key].kind,
        "creator_name": Creator.__entity__.columns["creator_name"].kind,
        "date_inserted": links["date_inserted"].kind,
        "comment": Text(256),
    }
