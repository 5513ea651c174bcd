"""Putting tags on studies, images, segmentations, annotations and forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from eyened_domain.errors import RuleBroken
from eyened_domain.model.annotation import Annotation
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.model.enums import TagType
from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
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
from eyened_domain.services.events import Event
from eyened_domain.services.unit_of_work import UnitOfWork

_CHUNK = 10_000


@frozen
class _Taggable:
    """How one kind of entity is tagged."""

    tag_type: TagType
    link: type[Any]
    field: str

    @property
    def key(self) -> str:
        """The column with the target's id, of the link and of the target."""
        return f"{self.field}_id"

    def put(self, tag: Tag, target: Entity, by: Creator, comment: str | None) -> Any:
        """Return a new link."""
        remark = {} if comment is None else {"comment": comment}
        return self.link(tag=tag, creator=by, **{self.field: target}, **remark)


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
        (link,) = self.tag_all(uow, [target], [name], by=by, comment=comment)
        return link

    def tag_all(
        self,
        uow: UnitOfWork,
        targets: Iterable[Entity],
        names: str | Iterable[str],
        *,
        by: Creator,
        comment: str | None = None,
    ) -> list[Any]:
        """Put one tag or several on each of many things; see `tag`.

        All tags are looked up together, and so are the links that are there already: two
        statements for things of one kind, and one more for every ten thousand of them.

        Args:
            uow: an open unit of work; the caller commits.
            targets: studies, images, segmentations, annotations or forms.
            names: the name of a tag, or several names.
            by: who puts them there.
            comment: a remark on each new link, where the targets' tags have one.

        Returns:
            the links, those of the first thing first.

        Raises:
            RuleBroken: things of one of the kinds take no tags, or no remarks; nothing was
                tagged then.
        """
        wanted = {_folded(name): name for name in ([names] if isinstance(names, str) else names)}
        kinds = {target: _kind_for(target, comment) for target in targets}
        links: dict[tuple[Entity, str], Any] = {}
        for kind in dict.fromkeys(kinds.values()) if wanted else ():
            some = [target for target, its_kind in kinds.items() if its_kind is kind]
            tags = self._tags(uow, kind, wanted)
            there = self._links(uow, kind, tags.values(), some) if tags else {}
            for folded, name in wanted.items():
                if folded not in tags:  # so that nothing has it yet
                    new = Tag(tag_name=name, tag_type=kind.tag_type, creator=by)
                    tags[folded] = uow.repository(Tag).add(new)
            pairs = [(target, folded) for target in some for folded in wanted]
            links |= {(one, name): there.get((tags[name], one)) for one, name in pairs}
            made = {
                (target, folded): kind.put(tags[folded], target, by, comment)
                for target, folded in pairs
                if links[target, folded] is None
            }
            uow.repository(kind.link).add_all(made.values())
            for target, folded in made:
                uow.record(Tagged(target, wanted[folded], by))
            links |= made
        return [links[target, folded] for target in kinds for folded in wanted]

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
        return self._links(uow, kind, [tag], [target]).get((tag, target))

    def _tags(self, uow: UnitOfWork, kind: _Taggable, wanted: Mapping[str, str]) -> dict[str, Tag]:
        """Return the tags that are there, by folded name."""
        tags = uow.repository(Tag)
        found: dict[str, Tag] = {}
        if len(wanted) > 1:
            there = tags.where(tag_name=list(wanted.values()), tag_type=kind.tag_type)
            found = {fold(tag.tag_name): tag for tag in there}
            if found.keys() <= wanted.keys():
                return found
        # One at a time, too, where a collation has more letters alike than `fold` knows of.
        for folded in wanted.keys() - found.keys():
            tag = tags.one(tag_name=wanted[folded], tag_type=kind.tag_type, default=None)
            if tag is not None:
                found[folded] = tag
        return found

    def _links(
        self, uow: UnitOfWork, kind: _Taggable, tags: Iterable[Tag], targets: Sequence[Entity]
    ) -> dict[tuple[Tag, Entity], Any]:
        """Return the links that are there, by tag and target."""
        uow.flush()
        tag_of = {tag.tag_id: tag for tag in tags}
        target_of = {getattr(target, kind.key): target for target in targets}
        ids = [one for one in target_of if one is not None]
        return {
            (tag_of[link.tag_id], target_of[getattr(link, kind.key)]): link
            for start in range(0, len(ids), _CHUNK)
            for link in uow.repository(kind.link).where(
                **{"tag_id": list(tag_of), kind.key: ids[start : start + _CHUNK]}
            )
        }


def _folded(name: Any) -> str:
    return fold(name) if isinstance(name, str) else repr(name)  # what is no name is refused later


def _kind_for(target: Entity, comment: str | None) -> _Taggable:
    kind = _kind_of(target)
    if comment is not None and "comment" not in kind.link.__entity__.columns:
        raise RuleBroken(f"a tag on a {type(target).__name__} takes no comment")
    return kind


def _kind_of(target: Entity) -> _Taggable:
    kind = _TAGGABLE.get(type(target))
    if kind is None:
        known = ", ".join(entity.__name__ for entity in _TAGGABLE)
        raise RuleBroken(f"a {type(target).__name__} takes no tags; these do: {known}")
    return kind
