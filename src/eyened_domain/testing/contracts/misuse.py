"""What is asked wrongly of a repository: an error of ours that names what to do."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, EyenedError, NotFound, RuleBroken, UnknownName
from eyened_domain.model import Creator, Feature, FormAnnotation, Patient, Project, Series, Study
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

HASH = "$argon2id$v=19$m=65536,t=3,p=4$canary"
Misuse = Callable[[Any, Patient], Any]
"""Takes a unit of work and a stored patient."""


def _deleted_twice(uow: Any, patient: Patient) -> None:
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
    "the name of what has none": (RuleBroken, "no name", lambda uow, _: uow.forms.by_name("a")),
    "the names of what has none": (RuleBroken, "no name", lambda uow, _: uow.forms.name_to_id()),
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
