"""A volume that is stored as one PNG file per B-scan."""

from __future__ import annotations

import attrs

from eyened_domain.adapters.files.image_headers.raster import read_png_member
from eyened_domain.adapters.files.image_headers.source import HeaderRequest
from eyened_domain.errors import BadInput
from eyened_domain.services.image_files import ImageHeader, PngSeries, png_series


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
    header = series_header(request, series, first)
    for position in range(1, series.count):
        require_alike(request, first, read_png_member(request, series.member(position)), position)
    return header


def series_header(request: HeaderRequest, series: PngSeries, first: ImageHeader) -> ImageHeader:
    """Make the header of a series from that of its first file.

    Raises:
        BadInput: all files together have more pixels than the budget, or they are animated.
    """
    most = request.pixel_budget // (first.rows_y * first.columns_x)
    if series.count > most:
        raise _refused(request, f"has {series.count} files; at most {most} are accepted")
    if first.nr_of_frames != 1:
        raise _refused(request, "has animated PNG files")
    return attrs.evolve(first, nr_of_frames=series.count)


def require_alike(
    request: HeaderRequest, first: ImageHeader, header: ImageHeader, position: int
) -> None:
    """Refuse a series whose file number `position` differs from the first."""
    if header != first:
        raise _refused(
            request,
            f"has files that differ: {_size(first)} in number 0, {_size(header)} in number "
            f"{position}",
        )


def _size(header: ImageHeader) -> str:
    return f"{header.rows_y} x {header.columns_x} x {header.samples_per_pixel}"


def _refused(request: HeaderRequest, reason: str) -> BadInput:
    return BadInput(
        f"ImageInstance.dataset_identifier: the series {request.identifier!a} {reason}",
        entity="ImageInstance",
        field="dataset_identifier",
        value=request.identifier,
    )
