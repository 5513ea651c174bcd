"""One transaction: all or nothing, and events only for what has happened."""

# ruff: noqa: D102, PT012, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import Duplicate, EyenedError, NotLoaded, RuleBroken
from eyened_domain.model import Patient, Project, Study
from eyened_domain.services.events import Event
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class UnitOfWorkContract(Contract):
    """What every unit of work is held to."""

    def test_what_is_committed_is_there_for_the_next_unit(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.by_name("Cohort").project_name == "Cohort"

    def test_what_is_not_committed_is_gone(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
        with make_unit_of_work() as uow:
            assert uow.projects.count() == 0

    def test_what_was_flushed_but_not_committed_is_gone(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.flush()
            assert uow.projects.count() == 1
        with make_unit_of_work() as uow:
            assert uow.projects.count() == 0

    def test_an_exception_takes_everything_back(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with pytest.raises(ZeroDivisionError), make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.flush()
            raise ZeroDivisionError
        with make_unit_of_work() as uow:
            assert uow.projects.count() == 0

    def test_rollback_takes_back_what_came_since_the_last_commit(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            kept = uow.projects.add(Project(project_name="Kept"))
            uow.commit()
            kept.description = "changed"
            uow.projects.add(Project(project_name="Gone"))
            uow.flush()
            uow.rollback()
            assert [one.project_name for one in uow.projects.where()] == ["Kept"]
            assert kept.description is None
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.description for one in uow.projects.where()] == [None]

    def test_rollback_brings_back_what_was_deleted(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            project.patients.append(Patient(patient_identifier="1"))
            uow.commit()
            uow.projects.delete(project)
            uow.flush()
            assert uow.patients.count() == 0
            uow.rollback()
            assert [one.patient_identifier for one in uow.patients.where()] == ["1"]

    def test_a_unit_goes_on_after_a_rollback(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="First"))
            uow.flush()
            uow.rollback()
            uow.projects.add(Project(project_name="Second"))
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.project_name for one in uow.projects.where()] == ["Second"]

    def test_a_failed_commit_stores_nothing(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with pytest.raises(Duplicate), make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Other"))
            uow.projects.add_all([Project(project_name="Same"), Project(project_name="Same")])
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.count() == 0

    def test_several_commits_in_one_unit_are_each_kept(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
            project.description = "a description"
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.where()[0].description == "a description"

    def test_a_change_of_a_loaded_object_is_stored(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.projects.by_name("Cohort").External = "Y"
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.by_name("Cohort").external.name == "Y"

    def test_queries_see_what_was_changed_before_them(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            assert uow.projects.by_name("Cohort") is project
            project.project_name = "Trial"
            assert uow.projects.by_name("Cohort", default=None) is None
            assert uow.projects.by_name("Trial") is project

    def test_one_unit_gives_one_object_for_one_row(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
            assert uow.projects.get(project.project_id) is project
        with make_unit_of_work() as uow:
            again = uow.projects.by_name("Cohort")
            assert again is not project
            assert uow.projects.get(project.project_id) is again
            assert uow.projects.where() == [again]

    def test_objects_stay_readable_after_the_unit_has_closed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study(study_date="2024-01-31"))
            uow.commit()
        with make_unit_of_work() as uow:
            study = uow.studies.where()[0]
            patient = study.patient
            identifier = patient.patient_identifier
        assert study.study_date.isoformat() == "2024-01-31"
        assert study.patient is patient
        assert patient.patient_identifier == identifier

    def test_new_objects_stay_readable_after_the_unit_has_closed(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
        assert project.project_id is not None
        assert project.date_inserted is not None
        assert "Cohort" in repr(project)
        assert project.to_dict()["project_name"] == "Cohort"

    def test_a_link_that_was_not_loaded_is_named_after_the_unit_has_closed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study())
            uow.commit()
        with make_unit_of_work() as uow:
            study = uow.studies.where()[0]
        with pytest.raises(NotLoaded, match=r"Study\.series"):
            _ = study.series
        with pytest.raises(NotLoaded, match=r"Study\.patient"):
            _ = study.patient

    def test_an_object_of_a_closed_unit_can_be_linked_in_the_next(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.commit()
        with make_unit_of_work() as uow:
            uow.studies.add(Study(patient=patient, study_date="2024-01-31"))
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.patients.get(patient.patient_id).studies) == 1

    def test_units_are_not_nested(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="open already"):
            uow.__enter__()

    def test_a_unit_that_is_not_open_says_so(self, make_unit_of_work: MakeUnitOfWork) -> None:
        uow = make_unit_of_work()
        with pytest.raises(RuleBroken, match="not open"):
            _ = uow.projects
        with pytest.raises(RuleBroken, match="not open"):
            uow.commit()

    def test_a_unit_can_be_opened_again(self, make_unit_of_work: MakeUnitOfWork) -> None:
        uow = make_unit_of_work()
        with uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
        with uow:
            assert uow.projects.count() == 1

    def test_events_are_published_after_commit_and_not_before(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        heard: list[Event] = []
        happened = Event()
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            uow.record(happened)
            uow.flush()
            assert heard == []
            uow.commit()
            assert heard == [happened]
            uow.commit()
            assert heard == [happened]

    def test_events_of_what_was_taken_back_are_not_published(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            uow.record(Event())
            uow.rollback()
            uow.commit()
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            uow.record(Event())
        assert heard == []

    def test_a_failed_commit_publishes_nothing(self, make_unit_of_work: MakeUnitOfWork) -> None:
        heard: list[Event] = []
        with (
            pytest.raises(EyenedError),
            make_unit_of_work(subscribers=[heard.append]) as uow,
        ):
            uow.record(Event())
            uow.projects.add_all([Project(project_name="Same"), Project(project_name="Same")])
            uow.commit()
        assert heard == []

    def test_callbacks_run_once_after_commit(self, make_unit_of_work: MakeUnitOfWork) -> None:
        called: list[str] = []
        with make_unit_of_work() as uow:
            uow.on_commit(lambda: called.append("committed"))
            assert called == []
            uow.commit()
            uow.commit()
        assert called == ["committed"]

    def test_a_callback_that_fails_undoes_nothing(self, make_unit_of_work: MakeUnitOfWork) -> None:
        called: list[str] = []
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.on_commit(lambda: 1 // 0)
            uow.on_commit(lambda: called.append("the next one"))
            uow.commit()
        assert called == ["the next one"]
        with make_unit_of_work() as uow:
            assert uow.projects.count() == 1
