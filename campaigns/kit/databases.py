"""The databases that campaigns and benchmarks make for themselves."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from eyened_domain.adapters.database import Database

MARIADB_URL = "mysql+pymysql://root@127.0.0.1:3306/test_benchmarks"


def campaign_url(name: str) -> str:
    """Return the URL of a campaign's own database on the MariaDB server."""
    return MARIADB_URL.replace("benchmarks", f"campaign_{name}")


@contextmanager
def fresh_database(kind: str, url: str = MARIADB_URL) -> Iterator[Database]:
    """Give an empty database at head, which is gone after the block.

    Args:
        kind: ``sqlite`` (a file in a temporary folder) or ``mariadb``.
        url: which MariaDB database; its name must start with ``test_``.
    """
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            url = f"sqlite:///{Path(folder, 'eyened.db')}"
        else:
            _recreate(url)
        settings = {
            "database_url": url,
            "secret_key": "benchmark",
            "images_basepath": folder,
            "segmentations_zarr_store": str(Path(folder, "segmentations.zarr")),
        }
        database = Database(settings)
        try:
            database.init()
            yield database
        finally:
            database.close()
            if kind != "sqlite":
                _drop(url)


def _recreate(url: str) -> None:
    _drop(url)
    _administer(url, f"CREATE DATABASE `{make_url(url).database}` CHARACTER SET utf8mb4")


def _drop(url: str) -> None:
    _administer(url, f"DROP DATABASE IF EXISTS `{make_url(url).database}`")


def _administer(url: str, statement: str) -> None:
    parts = make_url(url)
    if not re.fullmatch(r"test_\w+", parts.database or ""):
        raise SystemExit(f"{parts.database} is emptied: only a database called test_… may be")
    engine = create_engine(parts.set(database=""))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
