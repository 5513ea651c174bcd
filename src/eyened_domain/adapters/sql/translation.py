"""Turns what databases report into the library's own errors; the one place that does."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    event,
)
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    StatementError,
)

from eyened_domain.adapters.sql.kinds import RefusedValue
from eyened_domain.adapters.sql.schema import ENTITY, metadata
from eyened_domain.adapters.sql.schema.facts import COMPUTED
from eyened_domain.adapters.sql.sqlite_references import broken_reference, forbidding_reference
from eyened_domain.errors import (
    BadInput,
    ConfigurationError,
    Conflict,
    Duplicate,
    EyenedError,
    RuleBroken,
    StorageError,
)


class ConnectionLost(Conflict):
    """The connection to the database broke; whether a commit went through is not known."""


_DEADLOCKS = {1020, 1205, 1213}
_NOT_THERE = 1305
"""Of a savepoint: a deadlock has taken the transaction back, and the savepoint with it."""
_LOST = {1053, 1079, 1152, 1158, 1159, 1160, 1161, 1317, 1927, 2006, 2013, 2014, 2055, 4031}
_DISK_FAILS = {3, 5, 1021, 1026, 1030, 1114}
_UNREACHABLE = {1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1251, 1698, 2002, 2003, 2005}
_NO_LOGIN = {1524, 1820, 1862, 2026, 2059, 2061, 3118, 3159, 4151}
_DUPLICATES = {1062, 1586}
_MISSING = {1048, 1364}
_STILL_REFERRED = {1451}
_POINTS_NOWHERE = {1452}
_CHECKS = {3819, 4025}
_DOES_NOT_FIT = {1153, 1264, 1265, 1292, 1366, 1406, 1411, 1690, 3140, 3141, 3143, 3157}
_NOT_IN_DATABASE = {1054, 1146}
_MAY_NOT = {1142, 1143, 1227, 1290, 1370, 1792, 1836}
_NO_SQL = {1052, 1055, 1064, 1066, 1111, 1140, 1241, 1242, 1305, 1582, 1630}
_NO_SQL_ON_SQLITE = (
    "syntax error",
    "incomplete input",
    "no such function",
    "ambiguous column",
    "misuse of",
    "wrong number of arguments",
    "sub-select returns",
)
_UNFIT_ON_SQLITE = ("datatype mismatch", "too big", "too many SQL variables", "integer overflow")


class NotInDatabase(ConfigurationError):
    """A statement names a table or a column that the database has not got."""


def translate_errors(engine: Engine) -> None:
    """Make everything that goes through the engine raise errors of `eyened_domain.errors`."""
    event.listen(engine, "handle_error", _on_error)


def _on_error(context: ExceptionContext) -> None:
    error, original = context.sqlalchemy_exception, context.original_exception
    executed = context.execution_context
    if executed is not None and executed.execution_options.get("skip_user_error_events"):
        return  # SQLAlchemy looks whether a table is there
    if isinstance(original, RefusedValue):
        raise original.error
    if isinstance(original, UnicodeEncodeError):
        raise BadInput("a text holds half a character (a lone surrogate): no database keeps it")
    if isinstance(original, OverflowError):
        raise BadInput(f"a number is too large for the database: {original}") from original
    if isinstance(error, DBAPIError):
        reference = broken_reference(context) if "FOREIGN KEY" in str(original) else None
        if reference is not None:
            refused = _points_nowhere if reference.points_nowhere else _still_referred
            raise refused(reference.child, reference.column, reference.parent) from error
        raise translated_error(error) from error
    if isinstance(error, StatementError) and not isinstance(original, EyenedError):
        raise BadInput(f"the statement cannot be sent: {original}") from error


def refuse_deletion(
    connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any
) -> None:
    """Refuse on SQLite to delete what servers refuse to (a `before_cursor_execute` listener).

    Raises:
        RuleBroken: a row that forbids it would go along with it.
    """
    reference = forbidding_reference(connection, statement, parameters)
    if reference is not None:
        raise _still_referred(reference.child, reference.column, reference.parent)


def translated_error(error: DBAPIError) -> EyenedError:
    """Return our error for a database's."""
    code, text = _code_and_text(error)
    closed = code == 0 and not text  # what PyMySQL says of a connection that is closed
    if error.connection_invalidated or code in _LOST or closed:
        return ConnectionLost(f"the connection to the database was lost ({text}); run it again")
    if isinstance(code, int):
        known = _from_mysql(code, text, error.statement or "")
    else:
        known = _from_sqlite(text)
    return known or _not_known(error, text)


def _not_known(error: DBAPIError, text: str) -> EyenedError:
    """Return the error for what no table of cases has."""
    if isinstance(error, IntegrityError):
        return RuleBroken(f"the database refuses it: {text}")
    if isinstance(error, DataError | InterfaceError | NotSupportedError | ProgrammingError):
        return BadInput(f"the database cannot do what the statement says: {text}")
    return StorageError(f"the database fails: {text}")


def _not_there(text: str) -> NotInDatabase:
    return NotInDatabase(
        f"the database has not got what the statement names ({text}): where that is SQL of your "
        "own, look at its names; otherwise `eorm status` says in what the database differs, and "
        "`eorm upgrade` brings it up to date"
    )


def _code_and_text(error: DBAPIError) -> tuple[Any, str]:
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    if len(arguments) >= 2 and isinstance(arguments[0], int):
        return arguments[0], str(arguments[1])
    return None, str(arguments[0]) if arguments else ""


def _from_mysql(code: int, text: str, statement: str) -> EyenedError | None:  # noqa: PLR0911 - a table of cases
    if code in _DEADLOCKS or (code == _NOT_THERE and "SAVEPOINT" in text):
        return Conflict(f"somebody else holds the same rows ({text}); run it again")
    if code in _DUPLICATES:
        return _duplicate(*_constraint(text, statement))
    if code in _STILL_REFERRED:
        return _still_referred(*_foreign_key(text))
    if code in _POINTS_NOWHERE:
        return _points_nowhere(*_foreign_key(text))
    if code in _MISSING:
        return _missing(*_field("", _quoted(text)))
    if code in _CHECKS:
        return _check_broken(text)
    if code in _DOES_NOT_FIT:
        return BadInput(f"the database refuses a value: {text}")
    if code in _NO_SQL:
        return BadInput(f"the database cannot do what the statement says: {text}")
    if code in _NOT_IN_DATABASE:
        return _not_there(text)
    if code in _MAY_NOT:
        return ConfigurationError(f"the account of the database may not do this: {text}")
    if code in _UNREACHABLE | _NO_LOGIN:
        return ConfigurationError(f"the database cannot be reached: {text}")
    if code in _DISK_FAILS:
        return StorageError(f"the disk of the database fails: {text}")
    return None


def _from_sqlite(text: str) -> EyenedError | None:  # noqa: PLR0911 - a table of cases
    kind, _, rest = text.partition(": ")
    if "locked" in text or "busy" in text:
        return Conflict(f"somebody else is writing to the database ({text}); run it again")
    if kind == "UNIQUE constraint failed":
        columns = [name.strip().split(".") for name in rest.split(",")]
        return _duplicate(columns[0][0], [column[-1] for column in columns])
    if kind == "NOT NULL constraint failed":
        table, _, column = rest.partition(".")
        return _missing(*_field(table, column))
    if kind == "CHECK constraint failed":
        return _check_broken(text)
    if kind == "FOREIGN KEY constraint failed":
        return RuleBroken(
            "a link points to an object that does not exist, or something still refers to an "
            "object that is deleted; store the one first, or delete the other first"
        )
    if any(words in text for words in ("disk I/O error", "is malformed", "disk is full")):
        return StorageError(f"the disk of the database fails, or its file is damaged: {text}")
    if text.startswith(("no such column", "no such table")) or "has no column named" in text:
        return _not_there(text)
    if any(words in text for words in _NO_SQL_ON_SQLITE):
        return BadInput(f"the database cannot do what the statement says: {text}")
    if any(words in text for words in _UNFIT_ON_SQLITE):
        return BadInput(f"the database refuses a value: {text}")
    if "readonly database" in text or "not a database" in text:
        return ConfigurationError(f"the database cannot be used: {text}")
    if "unable to open database file" in text:
        return ConfigurationError(f"the database cannot be opened: {text}; does its folder exist?")
    return None


def _quoted(text: str) -> str:
    found = re.search(r"(?:Column|Field) '([^']+)'", text)
    return found.group(1) if found else ""


def _constraint(text: str, statement: str) -> tuple[str, list[str]]:
    """Return the table and the columns of the key that a MySQL message names."""
    found = re.search(r"for key '(?:[^'.]*\.)?([^']+)'", text)
    name = found.group(1) if found else ""
    written = re.match(r"\s*(?:INSERT INTO|UPDATE)\s+`?(\w+)", statement)
    known = metadata.tables.get(written.group(1)) if written else None
    if known is None and name == "PRIMARY":
        return "", ["primary key"]
    for table in metadata.tables.values() if known is None else [known]:
        for key in (*table.indexes, *table.constraints):
            if isinstance(key, Index | UniqueConstraint | PrimaryKeyConstraint):
                columns = [column.name for column in key.columns]
                if name == (key.name or _name_given(key, columns)):
                    return table.name, columns
    return known.name if known is not None else "", [name]


def _name_given(key: Any, columns: list[str]) -> str:
    """Return what MySQL calls a key without a name."""
    return "PRIMARY" if isinstance(key, PrimaryKeyConstraint) else columns[0]


def _foreign_key(text: str) -> tuple[str, str, str]:
    """Return the child table, its column, and the parent table of a MySQL message."""
    found = re.search(
        r"`([^`]+)`, CONSTRAINT .*?FOREIGN KEY \(`([^`]+)`\) REFERENCES `([^`]+)`", text
    )
    return (found.group(1), found.group(2), found.group(3)) if found else ("", "", "")


def _field(table: str, column: str) -> tuple[str, str]:
    known = metadata.tables.get(table)
    column = COMPUTED.get(table, {}).get(column, column)
    if known is not None:
        return table, next((c.key for c in known.columns if c.name == column), column)
    keys = {c.key for t in metadata.tables.values() for c in t.columns if c.name == column}
    return table, keys.pop() if len(keys) == 1 else column


def _duplicate(table: str, columns: list[str]) -> Duplicate:
    fields = ", ".join(_field(table, column)[1] for column in columns)
    return Duplicate(
        f"there is a {table or 'row'} with the same {fields} already; look it up instead of "
        "adding another",
        entity=table or None,
        field=fields,
    )


def _missing(table: str, field: str) -> BadInput:
    where = f"{table}.{field}" if table else field
    return BadInput(f"{where} is needed and was not given", entity=table or None, field=field)


def _still_referred(child: str, column: str, parent: str) -> RuleBroken:
    referrer, field = _entity(child), _field(child, column)[1]
    return RuleBroken(
        f"this {_entity(parent) or 'row'} cannot be deleted: {referrer or 'something'} still "
        f"refers to it through {field}; delete that first",
        entity=_entity(parent) or None,
        field=field or None,
    )


def _points_nowhere(child: str, column: str, parent: str) -> RuleBroken:
    entity, field, target = _entity(child), _field(child, column)[1], _entity(parent)
    return RuleBroken(
        f"{entity}.{field} points to a {target} that does not exist; store the {target} first",
        entity=entity or None,
        field=field or None,
    )


def _entity(table: str) -> str:
    """Return the entity class of a table; the table itself where there is none."""
    known = metadata.tables.get(table)
    found = None if known is None else known.info.get(ENTITY)
    return table if found is None else str(found)


def _check_broken(text: str) -> RuleBroken:
    if "exactly_one_entity" in text:
        return RuleBroken(
            "an AttributeValue belongs to exactly one of image, segmentation, model segmentation, "
            "patient and study",
            entity="AttributeValue",
        )
    return RuleBroken(f"the database refuses it: {text}")
