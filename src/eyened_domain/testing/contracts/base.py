"""What the contracts have in common."""

from __future__ import annotations

from typing import Protocol

import pytest

from eyened_domain.services.changes.author import Actor
from eyened_domain.services.events import Subscribers
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder


class BackOut(Exception):
    """Leaves a savepoint, so that it is rolled back."""


class MakeUnitOfWork(Protocol):
    """Gives a fresh unit of work on the same storage each time."""

    def __call__(
        self,
        subscribers: Subscribers = (),
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> UnitOfWork:
        """Return a unit of work that is not open yet."""


class Contract:
    """A list of sentences that must hold of a storage."""

    @pytest.fixture
    def make_unit_of_work(self) -> MakeUnitOfWork:
        """To be given by the class that inherits."""
        raise NotImplementedError("give a fixture `make_unit_of_work`; see testing.contracts")

    @pytest.fixture
    def build(self) -> Builder:
        """Makes valid objects of every entity."""
        return Builder()
