"""From an empty database to the newest revision, and from any revision to a later one."""

from __future__ import annotations

import io

from alembic import command
from attrs import frozen
from sqlalchemy import URL, Connection, Engine, make_url

from eyened_domain.adapters.sql.migrations.revisions import HEAD, REVISIONS
from eyened_domain.adapters.sql.migrations.running import (
    alembic_config,
    migrating,
    one_migration_at_a_time,
)
from eyened_domain.adapters.sql.migrations.state import Found, State, display_url, find_state
from eyened_domain.errors import ConfigurationError


@frozen
class Upgrade:
    """From which revision to which a database went; the same twice when nothing was to do."""

    before: str | None
    after: str


def initialise(engine: Engine) -> Upgrade:
    """Make all tables in a database that has none of them.

    Tables of other programs are left alone. One that is initialised already is left as it
    is, so that two programs may do it at once.

    Raises:
        ConfigurationError: there are tables of the contract already; the message says
            which command to run.
        Conflict: somebody else is migrating it and does not finish.
    """
    with migrating(engine) as connection:
        found = find_state(connection)
        if found.state is State.AT_HEAD:
            return Upgrade(found.revision, HEAD)
        if found.state not in {State.EMPTY, State.FOREIGN, State.INTERRUPTED}:
            raise refusal(engine, found)
        command.upgrade(alembic_config(connection=connection), HEAD)
    return Upgrade(None, HEAD)


def upgrade(engine: Engine, revision: str = "head") -> Upgrade:
    """Bring a database to a later revision.

    Raises:
        ConfigurationError: there is no such revision, or the database is none that can be
            upgraded; the message says which command to run.
        Conflict: somebody else is migrating it and does not finish.
    """
    target = _known(revision)
    with migrating(engine) as connection:
        before = _upgradable(engine, connection)
        if REVISIONS.index(before) >= REVISIONS.index(target):
            return Upgrade(before, before)
        command.upgrade(alembic_config(connection=connection), target)
    return Upgrade(before, target)


def upgrade_sql(database: Engine | URL | str, revision: str = "head") -> str:
    """Return the SQL of an upgrade, for somebody else to run; nothing is changed.

    Args:
        database: an engine: from the revision that the database is at, or from empty. A
            URL: from empty, without connecting.
        revision: up to which one.

    Raises:
        ConfigurationError: as `upgrade`.
    """
    target, before = _known(revision), None
    if isinstance(database, Engine):
        with database.connect() as connection:
            if find_state(connection).state not in {State.EMPTY, State.FOREIGN}:
                before = _upgradable(database, connection)
    if before is not None and REVISIONS.index(before) >= REVISIONS.index(target):
        return ""
    url = database.url if isinstance(database, Engine) else make_url(database)
    output = io.StringIO()
    config = alembic_config(output=output, dialect=url.get_backend_name())
    with one_migration_at_a_time():
        command.upgrade(config, f"{before}:{target}" if before else target, sql=True)
    return output.getvalue()


def _known(revision: str) -> str:
    if revision == "head":
        return HEAD
    if revision not in REVISIONS:
        raise ConfigurationError(
            f"there is no revision {revision!r:.80}; there are {', '.join(REVISIONS)}, and head"
        )
    return revision


def _upgradable(engine: Engine, connection: Connection) -> str:
    found = find_state(connection)
    if found.revision is None or found.state is State.AHEAD:
        raise refusal(engine, found)
    return found.revision


_WHAT_TO_DO = {
    State.EMPTY: "is empty: run `eorm init`",
    State.FOREIGN: (
        "has tables, but none of Eyened's. Is it the one you mean? "
        "`eorm init` makes Eyened's beside them"
    ),
    State.INTERRUPTED: "was left half made when `eorm init` was interrupted: run it again",
    State.INCOMPLETE: (
        "has some of Eyened's tables but not all: `eorm adopt` lists what is missing"
    ),
    State.CHANGED: (
        "was changed by another program: `eorm status` names what is missing, `eorm adopt` "
        "lists everything that differs"
    ),
    State.UNADOPTED: (
        "has Eyened's tables, made by another program: run `eorm adopt`, then `eorm upgrade`"
    ),
}


def refusal(engine: Engine, found: Found) -> ConfigurationError:
    """Return the error that says in which state a database is and which command helps."""
    if found.state is State.AHEAD:
        what = (
            f"is at revision {found.revision:.32}, made by a newer eyened-domain than this one, "
            f"which knows revisions up to {HEAD}: install the newer one"
        )
    elif found.state is State.BEHIND:
        what = f"is at revision {found.revision}, this software needs {HEAD}: run `eorm upgrade`"
    else:
        what = _WHAT_TO_DO[found.state]
    return ConfigurationError(f"the database {display_url(engine)} {what}.", entity="Database")
