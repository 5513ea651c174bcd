"""Level 1: values that their columns cannot mean, which older programs could write.

They are read as None, or as the nearest that they may mean, so that they are in nobody's way
(`old_rows`); here they are listed. The database picks out what is suspicious, and each
is then read as it is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Enum,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    cast,
    func,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from eyened_domain.adapters.sql.migrations.table_engines import without_transactions
from eyened_domain.adapters.sql.old_rows import is_json, read_date, read_moment
from eyened_domain.adapters.sql.schema import TABLES, metadata
from eyened_domain.services.doctor import Finding, Kind, Watch

_PORTION = 1000
_SHOWN = 40
_ENTITIES = {table.name: entity.__entity__ for entity, table in TABLES.items()}


@attrs.frozen
class _Suspect:
    """How the bad values of a column are found.

    Attributes:
        kind: what they are.
        condition: the SQL for what is suspicious.
        raw: the SQL for the value as a text.
        is_bad: whether such a text is bad indeed.
        said: what is wrong with it.
    """

    kind: Kind
    condition: Any
    raw: Any
    said: str
    is_bad: Callable[[Any], bool] = lambda _raw: True


class OldValues:
    """Values that their columns cannot mean; an `Examination`. What it finds needs a person."""

    title = "Values of old rows"
    level = 1

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        tables = metadata.sorted_tables
        for done, table in enumerate(tables):
            watch.tick(done, len(tables))
            with self._engine.connect() as connection:
                yield from _bad_values(connection, table)
                yield from _empty_words(connection, table)
            self.looked_at += 1
        with self._engine.connect() as connection:
            for one in without_transactions(connection, metadata.tables):
                message = f"{one.table} {one.what}"
                yield Finding(Kind.WITHOUT_TRANSACTIONS, message, entity=one.table)

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:  # noqa: ARG002 - it is cheap
        """See `Examination`."""
        self.looked_at = 0
        return list(self.look(Watch()))

    def fix(self, found: Sequence[Finding]) -> tuple[()]:  # noqa: ARG002
        """Change nothing: what was meant is not for a program to say."""
        return ()


def _bad_values(connection: Connection, table: Table) -> Iterator[Finding]:
    on_sqlite = connection.dialect.name == "sqlite"
    suspects = {
        column.key: one
        for column in table.columns
        if (one := _suspect(column, on_sqlite=on_sqlite)) is not None
    }
    if not suspects:
        return
    asked = select(
        *table.primary_key.columns,
        *(one.raw for one in suspects.values()),
        *(type_coerce(func.coalesce(one.condition, False), Integer) for one in suspects.values()),
    ).where(or_(*(one.condition for one in suspects.values())))
    keys, count = len(table.primary_key.columns), len(suspects)
    for row in connection.execution_options(yield_per=_PORTION).execute(asked):
        values, flags = row[keys : keys + count], row[keys + count :]
        for (name, one), raw, suspicious in zip(suspects.items(), values, flags, strict=True):
            if suspicious and one.is_bad(raw):
                yield _found(table.c[name], row[:keys], one, raw)


def _found(column: Column[Any], key: Sequence[Any], one: _Suspect, raw: Any) -> Finding:
    info = _ENTITIES.get(column.table.name)
    is_shown = info is not None and not info.columns[column.key].private
    value = f": {str(raw)[:_SHOWN]!r}" if is_shown and one.kind not in _UNSHOWN else ""
    entity = _entity_of(column)
    identity = key[0] if len(key) == 1 and isinstance(key[0], int) else None
    row = ", ".join(str(part) for part in key)
    message = f"{entity} {row}: {column.name} {one.said}{value}"
    return Finding(one.kind, message, entity=entity, identity=identity)


def _entity_of(column: Column[Any]) -> str:
    info = _ENTITIES.get(column.table.name)
    return column.table.name if info is None else info.name


_UNSHOWN = frozenset({Kind.NOT_JSON, Kind.NOT_OF_ITS_TYPE})
"""What may hold anything, about patients as well."""


def _empty_words(connection: Connection, table: Table) -> Iterator[Finding]:
    """Empty enum columns that may be NULL: that is what it means."""
    for column in table.columns:
        if not isinstance(_plain(column.type), Enum) or not column.nullable:
            continue
        is_empty = type_coerce(column, String) == ""
        count = connection.scalar(select(func.count()).select_from(table).where(is_empty))
        if count:
            entity = _entity_of(column)
            said = f"{entity}: {column.name} is an empty text in {count:,} rows; it means NULL"
            yield Finding(Kind.EMPTY_WORD, said, entity=entity, path=column.name)


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _suspect(column: Column[Any], *, on_sqlite: bool) -> _Suspect | None:
    kind = _plain(column.type)
    for of, rule in _RULES:
        if isinstance(kind, of):
            found: _Suspect | None = rule(column, kind, on_sqlite)
            return found
    return None


def _day(column: Any, _kind: Any, on_sqlite: bool) -> _Suspect:
    text = cast(column, String)
    return _date_suspect(column, func.date(text, _NORMAL) == text, read_date, on_sqlite)


def _moment(column: Any, _kind: Any, on_sqlite: bool) -> _Suspect:
    text = cast(column, String)
    is_same = func.strftime("%Y-%m-%d %H:%M:%S", text, _NORMAL) == func.substr(text, 1, 19)
    return _date_suspect(column, is_same, read_moment, on_sqlite)


_NORMAL = "+0 days"
"""Makes SQLite turn the 31st of February into the 3rd of March."""


def _date_suspect(
    column: Any, is_same: Any, read: Callable[[str], Any], on_sqlite: bool
) -> _Suspect:
    """Return how bad dates are found.

    Args:
        column: of the dates.
        is_same: the SQL for whether SQLite makes of a date what it holds.
        read: reads a date.
        on_sqlite: whether it is SQLite.
    """
    if on_sqlite:
        # what it holds itself: a number is no date, whatever its text may be
        raw: Any = type_coerce(column, String)
        in_range = cast(column, String).between("0001", "9999-12-32")
        condition = and_(column.is_not(None), not_(func.coalesce(and_(is_same, in_range), False)))
    else:
        raw = cast(column, String(40))
        condition = or_(
            func.year(column) == 0,
            func.month(column) == 0,
            func.dayofmonth(column) == 0,
            func.dayofmonth(column) > func.dayofmonth(func.last_day(column)),
        )
    said = "is no date, and reads as None"
    return _Suspect(Kind.NOT_A_DATE, condition, raw, said, lambda value: read(value) is None)


def _json(column: Any, _kind: Any, _on_sqlite: bool) -> _Suspect:
    raw = type_coerce(column, String)
    bad = and_(raw.is_not(None), func.json_valid(raw) == 0)
    return _Suspect(
        Kind.NOT_JSON,
        bad,
        raw,
        "holds a text that is no JSON, and reads as None",
        lambda raw: not is_json(raw),
    )


def _word(column: Any, kind: Any, _on_sqlite: bool) -> _Suspect:
    raw = type_coerce(column, String)
    bad: Any = raw.not_in(kind.enums)
    if column.nullable:
        bad = and_(bad, raw != "")
    return _Suspect(
        Kind.UNKNOWN_WORD,
        bad,
        raw,
        "is no word of its list, and reads as None",
        lambda raw: raw not in kind.enums,
    )


def _flag(column: Any, _kind: Any, _on_sqlite: bool) -> _Suspect:
    raw = type_coerce(column, String)
    bad = type_coerce(column, Integer).not_in([0, 1])
    return _Suspect(Kind.NOT_A_FLAG, bad, raw, "is neither 0 nor 1, and reads as True")


def _of_type(*types: str) -> Callable[[Any, Any, bool], _Suspect | None]:
    """Return the rule for what only SQLite can hold: values of another type."""

    def rule(column: Any, _kind: Any, on_sqlite: bool) -> _Suspect | None:
        if not on_sqlite:
            return None
        found = func.typeof(column)
        bad = found.not_in(["null", *types])
        return _Suspect(Kind.NOT_OF_ITS_TYPE, bad, found, f"is not of its type ({types[0]})")

    return rule


_RULES: tuple[tuple[type[TypeEngine[Any]], Callable[..., _Suspect | None]], ...] = (
    (Enum, _word),
    (JSON, _json),
    (Date, _day),
    (DateTime, _moment),
    (Boolean, _flag),
    (Integer, _of_type("integer")),
    (Float, _of_type("real", "integer")),
    (LargeBinary, _of_type("blob")),
    (String, _of_type("text")),
)
