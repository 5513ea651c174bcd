"""Projects and the people responsible for them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.database_names.project import ContactNames, ProjectNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import ExternalEnum
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.values import Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.task import Task


@entity(unique=(("name", "email", "institute"),), name="name", repository="contacts")
class Contact(ContactNames, Entity):
    """A person at an institute to whom projects and tasks belong (table `Contact`)."""

    contact_id: Column[int] = key("ContactID", default=None)
    name: Column[str] = column("Name", Text(255))
    email: Column[str] = column("Email", Text(255))
    institute: Column[str | None] = column("Institute", Text(255), default=None, nullable=True)
    orcid: Column[str | None] = column("Orcid", Text(255), default=None, nullable=True)

    projects: Many[Project] = many("Projects", "Project", back="contact", default=None)
    tasks: Many[Task] = many("Tasks", "Task", back="contact", default=None)


@entity(unique=(("project_name",),), name="project_name", repository="projects")
class Project(ProjectNames, Entity):
    """A collection of patients under one name: a cohort, a trial, a clinic's archive."""

    project_id: Column[int] = key("ProjectID", default=None)
    project_name: Column[str] = column("ProjectName", Text(255))
    external: EnumColumn[ExternalEnum] = choice("External", ExternalEnum, default=ExternalEnum.N)
    description: Column[str | None] = column("Description", Text(), default=None, nullable=True)
    contact_id: Column[int | None] = foreign_key(
        "ContactID", "Contact", default=None, nullable=True
    )
    doi: Column[str | None] = column("DOI", Text(255), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    contact: One[Contact | None] = one(
        "Contact", "Contact", via="contact_id", back="projects", default=None
    )
    patients: Many[Patient] = many("Patients", "Patient", back="project", default=None)
