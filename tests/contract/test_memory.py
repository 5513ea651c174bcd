"""The contract, on the memory adapter."""

from typing import Any

import pytest

from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.services.events import Subscribers
from eyened_domain.testing.contracts import StorageContract
from eyened_domain.testing.contracts.base import MakeUnitOfWork


class TestMemory(StorageContract):
    @pytest.fixture
    def make_unit_of_work(self, memory_store: MemoryStore) -> MakeUnitOfWork:
        def make(subscribers: Subscribers = (), **given: Any) -> MemoryUnitOfWork:
            return MemoryUnitOfWork(memory_store, subscribers, **given)

        return make
