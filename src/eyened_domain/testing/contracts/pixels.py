"""Pixels of segmentations: they change together with their rows, or not at all."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Conflict, NotFound, NotLoaded, RuleBroken
from eyened_domain.model import (
    DataRepresentation,
    Datatype,
    ModelSegmentation,
    Segmentation,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

SHAPE = (3, 6, 8)
_GRID: dict[str, Any] = {
    "data_representation": DataRepresentation.Binary,
    "data_type": Datatype.R8UI,
    "depth": SHAPE[0],
    "height": SHAPE[1],
    "width": SHAPE[2],
}


def _volume(build: Builder) -> Any:
    return build.an_image(nr_of_frames=SHAPE[0], rows_y=SHAPE[1], columns_x=SHAPE[2])


def drawn_on(build: Builder, **values: Any) -> Segmentation:
    """Return a new segmentation of a volume, or of the image that is given."""
    depth, height, width = values.pop("shape", SHAPE)
    values = {
        "image_instance": values.pop("image_instance", None) or _volume(build),
        "creator": build.a_creator(),
        "feature": build.a_feature(),
        "data_representation": DataRepresentation.Binary,
        "data_type": Datatype.R8UI,
        "depth": depth,
        "height": height,
        "width": width,
        "sparse_axis": 0,
    } | values
    return Segmentation(**values)


def pixels_of(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Any:
    """Return pixels of 0 and 1 that the seed tells."""
    import numpy as np  # noqa: PLC0415 - only these contracts need it

    return np.random.default_rng(seed).integers(0, 2, shape, dtype=np.uint8)


def _write_and_commit(uow: UnitOfWork, drawn: Segmentation) -> None:
    drawn.write_data(pixels_of(3))
    uow.commit()


class PixelContract(Contract):
    """That pixels and rows change together on every storage."""

    def test_pixels_are_read_as_they_were_written(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            assert not drawn.has_pixels
            drawn.write_data(pixels_of())
            assert drawn.has_pixels
            uow.commit()
            identity = drawn.segmentation_id
        assert (drawn.read_data() == pixels_of()).all()
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(identity)
            assert (found.read_data() == pixels_of()).all()
            assert (found.read_data(axis=0, slice_index=2) == pixels_of()[2]).all()
            assert (found.read_data(axis=1, slice_index=5) == pixels_of()[:, 5]).all()
            assert (found.read_data(axis=2, slice_index=0) == pixels_of()[:, :, 0]).all()
            assert (found.masks()["mask"] == (pixels_of() > 0)).all()

    def test_pixels_of_models_are_kept_as_well(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _volume(build)
            made = ModelSegmentation(
                image_instance=image,
                model=build.a_segmentation_model(),
                data_representation="Probability",
                data_type="R32F",
                depth=3,
                height=6,
                width=8,
                threshold=0.25,
            )
            uow.model_segmentations.add(made)
            made.write_data((pixels_of() * 0.5).astype("float32"))
            uow.commit()
            identity = made.model_segmentation_id
        with make_unit_of_work() as uow:
            found = uow.model_segmentations.get(identity)
            assert (found.read_data() == pixels_of() * 0.5).all()
            assert (found.masks()["mask"] == (pixels_of() > 0)).all()

    def test_pixels_are_stored_as_they_were_checked_or_not_at_all(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn, other = (uow.segmentations.add(drawn_on(build)) for _ in range(2))
            prepared = drawn.prepare(pixels_of() * 0)
            with pytest.raises(BadInput, match="prepare them again"):
                other.put(prepared)
            drawn.data_representation = DataRepresentation.DualBitMask
            with pytest.raises(BadInput, match="prepare them again"):
                drawn.put(prepared)
            assert not drawn.has_pixels
            assert not other.has_pixels

    def test_what_was_not_written_says_so(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            with pytest.raises(NotFound, match="no pixels yet"):
                drawn.read_data()
            drawn.write_empty()
            assert not drawn.read_data().any()
        with pytest.raises(NotLoaded, match="in no open"):
            drawn.write_empty()
        with pytest.raises(NotLoaded, match="add it to a session or unit of work"):
            drawn_on(build).write_empty()

    @pytest.mark.parametrize("how", ["rolled back", "left"])
    def test_an_overwrite_that_is_not_committed_leaves_the_old_pixels(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, how: str
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build, scan_indices=[]))
            drawn.write_data(pixels_of(1)[0], axis=0, slice_index=1)
            uow.commit()
            identity = drawn.segmentation_id
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.get(identity)
            before = drawn.read_data()
            drawn.write_data(1 - before)
            assert (drawn.read_data() == 1 - before).all()
            if how == "rolled back":
                uow.rollback()
                assert (drawn.read_data() == before).all()
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.get(identity)
            assert (drawn.read_data() == before).all()
            assert drawn.scan_indices == [1]

    def test_slices_are_put_together_and_noted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        whole = pixels_of(2)
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build, scan_indices=[]))
            drawn.write_data(whole[2], axis=0, slice_index=2)
            drawn.write_data(whole[:1], axis=0, slice_index=0)
            uow.commit()
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.get(drawn.segmentation_id)
            assert drawn.scan_indices == [0, 2]
            found = drawn.read_data()
            assert (found[[0, 2]] == whole[[0, 2]]).all()
            assert not found[1].any()
            drawn.write_data(whole[:, :, 3], axis=2, slice_index=3)
            assert (drawn.read_data()[:, :, 3] == whole[:, :, 3]).all()
            assert (drawn.read_data()[2, :, 4] == whole[2, :, 4]).all()
            uow.commit()
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.get(drawn.segmentation_id)
            assert set(drawn.scan_indices) >= {0, 2}

    def test_of_two_who_write_at_once_the_second_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            drawn.write_data(pixels_of(1))
            uow.commit()
            identity = drawn.segmentation_id
            drawn = uow.segmentations.get(identity)
            uow.commit()  # its transaction ends, what it has read stays
            with make_unit_of_work() as other:
                other.segmentations.get(identity).write_data(pixels_of(2))
                other.commit()
            with pytest.raises(Conflict):
                _write_and_commit(uow, drawn)
        with make_unit_of_work() as uow:
            assert (uow.segmentations.get(identity).read_data() == pixels_of(2)).all()

    @pytest.mark.parametrize(
        ("shape", "axis", "number"),
        [
            ((3, 6, 9), None, None),
            ((6, 8), None, None),
            ((6, 8), 0, 3),
            ((6, 8), 0, -1),
            ((6, 8), 0, 1.0),
            ((6, 8), 0, True),
            ((6, 8), 3, 0),
            ((6, 8), -1, 0),
            ((6, 8), 0, None),
            ((6, 8), None, 0),
            ((3, 6, 8), 0, 0),
            ((8, 6), 0, 0),
        ],
    )
    def test_shapes_and_slices_that_do_not_fit_are_refused(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        shape: tuple[int, ...],
        axis: Any,
        number: Any,
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            with pytest.raises(BadInput):
                drawn.write_data(pixels_of(shape=shape), axis=axis, slice_index=number)
            assert not drawn.has_pixels

    @pytest.mark.parametrize("dtype", ["int64", "uint16", "float32", "int8", "complex64"])
    def test_another_number_type_is_refused_and_the_error_says_what_to_do(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, dtype: str
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            with pytest.raises(BadInput, match=r"astype\(numpy.uint8\)"):
                drawn.write_data(pixels_of().astype(dtype))
            drawn.write_data(pixels_of().astype(bool))
            assert drawn.read_data().dtype == "uint8"

    def test_values_that_mean_nothing_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            with pytest.raises(RuleBroken, match="means nothing in Binary"):
                drawn.write_data(pixels_of() * 2)
            assert not drawn.has_pixels

    def test_masks_are_limited_by_the_segmentation_that_is_referred_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(_volume(build))
            limit = uow.segmentations.add(drawn_on(build, image_instance=image))
            limit.write_data(pixels_of(1))
            uow.flush()
            drawn = drawn_on(build, image_instance=image)
            drawn.reference_segmentation_id = limit.segmentation_id
            uow.segmentations.add(drawn).write_data(pixels_of(2))
            assert (drawn.masks()["mask"] == (pixels_of(1) & pixels_of(2) > 0)).all()
            assert (drawn.read_data() == pixels_of(2)).all()
            uow.flush()
            limit.reference_segmentation_id = drawn.segmentation_id
            with pytest.raises(RuleBroken, match="circle"):
                limit.write_data(pixels_of(1))

    @pytest.mark.parametrize("wrong", ["another shape", "itself in a circle", "nobody"])
    def test_a_reference_that_cannot_be_is_refused_when_it_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, wrong: str
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(_volume(build))
            first = uow.segmentations.add(drawn_on(build, image_instance=image))
            uow.flush()
            second = drawn_on(build, image_instance=image)
            second.reference_segmentation_id = first.segmentation_id
            uow.segmentations.add(second)
            uow.commit()
            if wrong == "itself in a circle":
                first.reference_segmentation_id = second.segmentation_id
            elif wrong == "nobody":
                first.reference_segmentation_id = 987654
            else:
                values = {"shape": (3, 1, 8), "sparse_axis": 1}
                third = drawn_on(build, image_instance=image, **values)
                third.reference_segmentation_id = first.segmentation_id
                uow.segmentations.add(third)
            with pytest.raises((RuleBroken, NotFound)):
                uow.commit()

    def test_a_mask_on_a_grid_of_its_own_is_shown_in_pixels_of_the_image(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.an_image(nr_of_frames=1, rows_y=6, columns_x=8)
            matrix = [[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]
            drawn = drawn_on(
                build, image_instance=image, shape=(1, 3, 4), image_projection_matrix=matrix
            )
            uow.segmentations.add(drawn).write_data(pixels_of(3, (1, 3, 4)))
            expected = pixels_of(3, (3, 4)).repeat(2, 0).repeat(2, 1)[None]
            assert (drawn.masks()["mask"] == (expected > 0)).all()
            assert drawn.masks(on_image=False)["mask"].shape == (1, 3, 4)
            uow.commit()

    def test_shapes_are_fixed_once_there_are_pixels(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build))
            drawn.write_empty()
            for name, value in {"depth": 4, "data_type": "R16UI", "height": 1}.items():
                with pytest.raises(RuleBroken, match="has pixels already"):
                    setattr(drawn, name, value)

    def test_a_model_keeps_its_name_once_its_segmentations_have_pixels(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = uow.segmentation_models.add(build.a_segmentation_model(model_name="first"))
            uow.commit()
            model.model_name = "second"  # nobody has asked for its group yet
            made = build.build(ModelSegmentation, model=model, **_GRID)
            made.image_instance = _volume(build)
            uow.model_segmentations.add(made)
            uow.commit()
            model.version = "1.5"
            uow.commit()
            made.write_data(pixels_of())
            uow.commit()
            identity = model.model_id
        for name in ("model_name", "version"):
            with make_unit_of_work() as uow:
                model = uow.segmentation_models.get(identity)
                setattr(model, name, "another")
                with pytest.raises(RuleBroken, match="pixels, which are in the zarr group"):
                    uow.flush()
        with make_unit_of_work() as uow:
            model = uow.segmentation_models.get(identity)
            model.description = "its description may change"
            uow.commit()
            assert (model.segmentations[0].read_data() == pixels_of()).all()

    def test_pixels_of_a_model_are_not_handed_to_another_model(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            made = build.build(ModelSegmentation, model=build.a_segmentation_model(), **_GRID)
            made.image_instance = _volume(build)
            other = uow.segmentation_models.add(build.a_segmentation_model())
            uow.model_segmentations.add(made)
            made.write_data(pixels_of())
            uow.commit()
            with pytest.raises(RuleBroken, match="has pixels already"):
                made.model = other
            with pytest.raises(RuleBroken, match="has pixels already"):
                made.model_id = other.model_id
            made.model = made.model

    @pytest.mark.parametrize("name", ["a/b", "a\\b", " a", "a\n", "a\tb", "\u0085", "é" * 124])
    def test_a_model_whose_name_is_no_name_of_a_folder_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, name: str
    ) -> None:
        with make_unit_of_work() as uow:
            uow.segmentation_models.add(build.a_segmentation_model(model_name=name))
            with pytest.raises(RuleBroken, match="in the name of a zarr group"):
                uow.flush()
