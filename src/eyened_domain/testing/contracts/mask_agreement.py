"""How far graders agree on masks."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import math
from typing import Any

import pytest

from eyened_domain.errors import NotFound
from eyened_domain.services.agreement import Agreement
from eyened_domain.services.features import Features
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.graded_task import (
    VOLUME,
    GradedTask,
    square,
)


class MaskAgreementContract(Contract):
    """That masks are compared where both have drawn, in the units of their image."""

    def test_masks_are_compared_in_millimetres_where_the_resolution_is_known(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(
                uow,
                build,
                3,
                rows_y=12,
                columns_x=16,
                modality="ColorFundus",
                dicom_modality="OP",
                resolution_vertical=0.5,
                resolution_horizontal=0.25,
            )
            study.images[2].resolution_vertical = None
            for place, moved in enumerate((0, 2, 4)):
                study.draw("ann", place, square(4))
                study.draw("ben", place, square(4, moved))
            uow.commit()
            pair = "ann, ben"
            rows = study.mask_rows()
            assert rows == {
                ("drusen area", "dice", pair): (pytest.approx((1 + 0.5 + 0) / 3), 3, 0),
                ("drusen area", "iou", pair): (pytest.approx((1 + 1 / 3 + 0) / 3), 3, 0),
                ("drusen area", "hausdorff_95 mm", pair): (pytest.approx((0 + 0.5) / 2), 2, 1),
                ("drusen area", "hausdorff_95 px", pair): (pytest.approx(4), 1, 2),
            }

    def test_empty_masks_agree_with_empty_ones_and_have_no_distance_to_others(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 4, rows_y=12, columns_x=16)
            for place, (ann, ben) in enumerate([(0, 0), (0, 4), (4, 4)]):
                study.draw("ann", place, square(ann))
                study.draw("ben", place, square(ben))
            study.draw("ann", 3, square(3))
            uow.segmentations.add(
                build.a_segmentation(
                    image_instance=study.images[3],
                    feature=study.feature,
                    creator=study.graders["ben"],
                    sub_task=study.sub_task("ben", study.images[3]),
                    height=12,
                    width=16,
                )
            )  # without pixels: not drawn yet
            uow.commit()
            rows = study.mask_rows(features=["drusen area"])
            assert rows["drusen area", "dice", "ann, ben"] == (pytest.approx(2 / 3), 3, 1)
            assert rows["drusen area", "hausdorff_95 px", "ann, ben"] == (0.0, 2, 2)
            with pytest.raises(NotFound, match="drusn area"):
                study.mask_rows(features=["drusn area"])

    def test_of_volumes_only_b_scans_that_both_have_drawn_are_compared(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 1, **VOLUME)
            study.draw("ann", 0, {0: square(3), 2: square(4)})
            study.draw("ben", 0, {2: square(4, 2), 3: square(5)})
            study.draw("cas", 0, {4: square(4)})
            uow.commit()
            rows = study.mask_rows()
            assert rows["drusen area", "dice", "ann, ben"] == (0.5, 1, 0)
            assert rows["drusen area", "hausdorff_95 mm", "ann, ben"] == (0.5, 1, 0)
            estimate, *counted = rows["drusen area", "dice", "ann, cas"]
            assert (math.isnan(estimate), *counted) == (True, 0, 1)
            (worst,) = Agreement().mask_disagreements(uow, study.task).cases
            assert (worst.disagreement, worst.question) == (0.5, "drusen area")

    def test_a_single_b_scan_is_measured_along_its_depth(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            scan = {**VOLUME, "nr_of_frames": 1, "modality": "OCT"}
            study = GradedTask(uow, build, 1, **scan)
            study.draw("ann", 0, square(4))
            study.draw("ben", 0, _lower(square(4)))
            uow.commit()
            assert study.mask_rows()["drusen area", "hausdorff_95 mm", "ann, ben"][0] == 1.0

    def test_masks_on_other_grids_are_left_out(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 2, **VOLUME)
            for place in range(2):
                study.draw("ann", place, {2: square(4)})
            study.draw("ben", 0, {2: square(4)})
            study.draw("ben", 1, square(2)[:5])  # seen from the front
            uow.commit()
            assert study.mask_rows()["drusen area", "dice", "ann, ben"] == (1.0, 1, 1)

    def test_masks_of_composite_features_have_rows_of_their_own_and_repeats_as_well(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 1, rows_y=12, columns_x=16)
            layers = Features().compose(uow, "layers", ["ILM", "RPE"])
            study.feature = layers
            more = {"data_representation": "MultiLabel"}
            study.draw("ann", 0, square(4), **more)
            study.draw("ben", 0, square(4) * 3, **more)
            study.draw("cas", 0, square(4), **more)
            study.draw("ann", 0, square(2), **more)
            uow.commit()
            rows = study.mask_rows()
            dice = {
                (name, graders): estimate
                for (name, measure, graders), (estimate, *_) in rows.items()
                if measure == "dice"
            }
            pairs = ["ann, ann (2)", "ann, ben", "ann, cas", "ben, cas"]
            assert dice == {
                ("layers/ILM", "ann, ben, cas"): 1.0,
                **dict(zip((("layers/ILM", pair) for pair in pairs), (0.4, 1, 1, 1), strict=True)),
                ("layers/RPE", "ann, ben, cas"): pytest.approx(1 / 3),
                **dict(zip((("layers/RPE", pair) for pair in pairs), (1, 0, 1, 0), strict=True)),
            }
            (worst,) = Agreement().mask_disagreements(uow, study.task).cases
            assert worst.disagreement == pytest.approx((0 + 2 / 3) / 2)
            assert worst.question == "layers/RPE"
            assert worst.graders == ("ann", "ben", "cas")


def _lower(pixels: Any) -> Any:
    """Return a picture moved two rows down."""
    import numpy as np  # noqa: PLC0415 - only these contracts need it

    return np.roll(pixels, 2, axis=0)
