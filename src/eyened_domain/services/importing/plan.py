"""The plan of an import: what would be written. It can be printed, saved, and applied."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import IO, Any

from attrs import asdict, define, field

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import entity_class
from eyened_domain.services.importing.columns import DEVICE_COLUMNS, convert_value
from eyened_domain.services.importing.options import ImportOptions
from eyened_domain.services.importing.records import (
    ImageEntry,
    Origin,
    PatientEntry,
    RecordError,
    SeriesEntry,
    StudyEntry,
)

LEVELS = ("Project", "Patient", "Study", "Series", "ImageInstance")
_FORMAT = "eyened_domain import plan 1"
_PORTIONS_IN_MEMORY = 25
_ERRORS_PRINTED = 20


@define
class Level:
    """What an import does at one level: projects, patients, studies, series or images."""

    new: int = 0
    existing: int = 0
    skipped: int = 0
    filled: Counter[str] = field(factory=Counter)
    """How many rows get which column."""
    changed: Counter[str] = field(factory=Counter)
    """How many existing rows get another value in which column."""

    @property
    def total(self) -> int:
        """How many there are in the records."""
        return self.new + self.existing + self.skipped


class Portions:
    """Entries in portions; the later ones wait in a temporary file, so memory stays bounded."""

    def __init__(self) -> None:
        self._held: list[list[PatientEntry]] = []
        self._file: IO[bytes] | None = None
        self._filed = 0

    def append(self, portion: list[PatientEntry]) -> None:
        """Add a portion at the end."""
        if self._file is None and len(self._held) < _PORTIONS_IN_MEMORY:
            self._held.append(portion)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="eyened-import-")  # noqa: SIM115
        self._file.seek(0, 2)
        pickle.dump(portion, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._filed += 1

    def __len__(self) -> int:
        return len(self._held) + self._filed

    def __iter__(self) -> Iterator[list[PatientEntry]]:
        yield from self._held
        if self._file is None:
            return
        position = 0
        for _ in range(self._filed):
            self._file.seek(position)
            portion: list[PatientEntry] = pickle.load(self._file)  # noqa: S301 - our own, unnamed
            position = self._file.tell()
            yield portion


@define
class ImportPlan:
    """What an import would do. Nothing is written until it is applied.

    Attributes:
        options: how it was planned, and will be applied.
        source: where the records came from, for the record of imports.
        levels: for Project, Patient, Study, Series and ImageInstance what is new, what
            exists, what is left out, and which columns get filled.
        errors: what is wrong with which record.
    """

    options: ImportOptions
    source: str | None = None
    levels: dict[str, Level] = field(factory=lambda: {name: Level() for name in LEVELS})
    errors: list[RecordError] = field(factory=list)
    portions: Portions = field(factory=Portions, repr=False)
    shared: dict[tuple[Any, ...], dict[str, Any]] = field(factory=dict, repr=False)
    """What all records together say of a patient or study that several of them name."""

    def __str__(self) -> str:
        lines = [f"{'':14}{'total':>9}{'new':>9}{'existing':>9}{'left out':>9}  columns filled"]
        for name, level in self.levels.items():
            filled = ", ".join(sorted(level.filled | level.changed))
            lines.append(
                f"{name:14}{level.total:9,}{level.new:9,}{level.existing:9,}{level.skipped:9,}"
                f"  {filled}".rstrip()
            )
        lines += [f"error in {error}" for error in self.errors[:_ERRORS_PRINTED]]
        if len(self.errors) > _ERRORS_PRINTED:
            lines.append(f"… and {len(self.errors) - _ERRORS_PRINTED:,} more errors")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can hold it."""
        return {
            "options": self.options.as_dict(),
            "source": self.source,
            "levels": {
                name: {**asdict(level), "total": level.total} for name, level in self.levels.items()
            },
            "errors": [asdict(error) for error in self.errors],
        }

    def columns_of_patient(self, entry: PatientEntry) -> dict[str, Any]:
        """Return what all records together say of the patient."""
        return self.shared.get(patient_key(entry), entry.columns)

    def columns_of_study(self, entry: StudyEntry) -> dict[str, Any]:
        """Return what all records together say of the study."""
        return self.shared.get(study_key(entry), entry.columns)

    def save(self, path: Path | str) -> None:
        """Write the plan to a file, one JSON document per line.

        Raises:
            BadInput: the file exists already.
        """
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                head = {"format": _FORMAT, **self.as_dict()}
                file.write(json.dumps(head) + "\n")
                for portion in self.portions:
                    lines = [json.dumps(_patient_out(self, entry)) for entry in portion]
                    file.write(json.dumps(len(lines)) + "\n" + "".join(f"{x}\n" for x in lines))
        except FileExistsError:
            raise BadInput(f"{path} exists already; choose another name for the plan") from None

    @classmethod
    def load(cls, path: Path | str) -> ImportPlan:
        """Read a plan that `save` wrote.

        Raises:
            BadInput: the file is not a plan, or is cut off.
        """
        try:
            with Path(path).open(encoding="utf-8") as file:
                return _read(file)
        except FileNotFoundError:
            raise BadInput(f"there is no plan {path}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path} is not a whole import plan ({error})") from None


def fold(text: str) -> str:
    """Return a text as the database's keys compare it: without case and trailing blanks."""
    return text.casefold().rstrip()


def patient_key(entry: PatientEntry) -> tuple[Any, ...]:
    """Return what tells patients apart: project and identifier."""
    return (fold(entry.project_name), fold(entry.identifier or ""))


def study_key(entry: StudyEntry) -> tuple[Any, ...]:
    """Return what tells studies apart: patient and date."""
    return (*patient_key(entry.patient), entry.study_date)


def _read(file: IO[str]) -> ImportPlan:
    head = json.loads(file.readline())
    if head.get("format") != _FORMAT:
        raise ValueError(f"its first line is not {_FORMAT!r}")
    plan = ImportPlan(options=ImportOptions.from_dict(head["options"]), source=head["source"])
    for name, level in head["levels"].items():
        plan.levels[name] = Level(
            new=level["new"],
            existing=level["existing"],
            skipped=level["skipped"],
            filled=Counter(level["filled"]),
            changed=Counter(level["changed"]),
        )
    plan.errors = [RecordError(**error) for error in head["errors"]]
    for line in file:
        plan.portions.append([_patient_in(json.loads(next(file))) for _ in range(json.loads(line))])
    return plan


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in columns.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    return value


def _patient_out(plan: ImportPlan, entry: PatientEntry) -> dict[str, Any]:
    return {
        "project_name": entry.project_name,
        "identifier": entry.identifier,
        "columns": _plain(plan.columns_of_patient(entry)),
        "where": entry.where,
        "studies": [
            {
                "study_date": study.study_date.isoformat(),
                "columns": _plain(plan.columns_of_study(study)),
                "where": study.where,
                "series": [_series_out(series) for series in study.series],
            }
            for study in entry.studies
        ],
    }


def _series_out(entry: SeriesEntry) -> dict[str, Any]:
    return {
        "series_id": entry.series_id,
        "columns": _plain(entry.columns),
        "where": entry.where,
        "images": [
            {
                "path": image.path,
                "identifier": image.identifier,
                "columns": _plain(image.columns),
                "origin": asdict(image.origin),
                "exists": image.exists,
                "where": image.where,
            }
            for image in entry.images
        ],
    }


def _columns_in(entity: str, columns: dict[str, Any]) -> dict[str, Any]:
    known = entity_class(entity).__entity__.columns
    return {name: convert_value(entity, name, known[name], v) for name, v in columns.items()}


def _patient_in(saved: dict[str, Any]) -> PatientEntry:
    entry = PatientEntry(
        project_name=saved["project_name"],
        identifier=saved["identifier"],
        columns=_columns_in("Patient", saved["columns"]),
        where=saved["where"],
    )
    for study in saved["studies"]:
        study_entry = StudyEntry(
            patient=entry,
            study_date=date.fromisoformat(study["study_date"]),
            columns=_columns_in("Study", study["columns"]),
            where=study["where"],
        )
        study_entry.series = [_series_in(study_entry, series) for series in study["series"]]
        entry.studies.append(study_entry)
    return entry


def _series_in(study: StudyEntry, saved: dict[str, Any]) -> SeriesEntry:
    entry = SeriesEntry(
        study=study,
        series_id=saved["series_id"],
        columns=_columns_in("Series", saved["columns"]),
        where=saved["where"],
    )
    entry.images = [
        ImageEntry(
            series=entry,
            path=image["path"],
            columns=_columns_in("ImageInstance", image["columns"]),
            where=image["where"],
            origin=Origin(**{name: image["origin"].get(name) for name in DEVICE_COLUMNS}),
            identifier=image["identifier"],
            exists=image["exists"],
        )
        for image in saved["images"]
    ]
    return entry
