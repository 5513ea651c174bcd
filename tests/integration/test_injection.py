"""Texts are stored as they are or refused; they are never part of the SQL."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from campaigns.hostile import injection as campaign_injection
from eyened_domain import BadInput, EyenedError, Patient, Project, UnknownName

FIXED = 20261123


def drawn() -> int:
    """A seed of this run; the figures of a failure name it."""
    return random.SystemRandom().randrange(2**31)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("sqlite", drawn), ("mariadb", lambda: FIXED)],
    ids=["sqlite, drawn", "mariadb, fixed"],
)
def test_hostile_texts_are_stored_as_they_are_or_refused(kind, seed, mariadb_url):
    url = f"{mariadb_url}_injection"
    figures = campaign_injection.run(kind, url, count=100, seed=seed())
    assert campaign_injection.sound(figures), figures
    assert figures["stored"] > 100


@pytest.mark.parametrize(
    "name", ["'", "%s", ":x", "\\", "`", "😀", 'a"b', "x' OR '1'='1", "100 %", "a\\'b", "%(x)s"]
)
def test_a_text_that_can_be_stored_is_found_by_itself_and_finds_nothing_else(database, name):
    with database.get_session() as session:
        other = Project(project_name="other")
        session.add_all([Project(project_name=name), other])
        session.commit()
        found = Project.by_name(session, name)
        assert found.project_name == name
        assert Project.where(session, project_name=name) == [found]
        assert session.scalars(select(Project).where(Project.ProjectName == name)).all() == [found]
        assert session.repository(Project).count(project_name=[name]) == 1


@pytest.mark.parametrize("text", ["a\0b", "\x1a", "\ud800"])
def test_a_text_that_no_database_keeps_as_it_is_is_refused(database, text):
    with pytest.raises(BadInput):
        Project(project_name=text)
    with database.get_session() as session, pytest.raises(EyenedError):
        Project.by_name(session, text)


@pytest.mark.parametrize("name", ["project_name; --", "1=1", "ProjectName OR 1", "metadata", "*"])
def test_the_name_of_a_column_is_never_sql(database, name):
    with database.get_session() as session:
        session.add(Project(project_name="A"))
        session.commit()
        with pytest.raises(UnknownName):
            Project.by_column(session, name, "A")
        named: dict[str, Any] = {name: "A"}
        with pytest.raises(UnknownName):
            Project.where(session, **named)


def test_percent_and_underscore_are_no_wildcards_in_lookups(database):
    with database.get_session() as session:
        project = Project(project_name="P")
        session.add(Patient(patient_identifier="abc", project=project))
        session.commit()
        for pattern in ("%", "a%", "___", "abc%"):
            assert Patient.by_identifier(session, project.project_id, pattern, default=None) is None
