"""What a MySQL or MariaDB server is like: looked at when it is connected to, never assumed.

Each connection begins with the settings that this library relies on:

- STRICT_TRANS_TABLES: values that do not fit are refused instead of cut;
- no `innodb_snapshot_isolation` (on by default from MariaDB 11.6.2): with it, a row that was
  reserved on another connection cannot be written in a transaction that has read before
  (error 1020). Rows that others have changed are found by comparison on every server
  (`changed_rows`), also where there is no such setting.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, Engine, event

_ASK = "SHOW VARIABLES WHERE Variable_name IN ('sql_mode', 'innodb_snapshot_isolation')"
_STRICT = {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL"}


def prepare_connections(engine: Engine, *, strict: bool) -> None:
    """Let each connection of an engine begin with the settings that are relied on.

    Args:
        engine: of a MySQL or MariaDB server.
        strict: refuse values that do not fit.
    """

    def prepare(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_ASK)
            found = {str(name).lower(): str(value) for name, value in cursor.fetchall()}
            wanted = _settings(found, strict=strict)
            if wanted:
                cursor.execute(f"SET SESSION {', '.join(wanted)}")

    event.listen(engine, "connect", prepare)


def _settings(found: dict[str, str], *, strict: bool) -> list[str]:
    """Return what is to be set, given what the server has set."""
    wanted = []
    modes = [mode for mode in found.get("sql_mode", "").upper().split(",") if mode]
    if strict and not _STRICT.intersection(modes):
        wanted.append(f"sql_mode = '{','.join([*modes, 'STRICT_TRANS_TABLES'])}'")
    if found.get("innodb_snapshot_isolation", "OFF").upper() not in {"OFF", "0"}:
        wanted.append("innodb_snapshot_isolation = OFF")
    return wanted


def knows_skip_locked(dialect: Dialect) -> bool:
    """Whether the server of a dialect that has connected passes over rows that are locked."""
    if dialect.name == "sqlite":
        return False
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return (dialect.server_version_info or ()) >= ((10, 6) if is_mariadb else (8, 0, 1))
