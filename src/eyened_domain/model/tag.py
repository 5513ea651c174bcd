"""Tags and what they are put on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from eyened_domain.errors import RuleBroken
from eyened_domain.model.database_names.tag import (
    AnnotationTagLinkNames,
    CreatorTagLinkNames,
    FormAnnotationTagLinkNames,
    ImageInstanceTagLinkNames,
    SegmentationTagLinkNames,
    StudyTagLinkNames,
    TagNames,
)
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import TagType
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.values import Moment, Text, shown

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.segmentation import Segmentation
    from eyened_domain.model.study import Study


@entity(unique=(("tag_name", "tag_type"),), name="tag_name", repository="tags")
class Tag(TagNames, Entity):
    """A word that people put on studies, images, segmentations, annotations and forms."""

    tag_id: Column[int] = key("TagID", default=None)
    tag_name: Column[str] = column("TagName", Text(256))
    tag_type: EnumColumn[TagType] = choice("TagType", TagType)
    tag_description: Column[str] = column("TagDescription", Text(256), default="")
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    creator_tag_links: Many[CreatorTagLink] = many(
        "CreatorTagLinks", "CreatorTagLink", back="tag", default=None
    )
    study_tag_links: Many[StudyTagLink] = many(
        "StudyTagLinks", "StudyTagLink", back="tag", default=None
    )
    image_instance_tag_links: Many[ImageInstanceTagLink] = many(
        "ImageInstanceTagLinks", "ImageInstanceTagLink", back="tag", default=None
    )
    annotation_tag_links: Many[AnnotationTagLink] = many(
        "AnnotationTagLinks", "AnnotationTagLink", back="tag", default=None
    )
    segmentation_tag_links: Many[SegmentationTagLink] = many(
        "SegmentationTagLinks", "SegmentationTagLink", back="tag", default=None
    )
    form_annotation_tag_links: Many[FormAnnotationTagLink] = many(
        "FormAnnotationTagLinks", "FormAnnotationTagLink", back="tag", default=None
    )
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", back="tags", default=None)

    def may_be_put_on(self, target: Entity) -> bool:
        """Whether the tag is for things of that kind: a study, an image, and so on."""
        return type(target).__name__ == self.tag_type.name


class OnlyForItsType:
    """A link of a tag to what it is put on: the tag must be of that type."""

    tag_type_needed: ClassVar[TagType]
    rules_read: ClassVar[tuple[str, ...]] = ("tag",)
    checked_when_linked: ClassVar[bool] = True

    def check_rules(self) -> None:
        """Raise `RuleBroken` when the tag, as far as loaded, is for other things."""
        tag: Tag | None = self.__dict__.get("tag")
        found = None if tag is None else tag.__dict__.get("tag_type")
        if tag is not None and found is not None and found is not self.tag_type_needed:
            raise RuleBroken(
                f"the tag {shown(tag.__dict__.get('tag_name'))} is for {found.name}, it cannot be "
                f"put on {self.tag_type_needed.name}",
                entity=type(self).__name__,
                field="tag",
                value=found,
            )


@entity(table="CreatorTag", repository="starred_tags")
class CreatorTagLink(CreatorTagLinkNames, Entity):
    """A tag that a creator has starred (table `CreatorTag`)."""

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key(
        "CreatorID", "Creator", default=None, primary_key=True, on_delete="CASCADE"
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="creator_tag_links", default=None)
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="starred_tags", default=None
    )


@entity(table="StudyTag", repository="study_tags")
class StudyTagLink(OnlyForItsType, StudyTagLinkNames, Entity):
    """A tag on a study, with who put it there (table `StudyTag`)."""

    tag_type_needed = TagType.Study

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    study_id: Column[int] = foreign_key(
        "StudyID", "Study", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    comment: Column[str | None] = column("Comment", Text(256), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="study_tag_links", default=None)
    study: One[Study] = one("Study", "Study", via="study_id", back="study_tag_links", default=None)
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)


@entity(table="ImageInstanceTag", repository="image_tags")
class ImageInstanceTagLink(OnlyForItsType, ImageInstanceTagLinkNames, Entity):
    """A tag on an image, with who put it there (table `ImageInstanceTag`)."""

    tag_type_needed = TagType.ImageInstance

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    image_instance_id: Column[int] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    comment: Column[str | None] = column("Comment", Text(256), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="image_instance_tag_links", default=None)
    image_instance: One[ImageInstance] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="image_instance_tag_links",
        default=None,
    )
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)


@entity(table="AnnotationTag", repository="annotation_tags")
class AnnotationTagLink(OnlyForItsType, AnnotationTagLinkNames, Entity):
    """A tag on a legacy annotation, with who put it there (table `AnnotationTag`)."""

    tag_type_needed = TagType.Annotation

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    annotation_id: Column[int] = foreign_key(
        "AnnotationID", "Annotation", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="annotation_tag_links", default=None)
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)


@entity(table="SegmentationTag", repository="segmentation_tags")
class SegmentationTagLink(OnlyForItsType, SegmentationTagLinkNames, Entity):
    """A tag on a segmentation, with who put it there (table `SegmentationTag`)."""

    tag_type_needed = TagType.Segmentation

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    segmentation_id: Column[int] = foreign_key(
        "SegmentationID", "Segmentation", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    comment: Column[str | None] = column("Comment", Text(256), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="segmentation_tag_links", default=None)
    segmentation: One[Segmentation] = one(
        "Segmentation",
        "Segmentation",
        via="segmentation_id",
        back="segmentation_tag_links",
        default=None,
    )
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)


@entity(table="FormAnnotationTag", repository="form_tags")
class FormAnnotationTagLink(OnlyForItsType, FormAnnotationTagLinkNames, Entity):
    """A tag on a filled-in form, with who put it there (table `FormAnnotationTag`)."""

    tag_type_needed = TagType.FormAnnotation

    tag_id: Column[int] = foreign_key(
        "TagID", "Tag", default=None, primary_key=True, on_delete="CASCADE"
    )
    form_annotation_id: Column[int] = foreign_key(
        "FormAnnotationID", "FormAnnotation", default=None, primary_key=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    comment: Column[str | None] = column("Comment", Text(256), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tag: One[Tag] = one("Tag", "Tag", via="tag_id", back="form_annotation_tag_links", default=None)
    form_annotation: One[FormAnnotation] = one(
        "FormAnnotation",
        "FormAnnotation",
        via="form_annotation_id",
        back="form_annotation_tag_links",
        default=None,
    )
    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)
