"""The five kinds of things that take tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.annotation import Annotation
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.model.enums import TagType
from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.model.study import Study
from eyened_domain.model.tag import (
    AnnotationTagLink,
    FormAnnotationTagLink,
    ImageInstanceTagLink,
    SegmentationTagLink,
    StudyTagLink,
    Tag,
)
from eyened_domain.model.values import shown
from eyened_domain.services.inactive import flags_of
from eyened_domain.services.sought_values import converted, listed

Kind = type[Entity] | TagType | str
"""Says which things are meant: their class, the type of their tags, or the name of either."""


@frozen
class Taggable:
    """How one kind of entity is tagged."""

    entity: type[Entity]
    tag_type: TagType
    link: type[Any]
    """The class of the links between tags and things of the kind."""
    field: str
    tag_list: str
    """The list of these links on a tag."""

    @property
    def key(self) -> str:
        """The column with the thing's id, of the link and of the thing."""
        return f"{self.field}_id"

    @property
    def takes_comments(self) -> bool:
        """Whether a tag on such a thing may have a remark."""
        return "comment" in self.link.__entity__.columns

    @property
    def active(self) -> dict[str, bool]:
        """What a link must lead to that is on nothing inactive."""
        link: type[Entity] = self.link
        return dict.fromkeys(flags_of(link), False)

    def put(self, tag: Tag, target: Entity, by: Creator, comment: str | None) -> Any:
        """Return a new link."""
        remark = {} if comment is None else {"comment": comment}
        return self.link(tag=tag, creator=by, **{self.field: target}, **remark)

    def beside(self, by: Creator, comment: str | None) -> dict[str, Any]:
        """Return what the row of a link holds besides the tag and the thing."""
        remark = {"comment": comment} if self.takes_comments else {}
        return {"creator_id": by.creator_id, **remark}

    def checked_comment(self, comment: str | None) -> str | None:
        """Return a remark as the column holds it.

        Raises:
            RuleBroken: things of the kind take no remarks.
            BadInput: it is no text, or too long.
        """
        if comment is None:
            return None
        if not self.takes_comments:
            raise RuleBroken(f"a tag on a {self.entity.__name__} takes no comment")
        text: str = converted(self.link.__entity__, "comment", comment, stored=True)
        return text


def _taggable(entity: type[Entity], link: type[Entity], field: str) -> Taggable:
    tag_list = f"{field}_tag_links"
    return Taggable(entity, TagType[entity.__name__], link, field, tag_list)


KINDS: tuple[Taggable, ...] = (
    _taggable(Study, StudyTagLink, "study"),
    _taggable(ImageInstance, ImageInstanceTagLink, "image_instance"),
    _taggable(Annotation, AnnotationTagLink, "annotation"),
    _taggable(Segmentation, SegmentationTagLink, "segmentation"),
    _taggable(FormAnnotation, FormAnnotationTagLink, "form_annotation"),
)

_BY_CLASS = {kind.entity: kind for kind in KINDS}


def kind_of(target: object) -> Taggable:
    """Return how a thing is tagged.

    Raises:
        RuleBroken: it takes no tags.
    """
    kind = _BY_CLASS.get(type(target))  # type: ignore[arg-type]
    if kind is None:
        raise RuleBroken(f"a {type(target).__name__} takes no tags; these do: {_known()}")
    return kind


def kinds_of(targets: Iterable[Entity]) -> dict[Entity, Taggable]:
    """Return how each of several things is tagged.

    Raises:
        RuleBroken: one of them takes no tags.
        BadInput: they are no list.
    """
    return {target: kind_of(target) for target in listed(Tag.__entity__, targets, "things")}


def kind_named(kind: Kind) -> Taggable:
    """Return how the things are tagged that a class, a type of tags or a name tells.

    Raises:
        BadInput: it tells none.
    """
    for one in KINDS:
        if kind in (one.entity, one.tag_type, one.tag_type.name):
            return one
    raise BadInput(f"{shown(kind)} takes no tags; these do: {_known()}", entity="Tag")


def _known() -> str:
    return ", ".join(kind.entity.__name__ for kind in KINDS)
