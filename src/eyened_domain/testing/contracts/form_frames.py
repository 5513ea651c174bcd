"""What was filled in, as DataFrames, and rows with columns of what they link to."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, UnknownName
from eyened_domain.model import FormAnnotation, ImageInstance
from eyened_domain.services.forms import Forms
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

TOLD = [
    *("form_annotation_id", "form_annotation_reference_id", "schema_name", "project_name"),
    *("patient_id", "patient_identifier", "study_id", "study_date", "image_instance_id"),
    *("dataset_identifier", "laterality", "creator_name", "sub_task_id", "inactive"),
    "date_inserted",
]
ANSWERS: list[Any] = [
    {"grade": 1, "left": {"layers": [0.5, {"note": "ä"}]}, "drusen": [], "creator_name": "me"},
    {"grade": None, "left": {"layers": [2]}, "drusen": {}, "sure": True, "a.b": 1, "mixed": 3},
    {"drusen": ["soft"], "mixed": "three", "answers": 2, "PatientID": 7},
]
COLUMNS = [
    *('["PatientID"]', '["a.b"]', '["answers"]', '["creator_name"]', "drusen", "drusen[0]"),
    *("grade", "left.layers[0]", "left.layers[1].note", "mixed", "sure"),
]


def _fill_in(uow: Any, build: Builder, answers: list[Any]) -> list[FormAnnotation]:
    schema = Forms().define(uow, "AMD Grading", {})
    image = uow.images.add(build.an_image(laterality="L"))
    by = uow.creators.add(build.a_creator(creator_name="dr_smith"))
    forms = [
        Forms().submit(uow, schema, one, about=image, by=by, laterality="L") for one in answers
    ]
    uow.commit()
    return forms


class FormFrameContract(Contract):
    """That answers become flat columns, of which nothing is lost and nothing written over."""

    def test_nested_answers_are_columns_in_the_order_of_their_paths(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            forms = _fill_in(uow, build, ANSWERS)
            frame = FormAnnotation.export_formannotations_by_schema(uow, "AMD Grading")
            assert list(frame.columns) == TOLD + sorted(COLUMNS, key=lambda name: name.strip('["'))
            assert list(frame["form_annotation_id"]) == [one.form_annotation_id for one in forms]
            assert list(frame["left.layers[0]"])[:2] == [0.5, 2]
            assert list(frame["left.layers[1].note"])[:1] == ["ä"]
            assert [one for one in frame["mixed"] if one is not None] == [3, "three"]
            assert frame["grade"].isna().tolist() == [False, True, True]
            assert list(frame["sure"]) == [None, True, None]

    def test_what_is_empty_is_kept_apart_from_what_is_absent(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _fill_in(uow, build, [*ANSWERS, {}, [], 5, None])
            frame = FormAnnotation.export_formannotations_by_schema(uow, "amd grading", "DR_SMITH")
            assert list(frame["drusen"])[:3] == [[], {}, None]
            assert list(frame["answers"]) == [None, None, None, {}, [], 5, None]
            frame.loc[3, "answers"]["changed"] = True
            assert uow.forms.where()[3].form_data == {}

    def test_no_answer_takes_the_place_of_what_is_told_of_the_form(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        answers = dict.fromkeys((*TOLD, "CreatorName", "answers"), "mine")
        with make_unit_of_work() as uow:
            (form,) = _fill_in(uow, build, [answers])
            for database_names in (False, True):
                frame = FormAnnotation.export_formannotations_by_schema(
                    uow, "AMD Grading", database_names=database_names
                )
                assert len(set(frame.columns)) == len(TOLD) * 2 + 2
                row = frame.iloc[0]
                told = ("CreatorName", "StudyDate") if database_names else TOLD[11:12] + TOLD[7:8]
                assert row[told[0]] == "dr_smith"
                assert form.study is not None
                assert row[told[1]].date() == form.study.study_date
                assert row['["creator_name"]'] == row['["CreatorName"]'] == "mine"

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_a_frame_of_no_forms_has_the_columns_that_tell_of_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: Any
    ) -> None:
        with make_unit_of_work() as uow:
            (form,) = _fill_in(uow, build, [{"grade": 1}])
            Forms().withdraw(form)
            uow.commit()
            asked: dict[str, Any] = {"source": uow, "schema_name": "AMD Grading"}
            export = FormAnnotation.export_formannotations_by_schema
            assert list(export(**asked, backend=backend).columns) == TOLD
            frame = export(**asked, backend=backend, include_inactive=True)
            assert (list(frame["grade"]), list(frame["inactive"])) == ([1], [True])

    def test_a_column_of_several_kinds_is_json_in_polars(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _fill_in(uow, build, ANSWERS)
            frame = FormAnnotation.export_formannotations_by_schema(
                uow, "AMD Grading", backend="polars"
            )
            assert frame["mixed"].to_list() == [None, "3", '"three"']
            assert frame["drusen"].to_list() == ["[]", "{}", None]
            assert frame["left.layers[0]"].to_list() == [0.5, 2.0, None]
            assert isinstance(frame["study_date"].to_list()[0], date)

    def test_a_form_or_a_creator_that_is_not_there_is_named(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _fill_in(uow, build, ANSWERS)
            with pytest.raises(NotFound, match="AMD Gradin"):
                FormAnnotation.export_formannotations_by_schema(uow, "AMD Gradin")
            with pytest.raises(NotFound, match="dr_smyth"):
                FormAnnotation.export_formannotations_by_schema(uow, "AMD Grading", "dr_smyth")

    def test_rows_are_read_with_columns_of_what_they_link_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = [uow.images.add(build.an_image()) for _ in range(2)]
            uow.commit()
            project = "series.study.patient.project.project_name"
            columns = ["image_instance_id", project, "scan.scan_mode", "series.study.study_date"]
            ids = [one.image_instance_id for one in images]
            assert uow.rows.page(ImageInstance, columns, any_of=[{}], after=ids[0], most=9) == [
                (
                    ids[1],
                    images[1].series.study.patient.project.project_name,
                    None,
                    images[1].series.study.study_date,
                )
            ]
            for bad, error in (
                ("tags.tag_name", BadInput),
                ("series.studies.study_id", BadInput),
                ("series.study", BadInput),
                ("series.mistyped", UnknownName),
                ("image_instance_tag_links.tag_id", BadInput),
            ):
                with pytest.raises(error):
                    uow.rows.page(ImageInstance, [bad], any_of=[{}], after=0, most=1)
