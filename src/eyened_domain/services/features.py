"""Features and composites of them: made, renamed, put in order, and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eyened_domain.errors import BadInput, Duplicate, NeededBy, RuleBroken, StillNeeded
from eyened_domain.model.enums import DataRepresentation
from eyened_domain.model.feature import Feature
from eyened_domain.model.names import fold
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.values import shown
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_NAMES = 10
_LABELLED = [one for one in DataRepresentation if one.has_labels]


class Features:
    """Makes features and changes them, so that what stored pixels mean stays the same.

    Pixels of MultiLabel and MultiClass segmentations mean the parts of a composite feature by
    their FeatureIndex. So once there are such segmentations, its parts keep their index and
    none is taken out; new ones can be added.
    """

    def compose(self, uow: UnitOfWork, name: str, sub_features: Sequence[str]) -> Feature:
        """Return the composite feature of that name, made where it is not there.

        See `Feature.from_list`.
        """
        return Feature.from_list(uow, name, sub_features)

    def rename(self, uow: UnitOfWork, feature: Feature, name: str) -> None:
        """Give a feature another name.

        Raises:
            Duplicate: another feature has that name; case and accents make no difference.
        """
        other = uow.features.by_name(name, default=None)
        if other is not None and other is not feature:
            raise Duplicate(
                f"there is a Feature {shown(other.feature_name)} already",
                entity="Feature",
                field="feature_name",
                value=name,
            )
        feature.feature_name = name

    def reorder(self, uow: UnitOfWork, feature: Feature, sub_features: Sequence[str]) -> None:
        """Give the parts of a composite feature the order of these names, from index 0.

        Args:
            uow: an open unit of work; the caller commits.
            feature: the composite.
            sub_features: the names of all its parts.

        Raises:
            BadInput: they are not the names of its parts, each once.
            StillNeeded: stored pixels mean its parts by their index.
        """
        links = {fold(link.child.feature_name): link for link in feature.feature_associations}
        wanted = [fold(name) for name in sub_features]
        if sorted(wanted) != sorted(links):
            there = ", ".join(part.feature_name for part in feature.subfeatures.values())
            raise BadInput(
                f"Feature {shown(feature.feature_name)} has the parts {there or '(none)'}; give "
                f"each of these names once, not {', '.join(map(shown, sub_features))}",
                entity="Feature",
                field="sub_features",
            )
        moved = {links[name]: index for index, name in enumerate(wanted)}
        moved = {link: index for link, index in moved.items() if link.feature_index != index}
        if moved:
            self._refuse_where_labelled(uow, feature, "keeps the order of its parts")
            for link, index in moved.items():
                link.feature_index = index

    def take_out(self, uow: UnitOfWork, feature: Feature, part: Feature | str) -> None:
        """Take a part out of a composite feature; the others keep their index.

        Args:
            uow: an open unit of work; the caller commits.
            feature: the composite.
            part: one of its parts, or the name of one.

        Raises:
            RuleBroken: it is no part of the feature.
            StillNeeded: stored pixels mean the parts of the feature by their index.
        """
        name = part if isinstance(part, str) else part.feature_name
        for link in feature.feature_associations:
            if fold(link.child.feature_name) == fold(name):
                self._refuse_where_labelled(uow, feature, "keeps its parts")
                uow.feature_links.delete(link)
                return
        raise RuleBroken(
            f"Feature {shown(feature.feature_name)} has no part {shown(name)}",
            entity="Feature",
            field="subfeatures",
            value=name,
        )

    def needed_by(self, uow: UnitOfWork, feature: Feature) -> tuple[NeededBy, ...]:
        """Return what keeps a feature from being deleted: nothing, when it may be.

        That are its segmentations, the models that make some, and the composites that it is
        part of; composites are told by their name.
        """
        uow.flush()
        links = uow.feature_links.where(child=feature)
        composites = sorted(link.feature.feature_name for link in links)
        models = uow.segmentation_models.where(feature=feature)
        names = [f"{model.model_name} {model.version}" for model in models]
        found = [
            _counted(uow, Segmentation, [{"feature_id": feature.feature_id}]),
            _several("SegmentationModel", names),
            _several("Feature", composites),
        ]
        return tuple(one for one in found if one.count)

    def delete(self, uow: UnitOfWork, feature: Feature) -> None:
        """Delete a feature that nothing needs; its parts stay.

        Raises:
            StillNeeded: there are segmentations of it, models that make some, or composites
                that it is part of; `needed_by` of the error holds them.
        """
        needed_by = self.needed_by(uow, feature)
        if needed_by:
            raise _still_needed(feature, "is needed", needed_by)
        uow.features.delete(feature)

    def _refuse_where_labelled(self, uow: UnitOfWork, feature: Feature, what: str) -> None:
        """Raise `StillNeeded` where stored pixels mean the parts of a feature by their index."""
        uow.flush()
        of_people = [{"feature_id": feature.feature_id}]
        models = uow.segmentation_models.where(feature=feature)
        of_models = [{"model_id": model.model_id} for model in models]
        found = [
            _counted(uow, Segmentation, _labelled(of_people)),
            _counted(uow, ModelSegmentation, _labelled(of_models)),
        ]
        needed_by = tuple(one for one in found if one.count)
        if needed_by:
            raise _still_needed(feature, what, needed_by)


def _labelled(any_of: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [{**one, "data_representation": each} for one in any_of for each in _LABELLED]


def _counted(uow: UnitOfWork, entity: type[Any], any_of: Sequence[Mapping[str, Any]]) -> NeededBy:
    """Count the rows that meet one of these conditions; the first are told by their ids."""
    count = uow.rows.count(entity, any_of=any_of) if any_of else 0
    if not count:
        return NeededBy(entity.__name__, 0, ())
    key = entity.__entity__.primary_key[0]
    rows = uow.rows.page(entity, [key], any_of=any_of, most=_MOST_NAMES)
    return NeededBy(entity.__name__, count, tuple(str(row[0]) for row in rows))


def _several(entity: str, names: Sequence[str]) -> NeededBy:
    return NeededBy(entity, len(names), tuple(names[:_MOST_NAMES]))


def _still_needed(feature: Feature, what: str, needed_by: tuple[NeededBy, ...]) -> StillNeeded:
    error = StillNeeded(
        f"Feature {shown(feature.feature_name)} {what}: {'; '.join(map(str, needed_by))}",
        entity="Feature",
        field="feature_id",
        value=feature.feature_id,
    )
    error.needed_by = needed_by
    return error
