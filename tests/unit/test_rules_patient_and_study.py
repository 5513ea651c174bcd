"""The rules of patients, visits and creators."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.model import (
    Creator,
    ImageInstance,
    Patient,
    Project,
    Series,
    Study,
)

DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))


def a_patient(birth_date=None) -> Any:
    return Patient(patient_identifier="P1", birth_date=birth_date)


def an_image(**more) -> ImageInstance:
    return ImageInstance(dataset_identifier="a.png", laterality="R", **more)


def test_the_age_on_a_birthday_is_a_whole_number():
    assert a_patient("1960-05-17").age_years(date(2020, 5, 17)) == 60.0


def test_the_day_before_a_birthday_one_is_a_year_younger():
    age = a_patient("1960-05-17").age_years(date(2020, 5, 16))
    assert int(age) == 59
    assert age > 59.99


def test_half_a_year_after_the_birthday_is_half_a_year_more():
    assert abs(a_patient("2000-01-01").age_years(date(2001, 7, 2)) - 1.5) < 0.01


def test_who_was_born_on_29_february_has_a_birthday_on_1_march_in_other_years():
    patient = a_patient("2000-02-29")
    assert int(patient.age_years(date(2001, 2, 28))) == 0
    assert patient.age_years(date(2001, 3, 1)) == 1.0
    assert patient.age_years(date(2004, 2, 29)) == 4.0


def test_without_a_birth_date_there_is_no_age():
    assert a_patient().age_years(date(2020, 1, 1)) is None


def test_a_day_before_the_birth_gives_a_negative_age():
    assert a_patient("1980-01-01").age_years(date(1970, 1, 1)) == -10.0


def test_the_age_can_be_asked_at_a_time_of_a_day():
    assert a_patient("1960-05-17").age_years(datetime(2020, 5, 17, 14, 30)) == 60.0


@given(birth=DAYS, on=DAYS)
def test_the_whole_part_of_the_age_counts_the_birthdays(birth, on):
    age = a_patient(birth).age_years(on)
    had_birthday = (on.month, on.day) >= (birth.month, birth.day)
    if on >= birth:
        assert int(age) == on.year - birth.year - (not had_birthday)
    else:
        assert age < 0


@given(birth=DAYS, on=st.dates(date(1000, 1, 1), date(9999, 12, 30)))
def test_everybody_grows_older_every_day(birth, on):
    patient = a_patient(birth)
    assert patient.age_years(on) < patient.age_years(on + timedelta(days=1))


def test_the_age_at_a_visit_is_the_age_on_its_date():
    study = Study(patient=a_patient("1960-05-17"), study_date="2020-05-17")
    assert study.age_years == 60.0


def test_a_visit_has_no_age_without_a_birth_date_or_a_patient():
    assert Study(patient=a_patient(), study_date="2020-05-17").age_years is None
    assert Study(study_date="2020-05-17").age_years is None


def test_the_images_of_a_visit_and_of_a_patient_are_those_of_all_its_series():
    patient = Patient(patient_identifier="P1", project=Project(project_name="Cohort"))
    first = Study(patient=patient, study_date="2020-01-01")
    second = Study(patient=patient, study_date="2021-01-01")
    one, two, three = an_image(), an_image(), an_image()
    first.series = [Series(image_instances=[one]), Series(image_instances=[two])]
    second.series = [Series(image_instances=[three])]
    assert first.images == [one, two]
    assert patient.images == [one, two, three]
    assert Study(study_date="2022-01-01").images == []


def test_passwords_of_a_creator_are_in_no_repr_and_no_dict():
    creator = Creator(creator_name="dr_smith", password=b"s" * 32, password_hash="$argon2id$secret")
    shown = repr(creator) + str(creator) + repr(creator.to_dict())
    shown += repr(creator.to_dict(database_names=True))
    assert "secret" not in shown
    assert "ssss" not in shown
    assert "assword" not in shown
