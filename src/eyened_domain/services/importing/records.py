"""Import records: what people hand in, nested or flat, as the levels of the database.

One patient record, nested::

    {"project_name": "AREDS", "patient_identifier": "P1", "props": {"sex": "F"},
     "studies": [{"study_date": "2024-01-31", "props": {},
                  "series": [{"series_id": None, "props": {},
                              "images": [{"image": "P1/a.png",
                                          "props": {"laterality": "R"}}]}]}]}

The flat form of one image has ``patient_props``, ``study_props``, ``series_props`` and
``image_props`` instead of the nesting; a column's own name may stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.columns import (
    DEVICE_COLUMNS,
    convert,
    convert_value,
    name_value,
    shown,
)
from eyened_domain.services.importing.entries import (
    UNSAID,
    ImageEntry,
    Origin,
    PatientEntry,
    RecordError,
    SeriesEntry,
    StudyEntry,
    note,
)

_PATIENT_KEYS = frozenset({"project_name", "patient_identifier", "props", "studies"})
_STUDY_KEYS = frozenset({"study_date", "props", "series"})
_SERIES_KEYS = frozenset({"series_id", "props", "images"})
_IMAGE_KEYS = frozenset({"image", "props"})
_FLAT_KEYS = frozenset({"project_name", "patient_identifier", "study_date", "series_id", "image"})
_FLAT_PROPS: dict[str, type[Entity]] = {
    "image_props": ImageInstance,
    "series_props": Series,
    "study_props": Study,
    "patient_props": Patient,
}
_FLAT_NAMES = _FLAT_KEYS | _FLAT_PROPS.keys()
_LONGEST_NAME = 80
_LONGEST_NAME_STORED = 255
_NONE: Mapping[str, Any] = {}
T = TypeVar("T", StudyEntry, SeriesEntry, ImageEntry)


class RecordReader:
    """Turns records into entries, level by level; what is wrong is collected, not raised.

    Args:
        default_date: the date of studies that have none (DEFAULT_STUDY_DATE).
    """

    def __init__(self, default_date: date) -> None:
        self._default_date = default_date
        self.errors: list[RecordError] = []

    def read(self, number: int, record: Any) -> PatientEntry | None:
        """Return the entries of the record with that number, or None when it is bad as a whole.

        What is wrong at a lower level is left out of the result and noted in `errors`.
        """
        where = f"record {number}"
        try:
            if _is_mapping(record) and "image" in record and "studies" not in record:
                return self._flat(record, where)
            return self._nested(record, where)
        except BadInput as error:
            self.errors.append(note(where, error))
            return None

    def _flat(self, record: Mapping[str, Any], where: str) -> PatientEntry:
        """Return the entries of a flat record of one image."""
        props = _props_by_level(record)
        patient = _patient(record, props["patient_props"])
        study = self._study(record, props["study_props"])
        series = _series(record, props["series_props"])
        images = (_image(record, props["image_props"], where),)
        all_series = (SeriesEntry(*series, where, images),)
        return PatientEntry(*patient, where, (StudyEntry(*study, where, all_series, True),), True)

    def _nested(self, record: Mapping[str, Any], where: str) -> PatientEntry | None:
        _check_names(record, _PATIENT_KEYS, "a patient record")
        patient = _patient(record, _mapping(record, "props"))
        studies, declared = self._listed(record, "studies", where, self._nested_study)
        kept = tuple(study for study in studies if study.series or not study.declared)
        if patient[1] is None and not any(study.series for study in kept):
            if kept or not declared:
                raise BadInput(
                    "patient_identifier is needed where there are no images: without either, "
                    "the patient could not be found again",
                    field="patient_identifier",
                )
            return None
        return PatientEntry(*patient, where, kept, declared) if kept or not declared else None

    def _nested_study(self, record: Mapping[str, Any], where: str) -> StudyEntry:
        _check_names(record, _STUDY_KEYS, "a study")
        study = self._study(record, _mapping(record, "props"))
        series, declared = self._listed(record, "series", where, self._nested_series)
        return StudyEntry(*study, where, tuple(one for one in series if one.images), declared)

    def _nested_series(self, record: Mapping[str, Any], where: str) -> SeriesEntry:
        _check_names(record, _SERIES_KEYS, "a series")
        series = _series(record, _mapping(record, "props"))
        images, declared = self._listed(record, "images", where, _nested_image)
        if not declared:
            raise BadInput("a series needs images", field="images")
        return SeriesEntry(*series, where, tuple(images))

    def _listed(
        self,
        record: Mapping[str, Any],
        name: str,
        where: str,
        read: Callable[[Mapping[str, Any], str], T],
    ) -> tuple[list[T], bool]:
        """Return what is good in a list of a record, and whether there is anything in the list."""
        found: list[T] = []
        listed = _list(record, name)
        for index, one in enumerate(listed):
            place = f"{where}, {name}[{index}]"
            try:
                found.append(read(one, place))
            except BadInput as error:
                self.errors.append(note(place, error))
        return found, bool(listed)

    def _study(
        self, record: Mapping[str, Any], props: Mapping[str, Any]
    ) -> tuple[date, dict[str, Any]]:
        given = record.get("study_date")
        day = self._default_date if given is None else _study_date(given)
        return day, convert(Study, props) if props else {}


def _is_mapping(value: Any) -> bool:
    return value.__class__ is dict or isinstance(value, Mapping)


def _patient(
    record: Mapping[str, Any], props: Mapping[str, Any]
) -> tuple[str, str | None, dict[str, Any]]:
    name = record.get("project_name")
    if name is None:
        raise BadInput("project_name is needed", field="project_name")
    identifier = record.get("patient_identifier")
    if identifier is not None:
        identifier = name_value("Patient", "patient_identifier", identifier, _LONGEST_NAME_STORED)
    project = name_value("Project", "project_name", name, _LONGEST_NAME_STORED)
    return project, identifier, convert(Patient, props) if props else {}


def _series(
    record: Mapping[str, Any], props: Mapping[str, Any]
) -> tuple[int | None, dict[str, Any]]:
    given = record.get("series_id")
    if given is not None:
        column = Series.__entity__.columns["series_id"]
        given = int(convert_value("Series", "series_id", column, given))
    return given, convert(Series, props) if props else {}


def _nested_image(record: Mapping[str, Any], where: str) -> ImageEntry:
    _check_names(record, _IMAGE_KEYS, "an image")
    return _image(record, _mapping(record, "props"), where)


def _image(record: Mapping[str, Any], props: Mapping[str, Any], where: str) -> ImageEntry:
    path = record.get("image")
    if not isinstance(path, str) or not path:
        raise BadInput(f"image: the path of a file is needed, not {shown(path)}", field="image")
    given = convert(ImageInstance, props) if props else {}
    named = DEVICE_COLUMNS.keys() & given.keys()
    origin = Origin(**{name: given.pop(name) for name in named}) if named else UNSAID
    return ImageEntry(path, given, where, origin)


def _study_date(given: Any) -> date:
    return _known_date(given) if given.__class__ is str else _converted_date(given)


def _converted_date(given: Any) -> date:
    column = Study.__entity__.columns["study_date"]
    day: date = convert_value("Study", "study_date", column, given)
    return day


_known_date = lru_cache(maxsize=4096)(_converted_date)


def _check_names(record: Any, keys: frozenset[str], what: str) -> None:
    if not _is_mapping(record):
        raise BadInput(f"{what} is a mapping, not {type(record).__name__}")
    if not record.keys() <= keys:
        unknown = min(str(name) for name in record.keys() - keys)
        raise UnknownName(
            f"{what} has no {shown(unknown)}; it has {', '.join(sorted(keys))}",
            field=unknown[:_LONGEST_NAME],
        )


def _mapping(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    if found is None:
        return _NONE
    if not _is_mapping(found):
        raise BadInput(f"{name} is a mapping from column to value, not {shown(found)}", field=name)
    return found  # type: ignore[no-any-return]


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    found = record.get(name)
    if found is None:
        return []
    if isinstance(found, str | bytes | Mapping) or not hasattr(found, "__iter__"):
        raise BadInput(f"{name} is a list, not {shown(found)}", field=name)
    return list(found)


def _props_by_level(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what a flat record says of each level: its props, and the bare names of columns."""
    props = {level: _mapping(record, level) for level in _FLAT_PROPS}
    if record.keys() <= _FLAT_NAMES:
        return props
    own: dict[str, dict[str, Any]] = {level: dict(given) for level, given in props.items()}
    for name, value in record.items():
        if name not in _FLAT_NAMES:
            level, column = _level_of(name)
            if column in own[level]:
                raise BadInput(f"{name} is given twice", field=name)
            own[level][column] = value
    return {**own}


@lru_cache(maxsize=1024)
def _level_of(name: str) -> tuple[str, str]:
    """Return which props a bare or dotted column name of a flat record belongs to."""
    if not isinstance(name, str):
        raise BadInput(f"the names in a record are texts, not {shown(name)}", field=shown(name))
    if len(name) > _LONGEST_NAME:
        raise UnknownName(f"there is no column {shown(name)}", field=name[:_LONGEST_NAME])
    prefix, _, rest = name.partition(".")
    if rest:
        for level, entity in _FLAT_PROPS.items():
            if prefix in (level, level.removesuffix("_props"), entity.__name__):
                return level, rest
    if name in DEVICE_COLUMNS or name in {n for n, _ in DEVICE_COLUMNS.values()}:
        return "image_props", name
    for level, entity in _FLAT_PROPS.items():
        info = entity.__entity__
        if info.aliases.get(name, name) in info.columns:
            return level, name
    raise UnknownName(
        f"no column {shown(name)} in Patient, Study, Series or ImageInstance{_nearest(name)}",
        field=name,
    )


def _nearest(name: str) -> str:
    import difflib  # noqa: PLC0415 - needed for an error only

    known = {
        known
        for entity in _FLAT_PROPS.values()
        for known in (*entity.__entity__.columns, *entity.__entity__.aliases)
    }
    near = difflib.get_close_matches(name, sorted(known | _FLAT_KEYS), n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""
