"""By what rows are ordered: names of fields, of which each object has one."""

from __future__ import annotations

from collections.abc import Sequence

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Blob, Json, members, shown
from eyened_domain.services.conditions.comparing import name_column
from eyened_domain.services.conditions.meaning import Order
from eyened_domain.services.conditions.naming import ANSWER, place_of


def order_of(entity: type[Entity], names: str | Sequence[str]) -> tuple[Order, ...]:
    """Return the order that names of fields mean; the primary key comes last.

    Args:
        entity: what is ordered.
        names: of fields, as in conditions; a ``-`` before one for descending.

    Raises:
        UnknownName: there is no such field; the message tells what comes near.
        BadInput: a field may be many, or has no order.
    """
    found: dict[str, Order] = {}
    for name in names_of("order_by", names):
        path = path_of_field(entity, name.removeprefix("-"))
        if path in found:
            raise BadInput(f"order_by: {name.removeprefix('-')} stands there twice", field=name)
        found[path] = Order(path, descending=name.startswith("-"))
    for key in entity.__entity__.primary_key:
        found.setdefault(key, Order(key))
    return tuple(found.values())


def names_of(what: str, names: object) -> list[str]:
    """Return names of fields, of which one may be given by itself; raise `BadInput` for others.

    Args:
        what: they are for.
        names: as they were given.
    """
    listed = [names] if isinstance(names, str) else members(names)
    if listed is None or not all(isinstance(name, str) for name in listed):
        raise BadInput(f"{what}: names of fields are needed, not {shown(names)}")
    return listed


def path_of_field(entity: type[Entity], name: str, *, ordered: bool = True) -> str:
    """Return the path of the column that a name means, of which each object has one.

    Args:
        entity: where the name begins.
        name: of a field; of a link, what it leads to is told by its name.
        ordered: refuse columns that have no order.

    Raises:
        UnknownName: there is no such field; the message tells what comes near.
        BadInput: it may be many, or has no order.
    """
    place = place_of(entity, name)
    if place.hops or place.column == ANSWER:
        raise BadInput(
            f"{name}: there may be many of an object, or none; name a field that is one",
            entity=entity.__name__,
            field=name,
        )
    path = place.path if place.column is not None else (*place.path, name_column(place.owner))
    kind = place.owner.__entity__.columns[path[-1]].kind
    if ordered and isinstance(kind, Json | Blob):
        raise BadInput(f"{name} has no order", entity=entity.__name__, field=name)
    return ".".join(path)
