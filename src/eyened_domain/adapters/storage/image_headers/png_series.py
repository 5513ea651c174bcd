"""A volume that is stored as one PNG file per B-scan."""

from __future__ import annotations

import attrs

from eyened_domain.adapters.storage.image_headers.raster import read_png_member
from eyened_domain.adapters.storage.image_headers.source import HeaderRequest
from eyened_domain.errors import BadInput
from eyened_domain.services.image_files import ImageHeader, png_series


def read_png_series(request: HeaderRequest) -> ImageHeader:
    """Read the headers of all files of ``[png_series_N]dir/stem.png``.

    Raises:
        BadInput: one of the N files is missing, damaged, or differs in its size from
            the first.
    """
    series = png_series(request.identifier)
    if series is None:
        raise ValueError(request.identifier)
    first = read_png_member(request, series.member(0))
    request_left = request.pixel_budget // (first.rows_y * first.columns_x)
    if series.count > request_left:
        raise _refused(request, f"has {series.count} files; at most {request_left} are accepted")
    for position in range(1, series.count):
        header = read_png_member(request, series.member(position))
        if header != first:
            raise _refused(
                request,
                f"has files that differ: {_size(first)} in number 0, {_size(header)} in number "
                f"{position}",
            )
    if first.nr_of_frames != 1:
        raise _refused(request, "has animated PNG files")
    return attrs.evolve(first, nr_of_frames=series.count)


def _size(header: ImageHeader) -> str:
    return f"{header.rows_y} x {header.columns_x} x {header.samples_per_pixel}"


def _refused(request: HeaderRequest, reason: str) -> BadInput:
    return BadInput(
        f"ImageInstance.dataset_identifier: the series {request.identifier!a} {reason}",
        entity="ImageInstance",
        field="dataset_identifier",
        value=request.identifier,
    )
