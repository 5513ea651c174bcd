"""Pixels as the programs on these databases write them: the platform's web client and server."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model import DataRepresentation
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.pixels import drawn_on, pixels_of


class ClientPixelContract(Contract):
    """That what the programs beside us send is taken, and kept, on every storage."""

    @pytest.mark.parametrize("shape", [(3, 8), (3, 1, 8)])
    @pytest.mark.parametrize("number", [None, 0])
    def test_a_map_seen_from_the_front_is_saved_and_read_as_one_plane(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        shape: tuple[int, ...],
        number: int | None,
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build, shape=(3, 1, 8), sparse_axis=1))
            drawn.write_data(pixels_of(4, shape), axis=1, slice_index=number)
            uow.commit()
            identity = drawn.segmentation_id
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(identity)
            assert (found.read_data() == pixels_of(4, (3, 1, 8))).all()
            assert (found.read_data(axis=1) == pixels_of(4, (3, 8))).all()
            found.write_data(pixels_of(5, shape), axis=1)
            assert (found.read_data(axis=1, slice_index=0) == pixels_of(5, (3, 8))).all()

    def test_of_an_axis_with_one_slice_its_number_may_be_left_out(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.an_image(nr_of_frames=1, rows_y=6, columns_x=8)
            drawn = drawn_on(build, image_instance=image, shape=(1, 6, 8))
            uow.segmentations.add(drawn).write_data(pixels_of(4, (6, 8)), axis=0)
            assert (drawn.read_data(axis=0) == pixels_of(4, (6, 8))).all()
            for axis in (1, 2):
                with pytest.raises(BadInput, match=rf"axis {axis} has \d slices: give slice_index"):
                    drawn.read_data(axis=axis)
                with pytest.raises(BadInput, match="give slice_index"):
                    drawn.write_data(pixels_of(4, (1, 8)), axis=axis)
            assert (drawn.read_data() == pixels_of(4, (1, 6, 8))).all()

    @pytest.mark.parametrize("meaning", [one.name for one in DataRepresentation])
    def test_a_threshold_is_kept_with_every_representation(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, meaning: str
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = drawn_on(build, threshold=0.5, data_representation=meaning, data_type="R8UI")
            if meaning == "Probability":
                drawn.data_type = "R8"
            if meaning.startswith("Multi"):
                drawn.feature.add_subfeature(build.a_feature())
            uow.segmentations.add(drawn).write_empty()
            uow.commit()
            identity = drawn.segmentation_id
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(identity)
            assert found.threshold == 0.5
            found.threshold = 0.25
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.segmentations.get(identity).threshold == 0.25

    def test_scans_are_listed_in_the_order_in_which_another_program_wrote_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            drawn = uow.segmentations.add(drawn_on(build, scan_indices=[2, 0]))
            drawn.write_data(pixels_of(2)[0], axis=0, slice_index=0)
            uow.commit()
            identity = drawn.segmentation_id
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(identity)
            assert found.scan_indices == [2, 0]
            found.write_data(pixels_of(2)[1], axis=0, slice_index=1)
            uow.commit()
            assert sorted(found.scan_indices) == [0, 1, 2]
