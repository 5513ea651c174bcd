"""What is asked wrongly of a repository: an error of ours that names what to do."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, EyenedError, NotFound, RuleBroken, UnknownName
from eyened_domain.model import Creator, Feature, FormAnnotation, Patient, Project, Series, Study
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

HASH = "$argon2id$v=19$m=65536,t=3,p=4$canary"
Misuse = Callable[[Any, Patient], Any]
"""Takes a unit of work and a stored patient."""


class Array:
    """Like an array of several numbers: has an `__index__` and a `__float__` that refuse."""

    def __index__(self) -> int:
        raise TypeError("only integer scalar arrays can be converted to a scalar index")

    __float__ = __index__


class Unwritten:
    """Has no repr."""

    def __repr__(self) -> str:
        raise ValueError("no repr")


def _deleted_twice(uow: UnitOfWork, patient: Patient) -> None:
    uow.patients.delete(patient)
    uow.flush()
    uow.patients.delete(patient)


MISUSES: dict[str, tuple[type[EyenedError], str, Misuse]] = {
    "adding None": (BadInput, "Project is needed", lambda uow, _: uow.projects.add(None)),
    "adding a class": (BadInput, "Project is needed", lambda uow, _: uow.projects.add(Project)),
    "adding another class": (
        BadInput,
        "Project is needed here, not a Patient",
        lambda uow, patient: uow.projects.add(patient),
    ),
    "adding a list": (BadInput, "Patient is needed", lambda uow, one: uow.patients.add([one])),
    "adding all of None": (
        BadInput,
        "a list of objects",
        lambda uow, _: uow.projects.add_all(None),
    ),
    "adding all of one": (
        BadInput,
        "a list of objects",
        lambda uow, patient: uow.patients.add_all(patient),
    ),
    "adding all, one wrong": (
        BadInput,
        "Project is needed",
        lambda uow, patient: uow.projects.add_all([Project(project_name="b"), patient]),
    ),
    "adding a dict": (
        BadInput,
        "Project is needed here, not a dict",
        lambda uow, _: uow.projects.add({"project_name": "b"}),
    ),
    "adding what has no repr": (
        BadInput,
        "not an Unwritten",
        lambda uow, _: uow.projects.add(Unwritten()),
    ),
    "deleting None": (BadInput, "Project is needed", lambda uow, _: uow.projects.delete(None)),
    "deleting an id": (BadInput, "Project is needed", lambda uow, _: uow.projects.delete(1)),
    "deleting another class": (
        BadInput,
        "not a Patient",
        lambda uow, patient: uow.projects.delete(patient),
    ),
    "deleting what was never stored": (
        RuleBroken,
        "not stored",
        lambda uow, _: uow.projects.delete(Project(project_name="b")),
    ),
    "deleting twice": (RuleBroken, "Patient", _deleted_twice),
    "an id that is none": (BadInput, "project_id", lambda uow, _: uow.projects.get("x")),
    "no id": (BadInput, "project_id", lambda uow, _: uow.projects.get(None)),
    "a list of ids for one": (BadInput, "project_id", lambda uow, _: uow.projects.get([1])),
    "an object for its id": (BadInput, "project_id", lambda uow, one: uow.projects.get(one)),
    "an array for an id": (BadInput, "project_id", lambda uow, _: uow.projects.get(Array())),
    "an array among ids": (BadInput, "project_id", lambda uow, _: uow.projects.by_ids([Array()])),
    "what has no repr for an id": (
        BadInput,
        "project_id",
        lambda uow, _: uow.projects.get(Unwritten()),
    ),
    "an array for a number": (
        BadInput,
        "resolution_axial",
        lambda uow, _: uow.images.where(resolution_axial=Array()),
    ),
    "a number beyond all": (
        BadInput,
        "resolution_axial",
        lambda uow, _: uow.images.where(resolution_axial=10**400),
    ),
    "an id beyond all": (BadInput, "project_id", lambda uow, _: uow.projects.get(10**5000)),
    "too many parts of a key": (
        BadInput,
        r"known by \(project_id\)",
        lambda uow, _: uow.projects.get((1, 2)),
    ),
    "ids that are one": (BadInput, "a list of ids", lambda uow, _: uow.projects.by_ids(1)),
    "ids that are a text": (BadInput, "a list of ids", lambda uow, _: uow.projects.by_ids("12")),
    "ids of another kind": (BadInput, "project_id", lambda uow, _: uow.projects.by_ids([1, "x"])),
    "ids that are not there": (
        NotFound,
        r"\[77, 78\]",
        lambda uow, _: uow.projects.by_ids([77, 78]),
    ),
    "a text as condition": (BadInput, "asked with", lambda uow, _: uow.projects.where("a = 1")),
    "a truth as condition": (BadInput, "asked with", lambda uow, _: uow.projects.where(True)),
    "None as condition": (BadInput, "asked with", lambda uow, _: uow.projects.where(None)),
    "a class as condition": (BadInput, "asked with", lambda uow, _: uow.projects.where(Project)),
    "an object as condition": (BadInput, "asked with", lambda uow, one: uow.projects.where(one)),
    "a dict as condition": (
        BadInput,
        "by keyword",
        lambda uow, _: uow.projects.where({"project_name": "a"}),
    ),
    "what has no repr as condition": (
        BadInput,
        "asked with",
        lambda uow, _: uow.projects.where(Unwritten()),
    ),
    "an unknown column": (
        UnknownName,
        "did you mean project_name",
        lambda uow, _: uow.projects.where(projectname="a"),
    ),
    "an id where a link leads to an object": (
        BadInput,
        "project_id=",
        lambda uow, _: uow.patients.where(project=3),
    ),
    "another class where a link leads": (
        BadInput,
        "leads to a Project",
        lambda uow, patient: uow.patients.where(project=patient),
    ),
    "one of several of another class": (
        BadInput,
        "leads to a Project",
        lambda uow, patient: uow.patients.where(project=[patient.project, patient]),
    ),
    "a list as a column": (
        BadInput,
        "is a list",
        lambda uow, one: uow.projects.where(patients=one),
    ),
    "the same column twice": (
        BadInput,
        "asked for twice",
        lambda uow, patient: uow.patients.where(project=patient.project, project_id=1),
    ),
    "JSON as a value": (BadInput, "JSON", lambda uow, _: uow.forms.where(form_data={"a": 1})),
    "a word that is none": (BadInput, "sex", lambda uow, _: uow.patients.one(sex="X")),
    "a name that is none": (BadInput, "a text", lambda uow, _: uow.projects.by_name(3)),
    "no name": (BadInput, "a text", lambda uow, _: uow.projects.by_name(None)),
    "the name of what has none": (BadInput, "no name", lambda uow, _: uow.forms.by_name("a")),
    "the names of what has none": (BadInput, "no name", lambda uow, _: uow.forms.name_to_id()),
    "counting what a column cannot hold": (
        BadInput,
        "project_name",
        lambda uow, _: uow.projects.count(project_name=5),
    ),
    "an identifier that is none": (
        BadInput,
        "patient_identifier",
        lambda uow, patient: uow.patients.by_identifier(patient.project_id, 12),
    ),
    "a column that is no name": (
        UnknownName,
        "no field",
        lambda uow, _: Project.by_column(uow, 3, "a"),  # type: ignore[arg-type]
    ),
    "one of several": (Duplicate, "more than one", lambda uow, _: uow.features.one()),
}


class MisuseContract(Contract):
    """What a repository says to what cannot be meant, on every adapter."""

    @pytest.mark.parametrize("case", MISUSES)
    def test_misuse_is_an_error_of_ours(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, case: str
    ) -> None:
        kind, said, misuse = MISUSES[case]
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.build(Patient))
            uow.features.add_all([Feature(feature_name="a"), Feature(feature_name="b")])
            uow.commit()
            with pytest.raises(kind, match=said):
                misuse(uow, patient)
            uow.rollback()
            assert (uow.projects.count(), uow.patients.count()) == (1, 1)

    def test_a_refused_list_puts_nothing_in(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            several: list[Any] = [build.build(Project), build.build(Patient)]
            with pytest.raises(BadInput):
                uow.projects.add_all(several)
            uow.commit()
            assert (uow.projects.count(), uow.patients.count()) == (0, 0)

    @pytest.mark.parametrize("way", ["one", "where", "count"])
    def test_a_private_value_is_in_no_error(
        self, make_unit_of_work: MakeUnitOfWork, way: str
    ) -> None:
        with make_unit_of_work() as uow:
            uow.creators.add_all(
                Creator(creator_name=name, password_hash=HASH) for name in ("a", "b")
            )
            uow.commit()
            asked = [{"password_hash": HASH + "\0"}]
            if way == "one":
                asked += [{"password_hash": HASH}, {"PasswordHash": HASH + "x"}]
            for values in asked:
                with pytest.raises(EyenedError) as caught:
                    getattr(uow.creators, way)(**values)
                assert "canary" not in f"{caught.value}{vars(caught.value)}"

    @pytest.mark.parametrize("way", ["add", "delete", "where", "add_all", "by_ids"])
    def test_a_private_value_that_is_put_where_an_object_belongs_is_in_no_error(
        self, make_unit_of_work: MakeUnitOfWork, way: str
    ) -> None:
        given: list[Any] = [{"password_hash": HASH}, HASH, [HASH]]
        with make_unit_of_work() as uow:
            for one in given[:2] if way in {"add_all", "by_ids"} else given:
                with pytest.raises(EyenedError) as caught:
                    getattr(uow.creators, way)(one)
                assert "canary" not in f"{caught.value}{vars(caught.value)}"

    @pytest.mark.parametrize(
        ("field", "value", "ask"),
        [
            ("project_id", "'x'", lambda uow: uow.projects.get("x")),
            ("project_id", "'x'", lambda uow: uow.projects.by_ids([1, "x"])),
            ("project_name", "5", lambda uow: uow.projects.where(project_name=5)),
            ("project_name", "5", lambda uow: uow.projects.by_name(5)),
            ("project_name", "5", lambda uow: uow.projects.count(ProjectName=[5])),
            ("contact", "5", lambda uow: uow.projects.where(contact=5)),
            ("project_id", "(1, 2)", lambda uow: uow.projects.get((1, 2))),
        ],
    )
    def test_an_error_names_entity_field_and_value(
        self,
        make_unit_of_work: MakeUnitOfWork,
        field: str,
        value: str,
        ask: Callable[[Any], Any],
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput) as caught:
                ask(uow)
            error = caught.value
            assert (error.entity, error.field, error.value) == ("Project", field, value)
            assert "Project" in str(error)
            assert value in str(error)

    def test_links_are_asked_for_by_objects_and_by_none(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, two, three = (uow.patients.add(build.build(Patient)) for _ in range(3))
            studies = [Study(patient=each, study_date="2024-01-01") for each in (one, two, three)]
            form = build.build(FormAnnotation, patient=one, study=studies[0])
            uow.studies.add_all(studies)
            uow.forms.add(form)
            uow.flush()
            assert uow.studies.where(patient=[one, three]) == [studies[0], studies[2]]
            assert uow.studies.where(patient=()) == []
            assert uow.forms.where(study=[None, studies[0]]) == [form]
            assert uow.series.where(study=Study(study_date="2024-01-01")) == []
            assert uow.patients.where(sex=[None, "F"]) == [one, two, three]
            assert uow.repository(Series).count() == 0
