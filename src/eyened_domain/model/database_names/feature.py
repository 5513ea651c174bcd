"""The fields of `model.feature` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, Many, One


class FeatureNames:
    """The fields of `Feature` under their second names."""

    FeatureID: Column[int]
    FeatureName: Column[str]
    DateInserted: DateColumn[datetime]
    Segmentations: Many[model.Segmentation]
    SegmentationModels: Many[model.SegmentationModel]
    FeatureAssociations: Many[model.FeatureFeatureLink]
    ChildFeatureAssociations: Many[model.FeatureFeatureLink]


class FeatureFeatureLinkNames:
    """The fields of `FeatureFeatureLink` under their second names."""

    ParentFeatureID: Column[int]
    ChildFeatureID: Column[int]
    FeatureIndex: Column[int]
    Feature: One[model.Feature]
    Child: One[model.Feature]
