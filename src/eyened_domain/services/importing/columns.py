"""What a record says of an object: the names of its columns, and values that fit them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.model.values import Flag, Integer, Json, Real, Refused, Text, json_value, shown

_TAKEN = {
    Patient: {"patient_identifier": "patient_identifier"},
    Study: {"study_date": "study_date"},
    Series: {},
    ImageInstance: {"dataset_identifier": "image", "modality_id": "modality"},
}
"""Columns that a record gives in another place than `props`, and where."""

_GENERATED = {"date_inserted", "thumbnail_path", "file_checksum", "data_hash"}
_TRUE = {"1", "true", "yes", "y"}
_FALSE = {"0", "false", "no", "n"}
_LONGEST_JSON = 1_000_000
_LATIN_1_END = 0xFF
_BMP_END = 0xFFFF

DEVICE_COLUMNS = {
    "manufacturer": ("Manufacturer", 45),
    "manufacturer_model_name": ("ManufacturerModelName", 45),
    "device_description": ("DeviceDescription", 256),
    "serial_number": ("SerialNumber", 256),
    "source_name": ("SourceName", 64),
    "scan_mode": ("ScanMode", 40),
}
"""What an image's props may say beyond its own columns, of where it comes from."""


def convert(entity: type[Entity], props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that the props of a record give, under their Python names.

    Args:
        entity: Patient, Study, Series or ImageInstance.
        props: names in either style; values as the column holds them, or as texts; None
            (and an empty text, in a CSV) means not given.

    Raises:
        UnknownName: the entity has no such column.
        BadInput: a value does not fit, or the column is not for records to give.
    """
    columns: dict[str, Any] = {}
    for given, value in props.items():
        name, column = _column(entity, given)
        if value is None:
            continue
        if name in columns:
            raise BadInput(f"{given} is given twice, under both names", field=name)
        columns[name] = convert_value(entity.__name__, name, column, value)
    return columns


@lru_cache(maxsize=1024)
def _column(entity: type[Entity], given: str) -> tuple[str, ColumnInfo]:
    info = entity.__entity__
    if entity is ImageInstance:
        for name, (database_name, length) in DEVICE_COLUMNS.items():
            if given in (name, database_name):
                return name, ColumnInfo(
                    name=name,
                    database_name=database_name,
                    kind=Text(length),
                    nullable=True,
                    required=False,
                )
    name = info.field_name(given)
    column = info.columns.get(name)
    if column is None:
        raise UnknownName(
            f"{info.name}.{name} is a link, not a column", entity=info.name, field=name
        )
    elsewhere = _TAKEN[entity].get(name)
    if elsewhere is not None:
        raise BadInput(f"{info.name}.{name} is given as {elsewhere!r}, not in props", field=name)
    hierarchy = column.references in {"Project", "Patient", "Study", "Series"}
    if column.primary_key or hierarchy or name in _GENERATED:
        raise BadInput(f"{info.name}.{name} is not for records to give", field=name)
    return name, column


def convert_value(where: str, name: str, column: ColumnInfo, value: Any) -> Any:
    """Return a value as the column holds it.

    Raises:
        BadInput: it does not fit; the message names the field and the value.
    """
    kind = column.kind
    try:
        if isinstance(value, str):
            if isinstance(kind, Text):
                check_name(value)
            else:
                value = _from_text(kind, value)
        return kind.convert(value)
    except Refused as refused:
        raise BadInput(
            f"{where}.{name}: {refused}", entity=where, field=name, value=shown(value)
        ) from None


def _from_text(kind: Any, text: str) -> Any:
    text = text.strip()
    try:
        if isinstance(kind, Integer):
            return int(text)
        if isinstance(kind, Real):
            return float(text)
        if isinstance(kind, Json):
            return _json(text)
    except ValueError as error:
        raise Refused(f"{shown(text)} cannot be read ({error})") from None
    if isinstance(kind, Flag):
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise Refused(f"{shown(text)} is neither true nor false")
    return text


def _json(text: str) -> Any:
    if len(text) > _LONGEST_JSON:
        raise Refused(f"{len(text):,} characters of JSON, at most {_LONGEST_JSON:,} are taken")
    return json_value(json.loads(text))


def check_name(text: str) -> str:
    """Refuse what no name has: control characters, emoji, invisible and private characters.

    Raises:
        Refused: naming the character.
    """
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        category = unicodedata.category(character)
        symbol = category == "So" and ord(character) > _LATIN_1_END
        if (
            symbol
            or category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
            or ord(character) > _BMP_END
        ):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise Refused(f"the character {character!r} ({name}) in {shown(text)}")
    return text


def name_value(where: str, field: str, value: Any, length: int) -> str:
    """Return a name that a record gives, without white space around it.

    Raises:
        BadInput: it is no text, empty, too long, or has characters that no name has.
    """
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        text = Text(length).convert(value).strip()
        if not text:
            raise Refused("it is empty")
        return check_name(text)
    except Refused as refused:
        raise BadInput(
            f"{field}: {refused}", entity=where, field=field, value=shown(value)
        ) from None
