"""What the database fills in (`DateInserted`), read back before a unit of work closes.

Where the server has RETURNING (SQLite, MariaDB), SQLAlchemy reads it along with the
insert. MySQL has none: there the objects that were new are asked for together before the
commit, in one statement per class and thousand objects, so that they stay readable.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.model.entity import Entity

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
