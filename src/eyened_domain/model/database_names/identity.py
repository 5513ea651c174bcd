"""The fields of `model.identity` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, One


class CreatorIdentityNames:
    """The fields of `CreatorIdentity` under their second names."""

    CreatorIdentityID: Column[int]
    CreatorID: Column[int]
    Issuer: Column[str]
    Subject: Column[str]
    Fingerprint: Column[str]
    DateInserted: DateColumn[datetime]
    Creator: One[model.Creator]
