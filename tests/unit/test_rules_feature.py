"""Composite features, and what pixels of their segmentations mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import DataRepresentation, Feature, FeatureFeatureLink
from eyened_domain.model.pixels.masks import check_values, decode, encode

SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, max_side=6)
BITS = {"R8UI": 8, "R16UI": 16, "R32UI": 32}


def a_feature(name="lesions", *parts) -> Feature:
    made = Feature(feature_name=name)
    for part in parts:
        made.add_subfeature(Feature(feature_name=part))
    return made


def test_subfeatures_are_numbered_from_0_in_the_order_they_were_added():
    lesions = a_feature("lesions", "drusen", "cyst")
    assert {i: one.feature_name for i, one in lesions.subfeatures.items()} == {
        0: "drusen",
        1: "cyst",
    }
    assert lesions.is_composite
    assert not lesions.subfeatures[0].is_composite


def test_subfeatures_come_in_the_order_of_their_index():
    lesions = Feature(feature_name="lesions")
    lesions.add_subfeature(Feature(feature_name="b"), 5)
    lesions.add_subfeature(Feature(feature_name="a"), 2)
    lesions.add_subfeature(Feature(feature_name="c"))
    assert list(lesions.subfeatures) == [2, 5, 6]


def test_adding_a_subfeature_returns_the_link_with_both_ends():
    lesions, drusen = a_feature(), Feature(feature_name="drusen")
    link = lesions.add_subfeature(drusen, 3)
    assert (link.feature, link.child, link.feature_index) == (lesions, drusen, 3)
    assert drusen.child_feature_associations == [link]


@pytest.mark.parametrize("index", [0, -1])
def test_an_index_that_is_taken_or_negative_is_refused(index):
    lesions = a_feature("lesions", "drusen")
    with pytest.raises(RuleBroken, match="index"):
        lesions.add_subfeature(Feature(feature_name="cyst"), index)
    assert list(lesions.subfeatures) == [0]


def test_a_subfeature_cannot_be_added_twice():
    lesions = a_feature("lesions", "drusen")
    with pytest.raises(RuleBroken, match="already"):
        lesions.add_subfeature(lesions.subfeatures[0])


def test_a_feature_cannot_be_within_itself_at_any_depth():
    top = a_feature("top", "middle")
    middle = top.subfeatures[0]
    bottom = Feature(feature_name="bottom")
    middle.add_subfeature(bottom)
    for parent in (top, middle, bottom):
        with pytest.raises(RuleBroken, match="is or contains"):
            parent.add_subfeature(top)


def test_a_part_of_two_composites_is_no_cycle():
    shared, top = Feature(feature_name="shared"), Feature(feature_name="top")
    left, right = Feature(feature_name="left"), Feature(feature_name="right")
    for parent, child in [(left, shared), (right, shared), (top, left), (top, right)]:
        parent.add_subfeature(child).check_rules()


def test_links_made_by_hand_are_checked_before_they_are_stored():
    one, two = a_feature("one"), a_feature("two")
    one.add_subfeature(two).check_rules()
    with pytest.raises(RuleBroken, match="within itself"):
        FeatureFeatureLink(feature=two, child=one, feature_index=0).check_rules()
    with pytest.raises(RuleBroken, match="within itself"):
        FeatureFeatureLink(parent_feature_id=4, child_feature_id=4, feature_index=0).check_rules()
    with pytest.raises(RuleBroken, match="taken"):
        FeatureFeatureLink(feature=one, child=a_feature("x"), feature_index=0).check_rules()
    with pytest.raises(RuleBroken, match="negative"):
        FeatureFeatureLink(parent_feature_id=4, child_feature_id=5, feature_index=-1).check_rules()
    FeatureFeatureLink(parent_feature_id=4, child_feature_id=5, feature_index=1).check_rules()


def test_multilabel_has_a_bit_for_each_subfeature_and_they_may_overlap():
    masks = a_feature("l", "drusen", "cyst").decode(np.array([0, 1, 2, 3], np.uint8), "MultiLabel")
    assert masks["drusen"].tolist() == [False, True, False, True]
    assert masks["cyst"].tolist() == [False, False, True, True]
    assert masks["cyst"].dtype == bool


def test_multiclass_has_a_value_for_each_subfeature_from_1_on():
    masks = a_feature("l", "drusen", "cyst").decode(
        np.array([0, 1, 2], np.uint8), DataRepresentation.MultiClass
    )
    assert masks["drusen"].tolist() == [False, True, False]
    assert masks["cyst"].tolist() == [False, False, True]


def test_any_value_above_0_is_the_mask_in_binary():
    assert a_feature().decode(np.array([0, 1, 255], np.uint8), "Binary")["mask"].tolist() == [
        False,
        True,
        True,
    ]


def test_a_dual_bit_mask_has_a_mask_and_a_questionable_part():
    masks = a_feature().decode(np.array([0, 1, 2, 3], np.uint8), "DualBitMask")
    assert masks["mask"].tolist() == [False, True, False, True]
    assert masks["questionable"].tolist() == [False, False, True, True]


def test_a_probability_counts_above_the_threshold_or_above_a_half():
    pixels = np.array([0.0, 0.3, 0.5, 0.6, 1.0], np.float32)
    assert a_feature().decode(pixels, "Probability")["mask"].sum() == 2
    assert a_feature().decode(pixels, "Probability", threshold=0.25)["mask"].sum() == 4
    assert a_feature().decode(pixels, "Probability", threshold=0.0)["mask"].sum() == 4


def test_a_probability_in_bytes_is_read_as_0_to_1():
    masks = a_feature().decode(np.array([0, 127, 128, 255], np.uint8), "Probability")
    assert masks["mask"].tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("pixels", "meaning", "value"),
    [
        (np.array([0, 4], np.uint8), "MultiLabel", 4),
        (np.array([0, 3], np.uint8), "MultiClass", 3),
        (np.array([0, 4], np.uint8), "DualBitMask", 4),
        (np.array([0.5, 1.5], np.float32), "Probability", 1.5),
        (np.array([0, -1], np.int16), "MultiLabel", -1),
    ],
)
def test_a_value_that_means_nothing_is_refused_and_named(pixels, meaning, value):
    lesions = a_feature("l", "drusen", "cyst")
    with pytest.raises(RuleBroken, match=str(value)) as caught:
        lesions.decode(pixels, meaning)
    assert caught.value.value == value
    with pytest.raises(RuleBroken):
        lesions.check_pixels(pixels, meaning)
    lesions.decode(pixels, meaning, strict=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1])
def test_a_probability_is_finite_and_from_0_to_1(value):
    with pytest.raises(RuleBroken, match="finite, from 0 to 1"):
        a_feature().check_pixels(np.array([0.5, value], np.float32), "Probability")


def test_binary_is_stored_as_0_and_1():
    a_feature().check_pixels(np.array([0, 1], np.uint8), "Binary")
    a_feature().check_pixels(np.array([True, False]), "Binary")
    with pytest.raises(RuleBroken, match="pixels > 0"):
        a_feature().check_pixels(np.array([0, 255], np.uint8), "Binary")


def test_gaps_between_labels_mean_nothing():
    lesions = Feature(feature_name="lesions")
    lesions.add_subfeature(Feature(feature_name="drusen"), 0)
    lesions.add_subfeature(Feature(feature_name="cyst"), 2)
    lesions.check_pixels(np.array([0, 1, 3], np.uint8), "MultiClass")
    with pytest.raises(RuleBroken, match="value 2 "):
        lesions.check_pixels(np.array([0, 2], np.uint8), "MultiClass")
    with pytest.raises(RuleBroken, match="value 2 "):
        lesions.check_pixels(np.array([0, 7], np.uint8), "MultiLabel")


@pytest.mark.parametrize("meaning", ["Binary", "DualBitMask", "MultiLabel", "MultiClass"])
def test_fractions_are_no_masks_and_whole_numbers_no_probabilities(meaning):
    with pytest.raises(RuleBroken, match="whole numbers"):
        a_feature("l", "drusen").decode(np.array([0.5], np.float32), meaning)
    with pytest.raises(RuleBroken, match="float32 or uint8"):
        a_feature().decode(np.array([1], np.uint16), "Probability")


@pytest.mark.parametrize("meaning", ["MultiLabel", "MultiClass"])
def test_labels_need_a_composite_feature(meaning):
    with pytest.raises(RuleBroken, match="needs subfeatures"):
        a_feature("drusen").decode(np.array([1], np.uint8), meaning)
    with pytest.raises(RuleBroken, match="composite"):
        decode(np.array([1], np.uint8), DataRepresentation[meaning])


def test_a_representation_that_does_not_exist_is_bad_input():
    with pytest.raises(BadInput, match="it is one of Binary"):
        a_feature().decode(np.array([1], np.uint8), "Rainbow")


def test_no_pixels_are_no_problem():
    empty = np.zeros((0, 5, 5), dtype=np.uint8)
    for meaning in ("Binary", "DualBitMask", "MultiLabel", "MultiClass", "Probability"):
        for mask in a_feature("l", "drusen").decode(empty, meaning).values():
            assert mask.shape == empty.shape


@given(data=st.data(), data_type=st.sampled_from(sorted(BITS)), shape=SHAPES)
def test_any_labels_survive_encoding_and_decoding_as_multilabel(data, data_type, shape):
    indices = data.draw(st.sets(st.integers(0, BITS[data_type] - 1), min_size=1, max_size=6))
    composite = Feature(feature_name="composite")
    for index in indices:
        composite.add_subfeature(Feature(feature_name=f"part {index}"), index)
    masks = {f"part {i}": data.draw(arrays.arrays(bool, shape)) for i in indices}
    pixels = composite.encode(masks, "MultiLabel", data_type)
    assert pixels.shape == shape
    back = composite.decode(pixels, "MultiLabel")
    assert back.keys() == masks.keys()
    assert all(np.array_equal(back[name], masks[name]) for name in masks)


@given(data=st.data(), data_type=st.sampled_from(sorted(BITS)), shape=SHAPES)
def test_any_classes_survive_decoding_and_encoding_as_multiclass(data, data_type, shape):
    indices = data.draw(st.sets(st.integers(0, 254), min_size=1, max_size=6))
    composite = Feature(feature_name="composite")
    for index in indices:
        composite.add_subfeature(Feature(feature_name=f"part {index}"), index)
    values = st.sampled_from([0, *(index + 1 for index in indices)])
    pixels = data.draw(arrays.arrays(np.uint8, shape, elements=values))
    masks = composite.decode(pixels, "MultiClass")
    assert np.array_equal(sum(masks.values()), pixels > 0)
    assert np.array_equal(composite.encode(masks, "MultiClass", data_type), pixels)


@given(pixels=arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
def test_any_dual_bit_mask_survives_decoding_and_encoding(pixels):
    masks = a_feature().decode(pixels, "DualBitMask")
    assert np.array_equal(a_feature().encode(masks, "DualBitMask", "R8UI"), pixels)


@given(pixels=arrays.arrays(np.uint8, SHAPES), labels=st.sets(st.integers(0, 7), min_size=1))
def test_what_passes_the_check_can_be_decoded_without_loss(pixels, labels):
    named = {index: str(index) for index in labels}
    for meaning in (DataRepresentation.MultiLabel, DataRepresentation.MultiClass):
        try:
            check_values(pixels, meaning, labels=named)
        except RuleBroken:
            continue
        masks = decode(pixels, meaning, labels=named)
        assert np.array_equal(encode(masks, meaning, dtype="uint8", labels=named), pixels)


def test_masks_that_cannot_be_stored_are_refused():
    lesions = a_feature("l", "drusen", "cyst")
    one, two = np.array([True, False]), np.array([True])
    with pytest.raises(RuleBroken, match="overlaps"):
        lesions.encode({"drusen": one, "cyst": one}, "MultiClass", "R8UI")
    with pytest.raises(RuleBroken, match="differ in shape"):
        lesions.encode({"drusen": one, "cyst": two}, "MultiLabel", "R8UI")
    with pytest.raises(RuleBroken, match="has no mask"):
        lesions.encode({"macula": one}, "MultiLabel", "R8UI")
    with pytest.raises(RuleBroken, match="has no mask"):
        lesions.encode({}, "MultiLabel", "R8UI")
    with pytest.raises(RuleBroken, match="no room"):
        lesions.encode({"drusen": one}, "MultiLabel", "R32F")
    with pytest.raises(RuleBroken, match="cannot be made"):
        lesions.encode({"mask": one}, "Probability", "R32F")
    lesions.add_subfeature(Feature(feature_name="late"), 8)
    with pytest.raises(RuleBroken, match="no room"):
        lesions.encode({"late": one}, "MultiLabel", "R8UI")
