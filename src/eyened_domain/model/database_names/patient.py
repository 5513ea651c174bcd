"""The fields of `model.patient` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class PatientNames:
    """The fields of `Patient` under their second names."""

    PatientID: Column[int]
    PatientIdentifier: Column[str]
    BirthDate: DateColumn[date | None]
    Sex: EnumColumn[model.SexEnum | None]
    ProjectID: Column[int]
    DateInserted: DateColumn[datetime]
    Project: One[model.Project]
    Studies: Many[model.Study]
    Annotations: Many[model.Annotation]
    FormAnnotations: Many[model.FormAnnotation]
    AttributeValues: Many[model.AttributeValue]
