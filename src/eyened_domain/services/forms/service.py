"""Forms: submitted, revised, withdrawn and restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, Conflict, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import EntityType, Laterality
from eyened_domain.model.form import FormAnnotation, FormSchema
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Study
from eyened_domain.model.task import SubTask
from eyened_domain.model.values import kind_of
from eyened_domain.services.events import Event
from eyened_domain.services.forms.answers import AnswerCheck
from eyened_domain.services.forms.records import Record, records_of
from eyened_domain.services.forms.validation import FormsReport, InvalidForm, Validation
from eyened_domain.services.inactive import includes_inactive
from eyened_domain.services.progress import Progress
from eyened_domain.services.unit_of_work import UnitOfWork

_REFERENCE = "form_annotation_reference_id"


@frozen
class FormSubmitted(Event):
    """A form was filled in, or revised."""

    form: FormAnnotation


class Forms:
    """Fills in forms by their schemas; what was filled in is never written over."""

    def define(
        self,
        uow: UnitOfWork,
        name: str,
        schema: dict[str, Any],
        *,
        about: EntityType | str | None = None,
    ) -> FormSchema:
        """Add a form.

        Args:
            uow: an open unit of work; the caller commits.
            name: its name.
            schema: a JSON Schema of its answers; ``$schema`` says of which draft.
            about: what it is filled in about.

        Raises:
            BadInput: the schema is no valid one, or refers to something elsewhere.
            Duplicate: there is a form of that name already (when it is stored).
        """
        AnswerCheck(schema)
        made = FormSchema(schema_name=name, schema=schema, entity_type=about)
        return uow.form_schemas.add(made)

    def submit(
        self,
        uow: UnitOfWork,
        schema: FormSchema,
        answers: Any,
        *,
        about: Patient | Study | ImageInstance,
        by: Creator,
        laterality: Laterality | str | None = None,
        sub_task: SubTask | None = None,
    ) -> FormAnnotation:
        """Fill in a form.

        Args:
            uow: an open unit of work; the caller commits.
            schema: the form.
            answers: what JSON can hold.
            about: a patient, study or image, as the form asks for; study and patient follow.
            by: who fills it in.
            laterality: of which eye it is; needed where the form is about an eye.
            sub_task: the part of a task that it belongs to.

        Raises:
            AnswersRefused: the answers do not meet the schema; the error holds each fault.
            BadInput: it is about something else than a patient, study or image.
            RuleBroken: the form is about something of another kind (when it is stored).
        """
        self._check(schema, answers)
        form = FormAnnotation(
            form_schema=schema,
            form_data=answers,
            creator=by,
            laterality=laterality,
            sub_task=sub_task,
            **_subject(about),
        )
        return self._put(uow, form)

    def revise(
        self, uow: UnitOfWork, form: FormAnnotation, answers: Any, *, by: Creator
    ) -> FormAnnotation:
        """Fill in a form anew; the new one points to the one that it revises.

        Args:
            uow: an open unit of work; the caller commits.
            form: the newest revision.
            answers: all answers, not only those that have changed.
            by: who revises it.

        Raises:
            AnswersRefused: the answers do not meet the schema; the error holds each fault.
            Conflict: somebody has revised it already.
        """
        self._check(form.form_schema, answers)
        uow.flush()
        identity = form.form_annotation_id
        if identity is None:
            raise RuleBroken(
                "a form is revised after it was stored; add it first", entity="FormAnnotation"
            )
        run = [(identity, identity)]
        newer = uow.rows.ids_in(FormAnnotation, _REFERENCE, run, most=1)
        if newer:
            raise Conflict(
                f"form {identity} was revised already, as form {newer[0]}; look at that one, and "
                "revise it",
                entity="FormAnnotation",
                field=_REFERENCE,
                value=identity,
            )
        revised = FormAnnotation(
            form_schema=form.form_schema,
            form_data=answers,
            creator=by,
            laterality=form.laterality,
            patient=form.patient,
            study=form.study,
            image_instance=form.image_instance,
            sub_task=form.sub_task,
            form_annotation_reference=form,
        )
        return self._put(uow, revised)

    def history(self, uow: UnitOfWork, form: FormAnnotation) -> list[FormAnnotation]:
        """Return all revisions of a form, from the first to the newest, in one statement.

        Those that were withdrawn are among them.
        """
        uow.flush()
        there = uow.forms.where(
            form_schema_id=form.form_schema_id, patient_id=form.patient_id, include_inactive=True
        )
        by_id = {one.form_annotation_id: one for one in there}
        newer: dict[int | None, list[FormAnnotation]] = {}
        for one in there:
            newer.setdefault(one.form_annotation_reference_id, []).append(one)
        older = [form]
        while (before := older[-1].form_annotation_reference_id) in by_id:
            if by_id[before] in older:  # a circle, which other programs can store
                break
            older.append(by_id[before])
        revisions = [older[-1]]
        for one in revisions:  # which grows
            followers = newer.get(one.form_annotation_id, [])
            revisions += [each for each in followers if each not in revisions]
        return revisions

    def withdraw(self, form: FormAnnotation) -> None:
        """Let a form be inactive: it stays stored, and queries can leave it out."""
        form.inactive = True

    def restore(self, form: FormAnnotation) -> None:
        """Let a form that was withdrawn be active again."""
        form.inactive = False

    def validate(
        self,
        uow: UnitOfWork,
        *,
        most: int | None = 1000,
        on_invalid: Callable[[InvalidForm], None] | None = None,
        progress: Progress | None = None,
    ) -> FormsReport:
        """Check every schema, and all answers that are stored, also what was withdrawn.

        Nothing is written, and no objects are made: they are read 200 at a time.

        Args:
            uow: an open unit of work.
            most: how many of the invalid forms the report lists; None for all.
            on_invalid: called with each invalid form when it is found.
            progress: called with how many were looked at, and of how many.
        """
        uow.flush()
        return Validation(uow.rows, most, on_invalid or _nothing).run(progress or _nothing)

    def records(
        self,
        uow: UnitOfWork,
        schema_name: str,
        creator_name: str | None = None,
        *,
        include_inactive: bool | None = None,
    ) -> Iterator[Record]:
        """Yield what was filled in of a form as records, which `FormImporting` reads again.

        A record has the columns that it has something in (project, patient, study date, image,
        eye, creator, date, its id and that of the form that it revises) and its ``answers``.
        Nothing is held: they are read 200 at a time, in the order of the ids.

        Args:
            uow: an open unit of work.
            schema_name: the name of the form.
            creator_name: by whom; by everybody when not given.
            include_inactive: with what was withdrawn; as the unit of work says, by default.

        Raises:
            NotFound: there is no form, or no creator, of that name.
        """
        with_all = includes_inactive(uow, include_inactive)
        wanted: dict[str, Any] = {} if with_all else {"inactive": False}
        wanted["form_schema_id"] = uow.form_schemas.by_name(schema_name).form_schema_id
        if creator_name is not None:
            wanted["creator_id"] = uow.creators.by_name(creator_name).creator_id
        return records_of(uow.rows, wanted)

    def _check(self, schema: FormSchema, answers: Any) -> None:
        AnswerCheck(schema.schema).check(answers, schema.schema_name)

    def _put(self, uow: UnitOfWork, form: FormAnnotation) -> FormAnnotation:
        uow.forms.add(form)
        uow.record(FormSubmitted(form))
        return form


def _nothing(*_found: object) -> None:
    """Tell nobody."""


def _subject(about: object) -> dict[str, Any]:
    """Return the links of a form about something."""
    if isinstance(about, ImageInstance):
        study = about.series.study
        return {"image_instance": about, "study": study, "patient": study.patient}
    if isinstance(about, Study):
        return {"study": about, "patient": about.patient}
    if isinstance(about, Patient):
        return {"patient": about}
    raise BadInput(
        f"a form is filled in about a patient, a study or an image, not {kind_of(about)}",
        entity="FormAnnotation",
    )
