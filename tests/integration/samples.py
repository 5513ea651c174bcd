"""Objects of every entity with every field filled, and what they must hold when read again."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from eyened_domain import model
from eyened_domain.adapters.sql.schema import TABLES
from eyened_domain.model.attribute import OWNERS, VALUE_COLUMNS
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.tag import OnlyForItsType

NESTED = {"a": [1, 2.5, None, {"ü": True}], "texts": ["", "日本", "😀"], "deep": {"x": {"y": []}}}
BYTES = bytes(range(256))
ROUNDS = (1, 2)

_SPARSE = {
    "data_representation": model.DataRepresentation.Probability,
    "data_type": model.Datatype.R32F,
    "threshold": 0.3,
    "depth": 3,
    "height": 61,
    "width": 62,
    "sparse_axis": 0,
    "scan_indices": [0],
    "image_projection_matrix": None,
}
_FLAT = _SPARSE | {
    "depth": 1,
    "scan_indices": None,
    "image_projection_matrix": [[1.5, 0, 3], [0, 0.25, -4.125], [0, 0, 1]],
}
BY_RULE: dict[type[Entity], tuple[dict[str, Any], dict[str, Any]]] = {
    model.ImageInstance: (
        {"laterality": model.Laterality.L, "nr_of_frames": 1},
        {"laterality": model.Laterality.L, "nr_of_frames": 3, "rows_y": 61, "columns_x": 62},
    ),
    model.FormAnnotation: ({"laterality": model.Laterality.L}, {"laterality": model.Laterality.L}),
    model.Segmentation: (_FLAT, _SPARSE | {"reference_segmentation_id": None}),
    model.ModelSegmentation: (_FLAT, _SPARSE),
}
"""Values that the rules of an entity ask for: of its first object, and of its second."""

Values = dict[str, Any]
GRIDS = {model.Segmentation, model.ModelSegmentation}
Ids = dict[tuple[Any, int], int]


def sample(column: ColumnInfo, number: int) -> Any:
    """A value that a column holds, another one for each number."""
    kind: Any = column.kind
    match type(kind).__name__:
        case "Text":
            return f"{number} é {column.name}"[: kind.length]
        case "Integer":
            return number
        case "Real":
            return number + 0.1
        case "Flag":
            return number % 2 == 1
        case "Day":
            return date(1931, 1, 1 + number % 28)
        case "Moment":
            return datetime(2024, 2, 29, 13, 59, number % 60)
        case "Choice":
            return list(kind.enum)[number % len(kind.enum)]
        case "Json":
            return {**NESTED, "n": number}
        case "Blob":
            return (bytes([number]) + BYTES)[: min(kind.length, 255)]
    raise AssertionError(f"a kind without a sample: {kind!r}")


def entities_in_order() -> list[type[Entity]]:
    """All entities, those that others refer to first, a special kind along with its parent."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        info = entity_class(name).__entity__
        for column in info.columns.values():
            if column.references and column.references not in (name, *order):
                visit(column.references)
        order.setdefault(name)
        for other in TABLES:
            if other.__entity__.parent == name and other.__name__ not in order:
                visit(other.__name__)

    for entity in TABLES:
        visit(entity.__name__)
    return [entity_class(name) for name in order]


def store_two_of_each(
    session: Session, *, without: tuple[type[Entity], ...] = ()
) -> list[tuple[Entity, Values]]:
    """Store two objects of each entity with every field filled; each with what was given.

    The second refers to the first where an entity refers to itself. Where not all fields can
    be filled at once there are more: of `AttributeValue` for each kind of owner, of
    `AttributeDefinition` and `Tag` for each type, of segmentations on a picture and on a volume.
    What it is to be `without` is left out.
    """
    stored: list[tuple[Entity, Values]] = []
    ids: Ids = {}
    for entity in entities_in_order():
        if entity is model.Model or entity in without:
            continue  # every model is one of the two special kinds
        for number in ROUNDS:
            for values in _filled(entity, number, ids):
                one = entity(**values)
                session.add(one)
                session.flush()
                stored.append((one, values))
                for name in filter(None, (entity.__name__, entity.__entity__.parent)):
                    ids.setdefault((name, number), _key(one))
                kind = values.get("tag_type") or values.get("attribute_data_type")
                if kind is not None:
                    ids[kind, number] = _key(one)
    return stored


def _key(one: Entity) -> int:
    return int(getattr(one, one.__entity__.primary_key[0]))


def _filled(entity: type[Entity], number: int, ids: Ids) -> Iterator[Values]:
    values = _plain_values(entity, number) | _references(entity, number, ids)
    values |= BY_RULE.get(entity, ({}, {}))[number - 1]
    if entity.__entity__.parent == "Model":
        del values["model_type"]  # said by the class
        values["model_name"] = f"{entity.__name__} é {number}"
    if entity is model.FeatureFeatureLink:  # both ways round would be a circle
        values["parent_feature_id"] = ids["Feature", 1]
        values["child_feature_id"] = ids["Feature", 2]
    if issubclass(entity, OnlyForItsType):
        values["tag_id"] = ids[entity.tag_type_needed, number]
    if entity is model.AttributeValue:
        yield from _attribute_values(values, number, ids)
    elif entity in {model.Tag, model.AttributeDefinition}:
        yield from _of_each_type(entity, values)
    else:
        yield values
        if entity in GRIDS and number == 2:
            first = {"image_instance_id": ids["ImageInstance", 1]}
            yield values | _FLAT | first | {"reference_segmentation_id": ids["Segmentation", 1]}


def _of_each_type(entity: type[Entity], values: Values) -> Iterator[Values]:
    column = "tag_type" if entity is model.Tag else "attribute_data_type"
    kinds: Any = entity.__entity__.columns[column].kind
    name = str(entity.__entity__.name_column)
    for kind in kinds.enum:
        yield values | {column: kind, name: f"{values[name]} {kind.name}"}


def _attribute_values(values: Values, number: int, ids: Ids) -> Iterator[Values]:
    """Yield one value of each type, with one owner each; there are more owners than types."""
    owners = [model.AttributeValue.__entity__.links[name].via for name in OWNERS]
    columns = [name for name in values if name.startswith("value_")]
    kinds = list(model.AttributeDataType)
    for place, owner in enumerate(owners):
        kind = kinds[place % len(kinds)]
        left_out = {*owners, *columns} - {owner, VALUE_COLUMNS[kind]}
        given = {name: value for name, value in values.items() if name not in left_out}
        yield given | {"attribute_id": ids[kind, number]}


def _plain_values(entity: type[Entity], number: int) -> Values:
    columns = entity.__entity__.columns.items()
    return {
        name: sample(column, number * 50 + position)
        for position, (name, column) in enumerate(columns)
        if not column.references and not (column.primary_key and column.generated)
    }


def _references(entity: type[Entity], number: int, ids: Ids) -> Values:
    values: Values = {}
    seen: set[str] = set()
    for name, column in entity.__entity__.columns.items():
        target = column.references
        if target is None:
            continue
        to_other = target == entity.__name__ or target in seen
        found = ids.get((target, 3 - number if to_other else number))
        if found is not None:
            values[name] = found
        seen.add(target)
    return values
