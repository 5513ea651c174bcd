"""Objects in hand, while many rows are written: they show it, and go back with it."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from contextlib import suppress
from datetime import date

from eyened_domain.model import (
    ImageInstance,
    Patient,
    Project,
    SexEnum,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.many_rows_there import stored_patients


def _names(project: Project) -> list[str]:
    return [one.patient_identifier for one in project.patients]


class ManyRowsInHandContract(Contract):
    """That objects, links and lists show what was written to rows."""

    def test_what_was_set_before_is_stored_before(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, two, _ = stored_patients(uow, build)
            one.sex, two.birth_date = SexEnum.M, date(1950, 1, 1)
            given = {"patient_id": [one.patient_id, two.patient_id], "sex": ["M", "M"]}
            written = uow.patients.update_many(given)
            assert (written.changed, written.same) == (1, 1)
            two.birth_date = date(1951, 1, 1)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.patients.get(two.patient_id)
            assert (found.sex, found.birth_date) == (SexEnum.M, date(1951, 1, 1))

    def test_objects_links_and_lists_show_what_was_written(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, two, _ = stored_patients(uow, build)
            areds, other = one.project, uow.projects.by_name("Other")
            assert (_names(areds), _names(other)) == ([*"abc"], [])
            assert two.studies == []
            uow.patients.insert_many({"project": [areds, other], "patient_identifier": [*"xy"]})
            assert (_names(areds), _names(other)) == ([*"abcx"], ["y"])
            uow.patients.update_many(
                {
                    "patient_id": [one.patient_id, two.patient_id],
                    "project": ["Other", None],
                    "patient_identifier": [None, "z"],
                }
            )
            assert (one.project, one.project_id) == (other, other.project_id)
            assert (_names(areds), _names(other)) == ([*"zcx"], [*"ay"])
            uow.commit()
            assert (_names(areds), _names(other)) == ([*"zcx"], [*"ay"])

    def test_a_rollback_takes_it_back_from_objects_links_and_lists(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _, _ = stored_patients(uow, build)
            areds, other = one.project, uow.projects.by_name("Other")
            assert (_names(areds), _names(other)) == ([*"abc"], [])
            self._write(uow, one)
            assert (one.sex, _names(areds), _names(other)) == (SexEnum.M, [*"bcx"], ["a"])
            uow.rollback()
            assert (one.sex, one.project) == (SexEnum.F, areds)
            assert (_names(areds), _names(other)) == ([*"abc"], [])

    def test_a_savepoint_takes_it_back_from_objects_links_and_lists(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _, _ = stored_patients(uow, build)
            areds, other = one.project, uow.projects.by_name("Other")
            assert (_names(areds), _names(other)) == ([*"abc"], [])
            with suppress(BackOut), uow.savepoint():
                self._write(uow, one)
                assert (one.sex, _names(areds), _names(other)) == (SexEnum.M, [*"bcx"], ["a"])
                raise BackOut
            assert (one.sex, one.project) == (SexEnum.F, areds)
            assert (_names(areds), _names(other)) == ([*"abc"], [])
            assert uow.patients.count() == 3
            one.birth_date = date(1950, 1, 1)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.patients.get(one.patient_id)
            assert (found.sex, found.birth_date) == (SexEnum.F, date(1950, 1, 1))
            assert found.project.project_name == "AREDS"

    def _write(self, uow: UnitOfWork, one: Patient) -> None:
        uow.patients.update_many(
            {"patient_id": [one.patient_id], "project": ["Other"], "sex": ["M"]}
        )
        uow.patients.insert_many({"project": ["AREDS"], "patient_identifier": ["x"]})

    def test_rows_that_are_taken_back_are_not_found_by_objects_that_were_read(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            stored_patients(uow, build)
            with suppress(BackOut), uow.savepoint():
                with uow.savepoint():
                    given = {"project": "AREDS", "patient_identifier": "x"}
                    (identity,) = uow.patients.insert_many([given])
                    gone = uow.patients.get(identity)
                raise BackOut
            assert uow.patients.get(identity, default=None) is None
            assert gone.patient_identifier == "x"
            uow.commit()
            assert uow.patients.count() == 3

    def test_what_others_have_changed_is_compared_and_kept(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(rows_y=1))
            uow.commit()
            key = {"image_instance_id": image.image_instance_id}
        with make_unit_of_work() as uow:
            uow.rows.update(ImageInstance, [{**key, "columns_x": 99}])
            uow.commit()
        with make_unit_of_work() as uow:
            written = uow.images.update_many([{**key, "rows_y": 2, "columns_x": 99}])
            assert (written.changed, written.same) == (1, 0)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.images.get(key["image_instance_id"])
            assert (found.rows_y, found.columns_x) == (2, 99)
