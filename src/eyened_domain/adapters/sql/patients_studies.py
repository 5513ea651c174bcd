"""The statement that reads the studies of patients who are known by their identifiers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, select

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Study


def studies_of_project(number: int) -> Select[Any]:
    """Return what reads the studies of patients of one project.

    One project at a time, so that both columns of the patients' key are used; the outer joins
    keep a project without such patients, and patients without studies.
    """
    project, patient, study = table_of(Project), table_of(Patient), table_of(Study)
    named: Any = bindparam(f"patients_{number}", expanding=True)
    is_meant = and_(
        patient.c.project_id == project.c.project_id, patient.c.patient_identifier.in_(named)
    )
    return (
        select(
            project.c.project_name,
            project.c.project_id,
            patient.c.patient_identifier,
            patient.c.patient_id,
            study.c.study_date,
            study.c.study_id,
        )
        .select_from(project)
        .outerjoin(patient, is_meant)
        .outerjoin(study, study.c.patient_id == patient.c.patient_id)
        .where(project.c.project_name == bindparam(f"project_{number}"))
    )
