"""Draw a disc on an image, save it, look at it: python examples/draw_a_mask.py IMAGE_ID [file.env].

Writes overlay.png into the folder where it is run.
"""

import sys

import numpy as np

from eyened_domain import Creator, Database, Feature, ImageInstance, Segmenting

image_id, *settings = sys.argv[1:]
database = Database(*settings)


def draw(uow):
    """One unit of work: run again as a whole if somebody else is in the way."""
    image = ImageInstance.by_id(uow, int(image_id))
    by = Creator.by_name(uow, "example", default=None) or Creator(creator_name="example")
    disc = Feature.by_name(uow, "optic disc", default=None) or Feature(feature_name="optic disc")
    rows, columns = np.ogrid[: image.rows_y, : image.columns_x]
    radius = min(image.rows_y, image.columns_x) / 6
    y, x = image.rows_y / 2, image.columns_x / 2
    mask = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    return Segmenting().create(uow, image, mask, feature=disc, creator=by)


segmentation = database.run(draw)
segmentation.overlay(max_size_px=1024).save("overlay.png")
print(f"segmentation {segmentation.segmentation_id}: overlay.png")
