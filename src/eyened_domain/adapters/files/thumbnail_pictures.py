"""The picture of a thumbnail: read, cut to its field of view, made small, written as JPEG."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.image_pixels.shown import EN_FACE_SCANS, shown_array
from eyened_domain.errors import BadInput
from eyened_domain.model.field_of_view import FieldOfView
from eyened_domain.services.thumbnails import ThumbnailRequest

_REDUCING_GAP = 3.0
"""Pillow halves a picture by plain means until it is this much too large; the eye sees none."""


def thumbnail_of(request: ThumbnailRequest, files: FileSystemImageFiles, size: int) -> Image.Image:
    """Return what is shown of an image, with `size` pixels along its longest side.

    A colour fundus image is cut to the square around its field of view, black where the
    square reaches beyond the picture; without one, or with one of a picture of another
    size, it is shown as it is.

    Args:
        request: the image.
        files: where it is read from; of a volume no more is read than is shown.
        size: pixels.

    Returns:
        a picture of mode L or RGB.

    Raises:
        BadInput: the image cannot be read.
    """
    field = _field_of_view(request.cf_roi)
    # The field of view is told in pixels as they are stored, not as they are turned.
    picture = _plain(Image.fromarray(_shown(request, files, upright=field is None)))
    if field is None or (picture.height, picture.width) != field.hw:
        return scaled(picture, size)
    return _cut(picture, field, size) or scaled(picture, size)


def scaled(picture: Image.Image, size: int) -> Image.Image:
    """Return a picture with `size` pixels along its longest side, in its proportions."""
    factor = size / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)


def as_jpeg(picture: Image.Image, quality: int) -> bytes:
    """Return the bytes of a progressive JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, progressive=True)
    return file.getvalue()


def _shown(request: ThumbnailRequest, files: FileSystemImageFiles, *, upright: bool) -> Any:
    sizes: dict[str, Any] = {
        "rows_y": request.rows_y,
        "columns_x": request.columns_x,
        "nr_of_frames": request.nr_of_frames or None,
    }
    name = request.dataset_identifier
    frames = sizes["nr_of_frames"] or files.read_header(name, **sizes).nr_of_frames
    en_face = frames >= EN_FACE_SCANS
    frame = None if en_face else frames // 2
    pixels = files.read_pixels(
        name, **sizes, frame=frame, upright=upright, laterality=request.laterality
    )
    return shown_array(
        pixels,
        nr_of_frames=frames if en_face else 1,
        resolution_horizontal=request.resolution_horizontal,
        resolution_vertical=request.resolution_vertical,
    )


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture in a mode that JPEG has; what is transparent becomes black."""
    if picture.mode in {"L", "RGB"}:
        return picture
    alpha = picture.getchannel("A")
    opaque = picture.convert("L" if picture.mode == "LA" else "RGB")
    black = Image.new(opaque.mode, picture.size)
    return Image.composite(opaque, black, alpha)


def _field_of_view(cf_roi: Any) -> FieldOfView | None:
    """Read CFROI; what is no field of view is not there, as after a failed detection."""
    try:
        return None if cf_roi is None else FieldOfView.from_json(cf_roi)
    except BadInput:
        return None


def _cut(picture: Image.Image, field: FieldOfView, size: int) -> Image.Image | None:
    """Return the square around the circle, size x size; None when it lies beside the picture.

    Only what lies in the picture is scaled, so that no radius asks for much memory.
    """
    # Pillow counts from the corner of the first pixel, a field of view from its middle.
    x, y = (value + 0.5 for value in field.center)
    left, top = x - field.radius, y - field.radius
    box = (
        max(0.0, left),
        max(0.0, top),
        min(float(picture.width), x + field.radius),
        min(float(picture.height), y + field.radius),
    )
    width, height = box[2] - box[0], box[3] - box[1]
    if width < 1 or height < 1:
        return None
    factor = size / (2 * field.radius)
    inside = picture.resize(
        (max(1, round(width * factor)), max(1, round(height * factor))),
        Image.Resampling.LANCZOS,
        box=box,
        reducing_gap=_REDUCING_GAP,
    )
    square = Image.new(picture.mode, (size, size))
    square.paste(inside, (round((box[0] - left) * factor), round((box[1] - top) * factor)))
    return square
