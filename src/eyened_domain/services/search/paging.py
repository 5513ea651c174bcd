"""Pages by key: where one ends, the next begins, however far along."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Any, Generic, TypeVar

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import shown
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions import Condition, Order, to_data
from eyened_domain.services.sought_values import converted

E = TypeVar("E", bound=Entity)
_DIGEST_LENGTH = 16


@frozen(kw_only=True)
class Page(Generic[E]):
    """Some of what a search has found, in its order.

    Attributes:
        ids: of these objects.
        after: what to give for the next page; None after the last one.
        before: what to give for the page before; None on the first one.
    """

    ids: tuple[int, ...]
    after: str | None
    before: str | None


def digest_of(
    entity: type[Entity],
    condition: Condition,
    order: Sequence[Order],
    *,
    include_inactive: bool,
) -> str:
    """Return what a search is told by, so that a cursor of another one is noticed."""
    described = [
        entity.__name__,
        to_data(condition),
        [(one.path, one.descending) for one in order],
        include_inactive,
    ]
    text = json.dumps(described, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def cursor_of(digest: str, values: Sequence[Any]) -> str:
    """Return a place between two rows as a text.

    Args:
        digest: of the search.
        values: what the columns of the order hold in the row before the place, or after it.
    """
    text = json.dumps([digest, [_plain(value) for value in values]])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else value


def place_at(
    cursor: object, digest: str, entity: type[Entity], order: Sequence[Order]
) -> tuple[Any, ...]:
    """Return what the columns of the order hold at a cursor.

    Raises:
        BadInput: it is no cursor, or one of another search.
    """
    found, values = _read(cursor)
    if found != digest:
        raise BadInput(
            "this cursor is of another search: condition, order and entity stay the same from "
            "page to page"
        )
    if len(values) != len(order):
        raise _no_cursor(cursor)
    paths = [path_of(entity, one.path) for one in order]
    return tuple(
        None if value is None else converted(path.owner.__entity__, path.column, value)
        for path, value in zip(paths, values, strict=True)
    )


def _read(cursor: object) -> tuple[object, list[Any]]:
    if not isinstance(cursor, str):
        raise _no_cursor(cursor)
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        found, values = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _no_cursor(cursor) from None
    return found, values if isinstance(values, list) else []


def _no_cursor(cursor: object) -> BadInput:
    return BadInput(f"{shown(cursor)} is no cursor; give `after` or `before` of a page as it was")
