"""Fixtures of all tests: the databases that the package ships for everybody's tests."""

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
