"""Segmentations for the campaigns on pixels: small, valid, and told apart by their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.testing import Builder

Shape = tuple[int, int, int]


def pixels_of(number: int, shape: Shape) -> npt.NDArray[Any]:
    """Return pixels that belong to that number, and to no other; 0 and 1, uint8."""
    return np.random.default_rng(number).integers(0, 2, shape, dtype=np.uint8)


class Drawer:
    """Stores segmentations on images of one shape.

    Args:
        database: where they are stored.
        shape: (depth, height, width) of the image and its segmentations.
        build: makes what they need besides.
    """

    def __init__(self, database: Database, shape: Shape, build: Builder | None = None) -> None:
        self.shape = shape
        depth, height, width = shape
        build = build or Builder()
        with database.unit_of_work() as uow:
            image = build.an_image(nr_of_frames=depth, rows_y=height, columns_x=width)
            creator, feature = build.a_creator(), build.a_feature()
            uow.images.add(image)
            uow.creators.add(creator)
            uow.features.add(feature)
            uow.commit()
            self._links = {
                "image_instance_id": image.image_instance_id,
                "creator_id": creator.creator_id,
                "feature_id": feature.feature_id,
            }

    def new(self, **values: Any) -> Segmentation:
        """Return a new segmentation without pixels, which is in no unit of work yet."""
        depth, height, width = self.shape
        given: dict[str, Any] = {
            **self._links,
            "data_representation": "Binary",
            "data_type": "R8UI",
            "depth": depth,
            "height": height,
            "width": width,
            "sparse_axis": 0,
        }
        return Segmentation(**given | values)

    def store(self, database: Database, number: int) -> int:
        """Store a segmentation with the pixels of a number; return its id."""
        with database.unit_of_work() as uow:
            one = uow.segmentations.add(self.new())
            one.write_data(pixels_of(number, self.shape))
            uow.commit()
            return int(one.segmentation_id)
