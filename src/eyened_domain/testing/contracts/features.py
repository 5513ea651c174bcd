"""Features and composites of them."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NeededBy, RuleBroken, StillNeeded
from eyened_domain.model import Feature, ModelSegmentation, Segmentation, SegmentationModel
from eyened_domain.services.features import Features
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

LAYERS = ["RNFL", "GCL", "IPL"]


def _parts(feature: Feature) -> dict[int, str]:
    return {index: part.feature_name for index, part in feature.subfeatures.items()}


class FeatureContract(Contract):
    """That features are made and changed, and what stored pixels mean stays as it is."""

    def test_a_composite_is_made_of_names_in_their_order(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            there = uow.features.add(Feature(feature_name="gcl"))
            uow.commit()
            layers = Feature.from_list(uow, "Retinal Layers", sub_features=LAYERS)
            assert layers.subfeatures[1] is there
            uow.commit()
        with make_unit_of_work() as uow:
            layers = uow.features.by_name("Retinal Layers")
            assert _parts(layers) == {0: "RNFL", 1: "gcl", 2: "IPL"}
            assert (layers.is_composite, layers.is_child, layers.has_segmentations) == (
                *(True, False),
                False,
            )
            assert layers.subfeatures[0].is_child

    @pytest.mark.parametrize("is_committed", [True, False])
    def test_a_composite_that_is_made_again_changes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, is_committed: bool
    ) -> None:
        with make_unit_of_work() as uow:
            first = Features().compose(uow, "Retinal Layers", LAYERS)
            if is_committed:
                uow.commit()
            again = Features().compose(uow, "retinal layers", [one.lower() for one in LAYERS])
            assert again is first
            uow.commit()
            assert (uow.features.count(), uow.feature_links.count()) == (4, 3)

    def test_a_feature_that_is_there_becomes_a_composite(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            layers = uow.features.add(Feature(feature_name="Retinal Layers"))
            uow.commit()
            assert Feature.from_list(uow, "Retinal Layers", LAYERS) is layers
            assert _parts(layers) == dict(enumerate(LAYERS))

    @pytest.mark.parametrize("names", [["GCL", "RNFL", "IPL"], ["RNFL"], [*LAYERS, "INL"]])
    def test_a_composite_of_other_parts_is_not_changed(
        self, make_unit_of_work: MakeUnitOfWork, names: list[str]
    ) -> None:
        with make_unit_of_work() as uow:
            Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.commit()
            with pytest.raises(RuleBroken, match="0: RNFL, 1: GCL, 2: IPL"):
                Feature.from_list(uow, "Retinal Layers", names)

    @pytest.mark.parametrize(
        ("name", "parts", "said"),
        [
            ("Layers", [], "name its parts"),
            ("Layers", ["RNFL", "rnfl "], "given twice"),
            ("Layers", ["RNFL", "layers"], "given twice"),
            ("Layers", ["RNFL", None], "feature_name"),
            ("Layers", ["x" * 61], "60"),
            (7, LAYERS, "feature_name"),
        ],
    )
    def test_names_that_make_no_composite_are_refused_and_nothing_is_made(
        self, make_unit_of_work: MakeUnitOfWork, name: Any, parts: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput, match=said):
                Feature.from_list(uow, name, parts)
            uow.commit()
            assert uow.features.count() == 0

    def test_a_composite_within_itself_is_refused(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            Feature.from_list(uow, "whole", ["half"])
            uow.commit()
            with pytest.raises(RuleBroken, match="is or contains"):
                Feature.from_list(uow, "half", ["quarter", "whole"])

    def test_a_feature_is_renamed_unless_another_has_the_name(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.commit()
            Features().rename(uow, layers, "retinal layers")
            Features().rename(uow, layers, "retinal layers")
            uow.commit()
            with pytest.raises(Duplicate, match="RNFL"):
                Features().rename(uow, layers, "rnfl")
        with make_unit_of_work() as uow:
            assert uow.features.get(layers.feature_id).feature_name == "retinal layers"

    @pytest.mark.parametrize("order", [["IPL", "GCL", "RNFL"], ["gcl", "IPL", "RNFL"], LAYERS])
    def test_parts_are_put_in_another_order(
        self, make_unit_of_work: MakeUnitOfWork, order: list[str]
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.commit()
            Features().reorder(uow, layers, order)
            uow.commit()
        with make_unit_of_work() as uow:
            found = _parts(uow.features.get(layers.feature_id))
            assert {i: n.lower() for i, n in found.items()} == {
                i: n.lower() for i, n in enumerate(order)
            }

    @pytest.mark.parametrize("order", [LAYERS[:2], [*LAYERS, "INL"], [*LAYERS, "GCL"], []])
    def test_an_order_names_each_part_once(
        self, make_unit_of_work: MakeUnitOfWork, order: list[str]
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            with pytest.raises(BadInput, match="RNFL, GCL, IPL"):
                Features().reorder(uow, layers, order)

    def test_a_part_is_taken_out_and_the_others_keep_their_index(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.commit()
            Features().take_out(uow, layers, "rnfl")
            Features().take_out(uow, layers, layers.subfeatures[2])
            uow.commit()
            with pytest.raises(RuleBroken, match="no part 'RNFL'"):
                Features().take_out(uow, layers, "RNFL")
        with make_unit_of_work() as uow:
            assert _parts(uow.features.get(layers.feature_id)) == {1: "GCL"}
            assert uow.features.count() == 4

    @pytest.mark.parametrize("representation", ["MultiLabel", "MultiClass"])
    @pytest.mark.parametrize("by_a_model", [True, False])
    def test_what_stored_pixels_mean_is_not_changed(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        representation: str,
        by_a_model: bool,
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            values: dict[str, Any] = {"data_representation": representation, "data_type": "R8UI"}
            if by_a_model:
                model = build.build(SegmentationModel, feature=layers)
                uow.model_segmentations.add(build.build(ModelSegmentation, model=model, **values))
            else:
                uow.segmentations.add(build.build(Segmentation, feature=layers, **values))
            uow.commit()
            kind = "ModelSegmentation" if by_a_model else "Segmentation"
            with pytest.raises(StillNeeded, match=f"keeps its parts: 1 {kind}"):
                Features().take_out(uow, layers, "RNFL")
            with pytest.raises(StillNeeded, match="keeps the order") as refused:
                Features().reorder(uow, layers, LAYERS[::-1])
            (in_the_way,) = refused.value.needed_by
            assert (in_the_way.entity, in_the_way.count) == (kind, 1)
            Features().reorder(uow, layers, LAYERS)
            layers.add_subfeature(Feature(feature_name="INL"))
            uow.commit()
            assert _parts(layers) == dict(enumerate([*LAYERS, "INL"]))

    def test_masks_of_one_thing_do_not_keep_the_parts(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.segmentations.add(build.build(Segmentation, feature=layers))
            uow.commit()
            Features().reorder(uow, layers, LAYERS[::-1])
            Features().take_out(uow, layers, "GCL")
            uow.commit()
            assert _parts(layers) == {0: "IPL", 2: "RNFL"}

    def test_what_needs_a_feature_is_told_as_data(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            part = layers.subfeatures[0]
            drawn = [
                uow.segmentations.add(build.build(Segmentation, feature=part)) for _ in range(12)
            ]
            build.add(uow, SegmentationModel, feature=part, model_name="net", version="2")
            uow.commit()
            with pytest.raises(StillNeeded, match=r"12 Segmentation .*net 2.*Retinal Layers") as no:
                Features().delete(uow, part)
            assert no.value.needed_by == (
                NeededBy("Segmentation", 12, tuple(str(o.segmentation_id) for o in drawn[:10])),
                NeededBy("SegmentationModel", 1, ("net 2",)),
                NeededBy("Feature", 1, ("Retinal Layers",)),
            )
            assert isinstance(no.value, RuleBroken)
            assert Features().needed_by(uow, layers) == ()

    def test_a_feature_that_nothing_needs_is_deleted_and_its_parts_stay(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            layers = Feature.from_list(uow, "Retinal Layers", LAYERS)
            uow.commit()
            Features().delete(uow, layers)
            uow.commit()
            assert sorted(uow.features.name_to_id()) == sorted(LAYERS)
            assert uow.feature_links.count() == 0
