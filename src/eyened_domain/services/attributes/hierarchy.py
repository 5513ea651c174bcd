"""From owners up to their projects: which columns there are, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.study import Series, Study
from eyened_domain.services.attributes.owners import OwnerKind
from eyened_domain.services.unit_of_work import UnitOfWork

_UP: Mapping[type[Entity], tuple[str, type[Entity]]] = {
    Segmentation: ("image_instance_id", ImageInstance),
    ModelSegmentation: ("image_instance_id", ImageInstance),
    ImageInstance: ("series_id", Series),
    Series: ("study_id", Study),
    Study: ("patient_id", Patient),
    Patient: ("project_id", Project),
}


@frozen
class Reference:
    """A column of an entity above an owner, or of the owner itself."""

    entity: type[Entity]
    column: str

    @property
    def info(self) -> ColumnInfo:
        """What the model says of the column."""
        return self.entity.__entity__.columns[self.column]


def levels_of(kind: OwnerKind) -> list[type[Entity]]:
    """Return the owner's entity and those above it, the project last."""
    levels = [kind.entity]
    while levels[-1] in _UP:
        levels.append(_UP[levels[-1]][1])
    return levels


def reference(kind: OwnerKind, name: str) -> Reference:
    """Return the column that a name means: ``study_date``, or ``Study.study_date``.

    Raises:
        BadInput: there is none above such owners, there are several, or it is private.
    """
    levels = levels_of(kind)
    asked, dot, rest = name.partition(".")
    found = [
        Reference(entity, info.name)
        for entity in levels
        if not dot or entity.__name__ == asked
        for info in entity.__entity__.columns.values()
        if (rest if dot else name) in {info.name, info.database_name} and not info.private
    ]
    own = [one for one in found if one.info.primary_key]  # study_id means Study's, not Series'
    found = own[:1] or found
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(f"{one.entity.__name__}.{one.column}" for one in found)
        raise BadInput(f"the column {name} is one of {several}: say which", field=name)
    known = ", ".join(entity.__name__ for entity in levels)
    raise BadInput(f"there is no column {name} in {known}", field=name)


def read_up(
    uow: UnitOfWork, kind: OwnerKind, ids: Iterable[int], wanted: Sequence[Reference]
) -> dict[int, tuple[Any, ...]]:
    """Return, by the id of each owner that there is, what these columns hold.

    One statement for every ten thousand owners.
    """
    levels = levels_of(kind)
    highest = max((levels.index(one.entity) for one in wanted), default=0)
    way = [_UP[entity][0] for entity in levels[:highest]]
    (key,) = kind.entity.__entity__.primary_key
    paths = [".".join([*way[: levels.index(one.entity)], one.column]) for one in wanted]
    rows = uow.rows.find(kind.entity, key, list(dict.fromkeys(ids)), [key, *paths])
    return {row[0]: row[1:] for row in rows}


def ids_in_project(uow: UnitOfWork, kind: OwnerKind, project_id: int) -> list[int]:
    """Return the ids of all owners in a project; one statement for each level."""
    ids = [project_id]
    for entity in reversed(levels_of(kind)[:-1]):
        (key,) = entity.__entity__.primary_key
        ids = sorted(row[0] for row in uow.rows.find(entity, _UP[entity][0], ids, [key]))
    return ids
