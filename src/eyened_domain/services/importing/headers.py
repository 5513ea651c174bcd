"""What an image's file says, beside what its record says."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.study import Series
from eyened_domain.services.image_files import ImageFiles, ImageHeader
from eyened_domain.services.importing.columns import convert_value
from eyened_domain.services.importing.entries import ImageEntry

_TOLERANCE = 1e-3
_ORIGIN = ("manufacturer", "manufacturer_model_name", "serial_number")
_ORIGIN_LENGTH = 45
_SERIES = ("series_instance_uid", "study_instance_uid", "series_number")


def read_header(files: ImageFiles, identifier: str, sizes: dict[str, int | None]) -> ImageHeader:
    """Read the header of an image file; sizes are those that its record gives.

    Raises:
        BadInput: the file is missing, damaged or no image.
    """
    return files.read_header(identifier, **sizes)


def sizes_of(image: ImageEntry) -> dict[str, int | None]:
    """Return the sizes that a record gives, which a file without a header is read by."""
    return {name: image.columns.get(name) for name in ("rows_y", "columns_x", "nr_of_frames")}


class FileReader:
    """Reads the files of images, in this thread or through an executor.

    Args:
        files: where the images are.
        executor: reads the files; by default this thread does.
    """

    def __init__(self, files: ImageFiles, executor: Executor | None) -> None:
        self._files = files
        self._executor = executor

    def begin(self, images: list[ImageEntry]) -> Callable[[ImageEntry], None]:
        """Begin to read some files; return what fills in one of the images, once each."""
        files, executor = self._files, self._executor
        if executor is None:
            return lambda one: fill_in(one, read_header(files, one.identifier, sizes_of(one)))
        headers = {
            id(one): executor.submit(read_header, files, one.identifier, sizes_of(one))
            for one in images
        }
        return lambda one: fill_in(one, headers.pop(id(one)).result())


def fill_in(image: ImageEntry, header: ImageHeader) -> None:
    """Fill in what the record of an image does not say and its file does.

    Raises:
        BadInput: they disagree.
    """
    found: list[tuple[dict[str, Any], str, Any]] = []
    for name, value in _told(header).items():
        if name in _ORIGIN:
            _check_origin(image, name, value)
        elif name in _SERIES:
            found.append(_agreed(image.series.columns, Series, name, value))
        elif name in ImageInstance.__entity__.columns:
            found.append(_agreed(image.columns, ImageInstance, name, value))
    for name in _ORIGIN:
        if getattr(image.origin, name) is None:
            setattr(image.origin, name, _name(header.columns.get(name)))
    for columns, name, value in found:
        columns.setdefault(name, value)


def _told(header: ImageHeader) -> dict[str, Any]:
    sizes = {
        "rows_y": header.rows_y,
        "columns_x": header.columns_x,
        "samples_per_pixel": header.samples_per_pixel,
        "nr_of_frames": header.nr_of_frames,
    }
    return {**sizes, **{name: v for name, v in header.columns.items() if v is not None}}


def _agreed(
    columns: dict[str, Any], entity: type[Entity], name: str, value: Any
) -> tuple[dict[str, Any], str, Any]:
    """Return what to fill in where, once the record is found to say nothing else."""
    info = entity.__entity__
    converted = convert_value(info.name, name, info.columns[name], value)
    given = columns.get(name)
    if given is not None and not _agree(given, converted):
        raise _disagreement(info.name, name, given, converted)
    return columns, name, converted


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
