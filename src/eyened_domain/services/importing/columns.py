"""What a record says of an object: the names of its columns, and values that fit them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.model.values import Flag, Integer, Json, Kind, Real, Refused, Text, json_value
from eyened_domain.model.values import shown as shown_whole

_TAKEN = {
    Patient: {"patient_identifier": "patient_identifier"},
    Study: {"study_date": "study_date"},
    Series: {},
    ImageInstance: {
        "dataset_identifier": "image",
        "modality_id": "modality",
        "source_info_id": "source_name",
    },
}
"""Columns that a record gives in another place than `props`, or under another name."""

_GENERATED = {"date_inserted", "thumbnail_path", "file_checksum", "data_hash"}
_SIZES = {"rows_y", "columns_x", "samples_per_pixel", "nr_of_frames"}
_TRUE = {"1", "true", "yes", "y"}
_FALSE = {"0", "false", "no", "n"}
_SCALARS = {str, int, bool, float}
_LONGEST_JSON = 1_000_000
_DEEPEST_JSON = 50
_LONGEST_SCALAR = 100
_LONGEST_NAME = 80
_CACHED_VALUES = 512
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


class _Column(NamedTuple):
    """A column as records give it."""

    name: str
    known: Callable[[Any], Any]
    """Converts; values that come again are converted once, so they have to be hashable."""
    convert: Callable[[Any], Any]


def convert(entity: type[Entity], props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that the props of a record give, under their Python names.

    Args:
        entity: Patient, Study, Series or ImageInstance.
        props: names in either style; values as the column holds them, or as texts; None
            and an empty text mean not given.

    Raises:
        UnknownName: the entity has no such column.
        BadInput: a value does not fit, or the column is not for records to give.
    """
    columns: dict[str, Any] = {}
    for given, value in props.items():
        name, known, convert_one = _column(entity, given)
        if value is None or (value.__class__ is str and not value):
            continue
        if name in columns:
            raise BadInput(f"{given} is given twice, under both names", field=name)
        columns[name] = known(value) if value.__class__ in _SCALARS else convert_one(value)
    return columns


@lru_cache(maxsize=1024)
def _column(entity: type[Entity], given: str) -> _Column:
    if not isinstance(given, str):
        raise BadInput(f"the names of columns are texts, not {shown(given)}", field=shown(given))
    if len(given) > _LONGEST_NAME:
        raise UnknownName(
            f"{entity.__entity__.name} has no field {shown(given)}", field=shown(given)
        )
    info = _device_column(given) if entity is ImageInstance else None
    if info is None:
        info = _own_column(entity, given)
    convert_one = _converter(entity.__entity__.name, info)
    cached = lru_cache(maxsize=_CACHED_VALUES, typed=True)(convert_one)
    return _Column(info.name, convert_one if isinstance(info.kind, Json) else cached, convert_one)


def _device_column(given: str) -> ColumnInfo | None:
    for name, (database_name, length) in DEVICE_COLUMNS.items():
        if given in (name, database_name):
            return ColumnInfo(
                name=name,
                database_name=database_name,
                kind=Text(length),
                nullable=True,
                required=False,
            )
    return None


def _own_column(entity: type[Entity], given: str) -> ColumnInfo:
    info = entity.__entity__
    name = info.field_name(given)
    column = info.columns.get(name)
    if column is None:
        raise UnknownName(
            f"{info.name}.{name} is a link, not a column", entity=info.name, field=name
        )
    elsewhere = _TAKEN[entity].get(name)
    if elsewhere is not None:
        raise BadInput(f"{info.name}.{name} is given as {elsewhere!r}", field=name)
    hierarchy = column.references in {"Project", "Patient", "Study", "Series"}
    if column.primary_key or hierarchy or name in _GENERATED:
        raise BadInput(f"{info.name}.{name} is not for records to give", field=name)
    return column


def _converter(where: str, column: ColumnInfo) -> Callable[[Any], Any]:
    """Return the conversion of a column's values."""
    positive = column.name in _SIZES

    def convert_one(value: Any) -> Any:
        converted = convert_value(where, column.name, column, value)
        if positive and converted < 1:
            raise _misfit(where, column.name, value, f"{converted} is no size: 1 or more is needed")
        if isinstance(column.kind, Text) and not converted.strip():
            raise _misfit(where, column.name, value, "it is empty; leave it out instead")
        return converted

    return convert_one


def convert_value(where: str, name: str, column: ColumnInfo, value: Any) -> Any:
    """Return a value as the column holds it.

    Raises:
        BadInput: it does not fit; the message names the field and the value.
    """
    try:
        return _fitted(column.kind, value)
    except Refused as refused:
        raise _misfit(where, name, value, str(refused)) from None
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # Numbers that are too large to be shown, lists in lists without end.
        reason = f"{shown(value)} cannot be read ({type(error).__name__})"
        raise _misfit(where, name, value, reason) from None


def _misfit(where: str, name: str, value: Any, reason: str) -> BadInput:
    return BadInput(f"{where}.{name}: {reason}", entity=where, field=name, value=shown(value))


def _fitted(kind: Kind, value: Any) -> Any:
    if isinstance(kind, Text):
        return check_name(kind.convert(value))
    if isinstance(kind, Json):
        return _checked_json(_parsed_json(value) if isinstance(value, str) else value)
    if isinstance(value, str):
        if len(value) > _LONGEST_SCALAR:
            raise Refused(f"{shown(value)} has {len(value):,} characters")
        value = _from_text(kind, value.strip())
    elif isinstance(value, list | tuple | set | Mapping):
        raise Refused(f"one value is needed, not {shown(value)}")
    return kind.convert(value)


def _from_text(kind: Kind, text: str) -> Any:
    if isinstance(kind, Integer):
        return int(text)
    if isinstance(kind, Real):
        return float(text)
    if isinstance(kind, Flag):
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise Refused(f"{shown(text)} is neither true nor false")
    return text


def _parsed_json(text: str) -> Any:
    if len(text) > _LONGEST_JSON:
        raise Refused(f"{len(text):,} characters of JSON, at most {_LONGEST_JSON:,} are taken")
    return json.loads(text)


def _checked_json(value: Any) -> Any:
    """Refuse what is nested too deeply, or too large, for a storage to take."""
    level = [value]
    for _ in range(_DEEPEST_JSON):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            break
    else:
        raise Refused(f"{shown(value)} is nested more than {_DEEPEST_JSON} levels deep")
    converted = json_value(value)
    length = len(json.dumps(converted))
    if length > _LONGEST_JSON:
        raise Refused(f"{length:,} characters of JSON, at most {_LONGEST_JSON:,} are taken")
    return converted


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def shown(value: object) -> str:
    """Return a value as it may stand in a message; of what holds much, only what it is."""
    if isinstance(value, list | tuple | set | frozenset | Mapping):
        return f"a {type(value).__name__} of {len(value):,}"
    try:
        return shown_whole(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return f"a {type(value).__name__}"


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
    if value.__class__ is str:
        return _name(where, field, value, length)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return _name(where, field, str(value), length)
    return _checked_name(where, field, value, length)


def _not_blank(text: str) -> str:
    """Return a text without white space around it."""
    text = text.strip()
    if not text:
        raise Refused("it is empty")
    return text


def _checked_name(where: str, field: str, value: Any, length: int) -> str:
    try:
        return check_name(_not_blank(Text(length).convert(value)))
    except (Refused, ValueError, RecursionError) as refused:
        reason = refused if isinstance(refused, Refused) else f"{shown(value)} is no name"
        raise BadInput(
            f"{field}: {reason}", entity=where, field=field, value=shown(value)
        ) from None


_name = lru_cache(maxsize=4096)(_checked_name)
