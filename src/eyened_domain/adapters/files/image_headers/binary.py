"""Raw files: uint8 in C order, shape (frames, rows, columns), without any header."""

from __future__ import annotations

from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.errors import BadInput
from eyened_domain.services.image_files import ImageHeader


def read_binary(request: HeaderRequest) -> ImageHeader:
    """Work out the frames of a ``.binary`` file from its size.

    Raises:
        BadInput: rows_y or columns_x is not given, or the size of the file does not
            fit them.
    """
    _required(request.identifier, "rows_y", request.rows_y)
    _required(request.identifier, "columns_x", request.columns_x)
    with request.open(request.identifier) as file:
        return binary_header(request, file)


def binary_header(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Work out the frames of an open ``.binary`` file from its size.

    Raises:
        BadInput: rows_y or columns_x is not given, or the size of the file does not
            fit them.
    """
    rows = _required(request.identifier, "rows_y", request.rows_y)
    columns = _required(request.identifier, "columns_x", request.columns_x)
    if file.size == 0:
        raise file.refusal("is empty")
    frames, rest = divmod(file.size, rows * columns)
    if rest:
        raise file.refusal(
            f"is cut off, or has another size: {file.size:,} bytes are no whole number of "
            f"frames of {rows} rows x {columns} columns"
        )
    if request.nr_of_frames is not None and request.nr_of_frames != frames:
        raise file.refusal(
            f"holds {frames} frames of {rows} rows x {columns} columns, "
            f"where nr_of_frames is {str(request.nr_of_frames)[:80]}"
        )
    request.check_size(file, rows, columns, frames)
    return ImageHeader(rows_y=rows, columns_x=columns, samples_per_pixel=1, nr_of_frames=frames)


def _required(identifier: str, field: str, value: int | None) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    given = "is missing" if value is None else f"is {str(value)[:80]}"
    raise BadInput(
        f"ImageInstance.{field} {given}: the raw file {identifier!a} has no header, "
        "so rows_y and columns_x must be given as whole numbers above 0",
        entity="ImageInstance",
        field=field,
        value=value if value is None else str(value)[:80],
    )
