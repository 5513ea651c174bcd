"""What an error leaves behind, and what objects hold after a rollback."""

# ruff: noqa: D102, PT012, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from eyened_domain.errors import BadInput, Duplicate, EyenedError, NotFound, RuleBroken
from eyened_domain.model import FormSchema, Project, Study
from eyened_domain.services.events import Event
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

CALLS: dict[str, Callable[[UnitOfWork], object]] = {
    "flush": lambda uow: uow.flush(),
    "commit": lambda uow: uow.commit(),
    "get": lambda uow: uow.projects.get(1, default=None),
    "by_ids": lambda uow: uow.projects.by_ids([]),
    "where": lambda uow: uow.projects.where(),
    "one": lambda uow: uow.projects.one(project_id=1, default=None),
    "by_name": lambda uow: uow.projects.by_name("x", default=None),
    "count": lambda uow: uow.projects.count(),
    "name_to_id": lambda uow: uow.projects.name_to_id(),
    "add": lambda uow: uow.projects.add(Project(project_name="another")),
    "a savepoint": lambda uow: uow.savepoint().__enter__(),
    "the class": lambda uow: Project.by_id(uow, 1, default=None),
}
"""What is refused after an error."""

FAULTS: dict[str, tuple[type[EyenedError], Callable[[UnitOfWork], object]]] = {
    "a duplicate": (Duplicate, lambda uow: uow.projects.add(Project(project_name="Kept"))),
    "something missing": (BadInput, lambda uow: uow.studies.add(Study(study_date="2024-01-01"))),
    "a link to nothing": (
        RuleBroken,
        lambda uow: uow.studies.add(Study(study_date="2024-01-01", patient_id=987654)),
    ),
    "a rule": (
        RuleBroken,
        lambda uow: uow.form_schemas.add(_schema(uow, schema=[1])),
    ),
}
"""Errors that a flush raises."""


def _schema(uow: UnitOfWork, **values: Any) -> FormSchema:
    return uow.form_schemas.entity(schema_name="A form", **values)


@frozen
class Happened(Event):
    """Something to be published."""

    name: str


class ErrorContract(Contract):
    """What every unit of work is held to when something fails."""

    @pytest.fixture
    def make_unit(self, make_unit_of_work: MakeUnitOfWork) -> MakeUnitOfWork:
        """Gives units of work on a storage with one project."""
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Kept", description="before"))
            uow.commit()
        return make_unit_of_work

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("fault", FAULTS)
    def test_after_a_flush_that_failed_every_call_says_so_until_the_rollback(
        self, make_unit: MakeUnitOfWork, fault: str, call: str
    ) -> None:
        kind, cause = FAULTS[fault]
        with make_unit() as uow:
            cause(uow)
            with pytest.raises(kind):
                uow.flush()
            for _ in range(2):
                with pytest.raises(kind, match="earlier error has ended this unit of work"):
                    CALLS[call](uow)
            uow.rollback()
            assert uow.projects.count() == 1
            uow.projects.add(Project(project_name="Next"))
            uow.commit()
        with make_unit() as uow:
            assert set(uow.projects.name_to_id()) == {"Kept", "Next"}

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_finder_or_commit_that_fails_on_what_was_to_be_stored_ends_the_unit_as_well(
        self, make_unit: MakeUnitOfWork, fault: str
    ) -> None:
        kind, cause = FAULTS[fault]
        for fails in ("where", "commit", "get"):
            with make_unit() as uow:
                cause(uow)
                with pytest.raises(kind):
                    CALLS[fails](uow)
                with pytest.raises(kind, match="earlier error"):
                    uow.commit()
                uow.rollback()
                assert uow.projects.count() == 1

    def test_what_is_refused_before_anything_is_sent_leaves_the_unit_as_it_was(
        self, make_unit: MakeUnitOfWork
    ) -> None:
        with make_unit() as uow:
            kept = uow.projects.by_name("Kept")
            kept.description = "after"
            refused: list[Callable[[], Any]] = [
                lambda: setattr(kept, "external", "no such word"),
                lambda: uow.projects.get(987654),
                lambda: uow.projects.by_name("Nobody"),
                lambda: uow.projects.one(no_such_column=1),
                lambda: uow.projects.get((1, 2)),
                lambda: kept.no_such_field,  # type: ignore[attr-defined]
                lambda: kept.patients.append("a text"),  # type: ignore[arg-type]
            ]
            for refuse in refused:
                with pytest.raises(EyenedError):
                    refuse()
            uow.commit()
        with make_unit() as uow:
            assert uow.projects.by_name("Kept").description == "after"

    def test_an_error_in_a_savepoint_takes_back_what_happened_in_it(
        self, make_unit: MakeUnitOfWork
    ) -> None:
        published: list[Event] = []
        with make_unit([published.append]) as uow:
            kept = uow.projects.by_name("Kept")
            kept.description = "outside"
            uow.record(Happened("outside"))
            with pytest.raises(Duplicate), uow.savepoint():
                kept.description = "inside"
                uow.projects.add(Project(project_name="Inside"))
                uow.record(Happened("inside"))
                uow.flush()
                uow.projects.add(Project(project_name="Kept"))
                uow.flush()
            assert kept.description == "outside"
            assert [one.project_name for one in uow.projects.where()] == ["Kept"]
            with uow.savepoint():
                uow.projects.add(Project(project_name="Second"))
            uow.commit()
        assert published == [Happened("outside")]
        with make_unit() as uow:
            assert set(uow.projects.name_to_id()) == {"Kept", "Second"}
            assert uow.projects.by_name("Kept").description == "outside"

    def test_savepoints_may_be_nested(self, make_unit: MakeUnitOfWork) -> None:
        with make_unit() as uow:
            kept = uow.projects.by_name("Kept")
            with pytest.raises(ZeroDivisionError), uow.savepoint():
                kept.description = "one"
                with uow.savepoint():
                    kept.description = "two"
                with pytest.raises(NotFound), uow.savepoint():
                    kept.description = "three"
                    uow.projects.by_name("Nobody")
                assert kept.description == "two"
                raise ZeroDivisionError
            assert kept.description == "before"
            uow.commit()
        with make_unit() as uow:
            assert uow.projects.by_name("Kept").description == "before"

    def test_what_was_deleted_in_a_savepoint_comes_back(self, make_unit: MakeUnitOfWork) -> None:
        with make_unit() as uow:
            kept = uow.projects.by_name("Kept")
            with pytest.raises(ZeroDivisionError), uow.savepoint():
                uow.projects.delete(kept)
                uow.flush()
                assert uow.projects.count() == 0
                raise ZeroDivisionError
            assert uow.projects.where() == [kept]
            kept.description = "here again"
            uow.commit()
        with make_unit() as uow:
            assert uow.projects.by_name("Kept").description == "here again"

    def test_a_rollback_gives_objects_back_what_they_held(self, make_unit: MakeUnitOfWork) -> None:
        with make_unit() as uow:
            kept = uow.projects.by_name("Kept")
            for flushes in (True, False):
                kept.description = "changed"
                if flushes:
                    uow.flush()
                uow.rollback()
                assert kept.description == "before"
            assert kept.project_name == "Kept"

    def test_after_a_rollback_objects_hold_what_others_have_committed(
        self, make_unit: MakeUnitOfWork
    ) -> None:
        with make_unit() as uow:
            uow.projects.add(Project(project_name="Second"))
            uow.commit()
        with make_unit() as uow:
            first, second = kept = uow.projects.where()
            uow.commit()
            with make_unit() as other:
                other.projects.get(first.project_id).description = "theirs"
                other.projects.delete(other.projects.get(second.project_id))
                other.commit()
            uow.rollback()
            assert first.description == "theirs"
            assert second.project_name == "Second"
            first.description += ", and ours"
            uow.commit()
        assert [one.description for one in kept] == ["theirs, and ours", None]

    @pytest.mark.parametrize("ends", ["rollback", "a failed flush", "a failed commit", "nothing"])
    def test_objects_stay_readable_when_the_unit_has_come_to_nothing(
        self, make_unit: MakeUnitOfWork, build: Builder, ends: str
    ) -> None:
        with make_unit() as uow:
            kept = uow.projects.by_name("Kept")
            new = uow.patients.add(build.a_patient(project=kept, patient_identifier="new"))
            uow.flush()
            if ends == "rollback":
                uow.rollback()
            elif ends != "nothing":
                uow.projects.add(Project(project_name="Kept"))
                with pytest.raises(Duplicate):
                    uow.flush() if ends == "a failed flush" else uow.commit()
        assert (kept.project_name, kept.description) == ("Kept", "before")
        assert new.patient_identifier == "new"
        assert "Kept" in repr(kept)

    def test_objects_are_readable_after_two_rollbacks_and_the_end(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            uow.rollback()
            uow.rollback()
        assert project.project_name == "a"

    def test_objects_are_readable_when_a_unit_fails_after_a_rollback(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            uow.rollback()
            uow.projects.add(Project(project_name="a"))
            with pytest.raises(Duplicate):
                uow.flush()
            assert project.project_name == "a"
        assert project.project_name == "a"

    def test_what_a_savepoint_has_read_is_still_stored_after_it(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="a", description="before"))
            uow.commit()
        with make_unit_of_work() as uow:
            with pytest.raises(ZeroDivisionError), uow.savepoint():
                project = uow.projects.by_name("a")
                project.description = "within"
                raise ZeroDivisionError
            assert project.description == "before"
            uow.projects.delete(project)
            uow.commit()
            assert uow.projects.count() == 0
