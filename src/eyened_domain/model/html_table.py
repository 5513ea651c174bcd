"""An entity as an HTML table, as a notebook shows it: every text escaped, no scripts.

Shows what is in memory, and loads nothing: a notebook may show an object at any moment, in
the middle of a transaction or long after it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from eyened_domain.model.entity import EntityInfo


class Described(Protocol):
    """An entity, or a part of one."""

    __entity__: ClassVar[EntityInfo]


LONGEST_TEXT = 1000
"""Characters of a value that are shown, at most."""

NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'
"""Keeps MathJax, which notebooks run over their output, from reading ``$…$`` in texts."""

_CELL = 'style="text-align:left;vertical-align:top;padding:0 1em 0 0"'


def html_table(one: Described) -> str:
    """Return the columns of an object that hold something, and the names of what it links to.

    Private columns are left out.
    """
    return titled_rows(one.__entity__.name, main_rows(one))


def main_rows(one: Described, left_out: Collection[str] = ()) -> list[tuple[str, Any]]:
    """Return the rows of an object's table: its id, what it belongs to, and the rest.

    Args:
        one: the object.
        left_out: columns that are not shown.
    """
    keys = one.__entity__.primary_key
    held = [row for row in held_columns(one) if row[0] not in left_out]
    first = [row for row in held if row[0] in keys]
    return [*first, *linked_names(one), *(row for row in held if row[0] not in keys)]


def titled_rows(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Return a table of names and values, escaped.

    Args:
        title: stands above.
        rows: names and values; a name that is empty gives a row without one.
    """
    lines = "".join(
        f"<tr><th {_CELL}>{escaped(name)}</th>"
        f'<td dir="auto" {_CELL}>{escaped(told(value))}</td></tr>'
        for name, value in rows
    )
    caption = f'<caption style="text-align:left"><b>{escaped(title)}</b></caption>'
    return f"<table {NO_FORMULAS}>{caption}<tbody>{lines}</tbody></table>"


def held_columns(one: Described) -> list[tuple[str, Any]]:
    """Return the columns that may be shown and hold something, by name."""
    held = one.__dict__
    names = one.__entity__.told_by
    return [(name, held[name]) for name in names if held.get(name) is not None]


def linked_names(one: Described) -> list[tuple[str, str]]:
    """Return the names of the objects in memory that the links to one lead to."""
    links = [link.name for link in one.__entity__.links.values() if not link.many]
    found = [(link, name_of(one.__dict__.get(link))) for link in links]
    return [(link, name) for link, name in found if name is not None]


def name_of(one: Described | None) -> str | None:
    """Return what an object is called, if it has a name."""
    if one is None or one.__entity__.name_column is None:
        return None
    name: str | None = one.__dict__.get(one.__entity__.name_column)
    return name


def told(value: Any) -> str:
    """Return a value as text, cut where it is long."""
    if isinstance(value, Enum):
        text = value.name
    elif isinstance(value, str | int | float | date):
        text = str(value)
    elif isinstance(value, bytes):
        text = value.hex()
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def escaped(text: str) -> str:
    """Return a text as it may stand in HTML, between tags and in quotes."""
    return html.escape(text.encode("utf-8", "backslashreplace").decode(), quote=True)
