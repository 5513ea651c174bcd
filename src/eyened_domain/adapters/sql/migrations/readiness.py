"""Whether a database can be used as it is; asked once for each `Database`."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from eyened_domain.adapters.sql.migrations.state import (
    Found,
    State,
    display_url,
    find_state,
    read_revision,
    state_of_revision,
)
from eyened_domain.adapters.sql.translation import NotInDatabase

logger = logging.getLogger("eyened_domain")


def ensure_ready(engine: Engine, *, embedded: bool) -> None:
    """Let a database pass that this software can work on; one statement when it is at head.

    An embedded database, or one in memory, that is empty is made now. One that another
    program made passes with a warning in the log.

    Args:
        engine: the database.
        embedded: whether it is the one that nobody configured.

    Raises:
        ConfigurationError: it is empty, older, newer, or not ours; the message names it,
            without its password, and says which command to run.
    """
    found = _find(engine)
    if found.state is State.AT_HEAD:
        return
    if found.state is State.UNADOPTED:
        logger.warning(
            "The database %s was made by another program and is not adopted: reading and "
            "writing work, importing and running a unit of work again do not. "
            "Run `eorm adopt`, then `eorm upgrade`.",
            display_url(engine),
        )
        return
    # Only here: they load Alembic, which a database that is ready has no need of.
    from eyened_domain.adapters.sql.migrations.upgrade import (  # noqa: PLC0415
        initialise,
        refusal,
    )

    makes_itself = embedded or _is_in_memory(engine)
    if makes_itself and found.state in {State.EMPTY, State.INTERRUPTED}:
        initialise(engine)
        return
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


def _is_in_memory(engine: Engine) -> bool:
    if engine.dialect.name != "sqlite":
        return False
    name = engine.url.database or ""
    memory = "mode=memory" in name or engine.url.query.get("mode") == "memory"
    return memory or name in ("", ":memory:")
