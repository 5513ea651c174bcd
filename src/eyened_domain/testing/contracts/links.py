"""Links: stored whichever side was set, both ways, nothing twice."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.model import Feature, FeatureFeatureLink, Patient, Project, Series, Study
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

DATES = ["2024-01-01", "2024-01-02", "2024-01-03"]


def _dates(patient: Any) -> list[str]:
    return [study.study_date.isoformat() for study in patient.studies]


class LinkContract(Contract):
    """What every storage does with links."""

    def test_a_study_linked_by_id_by_patient_or_through_the_list_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.flush()
            uow.studies.add(Study(patient_id=patient.patient_id, study_date=DATES[0]))
            Study(patient=patient, study_date=DATES[1])
            patient.studies.append(Study(study_date=DATES[2]))
            uow.commit()
        with make_unit_of_work() as uow:
            assert sorted(_dates(uow.patients.where()[0])) == DATES
            assert {study.patient for study in uow.studies.where()} == {*uow.patients.where()}

    def test_the_same_in_the_names_of_the_database(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        a_study: Any = Study
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.flush()
            uow.studies.add(a_study(PatientID=patient.PatientID, StudyDate=DATES[0]))
            a_study(Patient=patient, StudyDate=DATES[1])
            patient.Studies.append(a_study(StudyDate=DATES[2]))
            uow.commit()
        with make_unit_of_work() as uow:
            assert sorted(_dates(uow.patients.where()[0])) == DATES

    def test_after_a_flush_link_and_id_agree(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.flush()
            by_id = uow.studies.add(Study(patient_id=patient.patient_id, study_date=DATES[0]))
            by_link = Study(patient=patient, study_date=DATES[1])
            uow.flush()
            assert by_id.patient is patient
            assert by_link.patient_id == patient.patient_id

    def test_what_hangs_on_a_stored_object_is_stored_to_any_depth(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            project = Project(project_name="Cohort")
            patient = Patient(patient_identifier="1", project=project)
            study = Study(study_date=DATES[0])
            patient.studies = [study]
            series = Series(study=study)
            image = build.an_image()
            series.image_instances.append(image)
            uow.series.add(series)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.projects.by_name("Cohort").patients[0].studies[0].series[0]
            assert len(found.images) == 1
            assert found.images[0].project.project_name == "Cohort"
            assert found.images[0].device_instance.device_model is not None

    def test_a_parent_is_stored_with_its_child(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            uow.flush()
            assert uow.patients.where() == [study.patient]
            assert uow.projects.where() == [study.patient.project]

    def test_linking_a_new_object_to_a_loaded_one_is_enough(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add(build.a_patient())
            uow.commit()
        with make_unit_of_work() as uow:
            Study(patient=uow.patients.where()[0], study_date=DATES[0])
            uow.commit()
        with make_unit_of_work() as uow:
            uow.patients.where()[0].studies.append(Study(study_date=DATES[1]))
            uow.commit()
        with make_unit_of_work() as uow:
            assert _dates(uow.patients.where()[0]) == DATES[:2]

    def test_nothing_stands_in_a_list_twice(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            study = Study(patient=patient, study_date=DATES[0])
            patient.studies.append(study)
            patient.studies += [study]
            study.patient = patient
            assert patient.studies == [study]
            uow.flush()
            assert patient.studies == [study]
            patient.studies.append(study)
            assert patient.studies == [study]
            uow.commit()
        with make_unit_of_work() as uow:
            patient = uow.patients.where()[0]
            study = uow.studies.where()[0]
            study.patient = patient
            patient.studies.append(study)
            assert patient.studies == [study]

    def test_a_loaded_object_moves_from_list_to_list(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second = (uow.patients.add(build.a_patient()) for _ in range(2))
            Study(patient=first, study_date=DATES[0])
            Study(patient=first, study_date=DATES[1])
            uow.commit()
            ids = first.patient_id, second.patient_id
        with make_unit_of_work() as uow:
            first, second = uow.patients.by_ids(ids)
            assert (_dates(first), _dates(second)) == (DATES[:2], [])
            first.studies[0].patient = second
            assert (_dates(first), _dates(second)) == (DATES[1:2], DATES[:1])
            second.studies.append(first.studies[0])
            assert (_dates(first), sorted(_dates(second))) == ([], DATES[:2])
            uow.commit()
        with make_unit_of_work() as uow:
            first, second = uow.patients.by_ids(ids)
            assert (_dates(first), _dates(second)) == ([], DATES[:2])

    def test_moving_works_where_no_list_was_loaded(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second = (uow.patients.add(build.a_patient()) for _ in range(2))
            study = Study(patient=first, study_date=DATES[0])
            uow.commit()
            ids = first.patient_id, second.patient_id
        with make_unit_of_work() as uow:
            uow.studies.get(study.study_id).patient = uow.patients.get(ids[1])
            first, second = uow.patients.by_ids(ids)
            assert (_dates(first), _dates(second)) == ([], DATES[:1])
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.studies.get(study.study_id).patient_id == ids[1]

    def test_a_loaded_object_moves_to_a_new_parent(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study(study_date=DATES[0]))
            uow.commit()
        with make_unit_of_work() as uow:
            study = uow.studies.where()[0]
            old = study.patient
            new = Patient(patient_identifier="new", project=old.project)
            new.studies.append(study)
            assert study.patient is new
            uow.commit()
            assert old.studies == []
        with make_unit_of_work() as uow:
            assert uow.studies.where()[0].patient.patient_identifier == "new"

    def test_a_changed_id_moves_an_object(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second = (uow.patients.add(build.a_patient()) for _ in range(2))
            study = Study(patient=first, study_date=DATES[0])
            uow.commit()
            ids = first.patient_id, second.patient_id
        with make_unit_of_work() as uow:
            uow.studies.get(study.study_id).patient_id = ids[1]
            uow.commit()
        with make_unit_of_work() as uow:
            first, second = uow.patients.by_ids(ids)
            assert (_dates(first), _dates(second)) == ([], DATES[:1])

    def test_a_link_by_id_is_in_the_lists_in_hand_once_it_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second = (uow.patients.add(build.a_patient()) for _ in range(2))
            Study(patient=first, study_date=DATES[0])
            Study(patient=second, study_date=DATES[1])
            uow.commit()
            study = first.studies[0]
            assert len(second.studies) == 1
            new = uow.studies.add(Study(patient_id=second.patient_id, study_date=DATES[2]))
            study.patient_id = second.patient_id
            uow.flush()
            assert first.studies == []
            assert set(second.studies) >= {study, new}
            assert len(second.studies) == 3
            assert study.patient is new.patient is second

    def test_a_link_that_may_be_empty_can_be_emptied(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(build.a_project(contact=build.a_contact()))
            uow.commit()
            assert project.contact_id is not None
        with make_unit_of_work() as uow:
            project = uow.projects.where()[0]
            contact = project.contact
            assert contact is not None
            assert contact.projects == [project]
            project.contact = None
            assert contact.projects == []
            uow.commit()
            assert project.contact_id is None
        with make_unit_of_work() as uow:
            assert uow.projects.where()[0].contact is None
            assert uow.contacts.where()[0].projects == []

    def test_taking_an_object_off_a_list_empties_its_link(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(build.a_project(contact=build.a_contact()))
            uow.commit()
        with make_unit_of_work() as uow:
            contact = uow.contacts.where()[0]
            project = contact.projects.pop()
            assert project.contact is None
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.where()[0].contact_id is None

    def test_many_to_many_is_kept_in_step_and_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            models = [uow.attributes_models.add(build.an_attributes_model()) for _ in range(2)]
            area = build.an_attribute(attribute_name="area")
            width = build.an_attribute(attribute_name="width")
            models[0].output_attributes = [area, width]
            area.producing_models.append(models[1])
            assert area.producing_models == models
            assert models[1].output_attributes == [area]
            uow.commit()
            ids = [one.model_id for one in models]
        with make_unit_of_work() as uow:
            first, second = uow.attributes_models.by_ids(ids)
            assert [one.attribute_name for one in first.output_attributes] == ["area", "width"]
            area = second.output_attributes[0]
            assert area.producing_models == [first, second]
            first.output_attributes.remove(area)
            assert area.producing_models == [second]
            uow.commit()
            assert uow.model_outputs.count() == 2
        with make_unit_of_work() as uow:
            first, second = uow.attributes_models.by_ids(ids)
            assert [one.attribute_name for one in first.output_attributes] == ["width"]
            assert [one.attribute_name for one in second.output_attributes] == ["area"]

    def test_what_is_taken_off_a_many_to_many_list_just_loaded_is_unlinked(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = uow.attributes_models.add(build.an_attributes_model())
            model.output_attributes = [build.an_attribute(), build.an_attribute()]
            uow.commit()
        with make_unit_of_work() as uow:
            uow.attributes_models.where()[0].output_attributes.pop()
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.attributes_models.where()[0].output_attributes) == 1
            assert (uow.model_outputs.count(), uow.attributes.count()) == (1, 2)

    @pytest.mark.parametrize("is_loaded", [True, False])
    @pytest.mark.parametrize("is_rolled_back", [True, False])
    def test_an_id_wins_that_is_set_after_its_link_was_set_to_what_it_led_to(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        is_loaded: bool,
        is_rolled_back: bool,
    ) -> None:
        with make_unit_of_work() as uow:
            before, after = (uow.projects.add(build.a_project()) for _ in "ab")
            patient = uow.patients.add(build.a_patient(project=before))
            uow.commit()
            identity, project_id = patient.patient_id, after.project_id
        with make_unit_of_work() as uow:
            patient, before = uow.patients.get(identity), uow.projects.get(before.project_id)
            if is_rolled_back:
                uow.rollback()
                assert patient.patient_id == identity
            if is_loaded:
                assert patient.project is before
            patient.project = before
            patient.project_id = project_id
            uow.flush()
            assert (patient.project_id, patient.project.project_id) == (project_id, project_id)
            assert before.patients == []
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.get(identity).project_id == project_id

    def test_what_joins_a_list_by_its_id_joins_it_in_the_order_of_the_keys(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            stored = [uow.studies.add(build.a_study()) for _ in range(3)]
            uow.commit()
            assert patient.studies == []
            new = uow.studies.add(build.build(Study, patient=None, patient_id=patient.patient_id))
            for study in (stored[2], stored[0], stored[1]):
                study.patient_id = patient.patient_id
            uow.flush()
            assert patient.studies == [*stored, new]

    def test_many_to_many_within_one_entity(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            source, result = (uow.attribute_values.add(build.an_attribute_value()) for _ in "ab")
            result.input_values.append(source)
            assert source.used_by_values == [result]
            uow.commit()
            ids = source.attribute_value_id, result.attribute_value_id
        with make_unit_of_work() as uow:
            source, result = uow.attribute_values.by_ids(ids)
            assert (source.used_by_values, result.input_values) == ([result], [source])
            assert (source.input_values, result.used_by_values) == ([], [])

    def test_a_composite_of_an_entity_is_found_both_ways(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            whole, part = Feature(feature_name="whole"), Feature(feature_name="part")
            FeatureFeatureLink(feature=whole, child=part, feature_index=0)
            uow.features.add(whole)
            uow.commit()
        with make_unit_of_work() as uow:
            whole = uow.features.by_name("whole")
            assert [one.child.feature_name for one in whole.feature_associations] == ["part"]
            part = uow.features.by_name("part")
            assert part.child_feature_associations == whole.feature_associations
