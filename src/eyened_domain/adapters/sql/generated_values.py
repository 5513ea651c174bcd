"""What the database fills in (`DateInserted`), read back before a unit of work closes.

Where the server has RETURNING (SQLite, MariaDB), SQLAlchemy reads it along with the
insert. MySQL has none: there the objects that were new are asked for together before the
commit, in one statement per class and thousand objects, so that they stay readable.

An object with the primary key of one that is deleted in the same flush takes over its row:
SQLAlchemy updates that, and the database fills nothing in. It is given its moments here.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Mapper, Session, UOWTransaction, object_session
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.errors import Duplicate
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Moment

_NEW = "eyened_domain.new_objects"
_CHUNK = 1000


def read_back_generated_values(session_class: type[Session]) -> None:
    """Make the sessions of a class read back what the database fills in."""
    event.listen(session_class, "after_flush", _remember_new)
    event.listen(session_class, "before_commit", _read_back)
    event.listen(session_class, "after_rollback", _forget_new)


def _remember_new(session: Session, _context: UOWTransaction) -> None:
    if session.new and not session.get_bind().dialect.insert_returning:
        session.info.setdefault(_NEW, []).extend(session.new)


def _forget_new(session: Session) -> None:
    session.info.pop(_NEW, None)


def _read_back(session: Session) -> None:
    session.flush()
    lacking: dict[type[Entity], list[Any]] = defaultdict(list)
    for one in session.info.pop(_NEW, ()):
        state = instance_state(one)
        if state.persistent and state.unloaded & one.__entity__.columns.keys():
            lacking[type(one)].append(one)
    for entity, objects in lacking.items():
        for start in range(0, len(objects), _CHUNK):
            _refresh(session, entity, objects[start : start + _CHUNK])


def _refresh(session: Session, entity: type[Entity], objects: list[Entity]) -> None:
    key = entity.__entity__.primary_key[0]
    values = {getattr(one, key) for one in objects}
    session.scalars(select(entity).where(getattr(entity, key).in_(values))).all()


@event.listens_for(Entity, "before_insert", propagate=True)
def _take_row_over(mapper: Mapper[Any], _connection: Connection, one: Entity) -> None:
    """Give an object its moments that takes the row of a deleted one over.

    Raises:
        Duplicate: the one that has the same primary key is not deleted.
    """
    keys = one.__entity__.primary_key
    session = object_session(one)
    if session is None or None in (one.__dict__.get(name) for name in keys):
        return
    there = session.identity_map.get(mapper.identity_key_from_instance(one))
    if there is None:
        return
    if there not in session.deleted:
        raise Duplicate(
            f"there is a {type(one).__name__} with the same {', '.join(keys)} already; look it up "
            "instead of adding another",
            entity=type(one).__name__,
            field=", ".join(keys),
        )
    for name, column in one.__entity__.columns.items():
        if column.generated and isinstance(column.kind, Moment) and one.__dict__.get(name) is None:
            setattr(one, name, datetime.now().replace(microsecond=0))
