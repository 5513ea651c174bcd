"""What an image's file says, beside what its record says."""

from __future__ import annotations

import math
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.study import Series
from eyened_domain.services.image_files import ImageFiles, ImageHeader
from eyened_domain.services.importing.columns import convert_value
from eyened_domain.services.importing.plan import fold
from eyened_domain.services.importing.records import ImageEntry

_TOLERANCE = 1e-3
_ORIGIN = ("manufacturer", "manufacturer_model_name", "serial_number")
_SERIES = ("series_instance_uid", "study_instance_uid", "series_number")


def fill_from_file(image: ImageEntry, files: ImageFiles) -> None:
    """Read an image's file and fill in what the record does not say.

    Raises:
        BadInput: the file is missing, damaged or no image; or it disagrees with the record.
    """
    header = files.read_header(
        image.identifier,
        rows_y=image.columns.get("rows_y"),
        columns_x=image.columns.get("columns_x"),
        nr_of_frames=image.columns.get("nr_of_frames"),
    )
    for name, value in _told(header).items():
        if name in _ORIGIN:
            _fill_origin(image, name, str(value))
        elif name in _SERIES:
            _fill(image.series.columns, "Series", Series, name, value)
        elif name in ImageInstance.__entity__.columns:
            _fill(image.columns, "ImageInstance", ImageInstance, name, value)


def _told(header: ImageHeader) -> dict[str, Any]:
    sizes = {
        "rows_y": header.rows_y,
        "columns_x": header.columns_x,
        "samples_per_pixel": header.samples_per_pixel,
        "nr_of_frames": header.nr_of_frames,
    }
    return {**sizes, **{name: v for name, v in header.columns.items() if v is not None}}


def _fill(columns: dict[str, Any], where: str, entity: type[Any], name: str, value: Any) -> None:
    converted = convert_value(where, name, entity.__entity__.columns[name], value)
    given = columns.get(name)
    if given is None:
        columns[name] = converted
    elif not _agree(given, converted):
        raise _disagreement(where, name, given, converted)


def _fill_origin(image: ImageEntry, name: str, value: str) -> None:
    given = getattr(image.origin, name)
    if given is None:
        setattr(image.origin, name, value.strip()[:45] or None)
    elif fold(given) != fold(value.strip()):
        raise _disagreement("ImageInstance", name, given, value)


def _agree(given: Any, told: Any) -> bool:
    if isinstance(given, float) or isinstance(told, float):
        return math.isclose(given, told, rel_tol=_TOLERANCE)
    return bool(given == told)


def _disagreement(where: str, name: str, given: Any, told: Any) -> BadInput:
    return BadInput(
        f"{where}.{name}: the record says {_shown(given)}, the file {_shown(told)}; correct the "
        "record, or leave it out and the file's is taken",
        entity=where,
        field=name,
        value=given,
    )


def _shown(value: Any) -> str:
    return str(getattr(value, "name", value))[:60]
