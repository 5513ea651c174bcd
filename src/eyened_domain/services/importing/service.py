"""Importing: plan, apply, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeVar

from attrs import define, field

from eyened_domain.errors import BadInput, Conflict, Duplicate, NotFound
from eyened_domain.services.garbage import rarer_collections
from eyened_domain.services.image_files import ImageFiles
from eyened_domain.services.import_journal import ImportJournal, ImportRun
from eyened_domain.services.importing.applying import PortionWriter, Step, Written
from eyened_domain.services.importing.entries import PatientEntry, note
from eyened_domain.services.importing.options import ImportDefaults, ImportOptions, OnError
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.planner import Planner
from eyened_domain.services.importing.undoing import Undoing, Undone
from eyened_domain.services.progress import Progress
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

T = TypeVar("T")
RETRIES = 12


@define
class ImportResult:
    """What an import did.

    Attributes:
        import_id: what `undo` knows it by; None when nothing was written.
        written: how many rows were made and changed.
        plan: what it followed, with the errors of the records that were left out.
    """

    import_id: int | None
    written: Written
    plan: ImportPlan = field(repr=False)

    def __str__(self) -> str:
        made = ", ".join(f"{count:,} {name}" for name, count in self.written.made.items())
        changed = ", ".join(f"{count:,} {name}" for name, count in self.written.changed.items())
        parts = [f"made {made}" if made else "nothing new"]
        parts += [f"changed {changed}"] if changed else []
        parts += [f"{self.written.matched:,} images were there already"] * (
            self.written.matched > 0
        )
        parts += [f"{len(self.plan.errors):,} records left out"] * bool(self.plan.errors)
        number = "" if self.import_id is None else f"import {self.import_id}: "
        return number + "; ".join(parts)


class Importing:
    """Brings records of images into the database.

    Args:
        storage: where the rows go: a `Database`.
        files: where the images are.
        defaults: what the configuration says.
    """

    def __init__(
        self, storage: Storage, files: ImageFiles, defaults: ImportDefaults | None = None
    ) -> None:
        self._storage = storage
        self._files = files
        self._defaults = defaults or ImportDefaults()

    def plan(
        self,
        records: Iterable[Any],
        options: ImportOptions | None = None,
        *,
        source: str | None = None,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> ImportPlan:
        """Return what importing the records would do; nothing is written.

        Args:
            records: nested or flat records, read once and in portions.
            options: what may be made, and what happens on conflicts and errors.
            source: where the records come from, for the record of imports.
            executor: reads the image files; by default this thread does.
            progress: called with the number of records done, and of all if that is known.
        """
        planner = Planner(
            self._storage, self._files, self._defaults, options or ImportOptions(), executor
        )
        with rarer_collections():
            return planner.plan(records, source=source, progress=progress)

    def apply(self, plan: ImportPlan, *, progress: Progress | None = None) -> ImportResult:
        """Do what a plan says.

        With `on_error = stop` in one transaction: all of it or nothing. With
        `on_error = skip` in portions, so that an import that was killed can be run again
        and finds what it wrote; patients whom the database refuses are left out then, and
        noted in the errors of the plan.

        Raises:
            BadInput: records are bad, and the plan says to stop then.
            NotFound: what the plan found is gone.
            Duplicate: the database takes two names of the import for the same.
            ConfigurationError: the database has no record of imports yet.
        """
        if plan.errors and plan.options.on_error is OnError.stop:
            raise BadInput(
                f"{len(plan.errors):,} records are bad, nothing was written; the first is "
                f"{plan.errors[0]}",
                field=plan.errors[0].field,
            )
        if not plan.writes:
            with self._storage.unit_of_work() as uow:
                uow.imports.run(0)  # asks for nothing but whether imports are recorded
            found = self._looked_over(plan, progress)
            if found is not None:
                return found
        with rarer_collections():
            if plan.options.on_error is OnError.stop:
                return self._apply_whole(plan, progress)
            return self._apply_in_portions(plan, progress)

    def run(
        self,
        records: Iterable[Any],
        options: ImportOptions | None = None,
        *,
        source: str | None = None,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Plan and apply in one call; see `plan` and `apply`."""
        plan = self.plan(records, options, source=source, executor=executor, progress=progress)
        return self.apply(plan, progress=None)

    def undo(self, import_id: int) -> Undone:
        """Take out again exactly the rows that an import made, and restore what it changed.

        Raises:
            NotFound: there is no such import.
            RuleBroken: it was undone already, or something was attached to its rows
                since; the message says what. Nothing is taken out then.
        """
        return self._storage.run(lambda uow: Undoing(uow).undo(import_id), retries=RETRIES)

    def history(self) -> list[ImportRun]:
        """Return the imports that were recorded, the newest first."""
        with self._storage.unit_of_work() as uow:
            runs: list[ImportRun] = uow.imports.runs()
            return runs

    def _looked_over(self, plan: ImportPlan, progress: Progress | None) -> ImportResult | None:
        """Return what a plan comes to that has nothing new; None when that is so no more.

        What is refused here is refused again where the options of the plan say what follows.
        Nothing is committed, not even the token of a unit of work.
        """
        result = ImportResult(None, Written(), plan)
        try:
            with self._storage.unit_of_work() as uow:
                writer = PortionWriter(uow, plan, self._defaults, lock=False)
                for done, portion in enumerate(plan.portions, start=1):
                    step = writer.write(portion)
                    if step.items:
                        return None
                    result.written.add(step.written)
                    if progress is not None:
                        progress(done, len(plan.portions))
        except (BadInput, Conflict, Duplicate, NotFound):
            return None
        return result

    def _apply_whole(self, plan: ImportPlan, progress: Progress | None) -> ImportResult:
        def write(uow: UnitOfWork) -> ImportResult:
            result = ImportResult(None, Written(), plan)
            writer = PortionWriter(uow, plan, self._defaults)
            for done, portion in enumerate(plan.portions, start=1):
                step = writer.write(portion)
                _record(uow.imports, result, step, last=done == len(plan.portions))
                if progress is not None:
                    progress(done, len(plan.portions))
            return result

        return self._run(write)

    def _apply_in_portions(self, plan: ImportPlan, progress: Progress | None) -> ImportResult:
        result = ImportResult(None, Written(), plan)
        for done, portion in enumerate(plan.portions, start=1):
            self._apply_portion(plan, portion, result, last=done == len(plan.portions))
            if progress is not None:
                progress(done, len(plan.portions))
        return result

    def _apply_portion(
        self, plan: ImportPlan, portion: list[PatientEntry], result: ImportResult, *, last: bool
    ) -> None:
        """Write a portion; the patients in it whom the storage refuses are noted and left out.

        The last one notes the end of the import in its own transaction, also when nothing of
        it can be written.
        """

        def write(uow: UnitOfWork) -> ImportResult:
            done = ImportResult(result.import_id, Written(), plan)
            step = PortionWriter(uow, plan, self._defaults).write(portion)
            _record(uow.imports, done, step, last=last)
            return done

        try:
            step = self._run(write)
        except (BadInput, Duplicate, NotFound) as error:
            middle = len(portion) // 2
            if middle == 0:
                plan.errors.append(note(portion[0].where, error))
                self._finish(result.import_id if last else None)
                return
            self._apply_portion(plan, portion[:middle], result, last=False)
            self._apply_portion(plan, portion[middle:], result, last=last)
            return
        result.import_id = step.import_id
        result.written.add(step.written)

    def _finish(self, import_id: int | None) -> None:
        if import_id is not None:
            self._storage.run(lambda uow: uow.imports.finish(import_id), retries=RETRIES)

    def _run(self, write: Callable[[UnitOfWork], T]) -> T:
        """Run work in a unit of work; again, too, where somebody else was faster with a row.

        The second time such a row is found. When it is not, the database takes for the
        same what is told apart here, and running it once more would not help.
        """
        raced: list[Duplicate] = []

        def attempt(uow: UnitOfWork) -> T:
            try:
                return write(uow)
            except Duplicate as duplicate:
                if any(str(duplicate.__cause__) == str(one.__cause__) for one in raced):
                    raise
                raced.append(duplicate)
                raise Conflict(str(duplicate), entity=duplicate.entity) from duplicate

        result: T = self._storage.run(attempt, retries=RETRIES)
        return result


def _record(journal: ImportJournal, result: ImportResult, step: Step, *, last: bool) -> None:
    """Add what writing a portion did to the result, and to the record of imports.

    The import is recorded with the first row that it writes. With the last portion its end is
    recorded: in the same statement, if nothing was written before.
    """
    result.written.add(step.written)
    plan, begun = result.plan, result.import_id
    if begun is None and step.items:
        result.import_id = journal.begin(plan.source, plan.options.as_dict(), finished=last)
    if result.import_id is not None:
        journal.note(result.import_id, step.items)
    if begun is not None and last:
        journal.finish(begun)
