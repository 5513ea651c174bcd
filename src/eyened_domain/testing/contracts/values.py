"""What values mean when they are stored, looked for and compared."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model import Creator, Feature, Patient, Project, Study
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

SAME = ("Étude", "étude", "Etude", "ÉTUDE  ", "etude ")
"""One name, as people write it."""
FLOATS = (0.1, 1 / 3, 1234567.0, 2.5, 1e-7, 3.4e38, -0.7, 16777217.0)


class ValueContract(Contract):
    """What every storage makes of values."""

    @pytest.mark.parametrize("asked", SAME)
    @pytest.mark.parametrize("stored", SAME[:2])
    def test_names_are_found_without_regard_to_case_and_accents(
        self, make_unit_of_work: MakeUnitOfWork, stored: str, asked: str
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add_all([Project(project_name=stored), Project(project_name="Etudes")])
            uow.commit()
        asked = _as_the_storage_can(make_unit_of_work, asked)
        with make_unit_of_work() as uow:
            assert uow.projects.by_name(asked).project_name == stored
            assert uow.projects.count(project_name=[asked, "nothing"]) == 1
            with pytest.raises(NotFound):
                uow.projects.by_name("E tude")

    @pytest.mark.parametrize("second", SAME[1:])
    def test_a_natural_key_is_taken_once_however_it_is_written(
        self, make_unit_of_work: MakeUnitOfWork, second: str
    ) -> None:
        second = _as_the_storage_can(make_unit_of_work, second)
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name=SAME[0]))
            uow.commit()
            uow.projects.add(Project(project_name=second))
            with pytest.raises(Duplicate) as caught:
                uow.commit()
        assert (caught.value.entity, caught.value.field) == ("Project", "project_name")

    def test_a_name_with_blanks_at_its_end_is_kept_as_it_is_and_found(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="AREDS "))
            uow.commit()
        asked = _as_the_storage_can(make_unit_of_work, "areds", instead="areds ")
        with make_unit_of_work() as uow:
            assert uow.projects.by_name(asked).project_name == "AREDS "

    def test_values_of_numpy_are_stored_and_found(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(
                build.a_patient(
                    patient_identifier=np.str_("12"), birth_date=np.datetime64("1950-01-31")
                )
            )
            study = uow.studies.add(
                Study(patient=patient, study_date="2024-01-01", study_round=_any(np.int64(7)))
            )
            uow.commit()
            ids = np.array([patient.patient_id])
        with make_unit_of_work() as uow:
            found = uow.patients.get(ids[0])
            assert (found.birth_date, found.patient_identifier) == (date(1950, 1, 31), "12")
            assert uow.patients.by_ids(ids) == [found]
            assert uow.patients.where(patient_id=ids) == [found]
            assert uow.patients.where(birth_date=np.datetime64("1950-01-31T00:00")) == [found]
            assert uow.studies.one(study_round=np.float64(7)).study_id == study.study_id
            assert type(uow.studies.one(study_round=7).study_round) is int
            assert uow.patients.where(birth_date=np.datetime64("NaT")) == []
            assert (
                Patient(patient_identifier="x", birth_date=_any(np.datetime64("NaT"))).birth_date
                is None
            )

    def test_an_id_may_be_asked_for_by_its_digits_only(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.flush()
            identity = patient.patient_id
            assert uow.patients.get(str(identity)) is patient
            for wrong in (f"{identity}xyz", f"0{identity}", f"{identity}.0", "", 0.5):
                with pytest.raises(BadInput, match=r"Patient\.patient_id"):
                    uow.patients.get(wrong)
                with pytest.raises(BadInput, match=r"Patient\.patient_id"):
                    uow.patients.where(patient_id=[identity, wrong])

    def test_a_number_is_not_looked_for_among_texts(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            project = build.a_project()
            for identifier in ("0012", "12", "12.0", "12abc"):
                uow.patients.add(Patient(patient_identifier=identifier, project=project))
            uow.commit()
            with pytest.raises(BadInput, match=r"Patient\.patient_identifier: a text is needed"):
                uow.patients.where(patient_identifier=12)
            assert [one.patient_identifier for one in uow.patients.where(patient_identifier="12")]

    def test_what_a_column_cannot_hold_is_not_looked_for(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("images", {"laterality": "X"}),
            ("patients", {"birth_date": "no date"}),
            ("patients", {"patient_identifier": "x" * 300}),
            ("studies", {"study_round": 2**40}),
            ("features", {"date_inserted": "yesterday"}),
        ]
        with make_unit_of_work() as uow:
            for name, values in wrong:
                (field,) = values
                with pytest.raises(BadInput) as caught:
                    getattr(uow, name).where(**values)
                assert caught.value.field == field
                assert caught.value.entity == getattr(uow, name).entity.__name__

    @pytest.mark.parametrize("number", FLOATS)
    def test_a_number_of_single_precision_comes_back_as_it_was_held_and_is_found(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, number: float
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(resolution_axial=number))
            held = image.resolution_axial
            uow.commit()
        assert held == pytest.approx(number, rel=1e-6)
        with make_unit_of_work() as uow:
            found = uow.images.where()[0]
            assert found.resolution_axial == held
            assert uow.images.where(resolution_axial=held) == [found]
            assert uow.images.where(resolution_axial=number) == [found]
            assert uow.images.where(resolution_axial=np.float32(number)) == [found]

    def test_a_moment_that_the_storage_gave_is_found(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            given = uow.features.add(Feature(feature_name="given"))
            told = uow.features.add(
                Feature(feature_name="told", date_inserted=datetime(2001, 2, 3, 4, 5, 6))
            )
            uow.commit()
            assert uow.features.where(date_inserted=given.date_inserted) == [given]
            assert uow.features.where(date_inserted="2001-02-03T04:05:06") == [told]

    def test_what_refers_to_a_deleted_object_is_named(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.study_tags.add(build.a_study_tag_link(creator=Creator(creator_name="who")))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.creators.delete(uow.creators.by_name("who"))
            with pytest.raises(RuleBroken, match=r"StudyTagLink.*creator_id") as caught:
                uow.flush()
        assert (caught.value.entity, caught.value.field) == ("Creator", "creator_id")

    def test_a_link_to_nothing_is_named(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(Study(patient_id=999_999, study_date="2024-01-31"))
            with pytest.raises(
                RuleBroken, match=r"Study\.patient_id points to a Patient"
            ) as caught:
                uow.flush()
        assert (caught.value.entity, caught.value.field) == ("Study", "patient_id")


def _any(value: Any) -> Any:
    """Return the value, of a type that no checker looks at."""
    return value


def _as_the_storage_can(
    make_unit_of_work: MakeUnitOfWork, text: str, *, instead: str | None = None
) -> str:
    """Leave the blanks away where a server tells them apart (NO PAD: MySQL 8 and 9)."""
    with make_unit_of_work() as uow:
        session = getattr(uow, "session", None)
        bind = None if session is None else session.get_bind()
        if bind is None or bind.dialect.name == "sqlite" or bind.dialect.is_mariadb:
            return text
    return text.rstrip(" ") if instead is None else instead
