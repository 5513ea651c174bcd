"""Every schema and every answer, checked once more."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model import FormAnnotation, FormSchema
from eyened_domain.services import form_rows
from eyened_domain.services.forms import (
    Forms,
    InvalidForm,
    PatternTooSlow,
    answers,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

GRADE = {"type": "object", "properties": {"grade": {"type": "integer", "maximum": 4}}}


def _stored(uow: Any, build: Builder, schema: Any, filled_in: list[Any]) -> list[int]:
    """Store a schema and answers as other programs do: unchecked; return the ids."""
    named = uow.form_schemas.add(build.a_form_schema(schema=schema))
    patient = uow.patients.add(build.a_patient())
    by = uow.creators.add(build.a_creator())
    forms = [
        FormAnnotation(form_schema=named, patient=patient, creator=by, form_data=one)
        for one in filled_in
    ]
    uow.forms.add_all(forms)
    uow.commit()
    return [one.form_annotation_id for one in forms]


class FormValidationContract(Contract):
    """That what is wrong with stored forms is found, wherever it is."""

    def test_every_answer_is_checked_and_counted_by_schema(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        told: list[InvalidForm] = []
        seen: list[tuple[int, int | None]] = []
        with make_unit_of_work() as uow:
            ids = _stored(uow, build, GRADE, [{"grade": 1}, {"grade": 7}, {}, [], None])
            _stored(uow, build, None, ["anything"])
            Forms().withdraw(uow.forms.get(ids[1]))
            report = Forms().validate(
                uow, on_invalid=told.append, progress=lambda *all_of: seen.append(all_of)
            )
            counts = [(one.answers, one.valid, one.invalid) for one in report.schemas]
            assert counts == [(5, 2, 3), (1, 1, 0)]
            assert not report.is_valid
            assert report.invalid == told
            assert [one.form_annotation_id for one in told] == [ids[1], ids[3], ids[4]]
            assert [str(one.faults[0]) for one in told] == [
                "grade: 7 is greater than the maximum of 4",
                "answers: [] is not of type 'object'",
                "answers: None is not of type 'object'",
            ]
            assert seen[-1] == (6, 6)
            assert report.as_dict()["invalid"][0]["faults"] == [
                {"path": ["grade"], "message": "7 is greater than the maximum of 4"}
            ]

    def test_nothing_wrong_is_valid(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            assert Forms().validate(uow).is_valid
            _stored(uow, build, GRADE, [{"grade": 1}] * 3)
            report = Forms().validate(uow)
            assert report.is_valid
            assert report.as_dict()["schemas"][0]["valid"] == 3

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ({"type": "integr"}, "integr"),
            ({"$ref": "https://example.org/other"}, "https://example.org/other"),
            ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "#/$defs/none"),
            ({"pattern": "(["}, "no regular expression"),
        ],
    )
    def test_a_bad_schema_is_told_and_its_answers_are_not_checked(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, schema: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            _stored(uow, build, schema, [{}, {}])
            _stored(uow, build, GRADE, [{}])
            report = Forms().validate(uow)
            bad, good = report.schemas
            assert said in str(bad.fault)
            assert (bad.unchecked, good.valid, report.is_valid) == (2, 1, False)

    def test_forms_are_read_page_by_page_and_the_list_is_bounded(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(form_rows, "PAGE", 3)
        with make_unit_of_work() as uow:
            _stored(uow, build, GRADE, [{"grade": n % 2 * 9} for n in range(10)])
            assert [Forms().validate(uow).schemas[0].invalid] == [5]
            assert len(Forms().validate(uow, most=2).invalid) == 2
            assert len(Forms().validate(uow, most=None).invalid) == 5

    def test_a_schema_on_which_expressions_take_too_long_is_left_and_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answers, "PATTERN_S", 1e-6)
        with make_unit_of_work() as uow:
            _stored(uow, build, {"pattern": "(?:[ab][ab]){1,40}[cd]"}, ["a" * 300_000] * 13)
            (schema,) = Forms().validate(uow).schemas
            assert (schema.invalid, schema.unchecked) == (10, 3)
            assert "takes more than" in str(schema.fault)

    def test_what_is_not_stored_yet_is_checked_too(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.form_schemas.add(FormSchema(schema_name="bad", schema={"type": "integr"}))
            assert not Forms().validate(uow).is_valid


def _deep(levels: int) -> Any:
    found: Any = {}
    for _ in range(levels - 1):
        found = {"a": found}
    return found


class BadFormContract(Contract):
    """That what no form can hold is refused whole, with what is wrong, on every storage."""

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ({"note": "x" * 10_000_000}, "4,000,000 is the most"),
            (_deep(10_000), "nested more than 31 deep"),
            (_deep(32), "nested more than 31 deep"),
            ({"a": [float("nan")]}, "JSON cannot hold"),
            ({"a": float("inf")}, "JSON cannot hold"),
            ({"a": {1, 2}}, "JSON cannot hold"),
        ],
        ids=["10 MB", "10,000 deep", "32 deep", "NaN", "infinity", "a set"],
    )
    def test_bad_answers_are_refused_whole_by_the_service_and_the_entity(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, bad: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            (form_id,) = _stored(uow, build, {}, [{"grade": 1}])
            form = uow.forms.get(form_id)
            asked: dict[str, Any] = {"about": form.patient, "by": form.creator}
            with pytest.raises(BadInput, match=said) as refused:
                Forms().submit(uow, form.form_schema, bad, **asked)
            assert (refused.value.entity, refused.value.field) == ("FormAnnotation", "form_data")
            with pytest.raises(BadInput, match=said):
                Forms().revise(uow, form, bad, by=form.creator)
            if "note" not in bad:
                with pytest.raises(BadInput, match=r"FormAnnotation\.form_data: JSON "):
                    form.form_data = bad
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.form_data for one in uow.forms.where()] == [{"grade": 1}]

    def test_answers_as_deep_as_every_database_takes_are_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _stored(uow, build, {}, [_deep(30), [_deep(30)]])
        with make_unit_of_work() as uow:
            assert [one.form_data for one in uow.forms.where()] == [_deep(30), [_deep(30)]]
            assert Forms().validate(uow).is_valid

    def test_answers_that_an_edit_makes_too_deep_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            (form_id,) = _stored(uow, build, {}, [{"a": {}}])
            uow.forms.get(form_id).form_data["a"]["b"] = _deep(30)
            with pytest.raises(BadInput, match="nested more than 31 deep"):
                uow.commit()
            uow.rollback()
        with make_unit_of_work() as uow:
            assert uow.forms.get(form_id).form_data == {"a": {}}

    def test_a_schema_may_refer_to_itself_as_deep_as_answers_go(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        tree = {"type": "object", "additionalProperties": {"$ref": "#"}}
        with make_unit_of_work() as uow:
            schema = Forms().define(uow, "tree", tree)
            patient, by = uow.patients.add(build.a_patient()), uow.creators.add(build.a_creator())
            Forms().submit(uow, schema, _deep(30), about=patient, by=by)
            with pytest.raises(BadInput, match=r"a\.b: 7 is not of type 'object'"):
                Forms().submit(uow, schema, {"a": {"b": 7}}, about=patient, by=by)
            uow.commit()
            assert uow.forms.count() == 1

    def test_an_expression_that_takes_too_long_refuses_the_answers_and_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answers, "PATTERN_S", 1e-6)
        with make_unit_of_work() as uow:
            schema = Forms().define(uow, "slow", {"pattern": "(?:[ab][ab]){1,40}[cd]"})
            patient, by = uow.patients.add(build.a_patient()), uow.creators.add(build.a_creator())
            with pytest.raises(PatternTooSlow, match="takes more than") as refused:
                Forms().submit(uow, schema, "a" * 3_000_000, about=patient, by=by)
            assert (refused.value.entity, refused.value.field) == ("FormSchema", "schema")
            uow.commit()
            assert uow.forms.count() == 0
