"""Which segmentations are valid, and what they are called in the store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.errors import RuleBroken
from eyened_domain.model import (
    DataRepresentation,
    Datatype,
    Feature,
    ImageInstance,
    ModelSegmentation,
    Segmentation,
    SegmentationModel,
)

PHOTO, VOLUME = (1, 60, 80), (7, 60, 80)
IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
SIDES = st.integers(1, 50)


def an_image(shape=PHOTO) -> ImageInstance:
    frames, rows, columns = shape
    return ImageInstance(
        dataset_identifier="a.png",
        laterality="R",
        nr_of_frames=frames,
        rows_y=rows,
        columns_x=columns,
    )


def a_mask(shape=PHOTO, kind=Segmentation, **more):
    depth, height, width = shape
    given = {"data_representation": "Binary", "data_type": "R8UI", "sparse_axis": 0, **more}
    return kind(depth=depth, height=height, width=width, **given)


@pytest.fixture(params=[Segmentation, ModelSegmentation])
def kind(request):
    return request.param


def test_the_shape_is_depth_height_width(kind):
    assert a_mask(VOLUME, kind).shape == VOLUME


def test_a_mask_of_b_scans_is_3d_and_a_flat_or_en_face_one_is_not(kind):
    assert a_mask(VOLUME, kind).is_3d
    assert not a_mask(PHOTO, kind).is_3d
    en_face = a_mask((7, 1, 80), kind, sparse_axis=1)
    assert en_face.is_en_face
    assert not en_face.is_3d


def test_a_mask_is_sparse_when_only_some_scans_have_data(kind):
    assert a_mask(VOLUME, kind, scan_indices=[]).is_sparse
    assert not a_mask(VOLUME, kind).is_sparse


@pytest.mark.parametrize(
    ("data_type", "dtype"),
    [
        ("R8", "uint8"),
        ("R8UI", "uint8"),
        ("R16UI", "uint16"),
        ("R32UI", "uint32"),
        ("R32F", "float32"),
    ],
)
def test_the_array_is_named_after_number_type_and_shape(kind, data_type, dtype):
    mask = a_mask(VOLUME, kind, data_type=data_type)
    assert mask.dtype == dtype
    assert mask.array_name == f"{dtype}_7_60_80.zarr"


def test_the_group_of_a_drawn_mask_is_named_after_its_representation():
    assert a_mask(data_representation="MultiLabel").group_name == "DataRepresentation.MultiLabel"


def test_the_group_of_a_computed_mask_is_named_after_its_model():
    model = SegmentationModel(model_name="vessels", version="1.2")
    assert a_mask(kind=ModelSegmentation, model=model).group_name == "model_vessels_1.2"


def test_a_computed_mask_without_a_model_has_no_group():
    with pytest.raises(RuleBroken, match="model"):
        _ = a_mask(kind=ModelSegmentation).group_name


@pytest.mark.parametrize("name", ["../../etc", "a/b", "a\\b"])
def test_a_model_whose_name_leads_out_of_its_group_is_refused(name):
    with pytest.raises(RuleBroken, match="slash"):
        SegmentationModel(model_name=name, version="1").check_rules()
    with pytest.raises(RuleBroken, match="slash"):
        SegmentationModel(model_name="m", version=name).check_rules()


VALID = {
    "2-D image": (PHOTO, PHOTO, {}),
    "2-D image, axis not told": (PHOTO, PHOTO, {"sparse_axis": None}),
    "2-D image, own grid": (PHOTO, (1, 30, 31), {"image_projection_matrix": IDENTITY}),
    "volume, all scans": (VOLUME, VOLUME, {}),
    "volume, some scans": (VOLUME, VOLUME, {"scan_indices": [6, 0]}),
    "volume, no scan yet": (VOLUME, VOLUME, {"scan_indices": []}),
    "volume, en face": (VOLUME, (7, 1, 80), {"sparse_axis": 1}),
}
INVALID = {
    "2-D image, another size": (PHOTO, (1, 80, 60), {}),
    "2-D image, more layers": (PHOTO, VOLUME, {}),
    "2-D image, layers and a matrix": (PHOTO, VOLUME, {"image_projection_matrix": IDENTITY}),
    "2-D image, scans": (PHOTO, PHOTO, {"scan_indices": [0]}),
    "2-D image, axis 1": (PHOTO, PHOTO, {"sparse_axis": 1}),
    "volume, one layer": (VOLUME, PHOTO, {}),
    "volume, one scan too few": (VOLUME, (6, 60, 80), {}),
    "volume, a matrix": (VOLUME, VOLUME, {"image_projection_matrix": IDENTITY}),
    "volume, en face along axis 0": (VOLUME, (7, 1, 80), {}),
    "volume, en face with all rows": (VOLUME, VOLUME, {"sparse_axis": 1}),
    "volume, en face with scans": (VOLUME, (7, 1, 80), {"sparse_axis": 1, "scan_indices": [0]}),
    "volume, axis 2": (VOLUME, (7, 60, 1), {"sparse_axis": 2}),
}


@pytest.mark.parametrize(("image", "shape", "more"), VALID.values(), ids=VALID)
def test_what_the_contract_lists_fits(kind, image, shape, more):
    mask = a_mask(shape, kind, **more)
    assert mask.fits(image)
    mask.check_fits(an_image(image))
    mask.image_instance = an_image(image)
    mask.check_rules()


@pytest.mark.parametrize(("image", "shape", "more"), INVALID.values(), ids=INVALID)
def test_what_the_contract_does_not_list_does_not_fit(kind, image, shape, more):
    mask = a_mask(shape, kind, **more)
    assert not mask.fits(image)
    with pytest.raises(RuleBroken):
        mask.check_fits(an_image(image))
    mask.image_instance = an_image(image)
    with pytest.raises(RuleBroken):
        mask.check_rules()


@given(image=st.tuples(SIDES, SIDES, SIDES), shape=st.tuples(SIDES, SIDES, SIDES))
def test_on_axis_0_without_a_matrix_only_the_shape_of_the_image_fits(image, shape):
    assert a_mask(shape).fits(image) == (shape == image)
    assert a_mask(image).fits(image)


@given(image=st.tuples(st.integers(2, 50), SIDES, SIDES), shape=st.tuples(SIDES, SIDES, SIDES))
def test_on_axis_1_only_the_en_face_map_of_a_volume_fits(image, shape):
    mask = a_mask(shape, sparse_axis=1)
    assert mask.fits(image) == (shape == (image[0], 1, image[2]))
    assert a_mask((image[0], 1, image[2]), sparse_axis=1).fits(image)


def test_the_error_names_the_field_and_the_shape_that_is_needed():
    with pytest.raises(RuleBroken, match=r"must be \(7, 60, 80\)") as caught:
        a_mask((6, 60, 80)).check_fits(an_image(VOLUME))
    assert (caught.value.entity, caught.value.field) == ("Segmentation", "shape")


def test_an_image_without_a_size_cannot_be_checked_but_stops_nothing():
    unknown = ImageInstance(dataset_identifier="a.png", laterality="R")
    mask = a_mask(image_instance=unknown)
    mask.check_rules()
    with pytest.raises(RuleBroken, match="rows_y"):
        mask.check_fits(unknown)


@pytest.mark.parametrize("name", ["depth", "height", "width"])
@pytest.mark.parametrize("size", [0, -1, 2**15 + 1])
def test_a_side_is_from_1_to_32768_pixels(kind, name, size):
    mask = a_mask(kind=kind)
    setattr(mask, name, size)
    with pytest.raises(RuleBroken, match=name):
        mask.check_rules()
    setattr(mask, name, 2**15)
    mask.check_rules()


def test_more_than_four_thousand_million_pixels_are_refused():
    with pytest.raises(RuleBroken, match="4,000,000,000"):
        a_mask((2**15, 2**15, 4)).check_rules()


@pytest.mark.parametrize("scans", [[7], [-1], [1, 1], [True], ["1"], [1.0], {"1": 1}, 3])
def test_scan_indices_are_different_scans_of_the_volume(kind, scans):
    mask = a_mask(VOLUME, kind)
    mask.__dict__["scan_indices"] = scans  # as read from a row that another program wrote
    with pytest.raises(RuleBroken, match="scan_indices"):
        mask.check_rules()


@pytest.mark.parametrize(
    "matrix",
    [
        [1, 0, 0, 0, 1, 0, 0, 0, 1],
        [[1, 0], [0, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, "1"]],
        [[1, 0, 0], [0, 1, 0], [0, 0, True]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 10**400]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 0]],
        [[1, 2, 3], [2, 4, 6], [0, 0, 1]],
        [[0.1, 0.2, 0.3], [0.3, 0.6, 0.9], [0, 0, 1]],
        {"a": 1},
    ],
)
def test_a_projection_is_3_by_3_numbers_that_can_be_inverted(kind, matrix):
    with pytest.raises(RuleBroken, match="image_projection_matrix"):
        a_mask(kind=kind, image_projection_matrix=matrix).check_rules()


@given(
    scale=st.floats(1e-4, 1e4),
    angle=st.floats(-3.1, 3.1),
    x=st.floats(-1e5, 1e5),
    y=st.floats(-1e5, 1e5),
)
def test_every_similarity_is_a_projection(scale, angle, x, y):
    import math

    c, s = scale * math.cos(angle), scale * math.sin(angle)
    a_mask(image_projection_matrix=[[c, -s, x], [s, c, y], [0, 0, 1]]).check_rules()


ALLOWED = {
    "Binary": {"R8", "R8UI", "R16UI", "R32UI"},
    "DualBitMask": {"R8UI", "R16UI", "R32UI"},
    "Probability": {"R8", "R32F"},
    "MultiLabel": {"R8UI", "R16UI", "R32UI"},
    "MultiClass": {"R8UI", "R16UI", "R32UI"},
}


@pytest.mark.parametrize("data_type", [one.name for one in Datatype])
@pytest.mark.parametrize("meaning", [one.name for one in DataRepresentation])
def test_a_representation_goes_with_the_number_types_that_can_hold_it(kind, meaning, data_type):
    mask = a_mask(kind=kind, data_representation=meaning, data_type=data_type)
    if data_type in ALLOWED[meaning]:
        mask.check_rules()
    else:
        with pytest.raises(RuleBroken, match=f"{data_type} cannot hold {meaning}"):
            mask.check_rules()


def test_the_threshold_of_probabilities_is_from_0_to_1_and_elsewhere_it_means_nothing(kind):
    a_mask(
        kind=kind, data_representation="Probability", data_type="R8", threshold=0.4
    ).check_rules()
    for threshold in (0.5, 40):
        a_mask(kind=kind, threshold=threshold).check_rules()
    with pytest.raises(RuleBroken, match="from 0 to 1"):
        a_mask(
            kind=kind, data_representation="Probability", data_type="R8", threshold=40
        ).check_rules()


def test_a_negative_position_in_the_store_is_refused(kind):
    with pytest.raises(RuleBroken, match="zarr_array_index"):
        a_mask(kind=kind, zarr_array_index=-1).check_rules()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", 2),
        ("Height", 2),
        ("width", 2),
        ("data_type", "R16UI"),
        ("DataRepresentation", "MultiClass"),
    ],
)
def test_what_lays_out_the_pixels_cannot_change_once_there_are_pixels(kind, name, value):
    mask = a_mask(kind=kind)
    setattr(mask, name, value)  # no pixels yet
    mask = a_mask(kind=kind, zarr_array_index=0)
    before = getattr(mask, name)
    setattr(mask, name, before)
    with pytest.raises(RuleBroken, match="has pixels already"):
        setattr(mask, name, value)
    assert getattr(mask, name) == before


def test_a_reference_has_the_same_shape_and_is_another_one(kind):
    mask = a_mask(VOLUME, kind)
    mask.check_reference(a_mask(VOLUME))
    with pytest.raises(RuleBroken, match="both must have the same"):
        mask.check_reference(a_mask(PHOTO))
    with pytest.raises(RuleBroken, match="itself"):
        mask.check_reference(mask)


def test_a_segmentation_that_is_its_own_reference_is_refused():
    with pytest.raises(RuleBroken, match="itself"):
        a_mask(segmentation_id=3, reference_segmentation_id=3).check_rules()
    a_mask(segmentation_id=3, reference_segmentation_id=4).check_rules()


def test_a_model_segmentation_may_refer_to_a_segmentation_of_the_same_number():
    a_mask(
        kind=ModelSegmentation, model_segmentation_id=3, reference_segmentation_id=3
    ).check_rules()


def test_more_labels_than_bits_are_refused():
    lesions = Feature(feature_name="lesions")
    lesions.add_subfeature(Feature(feature_name="drusen"), 8)
    with pytest.raises(RuleBroken, match="index 8 does not fit in R8UI"):
        a_mask(feature=lesions, data_representation="MultiLabel").check_rules()
    a_mask(feature=lesions, data_representation="MultiLabel", data_type="R16UI").check_rules()
    a_mask(feature=lesions, data_representation="MultiClass").check_rules()


def test_a_segmentation_decodes_its_pixels_with_its_feature_and_threshold():
    import numpy as np

    probabilities = a_mask(data_representation="Probability", data_type="R32F", threshold=0.2)
    assert probabilities.decode(np.array([0.1, 0.3], np.float32))["mask"].tolist() == [False, True]
    lesions = Feature(feature_name="lesions")
    lesions.add_subfeature(Feature(feature_name="drusen"))
    model = SegmentationModel(model_name="m", version="1", feature=lesions)
    labelled = a_mask(kind=ModelSegmentation, model=model, data_representation="MultiLabel")
    assert labelled.decode(np.array([0, 1], np.uint8))["drusen"].tolist() == [False, True]


def test_a_row_of_which_columns_were_left_out_is_not_judged():
    mask = a_mask((0, 0, 0))
    del mask.__dict__["depth"]
    mask.check_rules()
