"""Many new rows of which some are refused: all of them are told, and nothing is written."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from eyened_domain.errors import (
    BadInput,
    Duplicate,
    EyenedError,
    NotFound,
    RuleBroken,
    UnknownName,
)
from eyened_domain.model import (
    AttributeDefinition,
    AttributeValue,
    FormSchema,
    ImageInstance,
    Patient,
    Study,
)
from eyened_domain.model.entity import entity_class
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.many_rows import REFUSED, two_projects


class ManyRefusedRowsContract(Contract):
    """That rows of a frame are refused whole, with all that is wrong."""

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_is_not_a_row_by_itself_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, name: str
    ) -> None:
        with make_unit_of_work() as uow:
            many = uow.repository(entity_class(name))
            given = {"depth": [1], "SegmentationID": [1], "ModelSegmentationID": [1]}
            row = {n: v for n, v in given.items() if n in many.entity.__entity__.names}
            for write in (many.insert_many, many.update_many, many.upsert_many):
                with pytest.raises(BadInput, match=REFUSED[name]) as refused:
                    write(row)
                assert refused.value.entity == name

    @pytest.mark.parametrize(
        ("changed", "kind", "rows", "said"),
        [
            ({"sex": ["F", "Q", 1]}, BadInput, [1, 2], "row 1: sex: 'Q' is no SexEnum"),
            ({"Sex": ["F", "Q", 1]}, BadInput, [1, 2], "row 2: Sex: 1 is no SexEnum"),
            ({"birth_date": ["1950-13-01", None, "x"]}, BadInput, [0, 2], "2 of 3 rows refused"),
            ({"patient_identifier": ["a", "b" * 256, "c"]}, BadInput, [1], "at most 255 fit"),
            ({"patient_identifier": ["a", None, "c"]}, BadInput, [1], "is needed"),
            ({"patient_identifier": ["a", ["b"], "c"]}, BadInput, [1], "a text is needed"),
            ({"project": ["AREDS", None, "AREDS"]}, BadInput, [1], "project_id: is needed"),
            ({"project": ["nix", "Other", "nix"]}, NotFound, [0, 2], "rows 0, 2: project: there"),
            ({"project": ["AREDS", 7, "AREDS"]}, BadInput, [1], "row 1: project: a text is"),
            ({"patient_identifier": [*"aBb"]}, Duplicate, [2], "the same as row 1: 'b'"),
            ({"birthdate": ["1950-01-01"] * 3}, UnknownName, [], "did you mean birth_date"),
            ({"study_date": ["1950-01-01"] * 3}, UnknownName, [], "no field 'study_date'"),
            ({"sex": [*"FFF"], "Sex": [*"FFF"]}, BadInput, [], "two names of sex"),
            ({"project_id": [1, 1, 1]}, BadInput, [], "project is given twice"),
            ({"studies": [[], [], []]}, BadInput, [], "is a list"),
            ({"sex.name": [*"FFF"]}, UnknownName, [], "sex is a column"),
            ({"project.": [*"FFF"]}, UnknownName, [], "Project has no field ''"),
            ({"project.nope": [*"FFF"]}, UnknownName, [], "Project has no field 'nope'"),
            ({"sex": ["F", "F"]}, BadInput, [], "differ in length"),
        ],
        ids=str,
    )
    def test_bad_rows_are_all_told_and_nothing_is_written(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        *,
        changed: dict[str, Any],
        kind: type[EyenedError],
        rows: list[int],
        said: str,
    ) -> None:
        good = {"project": ["AREDS"] * 3, "patient_identifier": [*"abc"]}
        with make_unit_of_work() as uow:
            two_projects(uow, build)
            with pytest.raises(kind) as refused:
                uow.patients.insert_many({**good, **changed})
            assert type(refused.value) is kind
            assert said in str(refused.value)
            assert [one.row for one in refused.value.row_faults] == rows
            assert uow.patients.count() == 0
            assert len(uow.patients.insert_many(good)) == 3  # the unit goes on
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 3

    def test_many_bad_rows_are_told_in_short_and_listed_as_data(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        columns = {"creator_name": ["x" * 46] * 500 + [None] * 500 + list(range(1000))}
        with make_unit_of_work() as uow, pytest.raises(BadInput) as refused:
            uow.creators.insert_many(columns)
        assert len(str(refused.value)) < 1000
        assert "1,500 of 2,000 rows refused" in str(refused.value)
        assert "rows 0, 1, 2, 3, 4 and 495 more" in str(refused.value)
        assert "and 996 more" in str(refused.value)
        assert (refused.value.field, len(refused.value.row_faults)) == ("creator_name", 1500)
        last = refused.value.row_faults[-1]
        assert (last.row, last.field, last.value) == (1999, "creator_name", "999")

    def test_ids_that_there_are_not_are_all_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.flush()
            ids = [one.project_id, 98, None, 99]
            given = {"project_id": ids, "patient_identifier": [*"abcd"]}
            with pytest.raises(BadInput, match="row 2: project_id: is needed"):
                uow.patients.insert_many(given)
            ids[2] = one.project_id
            with pytest.raises(RuleBroken, match=r"no Project 98; .*no Project 99") as told:
                uow.patients.insert_many(given)
            assert [(x.row, x.field) for x in told.value.row_faults] == [
                (1, "project_id"),
                (3, "project_id"),
            ]
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 0

    def test_rows_that_are_there_already_are_all_told_and_none_is_kept(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.patients.add_all(
                Patient(project=one, patient_identifier=f"p{n}") for n in (900, 990)
            )
            uow.commit()
        names = [f"P{n}" for n in range(1000)]
        given = {"project": ["AREDS"] * 1000, "patient_identifier": names}
        with make_unit_of_work() as uow:
            with pytest.raises(Duplicate, match="has it already: 'P900'") as told:
                uow.patients.insert_many(given)
            assert [x.row for x in told.value.row_faults] == [900, 990]
            assert uow.patients.count() == 2
            uow.patients.insert_many({"project": ["Other"] * 1000, "patient_identifier": names})
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 1002

    def test_a_link_that_may_be_one_of_several_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            for project in two_projects(uow, build):
                uow.patients.add(Patient(project=project, patient_identifier="a"))
            given = {"patient": ["a"], "study_date": [date(2024, 1, 1)]}
            with pytest.raises(Duplicate, match="row 0: patient: there are several Patient"):
                uow.studies.insert_many(given)
            with pytest.raises(BadInput, match=r"say by what: study.study_date"):
                uow.series.insert_many({"study": ["a visit"]})
            with pytest.raises(BadInput, match="a stored Patient is needed"):
                uow.studies.insert_many({**given, "patient": [uow.projects.by_name("Other")]})

    @pytest.mark.parametrize("name", ["password", "PasswordHash"])
    def test_private_columns_are_not_written_or_looked_up_so(
        self, make_unit_of_work: MakeUnitOfWork, name: str
    ) -> None:
        with make_unit_of_work() as uow:
            for many, row in (
                (uow.creators, {"creator_name": "a", name: b"secret"}),
                (uow.tasks, {"task_name": "a", f"creator.{name}": b"secret"}),
            ):
                with pytest.raises(BadInput, match="is private") as refused:
                    many.insert_many([row])
                assert "secret" not in str(refused.value)

    def test_rules_hold_also_those_that_read_what_a_row_is_linked_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = build.add(uow, AttributeValue)
            definition = build.add(uow, AttributeDefinition, attribute_data_type="Int")
            patient, image = build.add(uow, Patient), build.add(uow, ImageInstance)
            uow.flush()
            given = {
                "attribute_name": [definition.attribute_name] * 4,
                "model_id": [one.model_id] * 4,
                "patient": [patient, None, None, build.add(uow, Patient)],
                "image_instance_id": [None, one.image_instance_id, None, image.image_instance_id],
                "value_int": [1, None, 3, 4],
                "value_float": [None, 2.5, None, None],
            }
            with pytest.raises(RuleBroken) as refused:
                uow.attribute_values.insert_many(given)
            assert [x.row for x in refused.value.row_faults] == [1, 2, 3]
            for said in ("its values go into value_int", "needs an owner", "more than one owner"):
                assert said in str(refused.value)
            assert uow.attribute_values.count() == 1
            with pytest.raises(RuleBroken, match=r"row 1: schema: .*a JSON schema is an object"):
                uow.form_schemas.insert_many({"schema_name": [*"ab"], "schema": [{}, [1]]})

    def test_what_a_form_is_about_must_belong_together(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study, other = build.add(uow, Study), build.add(uow, Patient)
            schema = build.add(uow, FormSchema, entity_type="Study")
            creator = uow.creators.add(build.a_creator())
            given = {"form_schema": [schema] * 2, "creator": [creator] * 2, "study": [study] * 2}
            with pytest.raises(RuleBroken, match=r"row 1: patient: .*to patient") as refused:
                uow.forms.insert_many({**given, "patient": [study.patient, other]})
            assert [x.row for x in refused.value.row_faults] == [1]
            assert uow.forms.count() == 0
