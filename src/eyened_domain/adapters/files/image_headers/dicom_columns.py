"""From DICOM attributes to columns of the contract.

Values are taken from the bytes as they were read: pydicom's own conversion warns
through global state about every value that breaks a rule of the standard, and
devices break many. What cannot be understood is left out, as if it were not told.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

TAGS: dict[int, str] = {
    0x00080016: "SOPClassUID",
    0x00080018: "SOPInstanceUID",
    0x00080020: "StudyDate",
    0x00080022: "AcquisitionDate",
    0x0008002A: "AcquisitionDateTime",
    0x00080032: "AcquisitionTime",
    0x00080060: "Modality",
    0x00080070: "Manufacturer",
    0x00081030: "StudyDescription",
    0x00081090: "ManufacturerModelName",
    0x00100020: "PatientID",
    0x00100030: "PatientBirthDate",
    0x00100040: "PatientSex",
    0x00180050: "SliceThickness",
    0x00180088: "SpacingBetweenSlices",
    0x00181000: "DeviceSerialNumber",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
    0x00200011: "SeriesNumber",
    0x00200060: "Laterality",
    0x00200062: "ImageLaterality",
    0x0022000C: "HorizontalFieldOfView",
    0x00280002: "SamplesPerPixel",
    0x00280004: "PhotometricInterpretation",
    0x00280008: "NumberOfFrames",
    0x00280010: "Rows",
    0x00280011: "Columns",
    0x00280030: "PixelSpacing",
    0x00280100: "BitsAllocated",
    0x52009229: "SharedFunctionalGroupsSequence",
    0x52009230: "PerFrameFunctionalGroupsSequence",
}
"""Attributes that are read, by tag (PS3.6)."""

_NESTED = {
    0x00209071: "FrameAnatomySequence",
    0x00209072: "FrameLaterality",
    0x00289110: "PixelMeasuresSequence",
}
_TAG_OF = {keyword: tag for tag, keyword in (TAGS | _NESTED).items()}
_UID = re.compile(r"[0-9.]{1,64}")
_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d*)?(?:[+-]\d{4})?")
_MODALITIES = frozenset({"OP", "OPT", "SC"})


class Elements:
    """The attributes of one DICOM data set, by keyword; None for what is not there.

    Args:
        dataset: a pydicom data set whose values have not been converted yet.
        little_endian: the order of bytes in its numbers.
    """

    def __init__(self, dataset: Any, *, little_endian: bool) -> None:
        self._dataset = dataset
        self.little_endian = little_endian

    def text(self, keyword: str) -> str | None:
        """Read a text attribute, without its padding; None when empty."""
        value = self._value(keyword)
        if isinstance(value, bytes):
            value = self._decoded(value)
        if not isinstance(value, str):
            return None
        return value.strip(" \0\t\r\n") or None

    def texts(self, keyword: str) -> list[str]:
        """Read an attribute of several values, which a backslash separates."""
        return (self.text(keyword) or "").split("\\")

    def number(self, keyword: str) -> int | None:
        """Read an unsigned 16-bit number (US)."""
        value = self._value(keyword)
        if isinstance(value, int):
            return value
        if not isinstance(value, bytes) or len(value) < 2:
            return None
        (number,) = struct.unpack_from("<H" if self.little_endian else ">H", value)
        return int(number)

    def integer_text(self, keyword: str) -> int | None:
        """Read a number written as text (IS)."""
        text = self.text(keyword)
        return int(text) if text and re.fullmatch(r"[+-]?[0-9]{1,12}", text) else None

    def lengths(self, keyword: str) -> list[float]:
        """Read lengths or angles written as text (DS); empty unless all are above 0."""
        try:
            values = [float(text) for text in self.texts(keyword)]
        except ValueError:
            return []
        return values if all(math.isfinite(value) and value > 0 for value in values) else []

    def double(self, keyword: str) -> float | None:
        """Read a float (FL), above 0."""
        value = self._value(keyword)
        if not isinstance(value, bytes) or len(value) < 4:
            return None
        (number,) = struct.unpack_from("<f" if self.little_endian else ">f", value)
        return float(number) if math.isfinite(number) and number > 0 else None

    def first_item(self, keyword: str) -> Elements | None:
        """Read the first item of a sequence (SQ)."""
        if _TAG_OF[keyword] not in self._dataset:
            return None
        items = self._dataset[_TAG_OF[keyword]].value
        if not isinstance(items, Sequence) and not hasattr(items, "__getitem__"):
            return None
        return Elements(items[0], little_endian=self.little_endian) if len(items) else None

    def _value(self, keyword: str) -> object:
        tag = _TAG_OF[keyword]
        return self._dataset.get_item(tag).value if tag in self._dataset else None

    def _decoded(self, value: bytes) -> str:
        encodings = self._dataset.original_character_set
        if isinstance(encodings, str):
            encodings = [encodings]
        for encoding in [*filter(None, encodings or ()), "ascii", "utf-8"]:
            try:
                return value.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
        return value.decode("latin-1")


def columns_of(elements: Elements, *, volume: bool) -> dict[str, object]:
    """Give the columns of the contract that a DICOM image tells.

    Keys are Python names of columns: of ImageInstance, Series (series_instance_uid,
    study_instance_uid, series_number), Study (study_date, study_description), Patient
    (patient_identifier, birth_date, sex), DeviceModel (manufacturer,
    manufacturer_model_name) and DeviceInstance (serial_number).
    """
    modality = elements.text("Modality")
    columns: dict[str, object] = {
        "sop_instance_uid": _uid(elements, "SOPInstanceUID"),
        "sop_class_uid": _uid(elements, "SOPClassUID"),
        "series_instance_uid": _uid(elements, "SeriesInstanceUID"),
        "study_instance_uid": _uid(elements, "StudyInstanceUID"),
        "series_number": elements.integer_text("SeriesNumber"),
        "photometric_interpretation": elements.text("PhotometricInterpretation"),
        "laterality": _laterality(elements),
        "acquisition_date_time": _acquired(elements),
        "dicom_modality": modality if modality in _MODALITIES else None,
        "horizontal_field_of_view": elements.double("HorizontalFieldOfView"),
        "manufacturer": elements.text("Manufacturer"),
        "manufacturer_model_name": elements.text("ManufacturerModelName"),
        "serial_number": elements.text("DeviceSerialNumber"),
        "study_date": _date(elements.text("StudyDate")),
        "study_description": elements.text("StudyDescription"),
        "patient_identifier": elements.text("PatientID"),
        "birth_date": _date(elements.text("PatientBirthDate")),
        "sex": {"M": "M", "F": "F"}.get(elements.text("PatientSex") or ""),
        **_resolution(elements, b_scans=modality == "OPT", volume=volume),
    }
    return {name: value for name, value in columns.items() if value is not None}


def _resolution(elements: Elements, *, b_scans: bool, volume: bool) -> dict[str, object]:
    """Read millimetres per pixel.

    PixelSpacing gives the distance of rows, then of columns. In a B-scan the rows go
    into the depth; the third direction is the distance of the B-scans, which only
    SpacingBetweenSlices tells (SliceThickness is no distance).
    """
    measures = elements
    if len(elements.lengths("PixelSpacing")) != 2:
        measures = _pixel_measures(elements) or elements
    spacing = measures.lengths("PixelSpacing")
    thickness = measures.lengths("SliceThickness")
    between = measures.lengths("SpacingBetweenSlices")
    rows, columns = spacing if len(spacing) == 2 else (None, None)
    return {
        "slice_thickness": thickness[0] if thickness else None,
        "resolution_horizontal": columns,
        "resolution_axial": rows if b_scans else None,
        "resolution_vertical": (between[0] if between and volume else None) if b_scans else rows,
    }


def _pixel_measures(elements: Elements) -> Elements | None:
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        group = elements.first_item(groups)
        measures = group.first_item("PixelMeasuresSequence") if group else None
        if measures is not None:
            return measures
    return None


def _laterality(elements: Elements) -> str | None:
    told = elements.text("ImageLaterality") or elements.text("Laterality")
    if told is None:
        for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            group = elements.first_item(groups)
            anatomy = group.first_item("FrameAnatomySequence") if group else None
            told = told or (anatomy.text("FrameLaterality") if anatomy else None)
    return told if told in {"L", "R"} else None


def _acquired(elements: Elements) -> datetime | None:
    """Read the local time of acquisition in whole seconds, as the column holds it."""
    told = elements.text("AcquisitionDateTime")
    if told is None:
        told = (elements.text("AcquisitionDate") or "") + (elements.text("AcquisitionTime") or "")
    match = _DATE_TIME.fullmatch(told)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


def _date(text: str | None) -> date | None:
    if text is None or re.fullmatch(r"[0-9]{8}", text) is None:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _uid(elements: Elements, keyword: str) -> str | None:
    text = elements.text(keyword)
    return text if text and _UID.fullmatch(text) else None
