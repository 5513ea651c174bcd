"""How objects and rows are told, so that what two storages hold can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any

from campaigns.differential.vocabulary import BY_NAME, WORDS, is_spoken_of
from eyened_domain.model.entity import Entity, root_of


def id_of(one: Entity) -> Any:
    """Return the id of an object; None where its key has several columns."""
    keys = one.__entity__.primary_key
    return getattr(one, keys[0]) if len(keys) == 1 else None


def key_of(one: Entity) -> Any:
    """Return the primary key; None when a part is not known."""
    parts = tuple(getattr(one, name) for name in one.__entity__.primary_key)
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else parts


def plain(value: Any) -> Any:
    """Return a value as it is told: by name, as text, or as it is."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def named(rows: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[tuple[str, Any], Any]]:
    """Yield what each row is called by the rows that refer to it: not by its id."""
    names: dict[tuple[str, Any], Any] = {}
    for word in WORDS:
        kind = word.entity.__name__
        keys = word.entity.__entity__.primary_key
        for row in rows[kind]:
            if len(keys) == 1:
                root = root_of(kind)
                names[root, row[keys[0]]] = name = told_row(kind, row, names)
                yield (root, row[keys[0]]), name


def told_row(kind: str, row: dict[str, Any], names: dict[tuple[str, Any], Any]) -> Any:
    """Return what a row holds, with what it refers to instead of ids.

    Args:
        kind: the name of its class.
        row: its columns, by field name.
        names: what the rows are called that it refers to.
    """
    word, told = BY_NAME[kind], []
    links = {str(link.via): link for link in word.entity.__entity__.links.values() if not link.many}
    for name in (*word.columns, *(via for via in links if is_spoken_of(links[via].target))):
        if name in links and row[name] is not None:
            target = root_of(links[name].target)
            told.append((name, names.get((target, row[name]), "nothing")))
        else:
            told.append((name, plain(row[name])))
    return told
