"""The files of OCT devices as images of an import."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from eyened_domain import Database, ImageInstance
from eyened_domain.errors import BadInput
from eyened_domain.model.enums import Laterality, ModalityType
from tests.integration.imports import ALL, flat, importing_on, row_counts


def write(database: Database, name: str) -> None:
    """Write a Heidelberg volume of a left eye, 3 B-scans of 5 rows by 7 columns."""
    base = Path(database.settings.images_basepath)
    base.mkdir(exist_ok=True)
    head = struct.pack("<12s3I3d", b"HSF-OCT-103", 7, 3, 5, 0.0115, 0.24, 0.0039)
    eye = struct.pack("<2I2dId4sQiI", 0, 0, 0.01, 0.01, 30, 0, b"OS", 0, 3, 256)
    b_scan = b"HSF-BS-103".ljust(256, b"\0") + bytes(4 * 5 * 7)
    (base / name).write_bytes((head + eye).ljust(2048, b"\0") + 3 * b_scan)


def test_the_columns_of_a_volume_are_filled_in_from_its_file(database: Database) -> None:
    importing = importing_on(database)
    write(database, "a.vol")
    importing.run([{**flat("a.vol"), "image_props": {}}], ALL)
    with database.get_session() as session:
        image = session.repository(ImageInstance).one()
        assert (image.nr_of_frames, image.rows_y, image.columns_x) == (3, 5, 7)
        assert image.samples_per_pixel == 1
        assert image.laterality is Laterality.L
        assert image.dicom_modality is ModalityType.OPT
        assert image.resolution_axial == pytest.approx(0.0039)
        assert image.resolution_horizontal == pytest.approx(0.0115)
        assert image.resolution_vertical == pytest.approx(0.24)
        assert image.device_instance.device_model.manufacturer == "Heidelberg Engineering"


def test_a_record_of_the_other_eye_is_refused_and_nothing_is_written(database: Database) -> None:
    importing = importing_on(database)
    write(database, "a.vol")
    before = row_counts(database)
    with pytest.raises(BadInput, match=r"laterality: the record says R, the file L"):
        importing.run([flat("a.vol")], ALL)
    assert row_counts(database) == before
