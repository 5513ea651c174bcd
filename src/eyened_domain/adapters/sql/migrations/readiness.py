"""Whether a database can be used as it is; asked once for each `Database`."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from eyened_domain.adapters.sql.in_memory import is_in_memory
from eyened_domain.adapters.sql.kinds import hold_singles
from eyened_domain.adapters.sql.migrations.needed_columns import (
    changed_refusal,
    find_lacking,
    needed_tables,
)
from eyened_domain.adapters.sql.migrations.state import (
    Found,
    State,
    display_url,
    find_state,
    read_revision,
    state_of_revision,
)
from eyened_domain.adapters.sql.translation import NotInDatabase

logger: logging.Logger = logging.getLogger("eyened_domain")


def ensure_ready(engine: Engine, *, embedded: bool) -> bool:
    """Let a database pass that this software can work on; two statements when it is at head.

    An embedded database, or one in memory, that is empty is made now. One that another
    program made passes with a warning in the log.

    Args:
        engine: the database.
        embedded: whether it is the one that nobody configured.

    Returns:
        whether it is at the newest revision, with all tables of our own.

    Raises:
        ConfigurationError: it is empty, older, newer, or not ours, or another program has
            taken away columns that are needed; the message names it, without its password,
            and says which command to run.
    """
    found = _find(engine)
    if found.state in {State.AT_HEAD, State.UNADOPTED}:
        _refuse_lacking(engine, found)
    if found.state is State.AT_HEAD:
        return True
    if found.state is State.UNADOPTED:
        if engine.dialect.name != "sqlite":
            hold_singles(engine.dialect)
        logger.warning(
            "The database %s was made by another program and is not adopted: reading and "
            "writing work, importing and running a unit of work again do not. "
            "Run `eorm adopt`, then `eorm upgrade`.",
            display_url(engine),
        )
        return False
    # Only here: they load Alembic, which a database that is ready has no need of.
    from eyened_domain.adapters.sql.migrations.upgrade import (  # noqa: PLC0415
        initialise,
        refusal,
    )

    makes_itself = embedded or is_in_memory(engine.url)
    if makes_itself and found.state in {State.EMPTY, State.INTERRUPTED}:
        initialise(engine)
        return True
    raise refusal(engine, found)


def _find(engine: Engine) -> Found:
    with engine.connect() as connection:
        try:
            revision = read_revision(connection)
        except NotInDatabase:
            connection.rollback()
            revision = None  # no such table
        if revision is not None:
            return Found(state_of_revision(revision), revision)
        return find_state(connection)


def _refuse_lacking(engine: Engine, found: Found) -> None:
    """Refuse a database without a column that is needed; warn of one that cannot be added to."""
    with engine.connect() as connection:
        lacking = find_lacking(connection, needed_tables(found))
    if lacking.missing:
        raise changed_refusal(engine, lacking)
    for one in lacking.unfillable:
        logger.warning(
            "The database %s was changed by another program: %s.%s %s. `eorm adopt` lists "
            "everything that differs.",
            display_url(engine),
            one.table,
            one.column,
            one.what,
        )
