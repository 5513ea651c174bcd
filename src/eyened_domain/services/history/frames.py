"""Changes as a DataFrame, a row for each column that was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date
from enum import Enum
from typing import Any

from eyened_domain.model.creator import Creator
from eyened_domain.model.values import Integer, Kind, Moment, Text
from eyened_domain.services.changes.entries import Change
from eyened_domain.services.changes.values import Digest, text_of_key
from eyened_domain.services.data_frames import make_frame
from eyened_domain.services.unit_of_work import UnitOfWork

_COLUMNS: Mapping[str, Kind] = {
    "change_id": Text(),
    "transaction_id": Text(),
    "made_at": Moment(),
    "actor_id": Integer(),
    "actor_name": Text(),
    "reason": Text(),
    "entity": Text(),
    "key": Text(),
    "kind": Text(),
    "column": Text(),
    "before": Text(),
    "after": Text(),
}


def frame_of(uow: UnitOfWork, changes: Sequence[Change], *, backend: str) -> Any:
    """Return changes as a DataFrame; see `History.frame`."""
    ids = {one.actor_id for one in changes if one.actor_id is not None}
    known = uow.rows.find(Creator, "creator_id", sorted(ids), ("creator_id", "creator_name"))
    rows = [row for one in changes for row in _rows(one, dict(known))]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(_COLUMNS)}
    return make_frame(columns, _COLUMNS, backend=backend)


def _rows(one: Change, names: Mapping[int, str]) -> Iterator[tuple[Any, ...]]:
    who = (one.actor_id, None if one.actor_id is None else names.get(one.actor_id), one.reason)
    moment = one.made_at.astimezone(UTC).replace(tzinfo=None)
    key = text_of_key(one.key)
    said = (one.change_id, one.transaction_id, moment, *who, one.entity, key, one.kind.value)
    for name in dict.fromkeys((*one.before, *one.after)):
        yield (*said, name, _shown(one.before.get(name)), _shown(one.after.get(name)))


def _shown(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Digest):
        return f"sha256:{value.sha256} ({value.length} characters)"
    return value.hex() if isinstance(value, bytes) else json.dumps(value, sort_keys=True)
