"""Names on SQLite compare as they do on the servers: `model.names` says how.

The columns are declared with SQLite's own collation NOCASE, which knows ASCII letters only.
Every connection of ours puts another one in its place, with the same name, so that natural
keys, comparisons and orders follow, and the declarations stay readable for the `sqlite3`
shell and for pandas. A collation with a name of its own was tried: the shell then refuses
every statement that touches such a column. Names of ASCII letters without blanks at their end
stand in the same order under both, so the indexes of existing files hold; those of files with
other names are built again when the file is first opened (`PRAGMA user_version`).

Other programs that look names up by an index, with the built-in NOCASE, find them as long as
all names of the table are ASCII; otherwise they must keep from using the index (``WHERE
+ProjectName = 'x'``). What they write to such a table stands in the wrong place of the index
until ``REINDEX`` on a connection of ours.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from sqlalchemy import Engine

from eyened_domain.model.names import compare, is_like

logger: logging.Logger = logging.getLogger("eyened_domain")
NAMES_VERSION = 1
"""What `PRAGMA user_version` says of a file whose indexes follow these names."""


def compare_as_servers_do(connection: sqlite3.Connection) -> None:
    """Let a connection compare texts as MySQL's and MariaDB's default collations do."""
    connection.create_collation("NOCASE", compare)
    for count in (2, 3):
        connection.create_function("like", count, is_like, deterministic=True)
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.create_function("upper", 1, _upper, deterministic=True)


def follow_names(engine: Engine) -> None:
    """Build the indexes of an SQLite file again, unless they follow these names already.

    They stay as they are where the file cannot be written, or where two names that are the
    same now stand in a natural key. Everything can be read then too.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        (version,) = driver.execute("PRAGMA user_version").fetchone()
        if version >= NAMES_VERSION:
            return
        try:
            driver.execute("REINDEX NOCASE")
            driver.execute(f"PRAGMA user_version = {NAMES_VERSION}")
        except sqlite3.DatabaseError as error:
            logger.warning(
                "The indexes of %s do not follow the names yet (%s): names that differ in "
                "accents or in blanks at their end may be told apart.",
                engine.url.database,
                error,
            )


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _upper(text: Any) -> Any:
    return text.upper() if isinstance(text, str) else text
