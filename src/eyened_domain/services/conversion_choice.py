"""Which annotations are converted, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from eyened_domain.errors import NotFound
from eyened_domain.model.annotation import Annotation, AnnotationType
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.values import shown
from eyened_domain.services.unit_of_work import UnitOfWork

Chosen = dict[int, tuple[int | None, str]]
"""By AnnotationID: AnnotationReferenceID, and the name of the AnnotationType."""


def chosen_annotations(uow: UnitOfWork, type_name: str | None, project: str | None) -> Chosen:
    """Return the annotations of a type and of a project, or of all where none is given.

    Raises:
        NotFound: there is no such type or project.
    """
    types = {
        one.annotation_type_id: one.annotation_type_name
        for one in uow.repository(AnnotationType).where()
    }
    if type_name is not None:
        names = sorted(set(types.values()))
        types = {one: name for one, name in types.items() if name == type_name}
        if not types:
            raise NotFound(
                f"there is no AnnotationType {type_name!r}; there are {shown(names)}",
                entity="AnnotationType",
                field="annotation_type_name",
                value=type_name,
            )
    columns = ("annotation_id", "annotation_reference_id", "annotation_type_id", "patient_id")
    rows = uow.rows.find(Annotation, "annotation_type_id", types, columns)
    if project is not None:
        project_id = uow.repository(Project).by_name(project).project_id
        patients = set(uow.rows.find(Patient, "project_id", [project_id], ("patient_id",)))
        rows = [row for row in rows if row[3:] in patients]
    return {one: (reference, types[type_id]) for one, reference, type_id, _ in sorted(rows)}


def references_first(references: dict[int, int | None]) -> list[int]:
    """Return the ids in ascending order, but each after the one that it refers to.

    In a circle of references one has to be first; it is refused for want of its reference.
    """
    ordered: dict[int, None] = {}
    for one in references:
        ordered.update(dict.fromkeys(reversed([*_line(one, references, ordered)])))
    return list(ordered)


def _line(one: int, references: dict[int, int | None], ordered: dict[int, None]) -> Iterator[int]:
    """Yield an id, its reference, the reference of that and so on, as far as new ones come."""
    seen: set[int] = set()
    following: int | None = one
    while following in references and following not in ordered and following not in seen:
        seen.add(following)
        yield following
        following = references[following]
