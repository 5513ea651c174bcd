"""A storage: what gives units of work, a `Database` or the memory adapter's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from eyened_domain.services.unit_of_work import UnitOfWork

T = TypeVar("T")


class Storage(Protocol):
    """What gives units of work, and runs work in them."""

    def unit_of_work(self) -> UnitOfWork:
        """Return a unit of work, to be used in a `with` block."""

    def run(self, work: Callable[[UnitOfWork], T], *, retries: int = 3) -> T:
        """Run work in a unit of work and commit it; again on a conflict."""
