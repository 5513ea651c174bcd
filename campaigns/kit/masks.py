"""Masks whose pixels tell which they are, and a database with a store to put them in."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from campaigns.kit.databases import fresh_database
from eyened_domain import ImageInstance, Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.testing import Builder

SERVER = "mysql+pymysql://root@127.0.0.1:3306"
FLAT = (1, 64, 64)
VOLUME = (4, 128, 160)
"""Each B-scan has 20 KiB, so that a new array of them is sharded."""
SCANS = 1000
"""B-scan s of the volume with identity v has identity v × 1000 + s."""
NEVER = 1_000_000
"""Versions from here on are written by units that are rolled back; nobody may ever see them."""

Pixels = npt.NDArray[np.uint8]
_BITS = 64
_DRAWN = 2048


def pixels_of(identity: int, version: int, shape: tuple[int, ...] = FLAT) -> Pixels:
    """Return pixels of 0 and 1 that tell who and which they are; random besides, then zero."""
    told = np.array([identity, version], "<u4").view(np.uint8)
    pixels = np.zeros(shape, np.uint8)
    flat = pixels.reshape(-1)
    drawn = np.random.default_rng((identity, version)).integers(0, 2, _DRAWN, np.uint8)
    flat[:_DRAWN] = drawn[: flat.size]
    flat[:_BITS] = np.unpackbits(told)
    return pixels


def told_by(pixels: npt.NDArray[Any]) -> tuple[int, int] | None:
    """Return identity and version; (0, 0) of zeros; None when the pixels are not of one piece."""
    identity, version = np.packbits(pixels.reshape(-1)[:_BITS]).view("<u4")
    if identity == version == 0:
        return None if pixels.any() else (0, 0)
    whole = pixels_of(int(identity), int(version), pixels.shape)
    return (int(identity), int(version)) if np.array_equal(whole, pixels) else None


@frozen
class Stage:
    """Where a campaign plays; goes to its processes.

    Attributes:
        settings: of the `Database`, with a store in a temporary folder.
        image: id of a 2-D image.
        volume_image: id of a volume of the shape that was asked for.
        creator: id of who draws.
        feature: id of what is drawn.
    """

    settings: dict[str, str]
    image: int
    volume_image: int
    creator: int
    feature: int

    @property
    def store(self) -> str:
        """The folder of the zarr store."""
        return self.settings["segmentations_zarr_store"]

    def flat(self, identity: int, shape: tuple[int, int, int] = FLAT) -> Segmentation:
        """Return a new mask, whose row tells its identity in the ImageProjectionMatrix."""
        matrix = [[1.0, 0.0, identity], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        return self._drawn(self.image, shape, image_projection_matrix=matrix)

    def volume(self, shape: tuple[int, int, int] = VOLUME) -> Segmentation:
        """Return a new, sparse segmentation of a volume; its identity is its id."""
        return self._drawn(self.volume_image, shape, scan_indices=[])

    def _drawn(self, image: int, shape: tuple[int, int, int], **values: Any) -> Segmentation:
        depth, height, width = shape
        return Segmentation(
            image_instance_id=image,
            creator_id=self.creator,
            feature_id=self.feature,
            data_representation="Binary",
            data_type="R8UI",
            depth=depth,
            height=height,
            width=width,
            sparse_axis=0,
            **values,
        )


def identity_of(one: Segmentation) -> int:
    """Return the identity that the row of a flat mask tells."""
    return int(one.image_projection_matrix[0][2])


def is_flat(one: Segmentation) -> bool:
    """Whether it is one of `Stage.flat`."""
    return one.image_projection_matrix is not None


@contextmanager
def staged(
    kind: str, *, server: str = SERVER, volume: tuple[int, int, int] = VOLUME
) -> Iterator[Stage]:
    """Give a database of its own with an image and a volume, and a store in a folder of its own.

    Args:
        kind: ``mariadb`` or ``sqlite``.
        server: URL of the MariaDB server.
        volume: shape of the volume.
    """
    url = f"{server}/test_campaign_{secrets.token_hex(4)}"
    with fresh_database(kind, url) as made, tempfile.TemporaryDirectory() as folder:
        settings = {
            "database_url": url_of(made.settings).render_as_string(hide_password=False),
            "secret_key": "campaign",
            "images_basepath": folder,
            "segmentations_zarr_store": str(Path(folder, "store")),
        }
        database = Database(settings)
        database.pixel_shelf.files.make_root()
        stage = _filled(database, settings, volume)
        database.close()
        yield stage


def _filled(database: Database, settings: dict[str, str], volume: tuple[int, int, int]) -> Stage:
    builder = Builder()
    depth, height, width = volume
    with database.unit_of_work() as uow:
        flat = uow.images.add(_image(builder, 1, 512, 512))
        deep = uow.images.add(_image(builder, depth, height, width))
        creator = uow.creators.add(builder.a_creator())
        feature = uow.features.add(builder.a_feature())
        uow.commit()
        return Stage(
            settings,
            flat.image_instance_id,
            deep.image_instance_id,
            creator.creator_id,
            feature.feature_id,
        )


def _image(builder: Builder, depth: int, height: int, width: int) -> ImageInstance:
    made: ImageInstance = builder.an_image(nr_of_frames=depth, rows_y=height, columns_x=width)
    return made
