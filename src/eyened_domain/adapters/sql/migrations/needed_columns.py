"""Whether the columns that this software reads and writes are there; one statement.

A database stays under the hands of the program that made it: it may be migrated by it at any
time after it was adopted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from attrs import frozen
from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.exc import DatabaseError

from eyened_domain.adapters.sql.migrations.differences import Difference, blocking
from eyened_domain.adapters.sql.migrations.state import Found, State, display_url
from eyened_domain.adapters.sql.schema import metadata
from eyened_domain.errors import ConfigurationError

KNOWN_SCHEMA = "10d5ab598dc7"
"""The other program's revision that has the tables of the contract."""
_NEWER_SCHEMAS = {"7b36f07198ee": "of March 2026"}
_ON_SERVER = text(
    "SELECT table_name, column_name, is_nullable = 'YES' OR column_default IS NOT NULL OR "
    "extra <> '', @@lower_case_table_names FROM information_schema.columns "
    "WHERE table_schema = DATABASE()"
)
_ON_SQLITE = text(
    'SELECT m.name, c.name, c."notnull" = 0 OR c.dflt_value IS NOT NULL OR c.hidden <> 0, 1 '
    "FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table'"
)
_OTHERS_REVISION = text("SELECT version_num FROM alembic_version")


@frozen
class Lacking:
    """What a database lacks.

    Attributes:
        missing: tables and columns that are needed and not there.
        unfillable: columns that are not known here, and that every new row needs.
        revision: of the other program, where something is missing.
    """

    missing: tuple[Difference, ...] = ()
    unfillable: tuple[Difference, ...] = ()
    revision: str | None = None

    @property
    def is_other_schema(self) -> bool:
        """Whether the other program says that it is at another schema than the contract's."""
        return self.revision not in (None, KNOWN_SCHEMA)

    @property
    def all(self) -> tuple[Difference, ...]:
        """Everything."""
        return self.missing + self.unfillable


def needed_tables(found: Found) -> Iterable[Table]:
    """Return the tables that this software uses of a database in a state.

    Its own ones are there when it is at the newest revision.
    """
    if found.state is State.AT_HEAD:
        return metadata.tables.values()
    from eyened_domain.adapters.sql.migrations.contract import contract  # noqa: PLC0415

    return contract.tables.values()


def find_lacking(connection: Connection, tables: Iterable[Table]) -> Lacking:
    """Compare the columns of a database with those of tables; nothing is changed."""
    missing: list[Difference] = []
    unfillable: list[Difference] = []
    there, folds = _columns(connection)
    for table in tables:
        found = there.get(table.name.lower() if folds else table.name)
        if found is None:
            missing.append(blocking("is missing", table.name))
            continue
        known = {column.name.lower() for column in table.columns}
        further = {name: fills for name, fills in found.items() if name.lower() not in known}
        missing += _missing(table, found, sorted(further))
        unfillable += [
            blocking("is not known here, and rows cannot be added without it", table.name, name)
            for name, fills_itself in further.items()
            if not fills_itself
        ]
    revision = _others_revision(connection) if missing else None
    return Lacking(tuple(missing), tuple(unfillable), revision)


def _columns(connection: Connection) -> tuple[dict[str, dict[str, bool]], bool]:
    """Return each table's columns, each with whether it fills itself; and if case is no matter."""
    is_sqlite = connection.dialect.name == "sqlite"
    found: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    folds = False
    for table, column, fills_itself, folded in connection.execute(
        _ON_SQLITE if is_sqlite else _ON_SERVER
    ):
        folds = bool(folded)
        found[table.lower() if folds else table][column] = bool(fills_itself)
    return dict(found), folds


def _missing(table: Table, found: Iterable[str], further: list[str]) -> list[Difference]:
    names = {name.lower() for name in found}
    others = f" (not known here: {', '.join(further)}; was it renamed?)" if further else ""
    return [
        blocking(f"is missing{others}", table.name, column.name)
        for column in table.columns
        if column.name.lower() not in names
    ]


def _others_revision(connection: Connection) -> str | None:
    """Return at which revision the other program says that the database is, if it does."""
    try:
        with connection.begin_nested():
            revision = connection.scalar(_OTHERS_REVISION)
    except (DatabaseError, ConfigurationError):
        return None
    return None if revision is None else str(revision)


def changed_refusal(engine: Engine, lacking: Lacking) -> ConfigurationError:
    """Return the error that says what another program has taken away, and what to do."""
    return ConfigurationError(
        f"the database {display_url(engine)} {said_of(lacking)}.", entity="Database"
    )


def said_of(lacking: Lacking) -> str:
    """Return what is missing, and what to do, in words that follow the database's name."""
    gone = _listed(lacking.missing)
    if lacking.revision is None or not lacking.is_other_schema:
        return (
            f"was changed by another program: {gone}. `eorm adopt` lists everything that "
            "differs; restore what is missing, and then `eorm status` tells whether it is whole"
        )
    when = _NEWER_SCHEMAS.get(lacking.revision)
    newer = (
        f"is at a newer schema of the other program ({lacking.revision}, {when})"
        if when
        else f"is at another schema of the other program ({lacking.revision:.32})"
    )
    return (
        f"{newer}: {gone}. This version of eyened-domain reads {KNOWN_SCHEMA} only: install one "
        f"that reads {lacking.revision:.32} as well. `eorm adopt` lists everything that differs"
    )


def _listed(missing: Iterable[Difference]) -> str:
    by_table: defaultdict[str, list[str]] = defaultdict(list)
    tables = []
    for one in missing:
        if one.column is None:
            tables.append(one.table)
        else:
            by_table[one.table].append(one.column)
    parts = [f"{', '.join(names)} {_is(names)} gone from {t}" for t, names in by_table.items()]
    if tables:
        noun = "table" if len(tables) == 1 else "tables"
        parts.insert(0, f"the {noun} {', '.join(tables)} {_is(tables)} missing")
    return "; ".join(parts)


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
