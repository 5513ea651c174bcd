"""A believable study of any size: what the benchmarks read.

Per patient two visits, with one series of three fundus photographs and one of two OCT
volumes each: ten images.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Engine, Table, insert

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.acquisition import DeviceInstance, DeviceModel, ModalityTable, SourceInfo
from eyened_domain.model.enums import ETDRSField, ExternalEnum, Laterality, Modality, SexEnum
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Series, Study

IMAGES_PER_PATIENT = 10
_CHUNK = 1000
_NOW = datetime(2026, 1, 5, 12)
_ROI = {"center": [980, 967], "radius": 940, "success": True}
_KEYPOINTS = {"fovea_xy": [975.5, 960.25], "disc_edge_xy": [700, 950]}

Row = dict[str, Any]


@frozen
class Size:
    """How many of each there are."""

    images: int

    @property
    def patients(self) -> int:
        """Ten images per patient."""
        return max(1, self.images // IMAGES_PER_PATIENT)

    @property
    def studies(self) -> int:
        """Two visits per patient."""
        return 2 * self.patients

    @property
    def series(self) -> int:
        """Two series per visit."""
        return 2 * self.studies


def fill(engine: Engine, images: int) -> Size:
    """Insert a project with that many images; ids count from 1."""
    size = Size(images)
    with engine.begin() as connection:
        _shared_rows(connection)
        insert_chunked(connection, table_of(Patient), patients(size))
        insert_chunked(connection, table_of(Study), studies(size))
        insert_chunked(connection, table_of(Series), series(size))
        insert_chunked(connection, table_of(ImageInstance), image_rows(size))
    return size


def insert_chunked(connection: Connection, table: Table, rows: Iterator[Row]) -> None:
    """Insert rows a thousand at a time."""
    while some := list(islice(rows, _CHUNK)):
        connection.execute(insert(table), some)


def _shared_rows(connection: Connection) -> None:
    connection.execute(
        insert(table_of(Project)),
        [{"project_id": 1, "project_name": "Benchmark", "external": ExternalEnum.N}],
    )
    connection.execute(
        insert(table_of(SourceInfo)),
        [{"source_info_id": 1, "source_name": "s", "source_path": "s", "thumbnail_path": "t"}],
    )
    models = [
        {"device_model_id": n, "manufacturer": "Topcon", "manufacturer_model_name": name}
        for n, name in enumerate(("TRC-NW8", "Maestro2"), 1)
    ]
    connection.execute(insert(table_of(DeviceModel)), models)
    devices = [{"device_instance_id": n, "device_model_id": n, "description": ""} for n in (1, 2)]
    connection.execute(insert(table_of(DeviceInstance)), devices)
    connection.execute(
        insert(table_of(ModalityTable)),
        [{"modality_id": n, "modality_tag": tag} for n, tag in ((1, "CFP"), (2, "OCT"))],
    )


def patients(size: Size) -> Iterator[Row]:
    """Give the patients."""
    for n in range(1, size.patients + 1):
        yield {
            "patient_id": n,
            "patient_identifier": identifier(n),
            "birth_date": date(1930, 1, 1) + timedelta(days=(n * 37) % 25_000),
            "sex": SexEnum.F if n % 2 else SexEnum.M,
            "project_id": 1,
            "date_inserted": _NOW,
        }


def identifier(patient_id: int) -> str:
    """Return what the patient is known by."""
    return f"Patient_{patient_id:06d}"


def studies(size: Size) -> Iterator[Row]:
    """Give two visits per patient, a year apart."""
    for n in range(1, size.studies + 1):
        visit = (n - 1) % 2
        yield {
            "study_id": n,
            "patient_id": (n + 1) // 2,
            "study_round": visit,
            "study_date": date(2020, 1, 1) + timedelta(days=365 * visit + n % 300),
            "date_inserted": _NOW,
        }


def series(size: Size) -> Iterator[Row]:
    """Give two series per visit."""
    for n in range(1, size.series + 1):
        yield {
            "series_id": n,
            "study_id": (n + 1) // 2,
            "series_number": (n - 1) % 2,
            "series_instance_uid": f"1.2.826.0.1.3680043.8.498.{n}",
        }


def image_rows(size: Size) -> Iterator[Row]:
    """Give three fundus photographs and two OCT volumes per visit."""
    for n in range(1, size.images + 1):
        visit, position = (n - 1) // 5 % size.studies, (n - 1) % 5
        yield _image(n, series_id=2 * visit + (1 if position < 3 else 2), position=position)


def _image(n: int, *, series_id: int, position: int) -> Row:
    is_oct = position >= 3
    return {
        "image_instance_id": n,
        "series_id": series_id,
        "source_info_id": 1,
        "device_instance_id": 2 if is_oct else 1,
        "modality_id": 2 if is_oct else 1,
        "modality": Modality.OCT if is_oct else Modality.ColorFundus,
        "sop_instance_uid": f"1.2.826.0.1.3680043.8.499.{n}",
        "photometric_interpretation": "MONOCHROME2" if is_oct else "RGB",
        "samples_per_pixel": 1 if is_oct else 3,
        "rows_y": 885 if is_oct else 1934,
        "columns_x": 512 if is_oct else 1960,
        "nr_of_frames": 128 if is_oct else 1,
        "resolution_axial": 0.0026 if is_oct else None,
        "resolution_horizontal": 0.0117 if is_oct else None,
        "resolution_vertical": 0.047 if is_oct else None,
        "laterality": Laterality.R if position % 2 else Laterality.L,
        "etdrs_field": None if is_oct else ETDRSField.F2,
        "acquisition_date_time": _NOW + timedelta(seconds=n),
        "pupil_dilated": bool(n % 2),
        "dataset_identifier": f"study/{series_id:06d}/{n:07d}.{'dcm' if is_oct else 'png'}",
        "thumbnail_path": f"{n % 256:02x}/{n:07d}",
        "inactive": False,
        "cf_roi": None if is_oct else _ROI,
        "cf_keypoints": None if is_oct else _KEYPOINTS,
        "cf_quality": None if is_oct else 1.5,
        "file_checksum": n.to_bytes(16, "big"),
        "data_hash": n.to_bytes(32, "big"),
        "date_inserted": _NOW,
    }
