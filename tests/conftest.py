"""Fixtures of all tests: the databases that the package ships, and the contract's schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eyened_domain.model.entity_info import _ENTITIES
from eyened_domain.testing.databases import (  # noqa: F401
    database,
    database_url,
    empty_database_url,
    empty_mariadb_url,
    empty_sqlite_url,
    mariadb_server,
    mariadb_url,
    servers,
    sqlite_at_head,
    sqlite_url,
)


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """The contract's `schema.json`, as it was when this software was written."""
    return json.loads(Path(__file__).with_name("schema.json").read_text())


@pytest.fixture
def entities_are_forgotten() -> Iterator[None]:
    """Let the entities that a test declares be forgotten after it."""
    before = dict(_ENTITIES)
    yield
    _ENTITIES.clear()
    _ENTITIES.update(before)
