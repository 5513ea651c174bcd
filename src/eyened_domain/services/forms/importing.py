"""Importing what was filled in: plan, apply, undo, as for images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict, define, field

from eyened_domain.errors import BadInput, EyenedError
from eyened_domain.model.form import FormAnnotation
from eyened_domain.services.forms.placing import Placed, Placing
from eyened_domain.services.forms.records import FormEntry, entry_of
from eyened_domain.services.import_journal import MadeRows
from eyened_domain.services.importing.entries import RecordError, error_lines, note
from eyened_domain.services.importing.options import OnError, on_error_of
from eyened_domain.services.importing.plan import Level
from eyened_domain.services.importing.undoing import Undoing, Undone
from eyened_domain.services.progress import Progress
from eyened_domain.services.row_shapes import Row, runs_of
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

RETRIES = 12
_TOLD_BY = ("form_schema_id", "patient_id", "creator_id")
_ID, _REFERENCE = "form_annotation_id", "form_annotation_reference_id"


@define
class FormImportPlan:
    """What an import of forms would do. Nothing is written until it is applied.

    Attributes:
        on_error: what happens with bad records.
        source: where the records came from, for the record of imports.
        schemas: by the name of the schema, how many forms are new, are there already, and are
            left out.
        errors: what is wrong with which record.
    """

    on_error: OnError
    source: str | None = None
    schemas: dict[str, Level] = field(factory=dict)
    errors: list[RecordError] = field(factory=list)
    entries: list[FormEntry] = field(factory=list, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can hold it."""
        return {
            "on_error": self.on_error.value,
            "source": self.source,
            "schemas": {
                name: {
                    "total": level.total,
                    "new": level.new,
                    "existing": level.existing,
                    "skipped": level.skipped,
                }
                for name, level in self.schemas.items()
            },
            "errors": [asdict(error) for error in self.errors],
        }

    def __str__(self) -> str:
        lines = [f"{'':24}{'total':>9}{'new':>9}{'existing':>9}{'left out':>9}"]
        lines += [
            f"{name:24}{level.total:9,}{level.new:9,}{level.existing:9,}{level.skipped:9,}"
            for name, level in self.schemas.items()
        ]
        return "\n".join([*lines, *error_lines(self.errors)])


@define
class FormImportResult:
    """What an import of forms did.

    Attributes:
        import_id: what `undo` knows it by; None when nothing was written.
        made: how many forms were made.
        matched: how many were there already.
        plan: what it followed, with the errors of the records that were left out.
    """

    import_id: int | None
    made: int
    matched: int
    plan: FormImportPlan = field(repr=False)

    def __str__(self) -> str:
        parts = [f"made {self.made:,} forms" if self.made else "nothing new"]
        parts += [f"{self.matched:,} forms were there already"] * (self.matched > 0)
        parts += [f"{len(self.plan.errors):,} records left out"] * bool(self.plan.errors)
        number = "" if self.import_id is None else f"import {self.import_id}: "
        return number + "; ".join(parts)


class FormImporting:
    """Brings what was filled in into the database.

    Schemas, creators, patients, studies and images must be there. A form that the same creator
    filled in with the same answers about the same subject is found, not doubled. Records are
    held in memory, all of them.

    Args:
        storage: where the rows go: a `Database`.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def plan(
        self,
        records: Iterable[Any],
        *,
        on_error: OnError | str = OnError.stop,
        source: str | None = None,
        progress: Progress | None = None,
    ) -> FormImportPlan:
        """Return what importing the records would do; nothing is written.

        Args:
            records: mappings of the columns that `Forms.records` gives, in either style of
                names, and ``answers``.
            on_error: with a bad record, ``stop``: write nothing at all, or ``skip``: leave it
                out and write the others.
            source: where the records come from, for the record of imports.
            progress: called with the number of records that were read.
        """
        plan = FormImportPlan(on_error_of(on_error), source)
        ids: set[int] = set()
        for number, record in enumerate(records, start=1):
            try:
                plan.entries.append(_told_once(entry_of(record, f"record {number}"), ids))
            except EyenedError as error:
                plan.errors.append(note(f"record {number}", error))
            if progress is not None:
                progress(number, None)
        with self._storage.unit_of_work() as uow:
            placed = Placing(uow.rows).place(plan.entries)
        _count(plan, placed)
        plan.errors += [note(entry.where, error) for entry, error in placed.refused]
        return plan

    def apply(self, plan: FormImportPlan) -> FormImportResult:
        """Do what a plan says, in one transaction; where forms belong is looked up again.

        Raises:
            BadInput: records are bad, or have become so since, and the plan says to stop then.
            ConfigurationError: the database has no record of imports yet.
        """
        if plan.errors and plan.on_error is OnError.stop:
            raise BadInput(
                f"{len(plan.errors):,} records are bad, nothing was written; the first is "
                f"{plan.errors[0]}",
                field=plan.errors[0].field,
            )
        result, late = self._storage.run(lambda uow: _write(uow, plan), retries=RETRIES)
        plan.errors += late
        return result

    def run(
        self,
        records: Iterable[Any],
        *,
        on_error: OnError | str = OnError.stop,
        source: str | None = None,
    ) -> FormImportResult:
        """Plan and apply in one call; see `plan` and `apply`."""
        return self.apply(self.plan(records, on_error=on_error, source=source))

    def undo(self, import_id: int) -> Undone:
        """Take out again exactly the forms that an import made.

        Raises:
            NotFound: there is no such import.
            RuleBroken: it was undone already, or something was attached to its forms since (a
                tag, a revision); the message says what. Nothing is taken out then.
        """
        return self._storage.run(lambda uow: Undoing(uow).undo(import_id), retries=RETRIES)


def _told_once(entry: FormEntry, ids: set[int]) -> FormEntry:
    identity = entry[_ID]
    if identity is not None and identity in ids:
        raise BadInput(f"form {identity} is told twice", field=_ID, value=identity)
    if identity is not None:
        if identity == entry[_REFERENCE]:
            raise BadInput(f"form {identity} revises itself", field=_REFERENCE, value=identity)
        ids.add(identity)
    return entry


def _count(plan: FormImportPlan, placed: Placed) -> None:
    def level(entry: FormEntry) -> Level:
        return plan.schemas.setdefault(entry["schema_name"], Level())

    for entry, _ in placed.new:
        level(entry).new += 1
    for entry in placed.existing:
        level(entry).existing += 1
    for entry, _ in placed.refused:
        level(entry).skipped += 1


def _write(uow: UnitOfWork, plan: FormImportPlan) -> tuple[FormImportResult, list[RecordError]]:
    """Write what is new, and note what was made; return as well what can be placed no more."""
    placed = Placing(uow.rows, lock=True).place(plan.entries)
    known = {error.where for error in plan.errors}
    late = [note(entry.where, error) for entry, error in placed.refused if entry.where not in known]
    if late and plan.on_error is OnError.stop:
        raise BadInput(
            f"what the plan found has changed, nothing was written: {late[0]}; make the plan again",
            field=late[0].field,
        )
    result = FormImportResult(None, len(placed.new), len(placed.existing), plan)
    if placed.new:
        ids = _insert(uow, placed)
        options = {"kind": "forms", "on_error": plan.on_error.value}
        result.import_id = uow.imports.begin(plan.source, options, finished=True)
        made = [
            MadeRows(entity="FormAnnotation", first_id=first, last_id=last)
            for first, last in runs_of(ids)
        ]
        uow.imports.note(result.import_id, made)
    else:
        uow.imports.run(0)  # asks for nothing but whether imports are recorded
    return result, late


def _insert(uow: UnitOfWork, placed: Placed) -> Sequence[int]:
    """Insert the new forms, and let revisions refer to what they revise."""
    now = datetime.now().replace(microsecond=0)
    rows = [{**row, "date_inserted": row["date_inserted"] or now} for _, row in placed.new]
    ids: list[int] = uow.rows.insert(FormAnnotation, rows, key=_TOLD_BY)
    called = {entry[_ID]: identity for entry, identity in placed.existing.items()}
    pairs = list(zip((entry for entry, _ in placed.new), ids, strict=True))
    called |= {entry[_ID]: identity for entry, identity in pairs}
    references: list[Row] = [
        {_ID: identity, _REFERENCE: called[entry[_REFERENCE]]}
        for entry, identity in pairs
        if entry[_REFERENCE] is not None
    ]
    if references:
        uow.rows.update(FormAnnotation, references)
    return ids
