"""The contract, on MariaDB."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eyened_domain import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.services.events import Subscribers
from eyened_domain.testing.contracts import StorageContract
from eyened_domain.testing.contracts.base import MakeUnitOfWork
from eyened_domain.testing.databases import settings_on


class TestMariaDB(StorageContract):
    @pytest.fixture
    def make_unit_of_work(self, mariadb_url: str, tmp_path: Path) -> Iterator[MakeUnitOfWork]:
        database = Database(settings_on(mariadb_url, tmp_path))

        def make(subscribers: Subscribers = (), **given: Any) -> SqlUnitOfWork:
            return SqlUnitOfWork(database._writing_session, subscribers, **given)

        yield make
        database.close()
