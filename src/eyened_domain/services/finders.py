"""Finders of single entity classes: the mixins of their repositories, on every adapter."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, overload

from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.model.form import FormAnnotation, FormSchema
from eyened_domain.model.patient import Patient
from eyened_domain.model.queries import RAISE
from eyened_domain.model.task import Task
from eyened_domain.services.data_frames import backend_of
from eyened_domain.services.form_rows import form_frame
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


class FormRepository(Repository[FormAnnotation]):
    """All forms that were filled in."""

    def frame_of(
        self,
        schema: FormSchema,
        creator: Creator | None = None,
        *,
        include_inactive: bool | None = None,
        backend: str = "pandas",
        database_names: bool = False,
    ) -> Any:
        """Return what was filled in of a form as a DataFrame.

        See `FormAnnotation.export_formannotations_by_schema`.
        """
        backend_of(backend)
        with_all = self._includes_inactive if include_inactive is None else include_inactive
        wanted: dict[str, Any] = {} if with_all else {"inactive": False}
        wanted["form_schema_id"] = schema.form_schema_id
        if creator is not None:
            wanted["creator_id"] = creator.creator_id
        return form_frame(self.rows, wanted, backend=backend, database_names=database_names)


class TaskRepository(Repository[Task]):
    """All tasks."""

    def made_of(self, source: Any, imagesets: Any, **said: Any) -> Task:
        """Make a task; see `Task.create_from_imagesets`.

        Args:
            source: the session or unit of work that this repository is of.
            imagesets: images that are looked at together, in order.
            said: of `services.task_making.making.NewTask`.
        """
        from eyened_domain.services.task_making.making import (  # noqa: PLC0415 - when it is used
            NewTask,
            make_task,
        )

        return make_task(source, NewTask(**said), imagesets)


FINDERS: dict[type[Entity], Any] = {
    Patient: PatientRepository,
    FormAnnotation: FormRepository,
    Task: TaskRepository,
}
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
