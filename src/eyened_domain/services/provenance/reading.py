"""Reading values and what they were computed from, as sets of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from attrs import define, field, frozen

from eyened_domain.model.attribute import VALUE_COLUMNS, AttributeValue, AttributeValueInput
from eyened_domain.services.provenance.graph import ProvenanceEdge, ProvenanceGraph, ValueNode
from eyened_domain.services.unit_of_work import UnitOfWork

KEY = "attribute_value_id"
OUTPUT, INPUT = "output_attribute_value_id", "input_attribute_value_id"
_BASE = (
    KEY,
    "attribute_id",
    "attribute_definition.attribute_name",
    "attribute_definition.attribute_data_type",
    "laterality",
    "model_id",
    "producing_model.model_name",
    "producing_model.version",
    *VALUE_COLUMNS.values(),
)


@frozen
class Owner:
    """One of the kinds of things that have values."""

    link: str
    """The link of a value to it."""
    entity: str
    project: str
    """Where its project is, seen from a value."""
    inactive: tuple[str, ...] = ()
    """What says that it is inactive, or what it was drawn on, seen from a value."""
    position: str | None = None
    """What changes when its pixels do."""

    @property
    def key(self) -> str:
        """The column of a value with its id."""
        return f"{self.link}_id"

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of it."""
        return (self.key, *self.inactive, *([] if self.position is None else [self.position]))


_UP = "series.study.patient.project_id"
OWNERS = (
    Owner(
        "image_instance",
        "ImageInstance",
        f"image_instance.{_UP}",
        inactive=("image_instance.inactive",),
    ),
    Owner(
        "segmentation",
        "Segmentation",
        f"segmentation.image_instance.{_UP}",
        inactive=("segmentation.inactive", "segmentation.image_instance.inactive"),
        position="segmentation.zarr_array_index",
    ),
    Owner(
        "model_segmentation",
        "ModelSegmentation",
        f"model_segmentation.image_instance.{_UP}",
        inactive=("model_segmentation.image_instance.inactive",),
        position="model_segmentation.zarr_array_index",
    ),
    Owner("patient", "Patient", "patient.project_id"),
    Owner("study", "Study", "study.patient.project_id"),
)


@frozen(eq=False)
class Value:
    """A value as it is read, with what decides whether others are stale."""

    node: ValueNode
    attribute_id: int
    model_id: int | None
    is_inactive: bool
    """Whether its owner is inactive, or the image that this was drawn on."""
    position: int | None
    """Where the pixels of its owner are, if it has any."""

    @property
    def key(self) -> int:
        """Its id."""
        return self.node.attribute_value_id


def _value(row: dict[str, Any], owners: Iterable[Owner]) -> Value:
    owner = next(one for one in owners if row[one.key] is not None)
    data_type = row["attribute_definition.attribute_data_type"]
    node = ValueNode(
        attribute_value_id=row[KEY],
        attribute_name=row["attribute_definition.attribute_name"],
        value=row[VALUE_COLUMNS[data_type]],
        entity=owner.entity,
        entity_id=row[owner.key],
        laterality=row["laterality"],
        model_name=row["producing_model.model_name"],
        model_version=row["producing_model.version"],
    )
    return Value(
        node,
        attribute_id=row["attribute_id"],
        model_id=row["model_id"],
        is_inactive=any(row[name] for name in owner.inactive),
        position=None if owner.position is None else row[owner.position],
    )


@define
class Known:
    """Values by their ids, and what they were computed from."""

    values: dict[int, Value] = field(factory=dict)
    sources: dict[int, list[int]] = field(factory=dict)
    """The ids of what a value was computed from."""

    def add_edges(self, edges: Iterable[tuple[int, int]]) -> None:
        """Note what was computed from what: pairs of output and input."""
        for output, source in edges:
            there = self.sources.setdefault(output, [])
            if source not in there:
                there.append(source)

    @property
    def missing(self) -> list[int]:
        """The ids of inputs that have not been read."""
        sought = {one for some in self.sources.values() for one in some}
        return sorted(sought - self.values.keys())

    def graph(self) -> ProvenanceGraph:
        """Return them as what is handed out."""
        edges = [(target, source) for target, some in self.sources.items() for source in some]
        return ProvenanceGraph(
            nodes=tuple(self.values[key].node for key in sorted(self.values)),
            edges=tuple(
                ProvenanceEdge(source=source, target=target) for target, source in sorted(edges)
            ),
        )


def read_values(uow: UnitOfWork, ids: Collection[int]) -> dict[int, Value]:
    """Return the values with these ids that are there; one statement per ten thousand."""
    columns = [*_BASE, *(name for owner in OWNERS for name in owner.columns)]
    rows = uow.rows.find(AttributeValue, KEY, ids, columns) if ids else []
    values = [_value(dict(zip(columns, row, strict=True)), OWNERS) for row in rows]
    return {value.key: value for value in values}


def read_edges(uow: UnitOfWork, by: str, ids: Collection[int]) -> list[tuple[int, int]]:
    """Return what was computed from what, where output or input is one of these."""
    rows = uow.rows.find(AttributeValueInput, by, ids, [OUTPUT, INPUT]) if ids else []
    return [(output, source) for output, source in rows]


@define
class Projects:
    """The values in a project, and in those that its inputs lead to."""

    known: Known = field(factory=Known)
    ids: list[int] = field(factory=list)
    """The projects that were read."""
    inside: frozenset[int] = frozenset()
    """The ids of the values in the first one."""


def read_projects(uow: UnitOfWork, project_id: int) -> Projects:
    """Return all values in a project, and in others if they were computed from values there.

    Ten statements; fifteen more for each step that leads to other projects.
    """
    found = Projects()
    waiting = [project_id]
    while waiting:
        _read_into(uow, found.known, waiting)
        found.ids += waiting
        found.inside = found.inside or frozenset(found.known.values)
        waiting = _projects_of(uow, found.known.missing)
    return found


def _read_into(uow: UnitOfWork, known: Known, project_ids: Collection[int]) -> None:
    for owner in OWNERS:
        columns = [*_BASE, *owner.columns]
        for row in uow.rows.find(AttributeValue, owner.project, project_ids, columns):
            value = _value(dict(zip(columns, row, strict=True)), [owner])
            known.values[value.key] = value
        path = f"output_value.{owner.project}"
        edges = uow.rows.find(AttributeValueInput, path, project_ids, [OUTPUT, INPUT])
        known.add_edges((output, source) for output, source in edges)


def _projects_of(uow: UnitOfWork, ids: Collection[int]) -> list[int]:
    found: set[int] = set()
    for owner in OWNERS if ids else ():
        rows = uow.rows.find(AttributeValue, KEY, ids, [owner.project])
        found |= {row[0] for row in rows if row[0] is not None}
    return sorted(found)


def follow(uow: UnitOfWork, known: Known, ids: Collection[int]) -> None:
    """Read values, and all that they were computed from, step by step."""
    waiting = list(ids)
    while waiting:
        known.values |= read_values(uow, [one for one in waiting if one not in known.values])
        known.add_edges(read_edges(uow, OUTPUT, waiting))
        waiting = known.missing


def follow_results(uow: UnitOfWork, known: Known, ids: Collection[int]) -> None:
    """Read what was computed from values, and from that, step by step."""
    waiting = list(ids)
    while waiting:
        edges = read_edges(uow, INPUT, waiting)
        known.add_edges(edges)
        new = {output for output, _ in edges} - known.values.keys()
        known.values |= read_values(uow, new)
        waiting = sorted(new)
