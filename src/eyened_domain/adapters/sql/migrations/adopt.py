"""Taking over a database whose tables another program made."""

from __future__ import annotations

from alembic import command
from attrs import frozen
from sqlalchemy import Connection, Engine

from eyened_domain.adapters.sql.migrations.comparison import compare_with_contract
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.differences import Difference, Severity
from eyened_domain.adapters.sql.migrations.needed_columns import find_lacking, said_of
from eyened_domain.adapters.sql.migrations.relaxations import without_relaxations
from eyened_domain.adapters.sql.migrations.revisions import CONTRACT
from eyened_domain.adapters.sql.migrations.running import alembic_config, migrating
from eyened_domain.adapters.sql.migrations.state import State, display_url, find_state
from eyened_domain.adapters.sql.migrations.upgrade import refusal


@frozen
class AdoptionReport:
    """What `adopt` found, and whether it adopted."""

    database: str
    """The database as a URL, without its password."""
    differences: tuple[Difference, ...]
    revision: str | None
    """The revision that the database is at now; None when it was not adopted."""
    is_new: bool
    """Whether it was adopted now; False as well when it was before."""
    advice: str | None = None
    """What is to be done with a database that is at another schema of the other program."""
    is_relaxed: bool = False
    """Whether it has what revision 0004 relaxes; this is not among the differences then."""

    @property
    def blocking(self) -> tuple[Difference, ...]:
        """The differences because of which it was not adopted."""
        return tuple(d for d in self.differences if d.severity is Severity.BLOCKING)

    @property
    def notes(self) -> tuple[Difference, ...]:
        """The differences that the software can live with."""
        return tuple(d for d in self.differences if d.severity is Severity.NOTE)


def adopt(engine: Engine) -> AdoptionReport:
    """Check a database against the contract, and say in it that it is at revision 0001.

    Nothing of what is there is changed. With a blocking difference nothing is written;
    otherwise the version table is added, and `upgrade` brings the rest. A database that
    has a revision already is checked, and keeps it.

    Raises:
        ConfigurationError: there is nothing to adopt: it is empty, not Eyened's, half
            made, or newer than this software.
        Conflict: somebody else is migrating it and does not finish.
    """
    with migrating(engine) as connection:
        found = find_state(connection)
        if found.state in {State.EMPTY, State.FOREIGN, State.INTERRUPTED, State.AHEAD}:
            raise refusal(engine, found)
        differences, is_relaxed = without_relaxations(
            compare_with_contract(connection), on_server=engine.dialect.name != "sqlite"
        )
        lacking = find_lacking(connection, contract.tables.values())
        blocked = any(d.severity is Severity.BLOCKING for d in differences)
        is_new = found.revision is None and not blocked
        if is_new:
            _stamp(connection)
    revision = CONTRACT if is_new else found.revision
    advice = f"The database {said_of(lacking)}." if lacking.is_other_schema else None
    return AdoptionReport(
        display_url(engine), differences, revision, is_new, advice, is_relaxed=is_relaxed
    )


def _stamp(connection: Connection) -> None:
    command.stamp(alembic_config(connection=connection), CONTRACT)
