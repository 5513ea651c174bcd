"""What is asked wrongly of a unit of work, or of its rows: an error of ours, on every adapter."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eyened_domain.errors import BadInput, EyenedError, RuleBroken, UnknownName
from eyened_domain.model import Entity, Patient, Project, SegmentationModel, StudyTagLink
from eyened_domain.services.events import Event
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

IDS = ["project_id"]
Misuse = Callable[[Any], Any]
"""Takes a unit of work on a storage with one project."""

MISUSES: dict[str, tuple[type[EyenedError], str, Misuse]] = {
    "locking None": (BadInput, "not None", lambda uow: uow.lock(None)),
    "locking an id": (BadInput, "not an int", lambda uow: uow.lock(1)),
    "locking a class": (BadInput, "the class Project", lambda uow: uow.lock(Project)),
    "locking what is not stored": (
        RuleBroken,
        "not stored",
        lambda uow: uow.lock(Project(project_name="b")),
    ),
    "the repository of None": (BadInput, "not None", lambda uow: uow.repository(None)),
    "the repository of a name": (BadInput, "not a str", lambda uow: uow.repository("Project")),
    "the repository of a list": (BadInput, "not a list", lambda uow: uow.repository([Project])),
    "the repository of an object": (
        BadInput,
        "not a Project",
        lambda uow: uow.repository(Project(project_name="b")),
    ),
    "the repository of a class": (BadInput, "the class int", lambda uow: uow.repository(int)),
    "the repository of all": (BadInput, "the class Entity", lambda uow: uow.repository(Entity)),
    "recording a text": (BadInput, "Event", lambda uow: uow.record("stored")),
    "calling what is no function": (BadInput, "function", lambda uow: uow.on_commit(3)),
    "rows of None": (BadInput, "not None", lambda uow: uow.rows.find(None, "a", [1], IDS)),
    "rows by an unknown column": (
        UnknownName,
        "did you mean project_id",
        lambda uow: uow.rows.find(Project, "projectid", [1], IDS),
    ),
    "rows by a link": (
        BadInput,
        "project_id",
        lambda uow: uow.rows.find(Patient, "project", [1], ["patient_id"]),
    ),
    "an unknown column of rows": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.find(Project, "project_id", [1], ["nope"]),
    ),
    "an unknown column that is equal": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.find(Project, "project_id", [1], IDS, nope=1),
    ),
    "one value where several belong": (
        BadInput,
        "a list of values",
        lambda uow: uow.rows.find(Project, "project_id", 1, IDS),
    ),
    "a text where several values belong": (
        BadInput,
        "a list of values",
        lambda uow: uow.rows.find(Project, "project_name", "AREDS", IDS),
    ),
    "a text where several columns belong": (
        BadInput,
        "a list of columns",
        lambda uow: uow.rows.find(Project, "project_id", [1], "project_id"),
    ),
    "a value that the column cannot hold": (
        BadInput,
        "project_id",
        lambda uow: uow.rows.find(Project, "project_id", ["x"], IDS),
    ),
    "an equal that the column cannot hold": (
        BadInput,
        "project_name",
        lambda uow: uow.rows.find(Project, "project_id", [1], IDS, project_name=3),
    ),
    "a page of unknown columns": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.page(Project, ["nope"], any_of=[{}], after=0, most=1),
    ),
    "a page of what has a key of several columns": (
        BadInput,
        "tag_id, study_id",
        lambda uow: uow.rows.page(StudyTagLink, ["tag_id"], any_of=[{}], after=0, most=1),
    ),
    "a page that meets an unknown column": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.page(Project, IDS, any_of=[{"nope": 1}], after=0, most=1),
    ),
    "counting by an unknown column": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.count(Project, any_of=[{"nope": 1}]),
    ),
    "counting what a column cannot hold": (
        BadInput,
        "project_id",
        lambda uow: uow.rows.count(Project, any_of=[{"project_id": "x"}]),
    ),
    "inserting an unknown column": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.insert(Project, [{"nope": 1}], key=["project_name"]),
    ),
    "inserting with an unknown key": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.insert(Project, [{"project_name": "b"}], key=["nope"]),
    ),
    "inserting rows of different columns": (
        BadInput,
        "the same columns",
        lambda uow: uow.rows.insert(
            Project,
            [{"project_name": "b"}, {"project_name": "c", "description": "d"}],
            key=["project_name"],
        ),
    ),
    "inserting what a column cannot hold": (
        BadInput,
        "Project.project_name",
        lambda uow: uow.rows.insert(Project, [{"project_name": 3}], key=["project_name"]),
    ),
    "inserting special kinds": (
        BadInput,
        "SegmentationModel",
        lambda uow: uow.rows.insert(SegmentationModel, [{"model_name": "m"}], key=["model_name"]),
    ),
    "updating an unknown column": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.update(Project, [{"project_id": 1, "nope": 1}]),
    ),
    "updating without a key": (
        BadInput,
        "project_id",
        lambda uow: uow.rows.update(Project, [{"project_name": "b"}]),
    ),
    "updating to what a column cannot hold": (
        BadInput,
        "Project.project_name",
        lambda uow: uow.rows.update(
            Project, [{"project_id": _only(uow).project_id, "project_name": 3}]
        ),
    ),
    "deleting what are no runs": (BadInput, "runs", lambda uow: uow.rows.delete(Project, [3])),
    "ids by an unknown column": (
        UnknownName,
        "nope",
        lambda uow: uow.rows.ids_in(Project, "nope", [(1, 2)], most=1),
    ),
}

AFTERWARDS: dict[str, Misuse] = {
    "get": lambda uow: uow.projects.get(1, default=None),
    "get a lock": lambda uow: uow.projects.get(1, default=None, lock=True),
    "by_ids": lambda uow: uow.projects.by_ids([1]),
    "by_ids of none": lambda uow: uow.projects.by_ids([]),
    "by_name": lambda uow: uow.projects.by_name("AREDS", default=None),
    "where": lambda uow: uow.projects.where(),
    "where a link": lambda uow: uow.patients.where(project=None),
    "one": lambda uow: uow.projects.one(project_id=1, default=None),
    "count": lambda uow: uow.projects.count(),
    "name_to_id": lambda uow: uow.projects.name_to_id(),
    "add": lambda uow: uow.projects.add(Project(project_name="b")),
    "add_all": lambda uow: uow.projects.add_all([Project(project_name="b")]),
    "find rows": lambda uow: uow.rows.find(Project, "project_id", [1], IDS),
    "page of rows": lambda uow: uow.rows.page(Project, IDS, any_of=[{}], after=0, most=1),
    "count rows": lambda uow: uow.rows.count(Project, any_of=[{}]),
    "insert rows": lambda uow: uow.rows.insert(
        Project, [{"project_name": "b"}], key=["project_name"]
    ),
    "delete rows": lambda uow: uow.rows.delete(Project, [(1, 1)]),
    "flush": lambda uow: uow.flush(),
    "commit": lambda uow: uow.commit(),
    "record": lambda uow: uow.record(Event()),
    "on_commit": lambda uow: uow.on_commit(lambda: None),
    "repository": lambda uow: uow.repository(Project),
}
"""What is refused when the unit is over."""


def _only(uow: UnitOfWork) -> Project:
    (project,) = uow.projects.where()
    found: Project = project
    return found


class _Kept:
    """A unit of work with the repositories and rows that somebody has kept of it."""

    def __init__(self, uow: Any) -> None:
        self._uow = uow
        self.projects, self.patients, self.rows = uow.projects, uow.patients, uow.rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)


class UnitMisuseContract(Contract):
    """What a unit of work says to what cannot be meant, on every adapter."""

    @pytest.fixture
    def make_one_project(self, make_unit_of_work: MakeUnitOfWork) -> MakeUnitOfWork:
        """Gives units of work on a storage with one project."""
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="AREDS"))
            uow.commit()
        return make_unit_of_work

    @pytest.mark.parametrize("case", MISUSES)
    def test_misuse_of_a_unit_is_an_error_of_ours(
        self, make_one_project: MakeUnitOfWork, case: str
    ) -> None:
        kind, said, misuse = MISUSES[case]
        with make_one_project() as uow:
            with pytest.raises(kind, match=said):
                misuse(uow)
            uow.rollback()
            assert _only(uow).project_name == "AREDS"

    @pytest.mark.parametrize("call", AFTERWARDS)
    def test_what_is_kept_of_a_unit_is_refused_when_it_is_over(
        self, make_one_project: MakeUnitOfWork, call: str
    ) -> None:
        with make_one_project() as uow:
            kept = _Kept(uow)
            assert kept.projects.count() == 1
        with pytest.raises(RuleBroken, match="not open"):
            AFTERWARDS[call](kept)
        with make_one_project() as uow:  # nobody keeps others out
            assert _only(uow).project_name == "AREDS"
            uow.projects.add(Project(project_name="c"))
            uow.commit()

    def test_a_unit_may_be_opened_again(self, make_one_project: MakeUnitOfWork) -> None:
        uow = make_one_project()
        with uow:
            before = uow.projects
        with uow:
            assert _only(uow).project_name == "AREDS"
            with pytest.raises(RuleBroken, match="not open"):
                before.count()

    def test_an_object_of_another_class_is_sent_to_its_repository(
        self, make_one_project: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_one_project() as uow, pytest.raises(BadInput, match=r"uow\.patients"):
            uow.projects.add(build.build(Patient))  # type: ignore[arg-type]
