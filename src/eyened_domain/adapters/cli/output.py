"""How results are printed: tables on a terminal, aligned columns in a pipe, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import click

_ERRORS_SHOWN = 20


def print_json(result: Any) -> None:
    """Print a result as JSON: dates in ISO form, enum members by value, paths as text."""
    click.echo(json.dumps(result, indent=2, ensure_ascii=False, default=_plain))


def print_errors(errors: Sequence[object], *, listed_by: str) -> None:
    """Print the first errors on stderr, and how many more there are.

    Args:
        errors: any number of them.
        listed_by: the options that list all.
    """
    for error in errors[:_ERRORS_SHOWN]:
        click.echo(f"eorm: {error}", err=True)
    more = len(errors) - _ERRORS_SHOWN
    if more > 0:
        click.echo(f"eorm: … and {more:,} more; {listed_by} lists all", err=True)


def print_pairs(pairs: Mapping[str, Any]) -> None:
    """Print a few named values, one on each line; those that are None are left out."""
    shown = {name: _text(value) for name, value in pairs.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {value}")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None
) -> None:
    """Print rows under the names of their columns.

    On a terminal a table with lines; in a pipe plain text in aligned columns. Numbers
    stand to the right.
    """
    rows = list(rows)
    cells = [[_text(value) for value in row] for row in rows]
    numbers = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(columns))
    ]
    if sys.stdout.isatty():
        _print_with_lines(columns, cells, numbers, title)
    else:
        _print_aligned(columns, cells, numbers, title)


def _print_with_lines(
    columns: Sequence[str], cells: list[list[str]], numbers: list[bool], title: str | None
) -> None:
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left")
    for name, is_number in zip(columns, numbers, strict=True):
        table.add_column(Text(name), justify="right" if is_number else "left")
    for row in cells:
        table.add_row(*map(Text, row))  # Text: brackets in a value are no markup
    Console().print(table)


def _print_aligned(
    columns: Sequence[str], cells: list[list[str]], numbers: list[bool], title: str | None
) -> None:
    if title:
        click.echo(title)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in ([*columns], *cells):
        aligned = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numbers, strict=True)
        )
        click.echo("  ".join(aligned).rstrip())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    return " ".join(str(value).split())


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a result has a {type(value).__name__}, which JSON has no word for")
