"""Links keep both sides in step: on plain classes, on mapped ones, free or held in memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import eyened_domain.adapters.sql.mapping  # noqa: F401 - maps the classes
from tests.unit.link_laws import LAWS, make_free, run_held

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


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_on_mapped_classes(law: str) -> None:
    LAWS[law](make_free)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_on_mapped_classes_held_in_memory(law: str) -> None:
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


MADE_BEFORE = """
import json, sys
from eyened_domain import EyenedError, Patient, Project, Study
before = Patient(patient_identifier="1", sex="F")
from eyened_domain import Database
project = Project(project_name="Cohort")
"""
USES = {
    "adding it": "session.add(before)",
    "adding several": "session.add_all([project, before])",
    "adding it to a repository": "session.repository(Patient).add(before)",
    "merging it": "session.merge(before)",
    "deleting it": "session.delete(before)",
    "reading it again": "session.refresh(before)",
    "putting it on a list": "project.patients.append(before)",
    "linking it": "before.project = project",
    "linking to it": "Study(study_date='2024-01-01', patient=before)",
    "following a link of it": "before.project",
    "following a list of it": "before.studies",
    "setting a column of it": "before.sex = 'M'",
}


@pytest.fixture(scope="module")
def refusals() -> dict[str, str]:
    """What is said to each use of an object that was made before its class was mapped."""
    program = f"""{MADE_BEFORE}
said = {{}}
for name, use in {USES!r}.items():
    with Database("sqlite://").get_session() as session:
        try:
            exec(use)
        except EyenedError as error:
            said[name] = f"{{type(error).__name__}}: {{error}}"
print(json.dumps(said))
"""
    said: dict[str, str] = json.loads(run_alone(program))
    return said


@pytest.mark.parametrize("use", USES)
def test_an_object_that_was_made_before_its_class_was_mapped_is_refused(
    refusals: dict[str, str], use: str
) -> None:
    assert refusals[use] == (
        "RuleBroken: Patient was made before its class was mapped onto a table, or by a process "
        "that mapped none; import eyened_domain.Database before objects are made"
    )


def test_what_an_object_holds_that_was_made_too_early_can_still_be_read() -> None:
    run_alone(
        f"""{MADE_BEFORE}
assert (before.patient_identifier, before.sex.name) == ("1", "F")
assert repr(before) == "Patient(patient_identifier='1', sex=F)"
assert dict(before)["PatientIdentifier"] == "1"
project.patients.append(Patient(**before.to_dict()))
with Database("sqlite://").get_session() as session:
    session.add(project)
    session.commit()
"""
    )


def test_a_query_before_the_classes_are_mapped_says_what_to_import() -> None:
    said = run_alone(
        """
from sqlalchemy import select
from eyened_domain import EyenedError
from eyened_domain.model import Patient
for ask in (lambda: select(Patient), lambda: select(Patient.sex)):
    try:
        ask()
    except (EyenedError, AttributeError) as error:
        print(error)
from eyened_domain import Database
with Database("sqlite://").get_session() as session:
    assert session.scalars(select(Patient).where(Patient.sex == "F")).all() == []
"""
    )
    assert said.count("classes are mapped when eyened_domain.Database is imported") == 2


def test_what_was_pickled_where_no_class_is_mapped_is_refused_where_they_are(
    tmp_path: Path,
) -> None:
    file = tmp_path / "pickled"
    run_alone(
        f"""
import pickle, sys
from eyened_domain.model import Patient, Project
project = Project(project_name="Cohort")
Patient(patient_identifier="1", project=project)
with open({str(file)!r}, "wb") as to:
    pickle.dump(project, to)
assert "sqlalchemy" not in sys.modules
"""
    )
    assert "a process that mapped none" in run_alone(
        f"""
import pickle
from eyened_domain import Database, EyenedError
with open({str(file)!r}, "rb") as source, Database("sqlite://").get_session() as session:
    project = pickle.load(source)
    assert project.project_name == "Cohort"
    try:
        session.add(project)
    except EyenedError as error:
        print(error)
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


def test_a_list_of_a_free_object_stays_its_list_when_memory_takes_it() -> None:
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
