"""Fixtures of all tests: the databases that the package ships, and the contract's schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from eyened_domain.testing.databases import (  # noqa: F401
    database,
    database_url,
    empty_database_url,
    empty_mariadb_url,
    empty_sqlite_url,
    mariadb_at_head,
    mariadb_server,
    mariadb_url,
    sqlite_at_head,
    sqlite_url,
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep pytest-alembic, where it is installed, from adding its own tests.

    Release 0.13.1 breaks the collection with pytest 9.2 (`_nodeid`), and
    `integration/test_migrations.py` walks the revisions on both kinds of database anyway.
    """
    config.option.pytest_alembic_tests_path = "none"


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """The contract's `schema.json`, as it was when this software was written."""
    return json.loads(Path(__file__).with_name("schema.json").read_text())
