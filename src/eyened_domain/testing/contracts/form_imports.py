"""Forms that go out as records and come back: planned, applied, found again, taken out."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model import FormAnnotation, Laterality
from eyened_domain.model.values import is_same_json
from eyened_domain.services.forms import FormImporting, Forms
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.importing import ContractStorage

GRADE = {"properties": {"grade": {"type": "integer", "maximum": 4}}}
_VALUES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('aä \n"=1.[]', max_size=3)
)
_NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
ANSWERS = st.recursive(
    _VALUES | _NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abä.", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
Record = dict[str, Any]


class FormImportContract(Contract):
    """That what was filled in can be taken from one database to another, and back."""

    @pytest.fixture
    def form_importing(self, make_unit_of_work: MakeUnitOfWork) -> FormImporting:
        """What imports forms into the storage."""
        return FormImporting(ContractStorage(make_unit_of_work))

    @pytest.fixture
    def form_record(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> Record:
        """A record of a form about a left eye's image, with all that it names stored."""
        with make_unit_of_work() as uow:
            Forms().define(uow, "AMD Grading", GRADE, about="ImageInstance")
            image = uow.images.add(build.an_image(laterality="L"))
            by = uow.creators.add(build.a_creator())
            uow.commit()
            study = image.series.study
            return {
                "schema_name": "AMD Grading",
                "project_name": study.patient.project.project_name,
                "patient_identifier": study.patient.patient_identifier,
                "study_date": study.study_date.isoformat(),
                "dataset_identifier": image.dataset_identifier,
                "source_name": image.source_info.source_name,
                "laterality": "L",
                "creator_name": by.creator_name,
                "inactive": False,
                "date_inserted": "2026-01-05T12:00:00",
                "answers": {"grade": 1},
            }

    def test_a_plan_says_which_forms_applying_it_makes(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        plan = form_importing.plan([form_record], source="forms.csv")
        assert plan.as_dict()["schemas"] == {
            "AMD Grading": {"total": 1, "new": 1, "existing": 0, "skipped": 0}
        }
        with make_unit_of_work() as uow:
            assert uow.forms.count() == 0
        result = form_importing.apply(plan)
        assert (result.made, result.matched) == (1, 0)
        with make_unit_of_work() as uow:
            (form,) = uow.forms.where()
            assert form.form_data == {"grade": 1}
            assert form.image_instance is not None
            assert form.study is form.image_instance.series.study
            assert form.patient is form.study.patient
            assert (form.laterality, form.inactive) == (Laterality.L, False)
            assert form.date_inserted == datetime(2026, 1, 5, 12)
            (run,) = uow.imports.runs()
            assert (run.import_id, run.source) == (result.import_id, "forms.csv")

    def test_forms_that_are_there_are_found_and_nothing_is_written(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        again = {"schema_name": "amd grading", "creator_name": form_record["creator_name"].upper()}
        form_importing.run([form_record, form_record])
        result = form_importing.run([form_record, {**form_record, **again}])
        assert (result.import_id, result.made, result.matched) == (None, 0, 2)
        other = form_importing.run(
            [form_record, {**form_record, "answers": {"grade": 2}}, form_record, form_record]
        )
        assert (other.made, other.matched) == (2, 2)
        with make_unit_of_work() as uow:
            assert uow.forms.count() == 4

    def test_forms_that_were_exported_are_found_and_elsewhere_made(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        form_importing.run([{**form_record, "answers": {"grade": n}} for n in range(3)])
        with make_unit_of_work() as uow:
            revised = Forms().revise(
                uow, uow.forms.where()[0], {"grade": 4}, by=uow.creators.where()[0]
            )
            Forms().withdraw(uow.forms.where()[1])
            uow.commit()
            assert len(list(Forms().records(uow, "AMD Grading"))) == 3
            records = list(Forms().records(uow, "AMD Grading", include_inactive=True))
            assert (
                records[-1]["form_annotation_reference_id"] == revised.form_annotation_reference_id
            )
        assert form_importing.run(records).matched == 4
        with make_unit_of_work() as uow:  # as in another database
            for form in reversed(uow.forms.where(include_inactive=True)):
                uow.forms.delete(form)
                uow.flush()
            uow.commit()
        assert form_importing.run(reversed(records)).made == 4
        with make_unit_of_work() as uow:
            back = list(Forms().records(uow, "AMD Grading", include_inactive=True))
            ids = {"form_annotation_id", "form_annotation_reference_id"}
            bare = [{k: v for k, v in one.items() if k not in ids} for one in back]
            assert bare == [{k: v for k, v in one.items() if k not in ids} for one in records[::-1]]
            assert back[0]["form_annotation_reference_id"] == back[3]["form_annotation_id"]

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[
            HealthCheck.differing_executors,  # a class for each adapter; nothing is replayed
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
        derandomize=True,
    )
    @given(st.lists(ANSWERS, min_size=1, max_size=3))
    def test_answers_go_out_and_come_back_equal(
        self,
        make_unit_of_work: MakeUnitOfWork,
        form_importing: FormImporting,
        form_record: Record,
        answers: list[Any],
    ) -> None:
        with make_unit_of_work() as uow:
            name = f"Free {uow.form_schemas.count()}"
            Forms().define(uow, name, {})
            uow.commit()
        form_importing.run(
            [{**form_record, "schema_name": name, "answers": one} for one in answers]
        )
        with make_unit_of_work() as uow:
            back = [one["answers"] for one in Forms().records(uow, name)]
        assert is_same_json(back, answers)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"schema_name": "none"}, "no FormSchema with schema_name 'none'"),
            ({"schema_name": None}, "schema_name is missing"),
            ({"creator_name": "nobody"}, "no Creator with creator_name 'nobody'"),
            ({"patient_identifier": "nobody"}, "no patient 'nobody'"),
            ({"project_name": None}, "project_name is missing"),
            ({"project_name": "none"}, "in project 'none'"),
            ({"study_date": "1999-09-09"}, "no study of 1999-09-09"),
            ({"study_date": "yesterday"}, "study_date"),
            ({"patient_identifier": None}, "of no patient"),
            ({"dataset_identifier": "none.png"}, "no ImageInstance with dataset_identifier"),
            ({"source_name": "elsewhere"}, "no ImageInstance with dataset_identifier"),
            ({"dataset_identifier": None}, "which needs image_instance"),
            ({"laterality": "R"}, "the image shows L"),
            ({"laterality": "left"}, "laterality"),
            ({"answers": {"grade": 9}}, "grade: 9 is greater than the maximum of 4"),
            ({"answers": {"grade": float("nan")}}, "JSON cannot hold"),
            ({"grade": 1}, "'grade' is no column of a record"),
            ({"form_annotation_id": 5, "form_annotation_reference_id": 5}, "revises itself"),
            ({"form_annotation_reference_id": 5}, "revises form 5, which is not among"),
        ],
    )
    def test_a_bad_record_of_a_form_stops_an_import_or_is_left_out(
        self,
        make_unit_of_work: MakeUnitOfWork,
        form_importing: FormImporting,
        form_record: Record,
        changed: Record,
        said: str,
    ) -> None:
        records = [
            form_record,
            {**form_record, **changed},
            {**form_record, "answers": {"grade": 2}},
        ]
        with pytest.raises(BadInput, match="1 records are bad, nothing was written") as refused:
            form_importing.run(records)
        assert "record 2: " in str(refused.value)
        assert said in str(refused.value)
        with make_unit_of_work() as uow:
            assert uow.forms.count() == 0
        result = form_importing.run(records, on_error="skip")
        assert (result.made, [error.where for error in result.plan.errors]) == (2, ["record 2"])

    def test_what_revises_a_form_that_is_refused_is_refused_with_it(
        self, form_importing: FormImporting, form_record: Record
    ) -> None:
        chain = [
            {
                **form_record,
                "form_annotation_id": n,
                "form_annotation_reference_id": n - 1 or None,
                "answers": {"grade": 9 if n == 2 else 1},
            }
            for n in range(1, 6)
        ]
        plan = form_importing.plan([*chain, {**form_record, "form_annotation_id": 1}, "no record"])
        assert [error.where for error in plan.errors] == [
            *("record 6", "record 7", "record 2", "record 3", "record 4", "record 5")
        ]
        assert plan.schemas["AMD Grading"].new == 1

    def test_an_image_of_several_sources_needs_the_name_of_one(
        self,
        make_unit_of_work: MakeUnitOfWork,
        form_importing: FormImporting,
        form_record: Record,
        build: Builder,
    ) -> None:
        with make_unit_of_work() as uow:
            (image,) = uow.images.where()
            name = image.dataset_identifier
            uow.images.add(build.an_image(dataset_identifier=name, series=image.series))
            other = uow.images.add(build.an_image(dataset_identifier=name))
            uow.commit()
            theirs = other.source_info.source_name
        assert form_importing.run([form_record]).made == 1
        for changed, said in (
            ({"source_name": None}, "of several sources"),
            ({"source_name": theirs}, "of another patient or study"),
        ):
            with pytest.raises(BadInput, match=said):
                form_importing.run([{**form_record, **changed}])

    def test_undo_takes_out_exactly_the_forms_that_an_import_made(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        form_importing.run([form_record])
        revision = {"form_annotation_id": 2, "form_annotation_reference_id": 1}
        chain = [
            {**form_record, "form_annotation_id": 1, "answers": {}},
            {**form_record, **revision},
        ]
        chain[1]["answers"] = {"grade": 3}
        result = form_importing.run([form_record, *chain])
        assert form_importing.undo(int(result.import_id or 0)).deleted == {"FormAnnotation": 2}
        with make_unit_of_work() as uow:
            assert [one.form_data for one in uow.forms.where()] == [{"grade": 1}]
        with pytest.raises(RuleBroken, match="undone already"):
            form_importing.undo(int(result.import_id or 0))

    def test_undo_is_refused_while_a_revision_hangs_on_a_form(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        result = form_importing.run([form_record])
        with make_unit_of_work() as uow:
            (form,) = uow.forms.where()
            newer = Forms().revise(uow, form, {"grade": 2}, by=form.creator)
            uow.commit()
            said = f"FormAnnotation {newer.form_annotation_id} refer to FormAnnotation rows"
        with pytest.raises(RuleBroken, match=said):
            form_importing.undo(int(result.import_id or 0))
        with make_unit_of_work() as uow:
            assert uow.repository(FormAnnotation).count() == 2

    def test_what_a_plan_of_forms_found_and_is_gone_is_told(
        self, make_unit_of_work: MakeUnitOfWork, form_importing: FormImporting, form_record: Record
    ) -> None:
        stops = form_importing.plan([form_record])
        skips = form_importing.plan([form_record], on_error="skip")
        with make_unit_of_work() as uow:
            uow.form_schemas.by_name("AMD Grading").schema_name = "renamed"
            uow.commit()
        with pytest.raises(BadInput, match="what the plan found has changed"):
            form_importing.apply(stops)
        assert form_importing.apply(skips).made == 0
        assert [error.where for error in skips.errors] == ["record 1"]
        with make_unit_of_work() as uow, pytest.raises(NotFound):
            Forms().records(uow, "AMD Grading")
