"""The fields of `model.tag` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class TagNames:
    """The fields of `Tag` under their second names."""

    TagID: Column[int]
    TagName: Column[str]
    TagType: EnumColumn[model.TagType]
    TagDescription: Column[str]
    CreatorID: Column[int]
    DateInserted: DateColumn[datetime]
    CreatorTagLinks: Many[model.CreatorTagLink]
    StudyTagLinks: Many[model.StudyTagLink]
    ImageInstanceTagLinks: Many[model.ImageInstanceTagLink]
    AnnotationTagLinks: Many[model.AnnotationTagLink]
    SegmentationTagLinks: Many[model.SegmentationTagLink]
    FormAnnotationTagLinks: Many[model.FormAnnotationTagLink]
    Creator: One[model.Creator]


class CreatorTagLinkNames:
    """The fields of `CreatorTagLink` under their second names."""

    TagID: Column[int]
    CreatorID: Column[int]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    Creator: One[model.Creator]


class StudyTagLinkNames:
    """The fields of `StudyTagLink` under their second names."""

    TagID: Column[int]
    StudyID: Column[int]
    CreatorID: Column[int]
    Comment: Column[str | None]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    Study: One[model.Study]
    Creator: One[model.Creator]


class ImageInstanceTagLinkNames:
    """The fields of `ImageInstanceTagLink` under their second names."""

    TagID: Column[int]
    ImageInstanceID: Column[int]
    CreatorID: Column[int]
    Comment: Column[str | None]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    ImageInstance: One[model.ImageInstance]
    Creator: One[model.Creator]


class AnnotationTagLinkNames:
    """The fields of `AnnotationTagLink` under their second names."""

    TagID: Column[int]
    AnnotationID: Column[int]
    CreatorID: Column[int]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    Creator: One[model.Creator]


class SegmentationTagLinkNames:
    """The fields of `SegmentationTagLink` under their second names."""

    TagID: Column[int]
    SegmentationID: Column[int]
    CreatorID: Column[int]
    Comment: Column[str | None]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    Segmentation: One[model.Segmentation]
    Creator: One[model.Creator]


class FormAnnotationTagLinkNames:
    """The fields of `FormAnnotationTagLink` under their second names."""

    TagID: Column[int]
    FormAnnotationID: Column[int]
    CreatorID: Column[int]
    Comment: Column[str | None]
    DateInserted: DateColumn[datetime]
    Tag: One[model.Tag]
    FormAnnotation: One[model.FormAnnotation]
    Creator: One[model.Creator]
