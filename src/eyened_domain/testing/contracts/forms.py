"""Forms: schemas, answers and revisions."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Conflict, RuleBroken
from eyened_domain.model import Creator, EntityType, FormAnnotation, FormSchema, Patient
from eyened_domain.services.events import Event
from eyened_domain.services.forms import AnswerFault, AnswersRefused, Forms
from eyened_domain.services.forms.service import FormSubmitted
from eyened_domain.services.tagging import Tagging
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

GRADES = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["grade"],
    "additionalProperties": False,
    "properties": {
        "grade": {"type": "integer", "minimum": 0, "maximum": 4},
        "drusen": {"type": "array", "items": {"$ref": "#/$defs/druse"}},
        "note": {"type": "string", "pattern": "^[A-Z]"},
    },
    "$defs": {"druse": {"type": "object", "properties": {"size_um": {"type": "number"}}}},
}


def _form(uow: Any, **schema: Any) -> FormSchema:
    return Forms().define(uow, "AMD Grading", GRADES, **schema)


def _asked(uow: Any, build: Builder) -> tuple[FormSchema, Patient, Creator]:
    """A form, whom it is about, and who fills it in."""
    return (
        _form(uow),
        uow.patients.add(build.a_patient()),
        uow.creators.add(build.a_creator()),
    )


class FormContract(Contract):
    """That answers meet their schema, and that nothing filled in is written over."""

    def test_a_form_is_filled_in_about_an_image_and_all_that_it_belongs_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            schema = _form(uow, about="ImageInstance")
            image = uow.images.add(build.an_image(laterality="L"))
            by = uow.creators.add(build.a_creator())
            form = Forms().submit(uow, schema, {"grade": 2}, about=image, by=by, laterality="L")
            uow.commit()
            assert form.about is image
            assert form.patient is image.series.study.patient
        assert heard == [FormSubmitted(form)]
        with make_unit_of_work() as uow:
            (found,) = uow.forms.where()
            assert (found.form_data, found.form_schema.entity_type) == (
                {"grade": 2},
                EntityType.ImageInstance,
            )

    def test_a_form_about_a_study_needs_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema = _form(uow, about="StudyEye")
            study, by = uow.studies.add(build.a_study()), uow.creators.add(build.a_creator())
            Forms().submit(uow, schema, {"grade": 2}, about=study, by=by, laterality="R")
            uow.commit()
            Forms().submit(uow, schema, {"grade": 2}, about=study, by=by)
            with pytest.raises(RuleBroken, match="needs laterality"):
                uow.flush()
            uow.rollback()
            Forms().submit(uow, schema, {"grade": 2}, about=study.patient, by=by, laterality="R")
            with pytest.raises(RuleBroken, match="needs study"):
                uow.flush()

    def test_answers_that_do_not_meet_the_schema_are_refused_with_each_fault(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            answers = {"grade": 7, "drusen": [{}, {"size_um": "big"}], "note": "low", "more": 1}
            with pytest.raises(AnswersRefused) as refused:
                Forms().submit(uow, schema, answers, about=about, by=by)
            assert refused.value.faults == (
                AnswerFault((), "there is no answer 'more' in this form"),
                AnswerFault(("drusen", 1, "size_um"), "'big' is not of type 'number'"),
                AnswerFault(("grade",), "7 is greater than the maximum of 4"),
                AnswerFault(("note",), "'low' does not match '^[A-Z]'"),
            )
            assert "drusen[1].size_um: 'big' is not of type 'number'" in str(refused.value)
            assert isinstance(refused.value, BadInput)
            uow.commit()
            assert uow.forms.count() == 0

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ({"type": "integr"}, "integr"),
            ({"$schema": "https://example.org/mine"}, "example.org/mine"),
            ({"$ref": "https://example.org/other"}, "https://example.org/other"),
            ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "#/\\$defs/none"),
            ({"properties": {"a": {"pattern": "(["}}}, "no regular expression"),
            ({"patternProperties": {"([": {}}}, "no regular expression"),
        ],
    )
    def test_what_is_no_schema_is_refused_and_not_stored(
        self, make_unit_of_work: MakeUnitOfWork, schema: dict[str, Any], said: str
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput, match=said):
                Forms().define(uow, "bad", schema)
            uow.commit()
            assert uow.form_schemas.count() == 0

    def test_a_revision_is_a_new_form_that_points_to_the_one_before(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about = _form(uow), uow.studies.add(build.a_study())
            by, other = (uow.creators.add(build.a_creator()) for _ in "ab")
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            unrelated = Forms().submit(uow, schema, {"grade": 4}, about=about, by=by)
            second = Forms().revise(uow, first, {"grade": 2}, by=other)
            third = Forms().revise(uow, second, {"grade": 3}, by=by)
            uow.commit()
            assert second.form_annotation_reference_id == first.form_annotation_id
            assert (second.study, second.creator, first.form_data) == (about, other, {"grade": 1})
            for form in (first, second, third):
                assert Forms().history(uow, form) == [first, second, third]
            assert Forms().history(uow, unrelated) == [unrelated]

    def test_revisions_in_a_circle_which_other_programs_can_store_are_listed_once(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            second = Forms().revise(uow, first, {"grade": 2}, by=by)
            uow.flush()
            first.form_annotation_reference_id = second.form_annotation_id
            uow.commit()
            assert {*Forms().history(uow, first)} == {first, second}
            assert len(Forms().history(uow, second)) == 2

    def test_a_form_and_its_revisions_know_each_other_under_both_names(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            second = Forms().revise(uow, first, {"grade": 2}, by=by)
            assert (second.form_annotation_reference, first.revisions) == (first, [second])
            by_database_name: dict[str, Any] = {"FormAnnotationReference": second}
            third = FormAnnotation(form_schema=schema, **by_database_name)
            third.patient, third.creator = about, by
            assert second.Revisions == [third]
            uow.commit()
        with make_unit_of_work() as uow:
            first, second, third = uow.forms.where()
            assert (first.FormAnnotationReference, first.revisions) == (None, [second])
            assert third.FormAnnotationReferenceID == second.form_annotation_id
            assert third.form_annotation_reference is second
            third.form_annotation_reference = first
            assert (first.revisions, second.revisions) == ([second, third], [])
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.form_annotation_id for one in uow.forms.where()[0].Revisions] == [
                second.form_annotation_id,
                third.form_annotation_id,
            ]

    @pytest.mark.parametrize("in_hand", [True, False])
    def test_a_form_that_is_deleted_takes_its_revisions_along(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, in_hand: bool
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            second = Forms().revise(uow, first, {"grade": 2}, by=by)
            third = Forms().revise(uow, second, {"grade": 3}, by=by)
            Forms().submit(uow, schema, {"grade": 4}, about=about, by=by)
            uow.commit()
            ids = [one.form_annotation_id for one in (first, second, third)]
        with make_unit_of_work() as uow:
            if in_hand:
                held = uow.forms.get(ids[2])
            uow.forms.delete(uow.forms.get(ids[2]))
            uow.flush()
            assert uow.forms.count() == 3
            uow.rollback()
            if in_hand:
                held = uow.forms.get(ids[2])
                assert held.form_annotation_reference is uow.forms.get(ids[1])
            uow.forms.delete(uow.forms.get(ids[0]))
            uow.commit()
            assert [one.form_data for one in uow.forms.where()] == [{"grade": 4}]
            if in_hand:
                assert held.form_data == {"grade": 3}

    def test_with_a_revision_its_tags_go_along_and_nothing_else(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            second = Forms().revise(uow, first, {"grade": 2}, by=by)
            Tagging().tag(uow, second, "to check", by=by)
            uow.commit()
            uow.forms.delete(first)
            uow.commit()
            left = (uow.forms, uow.form_tags, uow.tags, uow.patients, uow.form_schemas)
            assert [one.count() for one in left] == [0, 0, 1, 1, 1]

    @pytest.mark.parametrize("new", [True, False])
    def test_a_form_is_no_revision_of_itself(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, new: bool
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            form = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            if not new:
                uow.commit()
            form.form_annotation_reference = form
            with pytest.raises(RuleBroken, match="refers to itself"):
                uow.commit()
            uow.rollback()
            assert uow.forms.count() == int(not new)

    def test_what_was_linked_to_itself_may_be_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first, second = (
                Forms().submit(uow, schema, {"grade": 1}, about=about, by=by) for _ in "ab"
            )
            uow.commit()
            first.form_annotation_reference = first
            uow.forms.delete(first)
            uow.flush()
            assert list(second.revisions) == []
            second.revisions.append(second)
            uow.forms.delete(second)
            uow.commit()
            assert uow.forms.count() == 0

    def test_a_revision_on_top_of_somebody_elses_is_a_conflict(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            uow.commit()
            with make_unit_of_work() as other:
                theirs = other.forms.get(first.form_annotation_id)
                newer = Forms().revise(other, theirs, {"grade": 2}, by=theirs.creator)
                other.commit()
            with pytest.raises(Conflict, match=f"as form {newer.form_annotation_id}"):
                Forms().revise(uow, first, {"grade": 3}, by=by)
            uow.rollback()
            assert uow.forms.count() == 2

    def test_answers_of_a_revision_are_held_to_the_schema(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about, by = _asked(uow, build)
            first = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            with pytest.raises(AnswersRefused, match="grade: 9 is greater"):
                Forms().revise(uow, first, {"grade": 9}, by=by)
            uow.commit()
            assert uow.forms.count() == 1

    def test_a_form_is_withdrawn_and_restored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema, about = _form(uow), uow.patients.add(build.a_patient())
            by = uow.creators.add(build.a_creator(creator_name="dr_smith"))
            form = Forms().submit(uow, schema, {"grade": 1}, about=about, by=by)
            uow.commit()
            Forms().withdraw(form)
            uow.commit()
            asked = ("amd grading", "DR_SMITH")
            assert FormAnnotation.by_schema_and_creator(uow, *asked) == []
            assert FormAnnotation.by_schema_and_creator(uow, *asked, include_inactive=True) == [
                form
            ]
            Forms().restore(form)
            uow.commit()
            assert FormAnnotation.by_schema_and_creator(uow, "AMD Grading") == [form]
