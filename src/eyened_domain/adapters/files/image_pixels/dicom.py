"""DICOM files: decoded by pydicom and its plug-ins, after the compressed data has been judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from eyened_domain.adapters.files.image_headers.dicom import dicom_header, require_pydicom
from eyened_domain.adapters.files.image_headers.source import HeaderFile
from eyened_domain.adapters.files.image_pixels.codestreams import check_codestream
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels
from eyened_domain.errors import ConfigurationError
from eyened_domain.services.image_files import ImageHeader

if TYPE_CHECKING:
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
        with file.stream() as stream:
            opened = _Opened(request, file, header, stream)
            frames = opened.compressed() if opened.is_compressed else opened.native()
        size = (header.rows_y, header.columns_x)
        if frames.shape[:3] != (len(opened.wanted), *size) or frames.ndim > 4:
            raise file.refusal(f"is damaged: its pixels have the shape {frames.shape}")
    return np.ascontiguousarray(frames[0] if len(frames) == 1 else frames)


class _Opened:
    """A DICOM file whose header has been judged; gives (frames, rows, columns[, samples])."""

    def __init__(
        self, request: PixelRequest, file: HeaderFile, header: ImageHeader, stream: BinaryIO
    ) -> None:
        import pydicom  # noqa: PLC0415 - an extra

        self.wanted = request.wanted(header)
        self._file = file
        self._header = header
        self._stream = stream
        self._dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(_TAGS))
        self._syntax: UID = self._dataset.file_meta.TransferSyntaxUID
        self._decoder = _decoder_of(file, self._syntax)
        self.is_compressed = bool(self._syntax.is_encapsulated)
        pixels = header.rows_y * header.columns_x * header.nr_of_frames
        file.allow_pixels(pixels * header.samples_per_pixel * _BYTES_PER_SAMPLE)

    def native(self) -> Pixels:
        """Read pixels that are not compressed; pydicom reads no other frame than the wanted."""
        from pydicom.pixels.utils import pixel_array  # noqa: PLC0415 - an extra

        self._stream.seek(0)
        if len(self.wanted) == 1:
            single: Pixels = pixel_array(self._stream, index=self.wanted.start)
            return single[np.newaxis]
        return pixel_array(self._stream)

    def compressed(self) -> Pixels:
        """Decode, frame by frame, exactly the bytes that have been judged."""
        from pydicom.encaps import encapsulate  # noqa: PLC0415 - an extra
        from pydicom.pixels.utils import as_pixel_options  # noqa: PLC0415

        options = as_pixel_options(self._dataset)
        offsets = options.pop("extended_offsets", None)
        options |= {"number_of_frames": 1, "pixel_keyword": "PixelData"}
        stack = np.empty((0,))
        for position, frame in enumerate(self._frames(offsets)):
            check_codestream(self._file, self._header, str(self._syntax), frame)
            pixels, _ = self._decoder.as_array(encapsulate([frame]), index=0, **options)
            if position == 0:
                stack = np.empty((len(self.wanted), *pixels.shape), pixels.dtype)
            stack[position] = pixels
        return stack

    def _frames(self, offsets: Any) -> Iterator[bytes]:
        """Give the compressed frames; the stream stands at the pixel data element."""
        from pydicom.encaps import generate_frames, get_frame  # noqa: PLC0415 - an extra

        self._stream.seek(_ELEMENT_HEAD, 1)
        told: Any = {"number_of_frames": self._header.nr_of_frames, "extended_offsets": offsets}
        if len(self.wanted) == 1:
            yield get_frame(self._stream, self.wanted.start, **told)
            return
        count = 0
        for count, frame in enumerate(generate_frames(self._stream, **told), start=1):
            if count > len(self.wanted):
                return
            yield frame
        if count < len(self.wanted):
            raise self._file.refusal(f"is cut off: {count} of {len(self.wanted)} frames are there")


def _decoder_of(file: HeaderFile, syntax: UID) -> Any:
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - an extra

    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise file.refusal(
            f"is in the DICOM transfer syntax {syntax.name} ({syntax}), which is not read; "
            "convert it to another one"
        ) from error
    if not decoder.is_available:
        package = _PACKAGES.get(str(syntax), _EXTRA)
        raise ConfigurationError(
            f"no decoder is installed for the DICOM transfer syntax {syntax.name} ({syntax}): "
            f"pip install {package}",
            field="dataset_identifier",
            value=str(syntax),
        )
    return decoder
