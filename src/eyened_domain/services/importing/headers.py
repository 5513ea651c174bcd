"""What an image's file says, beside what its record says."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from attrs import evolve

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.study import Series
from eyened_domain.services.image_files import ImageFiles, ImageHeader
from eyened_domain.services.importing.columns import convert_value
from eyened_domain.services.importing.entries import Columns, ImageEntry
from eyened_domain.services.rows import Row

_TOLERANCE = 1e-3
_ORIGIN = ("manufacturer", "manufacturer_model_name", "serial_number")
_ORIGIN_LENGTH = 45
_SIZES = ("rows_y", "columns_x", "nr_of_frames")
_SERIES = ("series_instance_uid", "study_instance_uid", "series_number")


def begin_to_read(
    files: ImageFiles, images: list[ImageEntry], executor: Executor | None
) -> list[Callable[[], ImageHeader]]:
    """Begin to read some files; return for each image what gives its header, or raises.

    Args:
        files: where the images are.
        images: the sizes that their records give are those of a file without a header.
        executor: reads the files; with None it is done by what is returned.
    """
    calls = [
        partial(files.read_header, one.identifier, **{n: one.columns.get(n) for n in _SIZES})
        for one in images
    ]
    return [*calls] if executor is None else [executor.submit(one).result for one in calls]


def filled_in(image: ImageEntry, series: Columns, header: ImageHeader) -> tuple[ImageEntry, Row]:
    """Return an image with what its record does not say and its file does.

    Args:
        image: the image.
        series: what is said of the series that it is in.
        header: what the file says.

    Returns:
        the image, and what is said of the series then.

    Raises:
        BadInput: they disagree.
    """
    columns, of_series = dict(image.columns), dict(series)
    for name, value in _told(header).items():
        if name in _ORIGIN:
            _check_origin(image, name, value)
        elif name in _SERIES:
            of_series.setdefault(name, _agreed(series, Series, name, value))
        elif name in ImageInstance.__entity__.columns:
            columns.setdefault(name, _agreed(image.columns, ImageInstance, name, value))
    unsaid = [name for name in _ORIGIN if getattr(image.origin, name) is None]
    told = {name: _name(header.columns.get(name)) for name in unsaid}
    return evolve(image, columns=columns, origin=evolve(image.origin, **told)), of_series


def _told(header: ImageHeader) -> dict[str, Any]:
    sizes = {
        "rows_y": header.rows_y,
        "columns_x": header.columns_x,
        "samples_per_pixel": header.samples_per_pixel,
        "nr_of_frames": header.nr_of_frames,
    }
    return {**sizes, **{name: v for name, v in header.columns.items() if v is not None}}


def _agreed(said: Columns, entity: type[Entity], name: str, value: Any) -> Any:
    """Return what a file says of a column, once the record is found to say nothing else."""
    info = entity.__entity__
    converted = convert_value(info.name, name, info.columns[name], value)
    given = said.get(name)
    if given is not None and not _agree(given, converted):
        raise _disagreement(info.name, name, given, converted)
    return converted


def _check_origin(image: ImageEntry, name: str, value: Any) -> None:
    told, given = _name(value), getattr(image.origin, name)
    if told and given is not None and fold(given) != fold(told):
        raise _disagreement("ImageInstance", name, given, told)


def _name(value: Any) -> str | None:
    """Return a name that a file gives in the form in which it is stored; None for no name."""
    if value is None:
        return None
    text = "".join(character for character in str(value) if character.isprintable())
    return text.strip()[:_ORIGIN_LENGTH].rstrip() or None


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
