"""DICOM files: decoded by pydicom and its plug-ins, after the compressed data has been judged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from eyened_domain.adapters.storage.image_headers.dicom import dicom_header, require_pydicom
from eyened_domain.adapters.storage.image_headers.source import HeaderFile
from eyened_domain.adapters.storage.image_pixels.codestreams import check_codestream
from eyened_domain.adapters.storage.image_pixels.source import PixelRequest, Pixels
from eyened_domain.errors import ConfigurationError
from eyened_domain.services.image_files import ImageHeader

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset
    from pydicom.uid import UID

_BYTES_PER_SAMPLE = 8
_ELEMENT_HEAD = 12  # tag, VR OB, two bytes, length (PS3.5, A.4: always explicit)
_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
    "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip

# The package to install for a family of transfer syntaxes that the extra `dicom` does not
# bring. pylibjpeg-libjpeg reads them as well, but is GPL.
_PACKAGES = {
    "1.2.840.10008.1.2.4.80": "pyjpegls",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81": "pyjpegls",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.51": "python-gdcm",  # JPEG extended, 12 bits
    "1.2.840.10008.1.2.4.57": "python-gdcm",  # JPEG lossless, process 14
    "1.2.840.10008.1.2.4.70": "python-gdcm",  # JPEG lossless, first-order prediction
}
_EXTRA = "'eyened-domain[dicom]'"


def read_dicom_pixels(request: PixelRequest) -> Pixels:
    """Read a DICOM image, all its frames or one.

    As `pydicom.pixels.pixel_array` gives it: stored values (no rescale, no window), YBR
    turned into RGB.

    Returns:
        (rows, columns[, samples]), with the frames in front when there are more than one
        and all of them are wanted.

    Raises:
        BadInput: the file is missing, cut off, damaged, too large, no image, or not of
            the size that the row tells.
        ConfigurationError: pydicom, or a plug-in for the transfer syntax, is missing.
    """
    require_pydicom()
    with request.header.open(request.header.identifier) as file:
        header = dicom_header(request.header, file)
        request.turn(header, file.refusal)
        wanted = request.wanted(header)
        with file.stream() as stream:
            pixels = _decoded(request, file, header, stream)
        shape = (header.rows_y, header.columns_x)
        if len(wanted) > 1:
            shape = (len(wanted), *shape)
        if pixels.shape[: len(shape)] != shape or pixels.ndim > len(shape) + 1:
            raise file.refusal(f"is damaged: its pixels have the shape {pixels.shape}")
    return np.ascontiguousarray(pixels)


def _decoded(
    request: PixelRequest, file: HeaderFile, header: ImageHeader, stream: BinaryIO
) -> Pixels:
    import pydicom  # noqa: PLC0415 - an extra
    from pydicom.pixels import pixel_array  # noqa: PLC0415

    dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(_TAGS))
    syntax = dataset.file_meta.TransferSyntaxUID
    _require_decoder(syntax)
    frame_bytes = header.rows_y * header.columns_x * header.samples_per_pixel * _BYTES_PER_SAMPLE
    file.allow_pixels(frame_bytes * header.nr_of_frames)
    if syntax.is_encapsulated:
        return _decompressed(request, file, header, dataset, stream)
    stream.seek(0)
    array: Pixels = pixel_array(stream, index=request.frame)
    return array


def _decompressed(
    request: PixelRequest,
    file: HeaderFile,
    header: ImageHeader,
    dataset: FileDataset,
    stream: BinaryIO,
) -> Pixels:
    """Decode frame by frame exactly the bytes that have been judged."""
    from pydicom.encaps import encapsulate  # noqa: PLC0415 - an extra
    from pydicom.pixels import get_decoder  # noqa: PLC0415
    from pydicom.pixels.utils import as_pixel_options  # noqa: PLC0415

    syntax = dataset.file_meta.TransferSyntaxUID
    options = as_pixel_options(dataset)
    offsets = options.pop("extended_offsets", None)
    options |= {"number_of_frames": 1, "pixel_keyword": "PixelData"}
    decoder = get_decoder(syntax)
    wanted = request.wanted(header)
    stack: Pixels | None = None
    for position, frame in enumerate(_frames(stream, header, wanted, offsets)):
        check_codestream(file, header, str(syntax), frame)
        pixels, _ = decoder.as_array(encapsulate([frame]), index=0, **options)
        if len(wanted) == 1:
            return pixels
        if stack is None:
            stack = np.empty((len(wanted), *pixels.shape), pixels.dtype)
        stack[position] = pixels
    if stack is None:
        raise file.refusal("has no frames")
    return stack


def _frames(stream: BinaryIO, header: ImageHeader, wanted: range, offsets: Any) -> Iterator[bytes]:
    """Give the compressed frames; the stream stands at the pixel data element."""
    from pydicom.encaps import generate_frames, get_frame  # noqa: PLC0415 - an extra

    stream.seek(_ELEMENT_HEAD, 1)
    options: Any = {"number_of_frames": header.nr_of_frames, "extended_offsets": offsets}
    if len(wanted) == 1:
        yield get_frame(stream, wanted.start, **options)
    else:
        yield from islice(generate_frames(stream, **options), len(wanted))


def _require_decoder(syntax: UID) -> None:
    from pydicom.pixels import get_decoder  # noqa: PLC0415 - an extra

    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        package = _PACKAGES.get(str(syntax), _EXTRA)
        raise ConfigurationError(
            f"no decoder is installed for the DICOM transfer syntax {syntax.name} ({syntax}): "
            f"pip install {package}",
            field="dataset_identifier",
            value=str(syntax),
        )
