"""Many new rows at a time: `insert_many`."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import (
    BadInput,
    Duplicate,
    RuleBroken,
)
from eyened_domain.model import (
    Modality,
    ModalityTable,
    Patient,
    Project,
    SexEnum,
    Study,
)
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

REFUSED = {
    "Model": "two tables",
    "SegmentationModel": "two tables",
    "AttributesModel": "two tables",
    "Segmentation": "goes with its pixels",
    "ModelSegmentation": "goes with its pixels",
    "TaskConfiguration": "ids are those of what they belong to",
    "SubTaskWork": "ids are those of what they belong to",
} | {
    entity.__name__: "several columns"
    for entity in entity_classes()
    if len(entity.__entity__.primary_key) > 1
}
WRITTEN = [one.__name__ for one in entity_classes() if one.__name__ not in REFUSED]


def two_projects(uow: UnitOfWork, build: Builder) -> tuple[Project, Project]:
    """Put two projects in, which are not flushed yet."""
    one, other = (uow.projects.add(build.a_project(project_name=n)) for n in ("AREDS", "Other"))
    return one, other


def _columns(one: Entity, *, database_names: bool) -> dict[str, Any]:
    """Return what an object holds, without its id, as a row."""
    return {
        column.database_name if database_names else name: getattr(one, name)
        for name, column in one.__entity__.columns.items()
        if not (column.primary_key or column.private)
    }


class ManyNewRowsContract(Contract):
    """That rows of a frame are checked and stored as objects are, and refused whole."""

    @pytest.mark.parametrize("database_names", [False, True], ids=["fields", "database"])
    @pytest.mark.parametrize("name", WRITTEN)
    def test_a_row_is_stored_as_the_object_that_it_was(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, name: str, database_names: bool
    ) -> None:
        entity = entity_class(name)
        with make_unit_of_work() as uow:
            one = build.add(uow, entity, full=True)
            uow.commit()
            row, held = _columns(one, database_names=database_names), one.to_dict()
            uow.repository(entity).delete(one)
            uow.flush()
            (identity,) = uow.repository(entity).insert_many([row])
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.repository(entity).get(identity)
            (key,) = entity.__entity__.primary_key
            assert found.to_dict() == held | {key: identity}

    def test_ids_come_back_in_the_order_of_the_rows(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        names = [f"P{n * 7919 % 1000:03}" for n in range(1000)]
        with make_unit_of_work() as uow:
            two_projects(uow, build)
            ids = uow.patients.insert_many(
                {"project": ["AREDS"] * 1000, "PatientIdentifier": names}
            )
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.patient_identifier for one in uow.patients.by_ids(ids)] == names
            assert uow.patients.count() == 1000

    def test_rows_without_a_natural_key_get_ids_in_their_order(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.add(uow, Study)
            ids = uow.series.insert_many({"study": [study] * 3, "series_number": [3, 3, 1]})
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.series_number for one in uow.series.by_ids(ids)] == [3, 3, 1]
            assert ids == sorted(ids)

    def test_ids_may_be_given(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            ids = [70, 50]
            given = {"project_id": ids, "project_name": ["a", "b"], "external": ["N", "N"]}
            assert uow.projects.insert_many(given) == [70, 50]
            with pytest.raises(Duplicate, match="Project 50 has it already"):
                uow.projects.insert_many({**given, "project_id": [71, 50], "project_name": [*"cd"]})
            assert uow.projects.count() == 2
            (after,) = uow.projects.insert_many([{"project_name": "e", "external": "N"}])
            assert after > 70

    @pytest.mark.parametrize(
        "columns",
        [
            {"project": ["areds", "Other"]},
            {"Project": ["AREDS", "Other"]},
            {"project_name": ["AREDS", "OTHER"]},
            {"ProjectName": ["AREDS", "Other"]},
            {"project.project_name": ["AREDS", "Other"]},
            {"Project.ProjectName": ["AREDS", "Other"]},
        ],
        ids=str,
    )
    def test_a_link_is_known_by_the_name_of_what_it_leads_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, columns: dict[str, Any]
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = two_projects(uow, build)
            ids = uow.patients.insert_many({**columns, "patient_identifier": ["a", "a"]})
            assert [p.project for p in uow.patients.by_ids(ids)] == [one, other]

    @pytest.mark.parametrize(
        "columns",
        [
            {"project_name": ["AREDS", "Other"], "patient_identifier": ["a", "A"]},
            {"project_name": ["AREDS", "Other"], "patient": ["a", "a"]},
            {"patient.project": ["AREDS", "Other"], "patient.PatientIdentifier": ["a", "a"]},
            {"patient.project.project_name": ["AREDS", "Other"], "patient": ["a", "a"]},
            {"Patient.ProjectName": ["AREDS", "Other"], "Patient": ["a", "a"]},
        ],
        ids=str,
    )
    def test_a_link_is_known_by_a_natural_key_of_several_columns(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, columns: dict[str, Any]
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = (
                uow.patients.add(Patient(project=project, patient_identifier="a"))
                for project in two_projects(uow, build)
            )
            ids = uow.studies.insert_many({**columns, "StudyDate": ["2024-01-01"] * 2})
            assert [study.patient for study in uow.studies.by_ids(ids)] == [one, other]

    def test_all_links_are_known_whose_natural_keys_are_given_whole(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.add(uow, Study)
            creator = uow.creators.add(build.a_creator())
            schema = uow.form_schemas.add(build.a_form_schema(entity_type="Study"))
            uow.flush()
            row = {
                "project_name": study.patient.project.project_name,
                "patient_identifier": study.patient.patient_identifier,
                "study_date": study.study_date.isoformat(),
                "creator_name": creator.creator_name,
                "schema_name": schema.schema_name,
                "form_data": {"grade": [1, {"a": None}]},
            }
            form = uow.forms.get(uow.forms.insert_many([row])[0])
            assert (form.study, form.patient) == (study, study.patient)
            assert (form.creator, form.form_schema) == (creator, schema)
            assert form.form_data == row["form_data"]

    def test_a_link_may_be_the_object_or_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            contact = uow.contacts.add(build.a_contact())
            given = {"project_name": ["a", "b"], "external": ["N", "N"]}
            ids = uow.projects.insert_many({**given, "contact": [contact, None]})
            assert [one.contact for one in uow.projects.by_ids(ids)] == [contact, None]
            given = {"project_name": ["c", "d"], "external": ["N", "N"]}
            names = {f"contact.{n}": [getattr(contact, n), None] for n in ("name", "email")}
            ids = uow.projects.insert_many({**given, **names})
            assert [one.contact for one in uow.projects.by_ids(ids)] == [contact, None]

    def test_what_is_not_said_is_as_in_a_new_object(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        names = {"creator_name": ["a", "b"]}
        with make_unit_of_work() as uow:
            ids = uow.creators.insert_many({**names, "is_human": [None, False], "role": [None, 3]})
            uow.commit()
        with make_unit_of_work() as uow:
            one, other = uow.creators.by_ids(ids)
            assert (one.is_human, one.role, other.is_human, other.role) == (True, None, False, 3)
            assert one.date_inserted is not None

    @pytest.mark.parametrize("given", [[], {}, {"patient_identifier": []}])
    def test_no_rows_are_no_rows(self, make_unit_of_work: MakeUnitOfWork, given: Any) -> None:
        with make_unit_of_work() as uow:
            assert uow.patients.insert_many(given) == []

    def test_the_modality_of_images_and_its_entry_follow_each_other(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            uow.modalities.add(build.build(ModalityTable, modality_tag="OCT"))
            uow.commit()
            names = ("series_id", "source_info_id", "device_instance_id")
            given: dict[str, Any] = {name: [getattr(image, name)] * 3 for name in names}
            given |= {"dataset_identifier": [*"abc"], "laterality": [*"LRL"]}
            words = ["OCT", "ColorFundus", "colour"]
            with pytest.raises(BadInput, match="row 2: modality: 'colour'"):
                uow.images.insert_many({**given, "modality": words})
            words[2] = "OCT"
            ids = [None, None, uow.modalities.by_name("OCT").modality_id]
            with pytest.raises(Duplicate):
                uow.images.insert_many({**given, "modality": words, "dataset_identifier": [*"aba"]})
            assert uow.modalities.by_name("ColorFundus", default=None) is None
            made = uow.images.by_ids(
                uow.images.insert_many({**given, "modality": words, "modality_id": ids})
            )
            assert [one.modality for one in made] == [
                *(Modality.OCT, Modality.ColorFundus, Modality.OCT)
            ]
            assert [one.modality_entry.modality_tag for one in made] == [
                *("OCT", "ColorFundus", "OCT")
            ]
            given["dataset_identifier"] = [*"xyz"]
            with pytest.raises(RuleBroken, match="row 1: modality: is AdaptiveOptics"):
                uow.images.insert_many(
                    {
                        **given,
                        "modality": [None, "AdaptiveOptics", None],
                        "modality_id": ids[2:] * 3,
                    }
                )
            by_id = uow.images.insert_many({**given, "modality_id": ids[2:] * 3})
            assert {one.modality for one in uow.images.by_ids(by_id)} == {Modality.OCT}
            uow.commit()

    def test_what_was_put_in_before_is_there_for_the_rows(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.patients.insert_many([{"project": one, "patient_identifier": "a", "sex": "F"}])
            assert uow.patients.one(project=one).sex is SexEnum.F
            uow.rollback()
            assert (uow.patients.count(), uow.projects.count()) == (0, 0)
