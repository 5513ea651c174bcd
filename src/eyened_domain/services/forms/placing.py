"""Where the forms of records belong: looked up for all of them together, and checked."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import BadInput, EyenedError, NotFound
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import EntityType, Laterality
from eyened_domain.model.form import NEEDED, FormAnnotation, FormSchema
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.values import shown
from eyened_domain.services.forms.answers import AnswerCheck
from eyened_domain.services.forms.records import FormEntry
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows

_PLACE = (
    *("form_schema_id", "creator_id", "patient_id", "study_id", "image_instance_id"),
    "laterality",
)
Key = tuple[Any, ...]


@frozen
class _Schema:
    """A form, as far as its answers are held to it."""

    form_schema_id: int
    name: str
    about: EntityType | None
    check: AnswerCheck | BadInput
    """What holds answers to it, or why nothing can."""


@frozen
class _Image:
    """An image, and what it belongs to."""

    image_instance_id: int
    study_id: int
    patient_id: int
    source_name: str | None
    laterality: Laterality | None


@define
class Placed:
    """Where forms go.

    Attributes:
        new: the forms to be made, as rows; they refer to others by what records call them.
        existing: the ids of those that are there already, by the entry.
        refused: the entries that cannot be placed, and why.
    """

    new: list[tuple[FormEntry, Row]] = field(factory=list)
    existing: dict[FormEntry, int] = field(factory=dict)
    refused: list[tuple[FormEntry, EyenedError]] = field(factory=list)


class Placing:
    """Finds where forms belong, in a number of statements that does not grow with them.

    A form is there already when one is that the same creator filled in with the same answers
    about the same patient, study, image and eye.

    Args:
        rows: of an open unit of work.
        lock: let one import at a time write forms of the same schemas.
    """

    def __init__(self, rows: Rows, *, lock: bool = False) -> None:
        self._rows = rows
        self._lock = lock
        self._schemas: dict[str, _Schema] = {}
        self._creators: dict[str, int] = {}
        self._patients: dict[tuple[str, str], int] = {}
        self._studies: dict[tuple[int, Any], int] = {}
        self._images: dict[str, list[_Image]] = {}

    def place(self, entries: Sequence[FormEntry]) -> Placed:
        """Return where forms go; nothing is written."""
        placed = Placed()
        self._look_up(entries)
        rows: list[tuple[FormEntry, Row]] = []
        for entry in entries:
            try:
                rows.append((entry, self._row(entry)))
            except EyenedError as error:
                placed.refused.append((entry, error))
        there = self._there([row for _, row in rows])
        for entry, row in rows:
            same = there.get(_key(row))
            if same:
                placed.existing[entry] = same.pop(0)
            else:
                placed.new.append((entry, row))
        _refuse_loose_ends(placed)
        return placed

    def _look_up(self, entries: Sequence[FormEntry]) -> None:
        self._look_up_schemas({one["schema_name"] for one in entries})
        names = {one["creator_name"] for one in entries}
        found = self._rows.find(Creator, "creator_name", names, ("creator_name", "creator_id"))
        self._creators = {fold(name): creator_id for name, creator_id in found}
        self._look_up_patients(entries)
        self._look_up_images({one["dataset_identifier"] for one in entries} - {None})

    def _look_up_schemas(self, names: set[str]) -> None:
        columns = ("schema_name", "form_schema_id", "entity_type", "schema")
        found = self._rows.find(FormSchema, "schema_name", names, columns, lock=self._lock)
        for name, schema_id, about, schema in found:
            self._schemas[fold(name)] = _Schema(schema_id, name, about, _check_of(schema))

    def _look_up_patients(self, entries: Sequence[FormEntry]) -> None:
        wanted: dict[str, set[str]] = defaultdict(set)
        for one in entries:
            if one["project_name"] is not None and one["patient_identifier"] is not None:
                wanted[one["project_name"]].add(one["patient_identifier"])
        for row in self._rows.studies_of(wanted):
            if row.patient_id is None or row.patient_identifier is None:
                continue
            self._patients[fold(row.project_name), fold(row.patient_identifier)] = row.patient_id
            if row.study_id is not None:
                self._studies[row.patient_id, row.study_date] = row.study_id

    def _look_up_images(self, names: set[str]) -> None:
        columns = (
            *("dataset_identifier", "image_instance_id", "series.study_id"),
            *("series.study.patient_id", "source_info.source_name", "laterality"),
        )
        for name, *held in self._rows.find(ImageInstance, "dataset_identifier", names, columns):
            self._images.setdefault(name, []).append(_Image(*held))

    def _row(self, entry: FormEntry) -> Row:
        """Return the row of a form; raise where it belongs nowhere or is not as it should be."""
        schema = self._schemas.get(fold(entry["schema_name"]))
        if schema is None:
            raise _missing("FormSchema", "schema_name", entry)
        creator_id = self._creators.get(fold(entry["creator_name"]))
        if creator_id is None:
            raise _missing("Creator", "creator_name", entry)
        subject = self._subject(entry)
        row = {
            "form_schema_id": schema.form_schema_id,
            "creator_id": creator_id,
            **subject,
            "laterality": entry["laterality"],
            "form_data": entry.answers,
            "inactive": bool(entry["inactive"]),
            "date_inserted": entry["date_inserted"],
        }
        _check_needed(schema, row)
        if isinstance(schema.check, BadInput):
            raise schema.check
        schema.check.check(entry.answers, schema.name)
        return row

    def _subject(self, entry: FormEntry) -> Row:
        patient_id, study_id = self._named(entry)
        if entry["dataset_identifier"] is None:
            if patient_id is None:
                raise BadInput(
                    "it is about no patient: project_name and patient_identifier, or "
                    "dataset_identifier, are needed",
                    field="patient_identifier",
                )
            return {"patient_id": patient_id, "study_id": study_id, "image_instance_id": None}
        image = self._image(entry, patient_id, study_id)
        side = entry["laterality"]
        if side is not None and image.laterality not in (None, side):
            raise BadInput(
                f"it is about the eye {side.name}, and the image shows {image.laterality.name}",
                field="laterality",
            )
        return {
            "patient_id": image.patient_id,
            "study_id": image.study_id,
            "image_instance_id": image.image_instance_id,
        }

    def _named(self, entry: FormEntry) -> tuple[int | None, int | None]:
        """Return the ids of the patient and of the study that a record names."""
        project, identifier = entry["project_name"], entry["patient_identifier"]
        if identifier is None:
            if entry["study_date"] is not None:
                raise BadInput("study_date is of no patient", field="study_date")
            return None, None
        if project is None:
            raise BadInput("project_name is missing", field="project_name")
        patient_id = self._patients.get((fold(project), fold(identifier)))
        if patient_id is None:
            raise NotFound(
                f"there is no patient {shown(identifier)} in project {shown(project)}",
                entity="Patient",
                field="patient_identifier",
                value=identifier,
            )
        day = entry["study_date"]
        study_id = None if day is None else self._studies.get((patient_id, day))
        if day is not None and study_id is None:
            raise NotFound(
                f"patient {shown(identifier)} has no study of {day}",
                entity="Study",
                field="study_date",
                value=day,
            )
        return patient_id, study_id

    def _image(self, entry: FormEntry, patient_id: int | None, study_id: int | None) -> _Image:
        source = entry["source_name"]
        found = [
            one
            for one in self._images.get(entry["dataset_identifier"], ())
            if source is None or fold(one.source_name or "") == fold(source)
        ]
        if not found:
            raise _missing("ImageInstance", "dataset_identifier", entry)
        own = [
            one
            for one in found
            if patient_id in (None, one.patient_id) and study_id in (None, one.study_id)
        ]
        if len(own) == 1:
            return own[0]
        reason = "is of another patient or study" if not own else "is of several sources: name one"
        raise BadInput(
            f"the image {shown(entry['dataset_identifier'])} {reason}", field="dataset_identifier"
        )

    def _there(self, rows: list[Row]) -> dict[Key, list[int]]:
        """Return the ids of the forms that are there, by what makes two the same."""
        patients: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            patients[row["form_schema_id"]].add(row["patient_id"])
        found: dict[Key, list[int]] = defaultdict(list)
        columns = ("form_annotation_id", "form_data", *_PLACE)
        for schema_id, ids in patients.items():
            held = self._rows.find(
                FormAnnotation, "patient_id", ids, columns, form_schema_id=schema_id
            )
            for form_id, answers, *place in sorted(held, key=lambda one: one[0]):
                found[(*place, _digest(answers))].append(form_id)
        return found


def _check_of(schema: Any) -> AnswerCheck | BadInput:
    try:
        return AnswerCheck(schema)
    except BadInput as error:
        return error


def _key(row: Mapping[str, Any]) -> Key:
    return (*(row[name] for name in _PLACE), _digest(row["form_data"]))


def _digest(answers: Any) -> bytes:
    """Return what two answers have in common when they are the same JSON, in any order of names."""
    text = json.dumps(answers, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _check_needed(schema: _Schema, row: Row) -> None:
    """Raise unless there is what the form is about; as `FormAnnotation.check_rules` does."""
    if schema.about is None:
        return
    for name in NEEDED[schema.about]:
        column = name if name == "laterality" else f"{name}_id"
        if row[column] is None:
            raise BadInput(
                f"the form {shown(schema.name)} is about {schema.about.name}, which needs {name}",
                field=column,
            )


def _refuse_loose_ends(placed: Placed) -> None:
    """Refuse what revises a form that is not among the records, or is refused itself."""
    known = {entry["form_annotation_id"] for entry in placed.existing}
    revisions: dict[int, list[FormEntry]] = defaultdict(list)
    for entry, _ in placed.new:
        known.add(entry["form_annotation_id"])
        if entry["form_annotation_reference_id"] is not None:
            revisions[entry["form_annotation_reference_id"]].append(entry)
    missing = [one for one in revisions if one not in known]
    gone: set[FormEntry] = set()
    while missing:
        reference = missing.pop()
        for entry in revisions.pop(reference, ()):
            gone.add(entry)
            missing.append(entry["form_annotation_id"])
            placed.refused.append((entry, _revises_nothing(reference)))
    placed.new = [(entry, row) for entry, row in placed.new if entry not in gone]


def _revises_nothing(reference: int) -> BadInput:
    return BadInput(
        f"it revises form {reference}, which is not among the records, or is refused; export all "
        "revisions, or leave form_annotation_reference_id out",
        field="form_annotation_reference_id",
    )


def _missing(entity: str, name: str, entry: FormEntry) -> NotFound:
    return NotFound(
        f"there is no {entity} with {name} {shown(entry[name])}",
        entity=entity,
        field=name,
        value=entry[name],
    )
