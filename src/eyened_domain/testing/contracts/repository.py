"""Looking things up, in either naming style, and what is said when there is none."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, UnknownName
from eyened_domain.model import (
    AnnotationData,
    Creator,
    Laterality,
    Model,
    Patient,
    Project,
    SegmentationModel,
    Series,
    SexEnum,
    Study,
    TaskDefinition,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class RepositoryContract(Contract):
    """What every repository is held to."""

    def test_get_finds_by_id_in_any_form_that_is_a_whole_number(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
            number = project.project_id
        for identity in (number, float(number), (number,)):
            with make_unit_of_work() as uow:
                assert uow.projects.get(identity).project_id == number
        with make_unit_of_work() as uow, pytest.raises(BadInput, match="project_id"):
            uow.projects.get("five")

    def test_get_says_what_is_not_there(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(NotFound, match="no Patient with patient_id 999") as caught:
                uow.patients.get(999)
            assert (caught.value.entity, caught.value.field) == ("Patient", "patient_id")
            assert uow.patients.get(999, default=None) is None
            assert Patient.by_id(uow, 999, default="none") == "none"

    def test_a_composite_key_is_asked_with_a_tuple(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            data = build.add(uow, AnnotationData, scan_nr=3)
            uow.commit()
            key = (data.annotation_id, 3)
        with make_unit_of_work() as uow:
            assert uow.annotation_data.get(key).scan_nr == 3
            assert uow.annotation_data.by_ids([key])[0].scan_nr == 3
            assert uow.annotation_data.get((key[0], 4), default=None) is None
            with pytest.raises(BadInput, match="annotation_id, scan_nr"):
                uow.annotation_data.get(data.annotation_id)

    def test_by_ids_keeps_the_order_and_names_the_missing_ones(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            names = ["a", "b", "c"]
            made = uow.projects.add_all([Project(project_name=name) for name in names])
            uow.commit()
            ids = [one.project_id for one in made]
        with make_unit_of_work() as uow:
            found = Project.by_ids(uow, [ids[2], ids[0], ids[2]])
            assert [one.project_name for one in found] == ["c", "a", "c"]
            with pytest.raises(NotFound, match=r"990.*991"):
                uow.projects.by_ids([ids[0], 990, 991])
            assert uow.projects.by_ids([]) == []

    def test_by_name_finds_without_regard_to_case(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Rotterdam Study"))
            assert Project.by_name(uow, "rotterdam STUDY").project_name == "Rotterdam Study"

    def test_by_name_says_which_names_come_near(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Rotterdam"))
            with pytest.raises(NotFound, match=r"Roterdam.*did you mean 'Rotterdam'\?"):
                uow.projects.by_name("Roterdam")
            assert uow.projects.by_name("Roterdam", default=None) is None

    def test_by_name_that_finds_two_is_an_error_and_not_a_guess(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            names = ["Grading", "Grading"]
            uow.task_definitions.add_all([TaskDefinition(task_definition_name=n) for n in names])
            with pytest.raises(Duplicate, match="more than one TaskDefinition"):
                uow.task_definitions.by_name("Grading")
            with pytest.raises(Duplicate, match="Grading"):
                uow.task_definitions.name_to_id()

    def test_what_has_no_name_says_so(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput, match="Series has no name"):
                uow.series.by_name("one")
            with pytest.raises(BadInput, match="Series has no name"):
                Series.name_to_id(uow)

    def test_name_to_id_lists_all_names(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            made = uow.creators.add_all([Creator(creator_name=name) for name in ("ann", "bob")])
            uow.flush()
            assert Creator.name_to_id(uow) == {one.creator_name: one.creator_id for one in made}

    def test_where_takes_both_names(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study(study_date="2024-01-31"))
            uow.studies.add(build.a_study(StudyDate="2024-02-01"))
            assert uow.studies.where(study_date="2024-01-31") == [study]
            assert uow.studies.where(StudyDate="2024-01-31", PatientID=study.patient_id) == [study]
            assert Study.by_column(uow, "StudyDate", study.study_date) == [study]
            assert Study.by_columns(uow, study_id=study.study_id) == [study]

    def test_where_compares_texts_without_regard_to_case(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient(patient_identifier="Pat-A"))
            assert uow.patients.where(patient_identifier="PAT-a") == [patient]
            assert uow.patients.where(patient_identifier=["x", "pat-a"]) == [patient]

    def test_where_takes_a_list_as_one_of_these_and_none_as_not_set(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            sexes = ["M", SexEnum.F, None]
            men, women, unknown = (uow.patients.add(build.a_patient(sex=sex)) for sex in sexes)
            assert uow.patients.where(sex="M") == [men]
            assert uow.patients.where(sex=["M", SexEnum.F]) == [men, women]
            assert uow.patients.where(sex=("F",)) == [women]
            assert uow.patients.where(sex=None) == [unknown]
            assert uow.patients.where(sex=[]) == []
            assert uow.patients.count(sex=None) == 1
            assert uow.patients.count() == 3

    def test_where_takes_links(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            other = uow.studies.add(build.a_study())
            assert uow.studies.where(patient=other.patient) == [other]
            assert uow.studies.where(Patient=study.patient) == [study]
            assert uow.projects.where(contact=None) == uow.projects.where()
            with pytest.raises(BadInput, match=r"Patient\.studies is a list"):
                uow.patients.where(studies=study)

    def test_where_gives_the_order_of_the_keys(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            for number in (30, 10, 20):
                uow.creators.add(Creator(creator_id=number, creator_name=f"creator {number}"))
            found = Creator.fetch_all(uow)
            assert [one.creator_id for one in found] == [10, 20, 30]

    def test_where_refuses_what_no_column_could_hold(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput, match=r"Patient\.sex.*M, F"):
                uow.patients.where(sex="X")
            with pytest.raises(BadInput, match=r"Patient\.birth_date"):
                uow.patients.where(BirthDate="2024-13-01")

    def test_an_unknown_name_is_an_error_that_says_which_come_near(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow, pytest.raises(UnknownName, match="study_date"):
            uow.studies.where(study_dat="2024-01-31")

    def test_one_finds_the_only_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            left = uow.images.add(build.an_image(laterality="L"))
            uow.images.add(build.an_image(laterality=Laterality.R))
            assert uow.images.one(laterality="L") is left
            with pytest.raises(NotFound, match=r"no ImageInstance with laterality 'L', rows_y 7"):
                uow.images.one(laterality="L", rows_y=7)
            assert uow.images.one(rows_y=7, default=None) is None
            with pytest.raises(Duplicate, match="more than one ImageInstance"):
                uow.images.one(rows_y=left.rows_y)

    def test_by_identifier_looks_within_the_project(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = uow.patients.add(build.a_patient(patient_identifier="P1"))
            other = uow.patients.add(build.a_patient(patient_identifier="P1"))
            uow.flush()
            assert uow.patients.by_identifier(other.project_id, "P1") is other
            assert Patient.by_identifier(uow, one.project_id, "p1") is one
            with pytest.raises(NotFound, match="P2"):
                Patient.by_identifier(uow, one.project_id, "P2")
            assert uow.patients.by_identifier(one.project_id, "P2", default=None) is None

    def test_enums_are_members_whichever_way_they_were_given(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add(build.a_patient(patient_identifier="1", sex="F"))
            uow.patients.add(build.a_patient(patient_identifier="2", Sex=SexEnum.F))
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.sex for one in uow.patients.where()] == [SexEnum.F, SexEnum.F]

    def test_a_special_kind_is_found_as_itself(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            segmenting = uow.models.add(build.a_segmentation_model(model_name="Segmenting"))
            computing = uow.attributes_models.add(build.an_attributes_model())
            uow.commit()
            ids = [segmenting.model_id, computing.model_id]
        assert len(set(ids)) == 2
        with make_unit_of_work() as uow:
            assert [type(one).__name__ for one in Model.by_ids(uow, ids)] == [
                "SegmentationModel",
                "AttributesModel",
            ]
            assert [one.model_id for one in SegmentationModel.fetch_all(uow)] == ids[:1]
            assert uow.attributes_models.get(ids[0], default=None) is None
            assert uow.models.by_name("segmenting").model_id == ids[0]

    def test_an_image_knows_its_path_once_it_is_in_a_unit(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(dataset_identifier="a/b.png"))
            uow.commit()
            assert image.path.parts[-2:] == ("a", "b.png")
        with make_unit_of_work() as uow:
            assert uow.images.where()[0].path == image.path
