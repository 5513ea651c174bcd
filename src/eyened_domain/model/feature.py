"""Features that segmentations show, and composites of them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.database_names.feature import FeatureFeatureLinkNames, FeatureNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import DataRepresentation, Datatype
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
from eyened_domain.model.known_links import loaded, target_of
from eyened_domain.model.values import Choice, Integer, Moment, Refused, Text, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from eyened_domain.model.computation import SegmentationModel
    from eyened_domain.model.queries import GivesRepositories
    from eyened_domain.model.segmentation import Segmentation


M = TypeVar("M", bound=Enum)


@entity(unique=(("feature_name",),), name="feature_name", repository="features")
class Feature(FeatureNames, Entity):
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

    @property
    def subfeatures(self) -> dict[int, Feature]:
        """The features it is composed of, by FeatureIndex and in that order."""
        links = sorted(self.feature_associations, key=lambda link: link.feature_index)
        return {link.feature_index: link.child for link in links}

    @property
    def is_composite(self) -> bool:
        """Whether it is composed of other features."""
        return bool(self.feature_associations)

    @property
    def has_segmentations(self) -> bool:
        """Whether people or models have segmented it."""
        return bool(self.segmentations)

    @property
    def is_child(self) -> bool:
        """Whether it is part of a composite feature."""
        return bool(self.child_feature_associations)

    @classmethod
    def from_list(
        cls, source: GivesRepositories, feature_name: str, sub_features: Sequence[str]
    ) -> Feature:
        """Return the composite feature of that name, made where it is not there.

        Features that exist are reused, the others made, all in a constant number of
        statements. Running it again changes nothing.

        Args:
            source: an open session or unit of work; the caller commits.
            feature_name: the name of the composite.
            sub_features: the names of its parts; their FeatureIndex is their position, from 0.

        Raises:
            BadInput: a name is given twice, or is none, or there are no parts.
            RuleBroken: it is composed of other parts already, or of these in another order;
                or one of them is or contains it.
        """
        names = [sub_features] if isinstance(sub_features, str) else list(sub_features)
        if not names:
            raise BadInput(
                f"Feature {shown(feature_name)} is composed of nothing: name its parts",
                entity="Feature",
                field="sub_features",
            )
        features = source.repository(cls)
        found = features.by_names([feature_name, *names])
        made = [cls(feature_name=name) for name in (feature_name, *names) if name not in found]
        found |= {one.feature_name: one for one in features.add_all(made)}
        whole: Feature = found[feature_name]
        parts = [found[name] for name in names]
        present = whole.subfeatures
        if not present:
            for part in parts:
                whole.add_subfeature(part)
        elif list(present.items()) != list(enumerate(parts)):
            there = ", ".join(f"{index}: {part.feature_name}" for index, part in present.items())
            raise whole._broken(
                f"it is composed already, of {there}; add to it with add_subfeature, or change it "
                "with the Features service",
                None,
            )
        return whole

    def add_subfeature(self, child: Feature, index: int | None = None) -> FeatureFeatureLink:
        """Make a feature part of this one.

        Args:
            child: the part.
            index: its FeatureIndex: the bit of MultiLabel, the value minus 1 of MultiClass;
                by default one more than the highest so far.

        Returns:
            the link between the two.

        Raises:
            RuleBroken: the index is taken or negative, or the child is a part already, is
                this feature, or is composed of it.
        """
        present = self.subfeatures
        if index is None:
            index = max(present, default=-1) + 1
        if index in present:
            raise self._broken(f"index {index} is taken by {present[index].feature_name!r}", index)
        if any(one is child for one in present.values()):
            raise self._broken(f"{child.feature_name!r} is a subfeature already", index)
        if index < 0:
            raise self._broken(f"the index {index} is negative", index)
        if child is self or _is_within(self, child, _all_parts):
            raise self._broken(f"{child.feature_name!r} is or contains it", index)
        return FeatureFeatureLink(feature=self, child=child, feature_index=index)

    def decode(
        self,
        pixels: npt.NDArray[Any],
        representation: DataRepresentation | str,
        *,
        threshold: float | None = None,
        strict: bool = True,
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Return what pixels of a segmentation of this feature show, one mask per name.

        MultiLabel and MultiClass give a mask for each subfeature, under its name; Binary and
        Probability give `mask`; DualBitMask gives `mask` and `questionable`.

        Args:
            pixels: stored values, of any shape.
            representation: what they mean: a member of the enum or its name.
            threshold: for Probability, above which it counts; 0.5 when not given.
            strict: refuse values that mean nothing, rather than leave them out.

        Returns:
            boolean arrays of the shape of the pixels.

        Raises:
            RuleBroken: a value means nothing, or there are no subfeatures to tell apart.
        """
        from eyened_domain.model.pixels.masks import decode  # noqa: PLC0415 - brings numpy

        meaning, labels = self._labels_for(representation)
        return decode(pixels, meaning, labels=labels, threshold=threshold, strict=strict)

    def encode(
        self,
        masks: Mapping[str, Any],
        representation: DataRepresentation | str,
        data_type: Datatype | str,
    ) -> npt.NDArray[Any]:
        """Return the pixels that show these masks: the way back of `decode`.

        Args:
            masks: boolean arrays of one shape, by name; those not given are empty.
            representation: what the pixels are to mean; not Probability.
            data_type: the number type of the pixels.

        Raises:
            RuleBroken: unknown names, shapes that differ, labels that do not fit in the number
                type, or classes that overlap where a pixel can hold only one.
        """
        from eyened_domain.model.pixels.masks import encode  # noqa: PLC0415 - brings numpy

        meaning, labels = self._labels_for(representation)
        stored: Datatype = _member_of(Datatype, data_type)
        return encode(masks, meaning, dtype=stored.numpy_name, labels=labels)

    def check_pixels(
        self, pixels: npt.NDArray[Any], representation: DataRepresentation | str
    ) -> None:
        """Raise unless every value means something; to be called before pixels are stored.

        Raises:
            RuleBroken: a value means nothing; the error holds it.
        """
        from eyened_domain.model.pixels.masks import check_values  # noqa: PLC0415 - brings numpy

        meaning, labels = self._labels_for(representation)
        check_values(pixels, meaning, labels=labels)

    def check_labels(self, representation: DataRepresentation, data_type: Datatype) -> None:
        """Raise unless the labels of the subfeatures that are in memory fit in the number type.

        Raises:
            RuleBroken: a FeatureIndex has no bit, or no value, in that type.
        """
        if is_labelled(representation, data_type):
            links = loaded(self, "feature_associations") or ()
            indices = [link.feature_index for link in links]
            name = shown(self.__dict__.get("feature_name"))
            check_indices(name, indices, representation, data_type)

    def _labels_for(
        self, representation: DataRepresentation | str
    ) -> tuple[DataRepresentation, dict[int, str] | None]:
        meaning: DataRepresentation = _member_of(DataRepresentation, representation)
        if not meaning.has_labels:
            return meaning, None
        labels = {index: child.feature_name for index, child in self.subfeatures.items()}
        if not labels:
            raise self._broken(f"{meaning.name} needs subfeatures, and it has none", None)
        return meaning, labels

    def _broken(self, reason: str, index: int | None) -> RuleBroken:
        return _broken(shown(self.__dict__.get("feature_name")), reason, index)


@entity(table="CompositeFeature", repository="feature_links")
class FeatureFeatureLink(FeatureFeatureLinkNames, Entity):
    """A feature's place in a composite feature (table `CompositeFeature`)."""

    checked_with_stored = True

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

    def check_rules(self) -> None:
        """Raise `RuleBroken` for a negative or doubled index, and for a feature within itself.

        Looks only at what is in memory.
        """
        index = self.__dict__.get("feature_index")
        if index is not None and index < 0:
            raise self._broken(f"the index {index} is negative")
        parent, child = loaded(self, "feature"), loaded(self, "child")
        ids = target_of(self, "feature").identity, target_of(self, "child").identity
        itself = (parent is not None and parent is child) or (
            ids[0] is not None and ids[0] == ids[1]
        )
        if itself or (parent and child and _is_within(parent, child, _parts_in_memory)):
            raise self._broken("a feature cannot be within itself")
        for other in loaded(parent, "feature_associations") or ():
            if other is not self and other.__dict__.get("feature_index") == index:
                raise self._broken(f"the index {index} is taken")

    def _broken(self, reason: str) -> RuleBroken:
        return RuleBroken(
            f"FeatureFeatureLink: {reason}",
            entity="FeatureFeatureLink",
            field="feature_index",
            value=self.__dict__.get("feature_index"),
        )


_BITS = {Datatype.R8UI: 8, Datatype.R16UI: 16, Datatype.R32UI: 32}


def is_labelled(representation: DataRepresentation, data_type: Datatype) -> bool:
    """Whether pixels mean the subfeatures by their index, in a type that has room for some."""
    return representation.has_labels and data_type in _BITS


def check_indices(
    name: str, indices: Iterable[int], representation: DataRepresentation, data_type: Datatype
) -> None:
    """Raise unless the indices of a feature's subfeatures fit in a number type.

    Args:
        name: of the feature, as it is told.
        indices: of its subfeatures.
        representation: MultiLabel or MultiClass.
        data_type: a type of whole numbers.

    Raises:
        RuleBroken: one of them has no bit, or no value, in that type.
    """
    bits = _BITS[data_type]
    most = bits if representation is DataRepresentation.MultiLabel else 2**bits - 1
    for index in indices:
        if index >= most:
            raise _broken(
                name,
                f"index {index} does not fit in {data_type.name}, which has room for {most:,} "
                f"labels as {representation.name}",
                index,
            )


def _broken(name: str, reason: str, index: int | None) -> RuleBroken:
    return RuleBroken(
        f"Feature {name}: {reason}", entity="Feature", field="subfeatures", value=index
    )


def _member_of(enum: type[M], value: M | str) -> M:
    try:
        return cast("M", Choice(enum).convert(value))
    except Refused as refused:
        raise BadInput(str(refused), value=shown(value)) from None


def _all_parts(feature: Feature) -> Iterator[Feature]:
    for link in feature.feature_associations:
        yield link.child


def _parts_in_memory(feature: Feature) -> Iterator[Feature]:
    for link in loaded(feature, "feature_associations") or ():
        child = loaded(link, "child")
        if child is not None:
            yield child


def _is_within(
    sought: Feature, composite: Feature, parts: Callable[[Feature], Iterator[Feature]]
) -> bool:
    """Whether a feature is somewhere within a composite; each is looked at once."""
    waiting, seen = [composite], {id(composite)}
    while waiting:
        for part in parts(waiting.pop()):
            if part is sought:
                return True
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)
    return False
