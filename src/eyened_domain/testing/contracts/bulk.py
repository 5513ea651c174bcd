"""Whole sets of rows at a time, and the record of imports."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import (
    Creator,
    ImageInstance,
    Laterality,
    Patient,
    Project,
    SexEnum,
    Study,
    Tag,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class BulkContract(Contract):
    """That what imports look up and note is the same on every storage."""

    def test_studies_are_found_with_their_patients_and_projects(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            found = uow.rows.studies_of({"areds": ["p1", "nobody"]})
            assert sorted(tuple(row) for row in found) == [
                ("AREDS", ids["AREDS"], "P1", ids["P1"], date(2024, 1, 1), ids["first"]),
                ("AREDS", ids["AREDS"], "P1", ids["P1"], date(2024, 2, 1), ids["second"]),
            ]

    def test_patients_without_studies_and_projects_without_patients_are_found(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            found = uow.rows.studies_of({"AREDS": ["P2"], "Empty": ["P1"], "None such": ["P1"]})
            assert {tuple(row) for row in found} == {
                ("AREDS", ids["AREDS"], "P2", ids["P2"], None, None),
                ("Empty", ids["Empty"], None, None, None, None),
            }
            found = uow.rows.studies_of({"AREDS": []})
            assert {tuple(row) for row in found} == {
                ("AREDS", ids["AREDS"], None, None, None, None)
            }
            assert uow.rows.studies_of({}) == []

    def test_each_project_is_asked_for_its_own_patients_only(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            found = uow.rows.studies_of({"AREDS": ["P2"], "Other": ["P1"]})
            assert {(row.project_name, row.patient_id) for row in found} == {
                ("AREDS", ids["P2"]),
                ("Other", ids["P1 of the other"]),
            }

    def test_many_patients_of_many_projects_are_found(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        projects = [f"Project {n}" for n in range(120)]
        patients = [f"P{n}" for n in range(3)]
        with make_unit_of_work() as uow:
            for name in projects:
                project = build.a_project(project_name=name)
                uow.projects.add(project)
                uow.patients.add_all(
                    Patient(project=project, patient_identifier=one) for one in patients
                )
            uow.flush()
            found = uow.rows.studies_of(dict.fromkeys(projects, patients))
            assert {(row.project_name, row.patient_identifier) for row in found} == {
                (name, one) for name in projects for one in patients
            }

    def test_rows_meet_one_of_several_conditions_and_none_where_there_is_none(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            cases: list[tuple[list[dict[str, Any]], int]] = [
                ([{"project_name": "areds"}, {"project_id": ids["Empty"], "description": None}], 2),
                ([{}], 3),
                ([], 0),
                ([{"project_id": None}], 0),
            ]
            for any_of, count in cases:
                assert uow.rows.count(Project, any_of=any_of) == count
                page = uow.rows.page(Project, ["project_id"], any_of=any_of, after=0, most=9)
                assert len(page) == count

    def test_rows_are_found_by_what_their_columns_hold_as(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        columns = ["patient_id"]
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            one = ids["P1"]
            assert uow.rows.find(Patient, "patient_id", [float(one), None], columns) == [(one,)]
            assert uow.rows.count(Patient, any_of=[{"patient_id": str(one)}]) == 1
            assert uow.rows.find(Patient, "sex", [None], columns) == []
            assert len(uow.rows.find(Patient, "patient_identifier", ["p1"], columns, sex=None)) == 2
            uow.rows.update(Patient, [{"patient_id": ids["P1"], "sex": "F"}])
            assert uow.rows.find(Patient, "sex", ["F"], ["sex"]) == [(SexEnum.F,)]
            uow.commit()
            assert uow.patients.get(ids["P1"]).sex is SexEnum.F

    def test_rows_of_every_kind_of_column_are_updated_each_with_values_of_its_own(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        columns: dict[str, list[Any]] = {
            "laterality": [Laterality.L, Laterality.R, Laterality.R],
            "inactive": [True, False, True],
            "nr_of_frames": [7, None, -1],
            "resolution_axial": [0.1, None, 1e-30],
            "acquisition_date_time": [datetime(2024, 1, 31, 12, 30), None, datetime(1999, 1, 1)],
            "cf_roi": [{"ü": [1, "\\\"'%s:x", None, 2.5]}, None, {}],
            "thumbnail_path": ["é\\ ' \" %s :x 😀\n", None, ""],
        }
        with make_unit_of_work() as uow:
            images = uow.images.add_all([build.an_image() for _ in "abc"])
            uow.commit()
            ids = [one.image_instance_id for one in images]
            rows: list[dict[str, Any]] = [
                {"image_instance_id": one, **{name: some[n] for name, some in columns.items()}}
                for n, one in enumerate(ids)
            ]
            images[1].thumbnail_path = "as before"
            uow.commit()
            rows[1].pop("thumbnail_path")
            uow.rows.update(ImageInstance, rows)
            uow.commit()
        columns["thumbnail_path"][1] = "as before"
        with make_unit_of_work() as uow:
            images = uow.images.by_ids(ids)
            found = {name: [getattr(one, name) for one in images] for name in columns}
            assert found == columns

    def test_rows_are_found_by_one_of_several_values_of_further_columns(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _store(uow, build)
            names, by = ["patient_id"], ("patient_identifier", ["p1", "P2"])
            areds, other = ids["AREDS"], uow.projects.by_name("Other").project_id
            for projects, count in (([areds], 2), ([areds, other], 3), ([], 0), ([987654], 0)):
                found = uow.rows.find(Patient, *by, names, project_id=projects)
                assert len(found) == count

    def test_of_rows_of_which_one_is_needed_none_is_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            free, needed = (uow.creators.add(build.a_creator()) for _ in "ab")
            uow.tags.add(build.build(Tag, creator=needed))
            uow.commit()
            run = (min(free.creator_id, needed.creator_id), max(free.creator_id, needed.creator_id))
            with pytest.raises(RuleBroken, match="Tag still refers to it"):
                uow.rows.delete(Creator, [run])
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.creators.count(), uow.tags.count()) == (2, 1)

    def test_an_import_is_noted_with_its_end_or_before_it(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            begun = uow.imports.begin("a.csv", {"read_files": True})
            whole = uow.imports.begin(None, {}, finished=True)
            uow.commit()
        with make_unit_of_work() as uow:
            runs = {one.import_id: one for one in uow.imports.runs()}
            assert runs[begun].finished_at is None
            assert (runs[begun].source, runs[begun].options) == ("a.csv", {"read_files": True})
            assert runs[whole].finished_at == runs[whole].started_at
            uow.imports.finish(begun)
            uow.commit()
        with make_unit_of_work() as uow:
            run = uow.imports.run(begun)
            assert run is not None
            assert run.finished_at is not None

    @pytest.mark.parametrize("given", ["modality", "modality_id"])
    def test_the_modality_of_an_image_is_not_updated_without_the_id_of_its_entry(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, given: str
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            uow.commit()
            row = {"image_instance_id": image.image_instance_id, given: None}
            with pytest.raises(BadInput, match="modality_id"):
                uow.rows.update(ImageInstance, [row])


def _store(uow: UnitOfWork, build: Builder) -> dict[str, int]:
    """Store projects with and without patients, patients with and without studies."""
    areds, other, empty = (build.a_project(project_name=n) for n in ("AREDS", "Other", "Empty"))
    one, two, three = (
        Patient(project=project, patient_identifier=name)
        for project, name in ((areds, "P1"), (areds, "P2"), (other, "P1"))
    )
    first, second = (Study(patient=one, study_date=date(2024, month, 1)) for month in (1, 2))
    projects: list[Project] = [areds, other, empty]
    uow.projects.add_all(projects)
    uow.flush()
    return {
        "AREDS": areds.project_id,
        "Empty": empty.project_id,
        "P1": one.patient_id,
        "P2": two.patient_id,
        "P1 of the other": three.patient_id,
        "first": first.study_id,
        "second": second.study_id,
    }
