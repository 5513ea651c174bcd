"""In which state a database is: empty, ours and at some revision, or somebody else's."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, unique

from attrs import frozen
from sqlalchemy import Connection, Engine, inspect, text

from eyened_domain.adapters.sql.migrations.revisions import HEAD, REVISIONS, VERSION_TABLE


@unique
class State(Enum):
    """What a database is to this software; the value is how `eorm status` calls it."""

    EMPTY = "empty"
    FOREIGN = "foreign"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    UNADOPTED = "contract-unadopted"
    BEHIND = "behind"
    AT_HEAD = "at head"
    AHEAD = "ahead"
    CHANGED = "changed by another program"


@frozen
class Found:
    """A state, and the revision that the database says it is at."""

    state: State
    revision: str | None = None


def state_of_revision(revision: str) -> State:
    """Return what a revision means for this software; one that it does not know is ahead."""
    if revision == HEAD:
        return State.AT_HEAD
    return State.BEHIND if revision in REVISIONS else State.AHEAD


def find_state(connection: Connection) -> Found:
    """Find out in which state a database is; nothing is changed."""
    from eyened_domain.adapters.sql.migrations.contract import contract  # noqa: PLC0415

    tables = inspect(connection).get_table_names()
    is_versioned = VERSION_TABLE in tables
    revision = read_revision(connection) if is_versioned else None
    if revision is not None:
        return Found(state_of_revision(revision), revision)
    present = len(present_tables(connection, contract.tables))
    if present == 0:
        others = set(tables) - {VERSION_TABLE}
        return Found(State.FOREIGN if others else State.EMPTY)
    if is_versioned:
        return Found(State.INTERRUPTED)
    return Found(State.UNADOPTED if present == len(contract.tables) else State.INCOMPLETE)


def read_revision(connection: Connection) -> str | None:
    """Return the revision in the version table, which must be there; None when it is blank."""
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608
    return None if row is None else str(row[0])


def present_tables(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Return which of the tables are there, each with its name as this server writes it.

    SQLite, and MySQL on Windows and macOS, do not tell `Patient` from `patient`.
    """
    there = inspect(connection).get_table_names()
    if not _folds_case(connection):
        return {name: name for name in names if name in set(there)}
    folded = {name.lower(): name for name in there}
    return {name: folded[name.lower()] for name in names if name.lower() in folded}


def _folds_case(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.execute(text("SELECT @@lower_case_table_names")).scalar())


def display_url(engine: Engine) -> str:
    """Return which database it is as a URL, without the password and without options."""
    return engine.url.set(query={}).render_as_string(hide_password=True)
