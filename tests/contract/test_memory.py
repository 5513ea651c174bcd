"""The contract, on the memory adapter."""

import pytest

from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.services.events import Subscribers
from eyened_domain.testing.contracts import StorageContract
from eyened_domain.testing.contracts.base import MakeUnitOfWork


class TestMemory(StorageContract):
    @pytest.fixture
    def make_unit_of_work(self, memory_store: MemoryStore) -> MakeUnitOfWork:
        def make(
            subscribers: Subscribers = (), *, include_inactive: bool = False
        ) -> MemoryUnitOfWork:
            return MemoryUnitOfWork(memory_store, subscribers, include_inactive=include_inactive)

        return make
