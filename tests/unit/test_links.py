"""Links keep both sides in step: on plain classes, on mapped ones, free or held in memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from link_laws import LAWS, make_free, run_held

from eyened_domain.adapters.sql.mapping import map_entities

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def unmapped() -> dict[str, str]:
    """What the laws said in a fresh interpreter, in which nothing maps the classes."""
    done = subprocess.run(
        [sys.executable, str(HERE / "link_laws.py")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


@pytest.fixture
def mapped() -> None:
    assert map_entities()


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_on_mapped_classes(mapped: None, law: str) -> None:
    LAWS[law](make_free)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_on_mapped_classes_held_in_memory(mapped: None, law: str) -> None:
    run_held(LAWS[law])


@pytest.mark.parametrize("state", ["free", "held"])
@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_on_classes_that_are_not_mapped(
    unmapped: dict[str, str], law: str, state: str
) -> None:
    assert unmapped[f"{law}[{state}]"] == ""


def test_the_laws_on_plain_classes_ran_without_sqlalchemy(unmapped: dict[str, str]) -> None:
    assert unmapped["sqlalchemy"] == "False"


def run_alone(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BORN_BEFORE = """
from eyened_domain.model import Patient, Project, Study
project = Project(project_name="Cohort")
patient = Patient(patient_identifier="1", project=project, sex="F")
first = Study(study_date="2024-01-01", patient=patient)
second = Study(study_date="2024-01-02")
patient.studies.append(second)

from eyened_domain import Database
database = Database("sqlite://")
"""


def test_objects_born_before_mapping_are_stored_with_all_their_links() -> None:
    run_alone(
        BORN_BEFORE
        + """
with database.get_session() as session:
    session.add(first)
    session.commit()
    assert patient.patient_id and project.project_id and second.study_id
with database.get_session() as session:
    found = Patient.by_identifier(session, project.project_id, "1")
    assert [str(one.study_date) for one in found.studies] == ["2024-01-01", "2024-01-02"]
    assert found.sex.name == "F" and found.project.project_name == "Cohort"
"""
    )


def test_links_that_have_no_way_back_are_kept_when_classes_are_mapped() -> None:
    run_alone(
        """
from eyened_domain.model import StudyTagLink
from eyened_domain.testing import Builder
link = Builder().a_study_tag_link()
other = link.creator
from eyened_domain import Database
with Database("sqlite://").get_session() as session:
    session.add(link)
    session.commit()
    assert link.creator is other and link.creator_id == other.creator_id
    assert link.tag.study_tag_links == link.study.study_tag_links == [link]
"""
    )


def test_objects_born_before_mapping_keep_to_the_laws_after_it() -> None:
    run_alone(
        BORN_BEFORE
        + """
third = Study(study_date="2024-01-03", patient=patient)
assert patient.studies == [first, second, third]
patient.studies.append(third)
assert patient.studies == [first, second, third]
other = Patient(patient_identifier="2", project=project)
assert project.patients == [patient, other]
other.studies.append(first)
assert (first.patient, patient.studies) == (other, [second, third])
second.patient = None
assert patient.studies == [third]
with database.get_session() as session:
    session.add(project)
    session.commit()
    assert (first.patient_id, third.patient_id) == (other.patient_id, patient.patient_id)
    assert second.study_id is None
"""
    )


def test_objects_held_in_memory_before_mapping_stay_there_after_it() -> None:
    run_alone(
        """
from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.model import Patient, Project, Study
store = MemoryStore()
with MemoryUnitOfWork(store) as uow:
    uow.patients.add(Patient(patient_identifier="1", project=Project(project_name="Cohort")))
    uow.commit()
with MemoryUnitOfWork(store) as uow:
    patient = uow.patients.where()[0]
    from eyened_domain.adapters.sql.mapping import map_entities
    map_entities()
    Study(study_date="2024-01-01", patient=patient)
    patient.studies.append(Study(study_date="2024-01-02"))
    patient.birth_date = "1950-01-01"
    patient.project.description = "changed"
    uow.commit()
with MemoryUnitOfWork(store) as uow:
    found = uow.projects.where()[0]
    assert found.description == "changed"
    assert [str(one.study_date) for one in found.patients[0].studies] == [
        "2024-01-01", "2024-01-02"]
    assert str(found.patients[0].birth_date) == "1950-01-01"
"""
    )


def test_an_object_held_in_memory_is_refused_by_a_database() -> None:
    assert "belongs to a unit of work in memory" in run_alone(
        """
from eyened_domain import Database, Project, RuleBroken
from eyened_domain.testing import MemoryUnitOfWork
with MemoryUnitOfWork() as uow:
    project = uow.projects.add(Project(project_name="Cohort"))
    with Database("sqlite://").get_session() as session:
        try:
            session.add(project)
        except RuleBroken as error:
            print(error)
"""
    )


def test_a_list_of_a_free_object_stays_its_list_when_memory_takes_it(mapped: None) -> None:
    from eyened_domain.adapters.memory import MemoryUnitOfWork
    from eyened_domain.model import Patient, Project, Study

    patient: Any = Patient(patient_identifier="1", project=Project(project_name="Cohort"))
    studies = patient.studies
    with MemoryUnitOfWork() as uow:
        uow.patients.add(patient)
        studies.append(Study(study_date="2024-01-01"))
        studies.extend(Study(study_date=f"2024-01-0{day}") for day in (2, 3))
        uow.commit()
        assert uow.studies.count(patient=patient) == 3
        assert len(patient.studies) == 3
