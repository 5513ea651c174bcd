"""The files of legacy annotations in a folder of the file system."""

from __future__ import annotations

import errno
import math
import os
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from eyened_domain.errors import BadInput, EyenedError, FileMissing, StorageError
from eyened_domain.model.pixels.annotation_masks import PNG, RAW

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

    from eyened_domain.adapters.files.paths import RootFolder

PIXEL_BUDGET = 12_000_000
"""Pixels that a PNG may have when the size of its image is not known."""

_PACKING_OVERHEAD = 1 << 16
_CHUNK = 1 << 20
_ANY = 1 << 62
_GZIP = 31  # zlib's wbits: a window of 32 KiB, with the header and the checksum of gzip
_MOST_MEMBERS = 1000
Shapes = Sequence[tuple[int, ...]]


class StoredAnnotationFiles:
    """The files beneath ANNOTATIONS_PATH; an `AnnotationFiles`.

    May be shared by threads and pickled for processes; holds no open file. No more is
    unpacked than the size of the annotation's image.

    Args:
        base: ANNOTATIONS_PATH. It may be a symbolic link; links beneath it are refused.
        pixel_budget: the most pixels that a PNG may have whose image has no known size.
    """

    def __init__(self, base: str | os.PathLike[str], *, pixel_budget: int = PIXEL_BUDGET) -> None:
        self._base = Path(base)
        self._pixel_budget = pixel_budget

    @cached_property
    def _root(self) -> RootFolder:
        from eyened_domain.adapters.files.paths import RootFolder  # noqa: PLC0415 - when read

        return RootFolder(self._base, setting="ANNOTATIONS_PATH", entity="AnnotationData")

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file; no file is touched.

        Raises:
            BadInput: the identifier leads out of ANNOTATIONS_PATH.
        """
        if identifier.startswith("/") or ".." in PurePosixPath(identifier).parts:
            raise self._refusal(identifier, "leads out of ANNOTATIONS_PATH")
        return self._base / identifier

    def read(
        self, identifier: str, *, media_type: str, shapes: Sequence[tuple[int, ...]]
    ) -> npt.NDArray[Any]:
        """Return the pixels of a file; see `AnnotationFiles.read`."""
        kind = media_type.strip().casefold()
        if kind not in {PNG, RAW}:
            raise BadInput(
                f"AnnotationData.media_type of the file {identifier!a} is {media_type!a}; pixels "
                f"are read from {PNG} and {RAW}: correct the row",
                entity="AnnotationData",
                field="media_type",
                value=media_type,
            )
        with os.fdopen(self._open(identifier), "rb") as file:
            try:
                if kind == PNG:
                    return self._read_png(identifier, file, shapes)
                return self._read_raw(identifier, file, shapes)
            except EyenedError:
                raise
            except Exception as error:
                raise self._translated(identifier, error) from error

    def _open(self, identifier: str) -> int:
        try:
            return self._root.open(identifier)
        except (BadInput, FileMissing) as error:
            raise type(error)(
                f"{error}; put it back beneath ANNOTATIONS_PATH, or correct the row",
                entity=error.entity,
                field=error.field,
                value=error.value,
            ) from error

    def _read_raw(self, identifier: str, file: IO[bytes], shapes: Shapes) -> npt.NDArray[Any]:
        import numpy as np  # noqa: PLC0415 - pixels only

        if not shapes:
            raise self._refusal(
                identifier,
                "says no size of its own, and the size of its image is not known; fill in the "
                "image of the annotation, and its rows_y and columns_x",
            )
        most = max(math.prod(shape) for shape in shapes)
        content = self._content(identifier, file, most)
        for shape in shapes:
            if len(content) == math.prod(shape):
                return np.frombuffer(content, dtype=np.uint8).reshape(shape)
        held = f"{len(content):,}" if len(content) <= most else f"more than {most:,}"
        raise self._refusal(
            identifier,
            f"holds {held} bytes; {_either(shapes)} would be "
            f"{' or '.join(f'{math.prod(shape):,}' for shape in shapes)}. Correct the file, or "
            "rows_y, columns_x and nr_of_frames of the image",
        )

    def _content(self, identifier: str, file: IO[bytes], most: int) -> bytearray:
        """Return the bytes of a raw file, unpacked; at most one more than there may be."""
        if not identifier.endswith(".gz"):
            return _read_up_to(file, most + 1)
        size = os.fstat(file.fileno()).st_size
        if size > most + most // 100 + _PACKING_OVERHEAD:
            raise self._refusal(
                identifier, f"has {size:,} bytes packed, for {most:,} unpacked; correct the file"
            )
        return _unpack_up_to(file, most + 1)

    def _read_png(self, identifier: str, file: IO[bytes], shapes: Shapes) -> npt.NDArray[Any]:
        import numpy as np  # noqa: PLC0415 - pixels only
        from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - annotations only

        # a PNG of the size that its image has is no bomb, whatever that size is
        size = self._png_size(identifier, file, _ANY if shapes else self._pixel_budget)
        flat = [shape for shape in shapes if len(shape) == 2]
        if shapes and size not in flat:
            raise self._refusal(
                identifier,
                f"has {size[0]} rows x {size[1]} columns; its image needs {_either(flat)}. Correct "
                "the file, or rows_y and columns_x of the image",
            )
        # Pillow's class and not `Image.open`, which warns of large files through global state
        with PngImageFile(file) as image:
            return np.array(_plain(image))

    def _png_size(self, identifier: str, file: IO[bytes], budget: int) -> tuple[int, int]:
        """Read rows and columns from the header, before anything is decoded."""
        from eyened_domain.adapters.files.image_headers import raster  # noqa: PLC0415
        from eyened_domain.adapters.files.image_headers.source import (  # noqa: PLC0415
            HeaderFile,
            HeaderRequest,
        )

        request = HeaderRequest(
            identifier=identifier,
            open=lambda _: HeaderFile(
                os.dup(file.fileno()), lambda reason: self._refusal(identifier, reason)
            ),
            pixel_budget=budget,
        )
        header = raster.read_png_member(request, identifier)
        if header.nr_of_frames != 1:
            raise self._refusal(
                identifier, f"is a moving picture of {header.nr_of_frames} frames; give a still one"
            )
        return header.rows_y, header.columns_x

    def _refusal(self, identifier: str, reason: str) -> BadInput:
        return self._root.refusal(identifier, reason)

    def _translated(self, identifier: str, error: Exception) -> EyenedError:
        """Name the file in an error of a decoder, which may raise anything on damaged bytes."""
        number = error.errno if isinstance(error, OSError) else None
        if number is not None and number != errno.EINVAL:
            return StorageError(
                f"ANNOTATIONS_PATH: the file {identifier[:80]!a} could not be read: "
                f"{os.strerror(number)}",
                entity="AnnotationData",
                field="dataset_identifier",
                value=identifier[:256],
            )
        detail = ascii(str(error)[:80])[1:-1] or type(error).__name__
        return self._refusal(
            identifier,
            f"is cut off or damaged ({detail}); restore it from a backup or remove the row",
        )


def _read_up_to(file: Any, most: int) -> bytearray:
    """Read a file in pieces, so that no more memory is taken than it holds."""
    content = bytearray()
    while len(content) < most:
        piece = file.read(min(_CHUNK, most - len(content)))
        if not piece:
            break
        content += piece
    return content


def _unpack_up_to(file: IO[bytes], most: int) -> bytearray:
    """Unpack a gzip file, with the checksum of each of its members, up to so many bytes.

    Not with `gzip`, which reads names and members one byte at a time in Python: a file can
    keep it busy for long.

    Raises:
        zlib.error: it is damaged, or no gzip file.
        EOFError: it is cut off.
    """
    content = bytearray()
    packed = file.read(_CHUNK)
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        while not member.eof and len(content) < most:
            if not packed:
                raise EOFError("its end is missing")
            content += member.decompress(packed, most - len(content))
            packed = member.unconsumed_tail or member.unused_data or file.read(_CHUNK)
        if len(content) >= most or not packed.strip(b"\0"):
            return content
    raise zlib.error(f"more than {_MOST_MEMBERS} gzip members")


def _plain(image: Image) -> Image:
    """Return a picture in grey, or in red, green and blue, without transparency.

    A palette shows the colours that it stands for.
    """
    match image.mode:
        case "1" | "LA" | "La":
            return image.convert("L")
        case "P" | "PA" | "RGBA" | "RGBa":
            return image.convert("RGB")
        case _:
            return image


def _either(shapes: Shapes) -> str:
    return " or ".join(" x ".join(map(str, shape)) for shape in shapes)
