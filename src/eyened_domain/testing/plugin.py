"""Fixtures for tests of programs that use eyened_domain; pytest finds this by itself.

- `memory_store`, `memory_unit_of_work`: a database in memory, and a unit of work on it;
- `builder`: makes valid objects of every entity;
- `sqlite_database`: a `Database` in a file of the test, set up to the newest revision;
- `count_queries`, `assert_queries`: see `eyened_domain.testing.queries`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database
    from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
    from eyened_domain.testing.builders import Builder
    from eyened_domain.testing.queries import CountedQueries

pytest.register_assert_rewrite("eyened_domain.testing.contracts")

# everything is imported where it is used: the plugin is loaded by every run of pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let the builders of each test begin at 1, whichever tests ran before."""
    builders = sys.modules.get("eyened_domain.testing.builders")
    if builders is not None:
        builders.begin_to_count()


@pytest.fixture
def memory_store() -> MemoryStore:
    """What is committed in memory; units of work on the same store see it."""
    from eyened_domain.adapters.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()


@pytest.fixture
def memory_unit_of_work(memory_store: MemoryStore) -> MemoryUnitOfWork:
    """A unit of work on `memory_store`, to be used in a `with` block."""
    from eyened_domain.adapters.memory import MemoryUnitOfWork  # noqa: PLC0415

    return MemoryUnitOfWork(memory_store)


@pytest.fixture
def builder() -> Builder:
    """Makes valid objects of every entity; it counts together with other builders of the test."""
    from eyened_domain.testing.builders import Builder  # noqa: PLC0415

    return Builder()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An embedded database in a folder of the test, with its stores, at the newest revision."""
    from eyened_domain.adapters.database import Database  # noqa: PLC0415

    database = Database({"EYENED_HOME": str(tmp_path / "eyened-data")})
    yield database
    database.close()


@pytest.fixture
def count_queries() -> Callable[..., AbstractContextManager[CountedQueries]]:
    """`eyened_domain.testing.count_queries`."""
    from eyened_domain.testing.queries import count_queries  # noqa: PLC0415

    return count_queries


@pytest.fixture
def assert_queries() -> Callable[..., AbstractContextManager[CountedQueries]]:
    """`eyened_domain.testing.assert_queries`."""
    from eyened_domain.testing.queries import assert_queries  # noqa: PLC0415

    return assert_queries
