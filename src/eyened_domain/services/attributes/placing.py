"""Whose values the rows of a frame are: found by ids, or by what names the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, NotFound
from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.enums import Laterality
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Study
from eyened_domain.model.values import Day, Integer, Refused, Text, sought
from eyened_domain.services.attributes.hierarchy import Reference, read_up, reference
from eyened_domain.services.attributes.owners import OWNER_KINDS, OwnerKind, owner_kind
from eyened_domain.services.attributes.rows_told import bad_rows, shortened
from eyened_domain.services.data_frames import Columns, FrameInput
from eyened_domain.services.unit_of_work import UnitOfWork

_NAMING = (
    Reference(Project, "project_name"),
    Reference(Patient, "patient_identifier"),
    Reference(Study, "study_date"),
    Reference(ImageInstance, "sop_instance_uid"),
)
_IDS = {kind.key: kind for kind in OWNER_KINDS}
_EYE = "laterality"
_BY_NAME = ("project_name", "patient_identifier")


@frozen
class PlacedRows:
    """The rows of a frame, each with its owner.

    Attributes:
        kind: which kind of things they are about.
        ids: of the owner of each row.
        eyes: which eye each row is about; None where that is not said.
        columns: what is left of the frame: attributes.
    """

    kind: OwnerKind
    ids: list[int]
    eyes: list[Laterality | None]
    columns: Columns


def place_rows(
    uow: UnitOfWork,
    frame: FrameInput,
    *,
    of: Any,
    laterality: Laterality | str | None,
    attributes: Sequence[str] | None,
) -> PlacedRows:
    """Find the owner of each row; see `Attributes.plan` for what names one.

    Raises:
        BadInput: nothing names the owners, or they are named badly, or twice.
        NotFound: some of them are not there; they are listed.
    """
    given, rest = _sorted_out(frame)
    kind = _kind(of, given, frame)
    eyes = _eyes(given.pop(_EYE, None), laterality, len(frame))
    ids, used = _ids(uow, kind, given, frame)
    rest = _chosen(rest, attributes)
    compared = {reference(kind, name): cells for name, cells in given.items() if name not in used}
    for name in [name for name in rest if "." in name]:
        compared[reference(kind, name)] = rest.pop(name)
    _check_owners(uow, kind, ids, compared)
    _refuse_twice(kind, ids, eyes)
    return PlacedRows(kind, ids, eyes, rest)


def _sorted_out(frame: FrameInput) -> tuple[Columns, Columns]:
    """Return the columns that say whose values these are, by field name, and the others."""
    owning: dict[str, str] = {}
    for name, kind in _IDS.items():
        owning |= {name: name, kind.entity.__entity__.columns[name].database_name: name}
    for one in _NAMING:
        owning |= {one.column: one.column, one.info.database_name: one.column}
    owning |= {_EYE: _EYE, AttributeValue.__entity__.columns[_EYE].database_name: _EYE}
    given: Columns = {}
    rest: Columns = {}
    for name, cells in [*frame.index.items(), *frame.columns.items()]:
        place, field = (given, owning[name]) if name in owning else (rest, name)
        if field in place:
            raise BadInput(f"the column {name} stands there twice, or as an index too", field=field)
        place[field] = cells
    return given, rest


def _chosen(rest: Columns, attributes: Sequence[str] | None) -> Columns:
    if attributes is None:
        return rest
    missing = [name for name in attributes if name not in rest]
    if missing or isinstance(attributes, str):
        told = shortened([attributes] if isinstance(attributes, str) else missing)
        raise BadInput(
            f"the columns {told} are not in the frame, which has {', '.join(rest) or 'no others'}"
        )
    return {name: rest[name] for name in attributes}


def _kind(of: Any, given: Columns, frame: FrameInput) -> OwnerKind:
    if of is not None:
        return owner_kind(of)
    if "sop_instance_uid" in given:
        return owner_kind(ImageInstance)
    found = [kind for name, kind in _IDS.items() if name in given]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(
            f"the frame has the columns {', '.join(one.key for one in found)}: say with of=… "
            "whose values these are"
        )
    if all(name in given for name in _BY_NAME):
        return owner_kind(Study if "study_date" in given else Patient)
    if frame.unnamed is not None:
        raise BadInput(
            "the index of the frame has no name: say with of=… (of=ImageInstance) whose ids "
            "these are, or name the index"
        )
    raise BadInput(
        f"nothing says whose values these are: give a column or an index {', '.join(_IDS)}; or "
        "sop_instance_uid; or project_name, patient_identifier and, for studies, study_date"
    )


def _eyes(
    cells: Sequence[Any] | None, laterality: Laterality | str | None, count: int
) -> list[Laterality | None]:
    kind = AttributeValue.__entity__.columns[_EYE].kind
    if laterality is not None:
        if cells is not None:
            raise BadInput("laterality is given, and is a column as well", field=_EYE)
        (eye,) = _converted(_EYE, [laterality], kind.convert, "L or R")
        return [eye] * count
    if cells is None:
        return [None] * count
    return _converted(_EYE, cells, kind.convert, "L, R or empty")


def _ids(
    uow: UnitOfWork, kind: OwnerKind, given: Columns, frame: FrameInput
) -> tuple[list[int], set[str]]:
    """Return the ids of the owners, and the columns that they were found by."""
    if kind.key in given:
        return _full(kind.key, given[kind.key], _identity, "an id"), {kind.key}
    if kind.entity is ImageInstance and "sop_instance_uid" in given:
        return _by_uid(uow, given["sop_instance_uid"]), {"sop_instance_uid"}
    if kind.entity in (Patient, Study) and all(name in given for name in _BY_NAME):
        names = [*_BY_NAME, *(["study_date"] if kind.entity is Study else [])]
        if names[-1] in given:
            return _by_name(uow, kind, [given[name] for name in names]), set(names)
    if frame.unnamed is not None:
        return _full("index", frame.unnamed, _identity, "an id"), set()
    by_name = " or project_name, patient_identifier" if kind.entity in (Patient, Study) else ""
    by_name += " and study_date" if kind.entity is Study else ""
    by_name = " or sop_instance_uid" if kind.entity is ImageInstance else by_name
    raise BadInput(
        f"nothing says which {kind.name} a row is of: give a column or an index {kind.key}"
        f"{by_name}",
        entity=kind.name,
        field=kind.key,
    )


def _identity(cell: Any) -> int:
    if isinstance(cell, bool):
        raise Refused("an id is a number")
    found: int = sought(Integer(), cell)
    return found


def _full(column: str, cells: Sequence[Any], convert: Callable[[Any], Any], what: str) -> list[Any]:
    """Return the cells of a column, none of which may be empty."""
    empty = [(number, cell) for number, cell in enumerate(cells) if cell is None]
    if empty:
        raise bad_rows(column, f"{what} is needed in each row", empty, entity="AttributeValue")
    return _converted(column, cells, convert, f"{what} is needed")


def _converted(
    column: str, cells: Sequence[Any], convert: Callable[[Any], Any], why: str
) -> list[Any]:
    found, refused = [], []
    for number, cell in enumerate(cells):
        try:
            found.append(None if cell is None else convert(cell))
        except Refused:
            refused.append((number, cell))
    if refused:
        raise bad_rows(column, why, refused, entity="AttributeValue")
    return found


def _day(cell: Any) -> Any:
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        raise Refused("a date has no time zone")
    return Day().convert(cell)


def _by_uid(uow: UnitOfWork, cells: Sequence[Any]) -> list[int]:
    uids = _full("sop_instance_uid", cells, Text(255).convert, "a text")
    rows = uow.rows.find(
        ImageInstance,
        "sop_instance_uid",
        list(dict.fromkeys(uids)),
        ["sop_instance_uid", "image_instance_id"],
    )
    there = {fold(uid): identity for uid, identity in rows}
    missing = dict.fromkeys(uid for uid in uids if fold(uid) not in there)
    if missing:
        raise _not_there(owner_kind(ImageInstance), "sop_instance_uid", missing)
    return [there[fold(uid)] for uid in uids]


def _by_name(uow: UnitOfWork, kind: OwnerKind, columns: Sequence[Sequence[Any]]) -> list[int]:
    texts = [
        _full(name, cells, Text(255).convert, "a text")
        for name, cells in zip(_BY_NAME, columns, strict=False)
    ]
    days = [_full("study_date", cells, _day, "a date without time zone") for cells in columns[2:]]
    patients: dict[str, dict[str, None]] = {}
    for project, patient in zip(*texts, strict=True):
        patients.setdefault(project, {})[patient] = None
    there: dict[tuple[Any, ...], Any] = {}
    for row in uow.rows.studies_of(patients):
        if row.patient_identifier is None or (days and row.study_id is None):
            continue
        place = (fold(row.project_name), fold(row.patient_identifier))
        there[(*place, row.study_date) if days else place] = (
            row.study_id if days else row.patient_id
        )
    rows = list(zip(*texts, *days, strict=True))
    keys = [(fold(project), fold(patient), *day) for project, patient, *day in rows]
    missing = dict.fromkeys(row for row, key in zip(rows, keys, strict=True) if key not in there)
    if missing:
        told = [" / ".join(str(part) for part in row) for row in missing]
        raise _not_there(kind, ", ".join([*_BY_NAME, "study_date"][: len(columns)]), told)
    return [there[key] for key in keys]


def _check_owners(
    uow: UnitOfWork,
    kind: OwnerKind,
    ids: Sequence[int],
    compared: Mapping[Reference, Sequence[Any]],
) -> None:
    """Refuse ids that are not there, and owners that other columns say something else of."""
    wanted = list(compared)
    there = read_up(uow, kind, ids, wanted)
    missing = dict.fromkeys(one for one in ids if one not in there)
    if missing:
        raise _not_there(kind, kind.key, missing)
    for place, one in enumerate(wanted):
        held = (there[identity][place] for identity in ids)
        wrong = [
            (number, cell)
            for number, (cell, holds) in enumerate(zip(compared[one], held, strict=True))
            if cell is not None and not _agrees(one, cell, holds)
        ]
        if wrong:
            name = f"{one.entity.__name__}.{one.column}"
            why = f"the {kind.name} of the row has another {name}"
            raise bad_rows(one.column, why, wrong, entity=one.entity.__name__)


def _agrees(one: Reference, cell: Any, holds: Any) -> bool:
    try:
        given = one.info.kind.convert(cell)
    except Refused:
        return False
    if isinstance(given, str) and isinstance(holds, str):
        return fold(given) == fold(holds)
    return bool(given == holds)


def _not_there(kind: OwnerKind, field: str, missing: Iterable[Any]) -> NotFound:
    several = list(missing)
    return NotFound(
        f"{len(several):,} rows name a {kind.name} that is not there; nothing was written; "
        f"{field}: {shortened(several)}",
        entity=kind.name,
        field=field,
        value=several,
    )


def _refuse_twice(kind: OwnerKind, ids: Sequence[int], eyes: Sequence[Laterality | None]) -> None:
    seen: dict[tuple[int, Laterality | None], int] = {}
    twice = []
    for number, place in enumerate(zip(ids, eyes, strict=True)):
        if seen.setdefault(place, number) != number:
            eye = "" if place[1] is None else f" {place[1].name}"
            twice.append((number, f"{place[0]}{eye}"))
    if twice:
        raise bad_rows(
            kind.key,
            f"{len(twice):,} rows are of a {kind.name} (and eye) that an earlier row is of",
            twice,
            entity=kind.name,
            advice="give each owner one row, or each eye one, with a column laterality",
        )
