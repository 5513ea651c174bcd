"""Columns of an entity, and of what its links lead to: ``series.study.study_date``.

A path goes by links to one, or by columns that hold an id (``image_instance_id.inactive``,
where no link leads there), and ends in a column.
"""

from __future__ import annotations

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity, EntityInfo, entity_class


@frozen
class Step:
    """One step of a path, from an object to the one that a column of it points to."""

    via: str
    """The column that holds the id."""
    target: type[Entity]


@frozen
class ColumnPath:
    """Where a column is, seen from an entity."""

    steps: tuple[Step, ...]
    owner: type[Entity]
    """Whose column it is."""
    column: str


def path_of(entity: type[Entity], text: str) -> ColumnPath:
    """Return what a path means.

    Raises:
        BadInput: a step leads nowhere, or to many, or it ends in no column.
        UnknownName: there is no such field.
    """
    *before, last = text.split(".")
    steps: list[Step] = []
    owner = entity
    for name in before:
        steps.append(_step(owner.__entity__, name))
        owner = steps[-1].target
    check_column(owner.__entity__, last)
    return ColumnPath(tuple(steps), owner, last)


def _step(info: EntityInfo, name: str) -> Step:
    link, column = info.links.get(name), info.columns.get(name)
    if link is not None and not link.many:
        return Step(str(link.via), entity_class(link.target))
    if column is not None and column.references:
        return Step(name, entity_class(column.references))
    info.field_name(name)  # says what comes near, where there is none
    raise BadInput(
        f"{info.name}.{name} leads to no single object: a path goes by links to one, and by "
        "columns of ids",
        entity=info.name,
        field=name,
    )


def check_column(info: EntityInfo, name: str) -> None:
    """Raise `BadInput` unless it is the name of a column, in Python's style."""
    if name in info.columns:
        return
    field = info.field_name(name)
    link = info.links.get(field)
    column = field if link is None else link.via
    raise BadInput(
        f"{info.name}.{name} is no column of rows"
        + (f"; say {column}" if column else ": it is a list"),
        entity=info.name,
        field=name,
    )
