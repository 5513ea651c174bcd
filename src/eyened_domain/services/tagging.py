"""Putting tags on studies, images, segmentations, annotations and forms."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from eyened_domain.errors import RuleBroken
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
from eyened_domain.services.ports import Event, UnitOfWork


@frozen
class _Taggable:
    """How one kind of entity is tagged."""

    tag_type: TagType
    link: type[Any]
    field: str


_TAGGABLE: dict[type[Entity], _Taggable] = {
    Study: _Taggable(TagType.Study, StudyTagLink, "study"),
    ImageInstance: _Taggable(TagType.ImageInstance, ImageInstanceTagLink, "image_instance"),
    Annotation: _Taggable(TagType.Annotation, AnnotationTagLink, "annotation"),
    Segmentation: _Taggable(TagType.Segmentation, SegmentationTagLink, "segmentation"),
    FormAnnotation: _Taggable(TagType.FormAnnotation, FormAnnotationTagLink, "form_annotation"),
}


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


class Tagging:
    """Puts tags on things and takes them off."""

    def tag(
        self, uow: UnitOfWork, target: Entity, name: str, *, by: Creator, comment: str | None = None
    ) -> Any:
        """Put a tag on something; the tag is made when there is none of that name and type.

        Putting the same tag on again changes nothing.

        Args:
            uow: an open unit of work; the caller commits.
            target: a study, image, segmentation, annotation or form.
            name: the name of the tag.
            by: who puts it there.
            comment: a remark, where the target's tags have one.

        Returns:
            the link between the tag and the target.

        Raises:
            RuleBroken: things of that kind take no tags, or no remarks.
        """
        kind = _kind_of(target)
        if comment is not None and "comment" not in kind.link.__entity__.columns:
            raise RuleBroken(f"a tag on a {type(target).__name__} takes no comment")
        tag = uow.repository(Tag).one(tag_name=name, tag_type=kind.tag_type, default=None)
        if tag is None:  # so that nothing has it yet
            tag = uow.repository(Tag).add(Tag(tag_name=name, tag_type=kind.tag_type, creator=by))
        elif (found := self._link(uow, kind, tag, target)) is not None:
            return found
        remark = {} if comment is None else {"comment": comment}
        made = kind.link(tag=tag, creator=by, **{kind.field: target}, **remark)
        uow.repository(kind.link).add(made)
        uow.record(Tagged(target, name, by))
        return made

    def untag(self, uow: UnitOfWork, target: Entity, name: str) -> bool:
        """Take a tag off something.

        Returns:
            whether it was there.
        """
        kind = _kind_of(target)
        tag = uow.repository(Tag).one(tag_name=name, tag_type=kind.tag_type, default=None)
        found = self._link(uow, kind, tag, target) if tag is not None else None
        if found is None:
            return False
        uow.repository(kind.link).delete(found)
        uow.record(Untagged(target, name))
        return True

    def _link(self, uow: UnitOfWork, kind: _Taggable, tag: Tag, target: Entity) -> Any:
        uow.flush()
        return uow.repository(kind.link).one(**{"tag": tag, kind.field: target}, default=None)


def _kind_of(target: Entity) -> _Taggable:
    kind = _TAGGABLE.get(type(target))
    if kind is None:
        known = ", ".join(entity.__name__ for entity in _TAGGABLE)
        raise RuleBroken(f"a {type(target).__name__} takes no tags; these do: {known}")
    return kind
