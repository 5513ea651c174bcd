"""Makes valid objects of every entity, with the parents that they need.

    builder = Builder()
    study = builder.a_study(StudyDate="2024-01-31")   # with its patient and project
    image = builder.build(ImageInstance, laterality="R", series=study.series[0])

What is not told is filled in, another value for each object, the same in every run. All
builders of a test count together, so that no two of them make the same natural key; the
pytest plugin lets each test begin at 1.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeVar

from eyened_domain import model
from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.fields import ColumnInfo, LinkInfo
from eyened_domain.model.values import (
    Blob,
    Choice,
    Day,
    Flag,
    Integer,
    Json,
    Kind,
    Moment,
    Real,
    Text,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.named_builders import NamedBuilders

E = TypeVar("E", bound=Entity)

_USUAL: dict[str, dict[str, Any]] = {
    "ImageInstance": {"rows_y": 480, "columns_x": 640, "nr_of_frames": 1, "inactive": False},
    "Segmentation": {"depth": 1, "height": 480, "width": 640},
    "ModelSegmentation": {"depth": 1, "height": 480, "width": 640},
    "AttributeDefinition": {"attribute_data_type": model.AttributeDataType.Float},
    "AttributeValue": {"value_float": 0.5},
    "AnnotationData": {"scan_nr": -1, "media_type": "image/png"},
}
"""What an object holds unless it is told otherwise, where not just anything will do."""

_GRID = {
    "data_representation": model.DataRepresentation.Probability,
    "data_type": model.Datatype.R32F,
    "threshold": 0.5,
    "sparse_axis": 0,
    "image_projection_matrix": [[2.0, 0.0, 1.5], [0.0, 2.0, -3.0], [0.0, 0.0, 1.0]],
    "scan_indices": None,
}
_FULL: dict[str, dict[str, Any]] = {
    "Segmentation": _GRID,
    "ModelSegmentation": _GRID,
    "FormAnnotation": {"laterality": None},  # that of its image
    "FormSchema": {"entity_type": model.EntityType.Patient},
    "AttributeValue": dict.fromkeys(
        (
            *("value_int", "value_text", "value_json"),
            *("segmentation", "model_segmentation", "patient", "study"),
        )
    ),
}
"""The same for objects with every column filled; None for what excludes something else."""

_GRIDS = {"Segmentation", "ModelSegmentation"}
_NEEDED = {"AttributeValue": ("image_instance", "producing_model")}
_KIND_OF = {"Model": "SegmentationModel"}
_PARENTS = {("AttributeValue", "producing_model"): "AttributesModel"}
_LINEAGE = {"image_instance": "series", "series": "study", "study": "patient"}


class _Counts:
    """How many objects were made of each entity, by all builders of a test."""

    current: ClassVar[defaultdict[str, int]] = defaultdict(int)


def begin_to_count() -> None:
    """Let the builders that are made from now on count from 1.

    Builders that were made before go on counting together.
    """
    _Counts.current = defaultdict(int)


class Builder(NamedBuilders):
    """Makes valid objects; all builders of a test count together, from 1.

    Every entity has a method of its own, such as `a_patient`, besides `build`.
    """

    def __init__(self) -> None:
        self._made = _Counts.current

    def build(self, entity: type[E], /, **values: Any) -> E:
        """Return a new object with the parents that it needs; nothing is stored.

        Args:
            entity: the class; for `Model` a `SegmentationModel` is made.
            values: columns and links under either name. What is linked by id gets no parent.

        Raises:
            BadInput: it needs the id of something that no link leads to; `add` finds it.
        """
        made: E = self._build(_Order(entity, values, full=False, uow=None))
        return made

    def full(self, entity: type[E], /, **values: Any) -> E:
        """Return a new object with every column filled, unless another one excludes it.

        Columns of ids that no link leads to stay empty; `add` fills them, too.
        """
        made: E = self._build(_Order(entity, values, full=True, uow=None))
        return made

    def add(self, uow: UnitOfWork, entity: type[E], /, *, full: bool = False, **values: Any) -> E:
        """Build an object and put it in a unit of work, with its parents.

        What it points to by id only (no link leads there) is stored first.
        """
        made: E = self._build(_Order(entity, values, full=full, uow=uow))
        uow.repository(entity).add(made)
        return made

    def _build(self, order: _Order) -> Any:
        info, given = order.info, order.given
        usual = _USUAL.get(info.name, {}) | (_FULL.get(info.name, {}) if order.full else {})
        number = self._next(info)
        for column in info.columns.values():
            if column.name in given or column.references or _is_said(info, column):
                continue
            if column.name in usual:
                given[column.name] = usual[column.name]
            elif column.required or order.full:
                given[column.name] = _value(info, column, number)
        self._point(order)
        self._link(order, usual)
        if "laterality" in given and given["laterality"] is None and "image_instance" in given:
            given["laterality"] = given["image_instance"].laterality
        filled = {name: value for name, value in given.items() if value is not None}
        return entity_class(info.name)(**filled)

    def _next(self, info: EntityInfo) -> int:
        root = info.parent or info.name
        self._made[root] += 1
        return self._made[root]

    def _point(self, order: _Order) -> None:
        """Fill the columns of ids that no link leads to, where that is possible or needed."""
        linked = {link.via for link in order.info.links.values() if not link.many}
        for column in order.info.columns.values():
            if not column.references or column.name in linked or column.name in order.given:
                continue
            target = entity_class(str(column.references))
            if order.uow is not None and (order.full or not column.nullable):
                parent = self.add(order.uow, target)
                order.uow.flush()
                order.given[column.name] = getattr(parent, parent.__entity__.primary_key[0])
            elif not column.nullable:
                name = order.info.name
                raise BadInput(
                    f"no link leads from {name}.{column.name}: give the id of a stored "
                    f"{column.references}, or use builder.add(uow, {name})",
                    entity=name,
                    field=column.name,
                )

    def _link(self, order: _Order, usual: dict[str, Any]) -> None:
        """Give the object the parents that it needs, where it has no other ones."""
        for link in _nearest_first(order.info):
            column = order.info.columns[str(link.via)]
            told = {link.name, column.name} & order.given.keys() or link.name in usual
            needed = not column.nullable or order.full
            if not told and (needed or self._is_owner(order.info, link, order.given)):
                order.given[link.name] = self._parent(order, link)

    def _is_owner(self, info: EntityInfo, link: LinkInfo, given: dict[str, Any]) -> bool:
        """Whether it is the owner that an object gets when it is given no other one."""
        if link.name not in _NEEDED.get(info.name, ()):
            return False
        owners = _FULL[info.name].keys() & info.links.keys()
        return not any(
            given.get(name) is not None or given.get(str(info.links[name].via)) is not None
            for name in owners
        )

    def _parent(self, order: _Order, link: LinkInfo) -> Entity:
        known: Entity | None = _upwards(order.given, link.name)
        if known is not None:
            return known
        entity = entity_class(_PARENTS.get((order.info.name, link.name), link.target))
        kind = order.info.name.removesuffix("TagLink")
        is_tag = link.target == "Tag" and kind in model.TagType.__members__
        values: dict[str, Any] = {"tag_type": kind} if is_tag else {}
        return (
            self.build(entity, **values)
            if order.uow is None
            else self.add(order.uow, entity, **values)
        )


class _Order:
    """What is to be made."""

    def __init__(
        self, entity: type[Entity], values: dict[str, Any], *, full: bool, uow: UnitOfWork | None
    ) -> None:
        name = entity.__entity__.name
        self.info: EntityInfo = entity_class(_KIND_OF.get(name, name)).__entity__
        self.given = {self.info.field_name(key): value for key, value in values.items()}
        self.full = full
        self.uow = uow


def build(entity: type[E], /, **values: Any) -> E:
    """Return one valid object, as `Builder().build` does."""
    return Builder().build(entity, **values)


def _upwards(given: dict[str, Any], wanted: str) -> Any:
    """Return the series, study or patient that what is given belongs to; None if unknown."""
    found, name = None, ""
    for nearer, further in _LINEAGE.items():
        if given.get(nearer) is not None:
            found, name = given[nearer], nearer
        if found is not None and name == nearer:
            found, name = getattr(found, further), further
            if name == wanted:
                return found
    return None


def _nearest_first(info: EntityInfo) -> list[LinkInfo]:
    """The links to one, an image before its series, a study before its patient."""
    order = list(_LINEAGE)
    links = [link for link in info.links.values() if not link.many]
    return sorted(links, key=lambda x: order.index(x.name) if x.name in order else len(order))


def _is_said(info: EntityInfo, column: ColumnInfo) -> bool:
    """Whether the storage or the class says what the column holds."""
    return (column.primary_key and column.generated) or column.name == info.discriminator


def _value(info: EntityInfo, column: ColumnInfo, number: int) -> Any:  # noqa: PLR0911 - a table
    """Return a value that the column holds: another one for each number, as far as it goes."""
    kind: Kind = column.kind
    match kind:
        case Text():
            return _text(info, column, kind, number)
        case Integer():
            return number
        case Real():
            return number + 0.5  # exact in single precision
        case Flag():
            return True
        case Day():
            return date(2000, 1, 1) + timedelta(days=number)
        case Moment():
            return datetime(2024, 1, 1) + timedelta(minutes=number)
        case Choice():
            return _choice(info, column, kind, number)
        case Json():
            return {"number": number, "list": [1, 2.5, None], "nested": {"flag": True}}
        case Blob():
            size = min(kind.length, 32)
            return number.to_bytes(4, "big") + bytes(range(1, size - 3))
    raise BadInput(f"a builder knows no value for {info.name}.{column.name}")


def _text(info: EntityInfo, column: ColumnInfo, kind: Text, number: int) -> str:
    if column.name == "dataset_identifier":
        return f"images/{number:06}.png"
    if column.name.endswith("_uid"):
        return f"1.2.826.0.1.3680043.8.498.{number}"
    if info.parent:
        return f"{info.name} {column.name} {number}"
    word = column.name.replace("_", " ")
    return f"{word} {number}"[-(kind.length or 255) :]


def _choice(info: EntityInfo, column: ColumnInfo, kind: Choice, number: int) -> Any:
    if info.name in _GRIDS and column.name == "data_representation":
        return model.DataRepresentation.Binary
    if info.name in _GRIDS and column.name == "data_type":
        return model.Datatype.R8UI
    return list(kind.enum)[number % len(kind.enum)]
