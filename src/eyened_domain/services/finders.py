"""Finders of single entity classes: the mixins of their repositories, on every adapter."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, overload

from eyened_domain.model.entity import Entity
from eyened_domain.model.patient import Patient
from eyened_domain.model.queries import RAISE
from eyened_domain.services.repository import Repository

D = TypeVar("D")


class PatientRepository(Repository[Patient]):
    """All patients."""

    @overload
    def by_identifier(self, project_id: int, identifier: str) -> Patient: ...
    @overload
    def by_identifier(self, project_id: int, identifier: str, *, default: D) -> Patient | D: ...
    def by_identifier(self, project_id: int, identifier: str, *, default: Any = RAISE) -> Any:
        """Return the patient known by that identifier in a project.

        Raises:
            NotFound: there is none, and no default was given.
        """
        return self.one(default=default, project_id=project_id, patient_identifier=identifier)


FINDERS: dict[type[Entity], Any] = {Patient: PatientRepository}
"""The repositories that have finders of their own, by entity class."""


@cache
def repository_class(adapter: type[Repository[Any]], entity: type[Entity]) -> Any:
    """Return the repository class of an entity on an adapter.

    Args:
        adapter: the adapter's own class, which gives the primitives.
        entity: an entity class; its finders, if it has any, come first.
    """
    finders = FINDERS.get(entity)
    if finders is None:
        return adapter
    return type(finders.__name__, (finders, adapter), {"__doc__": finders.__doc__})
