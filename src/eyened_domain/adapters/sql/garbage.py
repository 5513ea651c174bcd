"""Rarer garbage collections while many objects are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy.engine import ChunkedIteratorResult

from eyened_domain.adapters.sql.sqlalchemy_internals import (
    result_within,
)
from eyened_domain.services.garbage import rarer_collections

R = TypeVar("R")


def load_calmly(result: R) -> R:
    """Raise the thresholds while the objects of an ORM result are built: at its first row."""
    source: Any = result_within(result)
    if isinstance(source, ChunkedIteratorResult):
        source.iterator = _first_calmly(source.iterator)
    return result


def _first_calmly(rows: Iterator[Any]) -> Iterator[Any]:
    with rarer_collections():
        some = list(islice(rows, 1))
    yield from some
    yield from rows
