"""Answers as a frame, forms to and from files, all forms checked: how many statements it takes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from eyened_domain import Database, FormAnnotation, FormImporting, Forms
from eyened_domain.services.forms import FormImportPlan
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.queries import assert_queries, count_queries


@pytest.mark.parametrize("forms", [1, 50])
def test_answers_are_exported_in_at_most_four_statements(
    database: Database, builder: Builder, forms: int
) -> None:
    with database.unit_of_work() as uow:
        schema = Forms().define(uow, "AMD Grading", {})
        by = uow.creators.add(builder.a_creator(creator_name="dr_smith"))
        for n in range(forms):
            study = uow.studies.add(builder.a_study())
            Forms().submit(uow, schema, {"grades": [n, {}]}, about=study, by=by)
        uow.commit()
    with database.get_session() as session, assert_queries(database, at_most=4):
        frame = FormAnnotation.export_formannotations_by_schema(
            session, "AMD Grading", creator_name="dr_smith"
        )
        assert not any(isinstance(one, FormAnnotation) for one in session.identity_map.values())
    assert list(frame["grades[0]"]) == list(range(forms))


def _records(database: Database, builder: Builder, patients: int) -> list[dict[str, Any]]:
    """Store patients, and return records of three forms of each, one a revision."""
    with database.unit_of_work() as uow:
        if uow.form_schemas.count() == 0:
            Forms().define(uow, "AMD Grading", {})
            uow.creators.add(builder.a_creator(creator_name="dr_smith"))
        project = builder.a_project()
        images = [
            builder.an_image(
                series=builder.a_series(
                    study=builder.a_study(patient=builder.a_patient(project=project))
                )
            )
            for _ in range(patients)
        ]
        uow.images.add_all(images)
        uow.commit()
        return [
            {
                "schema_name": "AMD Grading",
                "creator_name": "dr_smith",
                "project_name": project.project_name,
                "patient_identifier": image.series.study.patient.patient_identifier,
                "study_date": image.series.study.study_date,
                "dataset_identifier": image.dataset_identifier,
                "form_annotation_id": 3 * place + n + 1,
                "form_annotation_reference_id": 3 * place + n if n == 2 else None,
                "answers": {"grade": n},
            }
            for place, image in enumerate(images)
            for n in range(3)
        ]


def test_forms_are_imported_in_statements_that_do_not_grow_with_them(
    database: Database, builder: Builder
) -> None:
    importing = FormImporting(database)
    _records(database, builder, 1)  # what is made once is there
    sent: dict[int, list[int]] = {}
    for patients in (2, 60):
        records = _records(database, builder, patients)
        with count_queries(database) as planned:
            plan = importing.plan(records)
        with count_queries(database) as applied:
            result = importing.apply(plan)
        with count_queries(database) as again:
            assert importing.run(records).matched == len(records)
        with count_queries(database) as undone:
            importing.undo(int(result.import_id or 0))
        sent[patients] = [one.total for one in (planned, applied, again, undone)]
    assert sent[2] == sent[60]
    assert sent[60][0] <= 8
    assert sent[60][1] <= 18


def test_forms_are_read_two_hundred_at_a_time(database: Database, builder: Builder) -> None:
    FormImporting(database).run(_records(database, builder, 140))
    with database.unit_of_work() as uow, assert_queries(database, at_most=6):
        assert Forms().validate(uow).schemas[0].valid == 420
    with database.unit_of_work() as uow, assert_queries(database, at_most=5):
        assert sum(1 for _ in Forms().records(uow, "AMD Grading")) == 420


def test_several_who_import_the_same_forms_at_once_make_them_once(
    database: Database, builder: Builder
) -> None:
    records = _records(database, builder, 20)
    importing = FormImporting(database)
    plans = [importing.plan(records) for _ in range(4)]
    together = threading.Barrier(4, timeout=60)

    def apply(plan: FormImportPlan) -> int:
        with database.engine.connect():  # one for each lies ready: they begin at the same time
            together.wait()
        return importing.apply(plan).made

    with ThreadPoolExecutor(4) as crew:
        made = list(crew.map(apply, plans))
    assert sorted(made) == [0, 0, 0, 60]
    with database.unit_of_work() as uow:
        assert uow.forms.count() == 60
