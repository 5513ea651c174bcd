"""For those who write tests: the memory adapter, builders, contracts, fixtures.

- `MemoryUnitOfWork`, `MemoryStore`: services without a database, in milliseconds;
- `MemoryImages`: images whose pixels are arrays that the test gives;
- `Builder`, `build`: valid objects of every entity;
- `count_queries`, `assert_queries`: how many statements a piece of code sends;
- `contracts`: the tests that every adapter is held to, as classes to inherit from;
- `plugin`: the fixtures; pytest finds it by itself.

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eyened_domain.adapters.memory import MemoryDatabase as MemoryDatabase
    from eyened_domain.adapters.memory import MemoryImages as MemoryImages
    from eyened_domain.adapters.memory import MemoryStore as MemoryStore
    from eyened_domain.adapters.memory import MemoryUnitOfWork as MemoryUnitOfWork
    from eyened_domain.testing import contracts as contracts
    from eyened_domain.testing.builders import Builder as Builder
    from eyened_domain.testing.builders import build as build
    from eyened_domain.testing.queries import assert_queries as assert_queries
    from eyened_domain.testing.queries import count_queries as count_queries

_HOME = {
    "Builder": "eyened_domain.testing.builders",
    "MemoryDatabase": "eyened_domain.adapters.memory",
    "MemoryImages": "eyened_domain.adapters.memory",
    "MemoryStore": "eyened_domain.adapters.memory",
    "MemoryUnitOfWork": "eyened_domain.adapters.memory",
    "assert_queries": "eyened_domain.testing.queries",
    "build": "eyened_domain.testing.builders",
    "count_queries": "eyened_domain.testing.queries",
}

__all__ = [
    "Builder",
    "MemoryDatabase",
    "MemoryImages",
    "MemoryStore",
    "MemoryUnitOfWork",
    "assert_queries",
    "build",
    "contracts",
    "count_queries",
]


if not TYPE_CHECKING:  # which would take any name for one

    def __getattr__(name: str) -> Any:
        if name == "contracts":
            return import_module("eyened_domain.testing.contracts")
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module 'eyened_domain.testing' has no attribute {name!r}")
        return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
