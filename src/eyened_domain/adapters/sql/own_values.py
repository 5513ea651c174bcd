"""What an object held when it was read, beside what it holds now.

SQLAlchemy keeps the old value of an attribute that was set since the last flush. A value
that was never read before it was set is not known.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import InstanceState
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.base import NO_VALUE

from eyened_domain.model.entity import Entity


def id_of(one: Entity) -> Any:
    """Return the id of an object, None where it has none yet; a rollback may have emptied it."""
    key = instance_state(one).key
    return one.__dict__.get(one.__entity__.primary_key[0]) if key is None else key[1][0]


def read(one: Entity) -> None:
    """Read an object that a rollback has emptied; what it held stays where its row is gone."""
    getattr(one, one.__entity__.primary_key[0])


def read_if_emptied(one: Entity | None) -> None:
    """Read an object, if there is one and a rollback has emptied it; see `read`."""
    if one is not None and instance_state(one).expired:
        read(one)


def as_read(state: InstanceState[Any]) -> dict[str, Any]:
    """Return the columns of an object as they were read or flushed, by field name.

    Columns that were not loaded, or set without being read, are not among them.
    """
    entity: type[Entity] = state.class_
    held, before = state.dict, state.committed_state
    known = {name: held[name] for name in entity.__entity__.columns if name in held}
    if before:
        for name in known.keys() & before.keys():
            if before[name] is NO_VALUE:
                del known[name]
            else:
                known[name] = before[name]
    return known
