"""Volumes of one PNG file per B-scan."""

from __future__ import annotations

import numpy as np

from eyened_domain.adapters.files.image_headers.png_series import require_alike, series_header
from eyened_domain.adapters.files.image_headers.raster import png_member_header
from eyened_domain.adapters.files.image_pixels.pillow import decoded
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels
from eyened_domain.adapters.files.image_pixels.turning import upright
from eyened_domain.services.image_files import ImageHeader, PngSeries, png_series


def read_png_series_pixels(request: PixelRequest) -> Pixels:
    """Read the files of ``[png_series_N]dir/stem.png``, or the one of the wanted B-scan.

    Returns:
        the files stacked on axis 0 and squeezed: (N, rows, columns), or (rows, columns)
        when N is 1 or one B-scan is wanted.

    Raises:
        BadInput: a file is missing, damaged or unlike the others, or the row tells of
            another size.
    """
    series = png_series(request.header.identifier)
    if series is None:
        raise ValueError(request.header.identifier)
    if request.frame is not None:
        return _one(request, series)
    stack = _Stack(request, series)
    for position in range(series.count):
        stack.read(position)
    return np.squeeze(stack.pixels)


def _one(request: PixelRequest, series: PngSeries) -> Pixels:
    with request.header.open(series.member(request.frame or 0)) as file:
        member = png_member_header(request.header, file)
        header = series_header(request.header, series, member)
        request.wanted(header)
        turn = request.turn(header, file.refusal)
        return upright(decoded(request.header, file, member, range(1))[0], turn)


class _Stack:
    """The volume, made when its first file has been read; each file is opened once."""

    def __init__(self, request: PixelRequest, series: PngSeries) -> None:
        self.pixels: Pixels = np.empty(0)
        self._request = request
        self._series = series
        self._first: ImageHeader | None = None
        self._turn = 1

    def read(self, position: int) -> None:
        request = self._request.header
        with request.open(self._series.member(position)) as file:
            header = png_member_header(request, file)
            if self._first is None:
                self._turn = self._request.turn(
                    series_header(request, self._series, header), file.refusal
                )
                self._first = header
            require_alike(request, self._first, header, position)
            scan = upright(decoded(request, file, header, range(1))[0], self._turn)
            if position == 0:
                self.pixels = np.empty((self._series.count, *scan.shape), scan.dtype)
            elif scan.shape != self.pixels.shape[1:] or scan.dtype != self.pixels.dtype:
                raise file.refusal(
                    f"is {scan.dtype}{scan.shape}, unlike number 0: "
                    f"{self.pixels.dtype}{self.pixels.shape[1:]}"
                )
            self.pixels[position] = scan
