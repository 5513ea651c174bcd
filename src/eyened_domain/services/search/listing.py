"""What can be asked: the fields of an entity, of what it belongs to, and of what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.form import FormAnnotation
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
from eyened_domain.services.conditions.comparing import operators_of
from eyened_domain.services.conditions.language import OPERATORS
from eyened_domain.services.conditions.naming import (
    ANSWER,
    MEANT,
    SHORT,
    own_name,
    place_of,
    ways_up,
)
from eyened_domain.services.conditions.resolving import GIVEN

TYPES: dict[type[Kind], str] = {
    Text: "text",
    Integer: "whole number",
    Real: "number",
    Flag: "yes or no",
    Day: "date",
    Moment: "date and time",
    Choice: "choice",
    Json: "json",
    Blob: "bytes",
}
"""What kinds of values are called."""
UNITS = {
    "slice_thickness": "mm",
    "resolution_axial": "mm",
    "resolution_horizontal": "mm",
    "resolution_vertical": "mm",
    "horizontal_field_of_view": "degrees",
    "rows_y": "px",
    "columns_x": "px",
    "height": "px",
    "width": "px",
}
"""Units of columns, by name."""
_OF_ANSWERS = tuple(one for one in OPERATORS if one not in ("is null", "is not null"))


@frozen(kw_only=True)
class FieldInfo:
    """A field that can be asked for.

    Attributes:
        name: what it is called in `field`.
        entity: whose column it is.
        type: ``text``, ``whole number``, ``number``, ``yes or no``, ``date``, ``date and
            time``, ``choice``, ``bytes``, ``json``, or ``any`` where the value decides.
        unit: of numbers; None for none.
        choices: the names that a choice may have.
        operators: what it can be compared by.
        may_be_many: whether an object may have several; then one of them is enough, and for
            the contrary none may hold.
        given: what else is told in `field`; the first one is needed.
    """

    name: str
    entity: str
    type: str
    unit: str | None = None
    choices: tuple[str, ...] = ()
    operators: tuple[str, ...]
    may_be_many: bool = False
    given: tuple[str, ...] = ()


def fields_of(entity: type[Entity]) -> list[FieldInfo]:
    """Return the fields that can be asked of an entity, by name as `field` takes them."""
    found = {one.name: one for one in _own(entity, f"{own_name(entity)}.")}
    for name, path in ways_up(entity).items():
        target = entity
        for step in path:
            target = entity_class(target.__entity__.links[step].target)
        found |= {one.name: one for one in _own(target, f"{name}.")}
    for short in SHORT.get(entity, {}):
        found |= {one.name: one for one in _of_short(entity, short)}
    return list(found.values())


def _own(entity: type[Entity], prefix: str, *, many: bool = False) -> Iterator[FieldInfo]:
    for column in entity.__entity__.columns.values():
        if not column.private:
            yield _field(entity, column, f"{prefix}{column.name}", many=many)


def _field(entity: type[Entity], column: ColumnInfo, name: str, *, many: bool) -> FieldInfo:
    kind = column.kind
    return FieldInfo(
        name=name,
        entity=entity.__name__,
        type=TYPES[type(kind)],
        unit=UNITS.get(column.name),
        choices=tuple(kind.enum.__members__) if isinstance(kind, Choice) else (),
        operators=operators_of(kind),
        may_be_many=many,
    )


def _of_short(entity: type[Entity], short: str) -> Iterator[FieldInfo]:
    """Give the fields of what a short form leads to: a list, or something beyond a link."""
    place = place_of(entity, short)
    many = bool(place.hops)
    if place.column is not None:
        return
    if place.owner is AttributeValue:
        yield FieldInfo(
            name=short,
            entity="AttributeValue",
            type="any",
            operators=OPERATORS,
            may_be_many=many,
            given=GIVEN["attribute"],
        )
        return
    meant = MEANT.get(place.owner)
    if meant is not None:
        yield _named(place.owner, short, meant, many=many)
    yield from _own(place.owner, f"{short}.", many=many)
    for link in place.owner.__entity__.to_one:
        if entity_class(link.target).__entity__.name_column and link.target != entity.__name__:
            yield _named(place.owner, f"{short}.{link.name}", link.name, many=many)
    if place.owner is FormAnnotation:
        yield FieldInfo(
            name=f"{short}.{ANSWER}",
            entity="FormAnnotation",
            type="any",
            operators=OPERATORS,
            may_be_many=many,
            given=GIVEN["answer"],
        )


def _named(entity: type[Entity], name: str, path: str, *, many: bool) -> FieldInfo:
    """Return the field of a link that is compared by the name of what it leads to."""
    target = place_of(entity, path).owner
    column = target.__entity__.columns[str(target.__entity__.name_column)]
    return _field(target, column, name, many=many)
