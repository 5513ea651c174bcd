"""Features that segmentations show, and composites of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    Many,
    One,
    column,
    foreign_key,
    key,
    key_part,
    many,
    one,
)
from eyened_domain.model.values import Integer, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.computation import SegmentationModel
    from eyened_domain.model.segmentation import Segmentation


@entity(unique=(("feature_name",),), name="feature_name")
class Feature(Entity):
    """What a segmentation shows: vessels, optic disc, drusen; or a composite of others."""

    feature_id: Column[int] = key("FeatureID", default=None)
    feature_name: Column[str] = column("FeatureName", Text(60))
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    segmentations: Many[Segmentation] = many(
        "Segmentations", "Segmentation", back="feature", default=None
    )
    segmentation_models: Many[SegmentationModel] = many(
        "SegmentationModels", "SegmentationModel", back="feature", default=None
    )
    feature_associations: Many[FeatureFeatureLink] = many(
        "FeatureAssociations", "FeatureFeatureLink", back="feature", default=None
    )
    child_feature_associations: Many[FeatureFeatureLink] = many(
        "ChildFeatureAssociations", "FeatureFeatureLink", back="child", default=None
    )


@entity()
class FeatureFeatureLink(Entity):
    """A feature's place in a composite feature (table `CompositeFeature`)."""

    parent_feature_id: Column[int] = foreign_key(
        "ParentFeatureID", "Feature", default=None, primary_key=True, on_delete="CASCADE"
    )
    child_feature_id: Column[int] = foreign_key(
        "ChildFeatureID", "Feature", default=None, primary_key=True, on_delete="RESTRICT"
    )
    feature_index: Column[int] = key_part("FeatureIndex", Integer())

    feature: One[Feature] = one(
        "Feature", "Feature", via="parent_feature_id", back="feature_associations", default=None
    )
    child: One[Feature] = one(
        "Child", "Feature", via="child_feature_id", back="child_feature_associations", default=None
    )
