"""The clock of a database: what `DateInserted` is filled in by, also where Python fills in.

The moment of a change is computed here and sent along, so that the object in hand has it
without another statement, also on MySQL, which has no RETURNING. It is the moment of the
database's own clock, in its time zone: a row is never changed before it was inserted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

_OFFSET = "eyened_domain.clock_offset"
_MOMENT = "_eyened_domain_moment"


def ask_for_time(connection: Any, record: Any) -> None:
    """Note how a server's clock differs from ours (a `connect` listener of MySQL and MariaDB)."""
    cursor = connection.cursor()
    cursor.execute("SELECT CURRENT_TIMESTAMP(6)")
    ((there,),) = cursor.fetchall()
    cursor.close()
    record.info[_OFFSET] = timedelta(seconds=round((there - datetime.now()).total_seconds()))


def moment_of_update(context: Any) -> datetime:
    """Return the moment of a statement, in whole seconds (an `onupdate` default).

    It is one for all rows of the statement: SQLAlchemy shows that of the first row on the
    objects of all of them.
    """
    moment: datetime | None = getattr(context, _MOMENT, None)
    if moment is None:
        moment = now_of(context.root_connection)
        setattr(context, _MOMENT, moment)
    return moment


def now_of(connection: Any) -> datetime:
    """Return what the clock of a connection's database shows, in whole seconds."""
    if connection.dialect.name == "sqlite":  # its CURRENT_TIMESTAMP is in UTC
        return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    offset: timedelta = connection.info.get(_OFFSET, timedelta())
    return (datetime.now() + offset).replace(microsecond=0)


class utc_now(FunctionElement[datetime]):  # noqa: N801 - a function of SQL
    """What the clock of the database shows, in UTC and whole seconds."""

    inherit_cache: bool | None = True
    type: TypeEngine[datetime] = DateTime()


@compiles(utc_now)
def _on_servers(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "UTC_TIMESTAMP()"


@compiles(utc_now, "sqlite")
def _on_sqlite(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "datetime('now')"
