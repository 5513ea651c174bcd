"""Others who change the same rows: nobody's change is written over in silence.

The units of work here follow each other: an object that a unit has read before its commit
is changed by another unit, and then by the first one again. So each storage can be held to
it, also one that lets one unit at a time write.
"""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import pytest

from eyened_domain.errors import Conflict, NotFound, RuleBroken
from eyened_domain.model import (
    AttributeDefinition,
    AttributesModel,
    Creator,
    ImageInstance,
    Patient,
    Project,
    SexEnum,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork

CHANGES: dict[str, tuple[str, str, Any, Any, Any]] = {
    "a text": ("projects", "description", "read", "theirs", "ours"),
    "a text that was NULL": ("projects", "description", None, "theirs", "ours"),
    "a text that becomes NULL": ("projects", "description", "read", None, "ours"),
    "a number": ("images", "nr_of_frames", 1, 2, 3),
    "a FLOAT": ("images", "resolution_axial", 0.1, 0.2, 0.3),
    "a date": ("patients", "birth_date", "1950-01-01", "1951-01-01", "1952-01-01"),
    "a choice": ("patients", "sex", None, "F", "M"),
    "a flag": ("images", "inactive", False, True, True),
    "bytes": ("images", "file_checksum", b"\1" * 16, b"\2" * 16, None),
    "JSON": ("forms", "form_data", {"a": [1, None]}, {"a": [True, None]}, {"a": 2}),
    "JSON that was NULL": ("forms", "form_data", None, {}, {"a": 2}),
    "a row of two tables": ("segmentation_models", "description", None, "theirs", "ours"),
}
"""Repository, column, what was read, what somebody else commits, and what is to be written."""

EDITS: dict[str, Callable[[Any], None]] = {
    "an item of an object": lambda value: value.update(mine=1),
    "an item deep inside": lambda value: value["deep"]["list"].append(3),
    "a value put in its place": lambda value: value.__setitem__("deep", None),
}


class ConcurrencyContract(Contract):
    """What every storage is held to when others change the same rows."""

    @pytest.fixture
    def stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> Callable[[str, str, Any], int]:
        """Stores an object of each repository, with a value of a column; gives its id."""

        def store(repository: str, column: str, value: Any) -> int:
            with make_unit_of_work() as uow:
                entity = getattr(uow, repository).entity
                one = build.build(entity, **{column: value})
                getattr(uow, repository).add(one)
                uow.commit()
                identity: int = getattr(one, one.__entity__.primary_key[0])
            return identity

        return store

    @contextmanager
    def _read(
        self, make_unit_of_work: MakeUnitOfWork, repository: str, identity: int
    ) -> Iterator[tuple[Any, Any]]:
        """Give a unit of work, and an object that it has read in a transaction that has ended."""
        with make_unit_of_work() as uow:
            one = getattr(uow, repository).get(identity)
            _ = one.to_dict()
            uow.commit()
            yield uow, one

    def _change(
        self, make_unit_of_work: MakeUnitOfWork, repository: str, identity: int, **values: Any
    ) -> None:
        with make_unit_of_work() as other:
            one = getattr(other, repository).get(identity)
            for name, value in values.items():
                setattr(one, name, value)
            other.commit()

    @pytest.mark.parametrize("kind", CHANGES)
    def test_what_somebody_else_has_changed_since_it_was_read_is_not_written_over(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any, kind: str
    ) -> None:
        repository, column, read, theirs, ours = CHANGES[kind]
        identity = stored(repository, column, read)
        with self._read(make_unit_of_work, repository, identity) as (uow, one):
            self._change(make_unit_of_work, repository, identity, **{column: theirs})
            setattr(one, column, ours)
            with pytest.raises(Conflict, match="by somebody else"):
                uow.commit()
            uow.rollback()
        with make_unit_of_work() as uow:
            again = getattr(uow, repository).get(identity)
            expected = type(again)(**{**_needed(again), column: theirs})
            assert getattr(again, column) == getattr(expected, column)

    def test_another_column_of_the_same_row_counts_too(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("patients", "sex", "F")
        with self._read(make_unit_of_work, "patients", identity) as (uow, patient):
            self._change(make_unit_of_work, "patients", identity, birth_date="1950-01-01")
            patient.sex = "M"
            with pytest.raises(Conflict, match="Patient"):
                uow.flush()

    @pytest.mark.parametrize("edit", EDITS)
    def test_edits_of_json_in_place_are_compared_with_what_was_read(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any, edit: str
    ) -> None:
        identity = stored("forms", "form_data", {"deep": {"list": [1, 2]}})
        with self._read(make_unit_of_work, "forms", identity) as (uow, form):
            EDITS[edit](form.form_data)
            uow.commit()  # nobody else was there
            self._change(make_unit_of_work, "forms", identity, form_data={"theirs": 1})
            form.form_data["more"] = 1
            with pytest.raises(Conflict, match="FormAnnotation"):
                uow.commit()

    def test_a_row_that_somebody_else_has_deleted_is_a_conflict(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("creators", "description", None)
        for change in (True, False):
            with self._read(make_unit_of_work, "creators", identity) as (uow, creator):
                with make_unit_of_work() as other:
                    other.creators.delete(other.creators.get(identity))
                    other.commit()
                if change:
                    creator.description = "changed"
                else:
                    uow.creators.delete(creator)
                with pytest.raises(Conflict, match="Creator"):
                    uow.flush()
            identity = stored("creators", "description", None)

    def test_what_somebody_else_has_changed_is_not_deleted(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("projects", "description", None)
        with self._read(make_unit_of_work, "projects", identity) as (uow, project):
            self._change(make_unit_of_work, "projects", identity, description="wanted after all")
            uow.projects.delete(project)
            with pytest.raises(Conflict, match="Project"):
                uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.get(identity).description == "wanted after all"

    def test_after_a_conflict_the_unit_reads_again_and_goes_on(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("forms", "form_data", {"count": 0})
        with self._read(make_unit_of_work, "forms", identity) as (uow, form):
            self._change(make_unit_of_work, "forms", identity, form_data={"count": 1})
            form.form_data["count"] += 1
            with pytest.raises(Conflict):
                uow.commit()
            uow.rollback()
            uow.forms.get(identity).form_data["count"] += 1
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.forms.get(identity).form_data == {"count": 2}

    def test_different_rows_do_not_conflict(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        mine, theirs = (stored("patients", "sex", None) for _ in range(2))
        with self._read(make_unit_of_work, "patients", mine) as (uow, patient):
            self._change(make_unit_of_work, "patients", theirs, sex="F")
            patient.sex = "M"
            uow.commit()
        with make_unit_of_work() as uow:
            assert [p.sex for p in uow.patients.by_ids([mine, theirs])] == [SexEnum.M, SexEnum.F]

    def test_what_a_unit_has_written_itself_is_no_conflict(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(
                build.an_image(resolution_axial=0.1, file_checksum=b"\1", cf_roi={"r": 1.0})
            )
            uow.commit()
            for number in range(3):
                image.resolution_axial = 1 / (3 + number)
                image.cf_roi["r"] = number / 7
                uow.flush()
                image.cf_roi["more"] = [number]
                image.file_checksum = bytes([number]) * 4
                uow.commit()
            uow.rows.update(ImageInstance, [_row(image, nr_of_frames=7)])
            assert image.nr_of_frames == 7
            image.rows_y = 99
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.images.get(image.image_instance_id)
            assert (found.rows_y, found.nr_of_frames, found.cf_roi["more"]) == (99, 7, [2])

    def test_an_edit_that_is_taken_back_writes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("forms", "form_data", {"a": 1})
        with self._read(make_unit_of_work, "forms", identity) as (uow, form):
            self._change(make_unit_of_work, "forms", identity, form_data={"a": 2})
            form.form_data["a"] = 3
            form.form_data["a"] = 1
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.forms.get(identity).form_data == {"a": 2}

    def test_rows_written_by_set_let_the_last_writer_win(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("patients", "sex", None)
        with self._read(make_unit_of_work, "patients", identity) as (uow, patient):
            self._change(make_unit_of_work, "patients", identity, sex="F", birth_date="1950-01-01")
            uow.rows.update(Patient, [_row(patient, sex=SexEnum.M)])
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.patients.get(identity)
            assert (found.sex, found.birth_date) == (SexEnum.M, date(1950, 1, 1))

    def test_what_a_new_transaction_reads_replaces_what_objects_in_hand_hold(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        ways: dict[str, Callable[[Any, Any], Any]] = {
            "get": lambda uow, one: uow.projects.get(one.project_id),
            "by_ids": lambda uow, one: uow.projects.by_ids([one.project_id])[0],
            "one": lambda uow, one: uow.projects.one(project_id=one.project_id),
            "where": lambda uow, one: uow.projects.where(project_id=one.project_id)[0],
            "by_id": lambda uow, one: Project.by_id(uow, one.project_id),
        }
        with make_unit_of_work() as uow:
            project = uow.projects.add(build.a_project(description="0"))
            uow.commit()
            for number, (name, way) in enumerate(ways.items(), 1):
                self._change(
                    make_unit_of_work, "projects", project.project_id, description=str(number)
                )
                assert project.description == str(number - 1), name
                assert way(uow, project) is project, name
                assert project.description == str(number), name
                uow.commit()
            self._change(make_unit_of_work, "projects", project.project_id, project_name="Renamed")
            assert uow.projects.by_name("Renamed") is project

    def test_navigation_in_a_new_transaction_finds_what_has_come_since(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(build.a_project())
            project.patients.append(Patient(patient_identifier="first"))
            uow.commit()
            with make_unit_of_work() as other:
                theirs = other.projects.get(project.project_id)
                theirs.patients.append(Patient(patient_identifier="second"))
                theirs.patients[0].sex = "F"
                other.commit()
            again = uow.projects.get(project.project_id)
            assert [p.patient_identifier for p in again.patients] == ["first", "second"]
            assert again.patients[0].sex is SexEnum.F

    def test_a_list_between_two_in_a_new_transaction_holds_what_has_changed_since(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            attribute = uow.attributes.add(build.build(AttributeDefinition))
            model = uow.attributes_models.add(build.build(AttributesModel))
            model.output_attributes.append(attribute)
            uow.commit()
        with make_unit_of_work() as uow:
            attribute = uow.attributes.get(attribute.attribute_id)
            model = uow.attributes_models.get(model.model_id)
            uow.commit()
            with make_unit_of_work() as other:
                other.attributes.get(attribute.attribute_id).attribute_name = "theirs"
                other.commit()
            assert model.output_attributes == [attribute]
            assert attribute.attribute_name == "theirs"

    def test_what_is_gone_is_not_found_any_more(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("creators", "description", None)
        with self._read(make_unit_of_work, "creators", identity) as (uow, creator):
            with make_unit_of_work() as other:
                other.creators.delete(other.creators.get(identity))
                other.commit()
            with pytest.raises(NotFound):
                uow.creators.get(identity)
            assert creator.creator_id == identity

    def test_what_is_locked_was_not_changed_since_it_was_read(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("projects", "description", "read")
        with self._read(make_unit_of_work, "projects", identity) as (uow, project):
            uow.lock(project)
            uow.commit()
            self._change(make_unit_of_work, "projects", identity, description="theirs")
            with pytest.raises(Conflict, match="Project"):
                uow.lock(project)
            uow.rollback()
            assert uow.projects.get(identity, lock=True).description == "theirs"

    def test_what_is_read_with_a_lock_is_as_it_is_now(
        self, make_unit_of_work: MakeUnitOfWork, stored: Any
    ) -> None:
        identity = stored("projects", "description", "0")
        for number in range(3):
            with make_unit_of_work() as uow:
                project = uow.projects.get(identity, lock=True)
                assert project.description == str(number)
                project.description = str(number + 1)
                assert uow.projects.get(identity, lock=True) is project
                uow.commit()
        with make_unit_of_work() as uow:
            assert uow.projects.get(987654, default=None, lock=True) is None

    def test_what_is_not_stored_cannot_be_locked(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="Creator is not stored"):
            uow.lock(Creator(creator_name="nobody", is_human=True))

    @pytest.mark.parametrize("is_backed_out", [True, False])
    def test_a_list_between_two_is_stored_though_others_have_changed_its_owner(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_backed_out: bool
    ) -> None:
        with make_unit_of_work() as uow:
            model = uow.attributes_models.add(build.build(AttributesModel))
            attribute = uow.attributes.add(build.build(AttributeDefinition))
            uow.commit()
            with make_unit_of_work() as other:
                other.attributes_models.get(model.model_id).description = "theirs"
                other.commit()
            with suppress(BackOut), uow.savepoint():
                model.output_attributes.append(attribute)
                uow.flush()
                if is_backed_out:
                    raise BackOut
            assert model.output_attributes == ([] if is_backed_out else [attribute])
            uow.commit()
        with make_unit_of_work() as uow:
            model = uow.attributes_models.get(model.model_id)
            assert model.description == "theirs"
            assert len(model.output_attributes) == (0 if is_backed_out else 1)


def _row(one: Any, **values: Any) -> dict[str, Any]:
    key = one.__entity__.primary_key[0]
    return {key: getattr(one, key), **values}


def _needed(one: Any) -> dict[str, Any]:
    columns = one.__entity__.columns.items()
    return {name: getattr(one, name) for name, column in columns if column.required}
