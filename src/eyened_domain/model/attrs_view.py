"""What attrs knows of an entity class: `attrs.fields`, `attrs.asdict`, `attrs.evolve`."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import attrs

from eyened_domain.model.entity_dict import EntityDict


def defined(cls: type[Any]) -> type[Any]:
    """Let attrs make the class; from its parent it takes over all fields, not only those shown."""
    parents: list[Any] = [one for one in cls.__mro__ if "_all_fields" in one.__dict__]
    seen = [(parent, parent.__attrs_attrs__) for parent in parents]
    for parent in parents:
        parent.__attrs_attrs__ = parent.__dict__["_all_fields"]
    made: Any = attrs.define(cls, slots=False, eq=False, kw_only=True, init=False, repr=False)
    made._all_fields = attrs.fields(made)
    for parent, fields in seen:
        parent.__attrs_attrs__ = fields
    return made  # type: ignore[no-any-return]


def show_columns_only(cls: Any) -> None:
    """Let attrs, and `vars`, know of nothing but columns that may be shown.

    Those that a copy does not take over are none that `attrs.evolve` gives to the constructor.
    """
    columns = cls.__entity__.columns
    shown_fields = [
        field if columns[field.name].copied else field.evolve(init=False)
        for field in attrs.fields(cls)
        if field.name in columns and not columns[field.name].private
    ]
    names = type(f"{cls.__name__}Attributes", (tuple,), {"__slots__": ()})
    for place, field in enumerate(shown_fields):
        setattr(names, field.name, property(itemgetter(place)))
    cls.__attrs_attrs__ = names(shown_fields)
    private = frozenset(name for name, column_info in columns.items() if column_info.private)
    if private:
        cls._dict_type = type(f"{cls.__name__}Dict", (EntityDict,), {"private": private})
