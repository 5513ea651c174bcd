"""The port to the image files, and the rules for the names that lead to them.

`ImageInstance.DatasetIdentifier` is a path relative to IMAGES_BASEPATH. What a
name may look like is decided here, from the text alone; what lies under it is
read by an adapter that implements `ImageFiles`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from eyened_domain.errors import BadInput

IDENTIFIER_LENGTH = 256
"""Characters that the column ImageInstance.DatasetIdentifier holds."""

THUMBNAIL_SIZES = (144, 540)
"""Pixels of the longest side of the two thumbnails of an image."""

_PATH_LENGTH = 4096
_SERIES_MARK = "[png_series_"
_SERIES = re.compile(r"\[png_series_(?P<count>[1-9][0-9]{0,4})\](?P<path>.*)", re.DOTALL)
# Control characters, line separators, bidirectional overrides, lone surrogates, backslash.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\\\]")


@attrs.frozen(kw_only=True)
class ImageHeader:
    """What an image file says about itself, without its pixels having been decoded.

    The pixel array of the image has the shape (nr_of_frames, rows_y, columns_x), and
    samples_per_pixel values in each place.

    Attributes:
        rows_y: pixels from top to bottom of the array.
        columns_x: pixels from left to right of the array.
        samples_per_pixel: values stored per pixel; 1 for a palette image.
        nr_of_frames: frames, pages or B-scans; 1 for a single image.
        orientation: EXIF orientation (tag 274); viewers show 5 to 8 with rows and
            columns swapped. The sizes above are those of the array that Pillow decodes,
            which is not turned (only a TIFF is: its orientation is 1 here).
        columns: further values by the Python name of their column, for example
            ``{"laterality": "L", "manufacturer": "Topcon"}``; enum values by name,
            lengths in millimetres. Only what the file says for certain is in it.
    """

    rows_y: int
    columns_x: int
    samples_per_pixel: int
    nr_of_frames: int
    orientation: int = 1
    columns: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class PngSeries:
    """The files that ``[png_series_N]dir/stem.png`` stands for.

    Attributes:
        count: the number of files, N.
        stem: the identifier of the files without their number, ``dir/stem``.
    """

    count: int
    stem: str

    def member(self, position: int) -> str:
        """Give the identifier of one file; `position` counts from 0."""
        return f"{self.stem}_{position}.png"


class ImageFiles(Protocol):
    """The image files of a deployment, under IMAGES_BASEPATH."""

    def identifier_of(self, path: str) -> str:
        """Turn a path, absolute or relative to the base path, into an identifier.

        Raises:
            BadInput: the path leaves the base path, or is no possible identifier.
        """
        ...

    def path_of(self, identifier: str) -> Path:
        """Give the absolute path of an identifier; the prefix ``[png_series_N]`` stays.

        `identifier_of` turns it back. For opening a file use `read_header` and its
        like: a path can be made to lead elsewhere between two looks at it.

        Raises:
            BadInput: the identifier leaves the base path, or is no possible identifier.
        """
        ...

    def read_header(
        self,
        identifier: str,
        *,
        rows_y: int | None = None,
        columns_x: int | None = None,
        nr_of_frames: int | None = None,
    ) -> ImageHeader:
        """Read the size of an image, and what else its file says, without its pixels.

        Args:
            identifier: the DatasetIdentifier.
            rows_y: the rows of a ``.binary`` file, which has no header of its own.
            columns_x: the columns of a ``.binary`` file.
            nr_of_frames: the frames of a ``.binary`` file, if they are known.
                Other files say all three themselves, and these are not looked at.

        Raises:
            FileMissing: there is no such file.
            BadInput: it is no image, or it is damaged.
            StorageError: the file store failed.
        """
        ...


def normalised_identifier(path: str, *, bases: Sequence[str] = ()) -> str:
    """Turn a path into the identifier that the database holds, from its text alone.

    ``a//b/./c.png`` becomes ``a/b/c.png``; an absolute path must lie under one of
    `bases`; the prefix ``[png_series_N]`` may stand before an absolute path or in it.

    Args:
        path: what a record, a row or a person gave.
        bases: absolute, normalised paths that identifiers are relative to.

    Raises:
        BadInput: naming ``dataset_identifier`` and what is wrong with it.
    """
    _require_plain_text(path)
    prefix, rest = _split_prefix(path, path)
    if rest.startswith("/"):
        rest = _beneath(rest, bases, path)
        if not prefix:
            prefix, rest = _split_prefix(rest, path)
    elif not bases and path.startswith("/"):
        raise refused_identifier(path, "is absolute")
    identifier = prefix + _normalised(rest, path)
    if len(identifier) > IDENTIFIER_LENGTH:
        raise refused_identifier(
            path, f"has {len(identifier)} characters; at most {IDENTIFIER_LENGTH} are stored"
        )
    return identifier


def png_series(identifier: str) -> PngSeries | None:
    """Read the prefix ``[png_series_N]`` of a normalised identifier; None without one."""
    if not identifier.startswith(_SERIES_MARK):
        return None
    match = _SERIES.fullmatch(identifier)
    if match is None or not match["path"].endswith(".png"):
        raise refused_identifier(identifier, "is not of the form [png_series_N]folder/name.png")
    return PngSeries(count=int(match["count"]), stem=match["path"].removesuffix(".png"))


def is_json(identifier: str) -> bool:
    """Whether the file is JSON: it has no pixels, and no thumbnails."""
    return identifier.lower().endswith(".json")


def refused_identifier(path: object, reason: str) -> BadInput:
    """Make the error for a path that cannot be a DatasetIdentifier."""
    shown = ascii(path if len(str(path)) <= 80 else str(path)[:77] + "...")
    return BadInput(
        f"ImageInstance.dataset_identifier: the path {shown} {reason}; "
        "give a path beneath IMAGES_BASEPATH, relative to it or absolute",
        entity="ImageInstance",
        field="dataset_identifier",
        value=path if len(str(path)) <= IDENTIFIER_LENGTH else str(path)[:77] + "...",
    )


def _require_plain_text(path: object) -> None:
    if not isinstance(path, str):
        raise refused_identifier(path, f"is {type(path).__name__}, not text")
    if len(path) > _PATH_LENGTH:
        raise refused_identifier(path, f"has {len(path)} characters")
    found = _REFUSED.search(path)
    if found is not None:
        raise refused_identifier(path, f"holds the character {found[0]!a}")


def _split_prefix(text: str, path: str) -> tuple[str, str]:
    """Split ``[png_series_N]`` off; an empty prefix when there is none."""
    if not text.startswith(_SERIES_MARK):
        return "", text
    match = _SERIES.fullmatch(text)
    if match is None:
        raise refused_identifier(path, "has no whole number from 1 to 99999 in [png_series_N]")
    rest = match["path"]
    if rest.startswith(_SERIES_MARK) or not rest.endswith(".png"):
        raise refused_identifier(path, "is not of the form [png_series_N]folder/name.png")
    return text[: match.start("path")], rest


def _beneath(absolute: str, bases: Sequence[str], path: str) -> str:
    normalised = "/" + _normalised(absolute, path)
    for base in bases:
        folder = base.rstrip("/") + "/"
        if normalised.startswith(folder):
            return normalised[len(folder) :]
    raise refused_identifier(path, "is not beneath the base path")


def _normalised(path: str, given: str) -> str:
    if path.endswith(("/", "/.")) or path in {"", "."}:
        raise refused_identifier(given, "names no file")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise refused_identifier(given, "holds '..'")
    return "/".join(parts)
