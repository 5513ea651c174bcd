"""The fields of `model.project` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class ContactNames:
    """The fields of `Contact` under their second names."""

    ContactID: Column[int]
    Name: Column[str]
    Email: Column[str]
    Institute: Column[str | None]
    Orcid: Column[str | None]
    Projects: Many[model.Project]
    Tasks: Many[model.Task]


class ProjectNames:
    """The fields of `Project` under their second names."""

    ProjectID: Column[int]
    ProjectName: Column[str]
    External: EnumColumn[model.ExternalEnum]
    Description: Column[str | None]
    ContactID: Column[int | None]
    DOI: Column[str | None]
    DateInserted: DateColumn[datetime]
    Contact: One[model.Contact | None]
    Patients: Many[model.Patient]
