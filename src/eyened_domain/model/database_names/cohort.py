"""The fields of `model.cohort` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, Many, One


class CohortNames:
    """The fields of `Cohort` under their second names."""

    CohortID: Column[int]
    CohortName: Column[str]
    Description: Column[str | None]
    CreatorID: Column[int]
    SearchCondition: Column[Any]
    OrderBy: Column[Any]
    IncludeInactive: Column[bool]
    DateInserted: DateColumn[datetime]
    DateFrozen: DateColumn[datetime | None]
    Digest: Column[str | None]
    Creator: One[model.Creator]
    Members: Many[model.CohortMember]


class CohortMemberNames:
    """The fields of `CohortMember` under their second names."""

    CohortID: Column[int]
    ImageInstanceID: Column[int]
    Position: Column[int]
    Digest: Column[str]
    Part: Column[str | None]
    Cohort: One[model.Cohort]
