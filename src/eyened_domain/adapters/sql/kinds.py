"""Column types that know what the model says of their column: values pass its kind.

Whatever is written or compared with a column, through an object, `insert`, `update`, a
comparison or a bound parameter, is converted and refused as an assignment to the field is:
numbers of numpy, ISO dates and names of enum members are accepted everywhere, and what no
storage could keep is refused on every database before it is sent.

Each wraps the type that the column has in the database (`schema.types`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, Literal, cast

from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy import Enum as EnumType
from sqlalchemy.sql import operators
from sqlalchemy.types import String, TypeEngine

from eyened_domain.adapters.sql.comparisons import comparator_of, exactly
from eyened_domain.adapters.sql.old_rows import reader, reader_of
from eyened_domain.errors import BadInput
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.values import (
    PLAIN,
    Choice,
    Day,
    Integer,
    Moment,
    Real,
    Refused,
    Text,
    plain,
    shortest,
    shown,
    single,
    sought,
)

Process = Callable[[Any], Any]
Use = Literal["held", "sought", "bound"]
_EQUAL = frozenset(
    (
        operators.eq,
        operators.ne,
        operators.in_op,
        operators.not_in_op,
        operators.is_,
        operators.is_not,
        operators.is_distinct_from,
        operators.is_not_distinct_from,
    )
)
_ORDER = frozenset((operators.lt, operators.le, operators.gt, operators.ge, operators.and_))
"""Comparisons by order; `between` compares with `and_`."""
_INT64 = 2**63
_SINGLES = "eyened_domain_single_precision"


class RefusedValue(Refused):
    """A value that cannot be sent; `translation` raises the error that it carries.

    Attributes:
        error: names the entity, the field and what is accepted.
    """

    def __init__(self, error: BadInput) -> None:
        super().__init__(str(error))
        self.error = error


class KindType(TypeDecorator[Any]):
    """The type of an entity's column.

    Args:
        entity: the name of the entity class.
        column: what the model knows of the column.
        wrapped: the type in the database.
        use: what its values are for: to be held by the column; to be sought in it, where "12"
            may stand for an Integer; or the bounds of ranges, where 2.5 may.
    """

    impl = String
    cache_ok: bool | None = True

    def __init__(
        self, entity: str, column: ColumnInfo, wrapped: TypeEngine[Any], *, use: Use = "held"
    ) -> None:
        super().__init__()
        self.impl = wrapped  # type: ignore[assignment]
        self.entity = entity
        self.column = column
        self.use = use
        self.hashable: bool = wrapped.hashable

    @property
    def comparator_factory(self) -> Any:  # type: ignore[override]
        """What makes expressions of the column."""
        return comparator_of(self.impl_instance)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Return the type of what the column is compared with."""
        if op in _EQUAL and isinstance(self.column.kind, Integer):
            return self._used_as("sought")
        if op in _ORDER and isinstance(self.column.kind, Integer | Day):
            return self._used_as("bound")
        if op in _EQUAL or op in _ORDER:
            return self
        return self.impl_instance.coerce_compared_value(op, value)

    def _used_as(self, use: Use) -> KindType:
        return type(self)(self.entity, self.column, self.impl_instance, use=use)

    def bind_processor(self, dialect: Dialect) -> Process:
        """Return what turns a value into what the driver is given."""
        return self._sending(_sender(self.column.kind, self.impl_instance, dialect))

    def literal_processor(self, dialect: Dialect) -> Process | None:
        """Return what writes a value into the text of a statement."""
        write = self.impl_instance.literal_processor(dialect)
        return None if write is None else self._sending(write)

    def result_processor(self, dialect: Dialect, coltype: object) -> Process | None:
        """Return what turns what the driver gives into what the entity holds."""
        if isinstance(self.column.kind, Real):
            if is_single(self.column.kind, dialect):
                return reader(shortest)
            return reader(float) if dialect.name == "sqlite" else None
        return reader_of(self.impl_instance, dialect, coltype)

    def _sending(self, send: Process | None) -> Process:
        """Return what converts a value, and hands it on to `send`."""
        convert = self._converter()

        def process(value: Any) -> Any:
            if type(value) not in PLAIN:
                value = plain(value)
            if value is None:
                return None
            try:
                value = convert(value)
                return value if send is None else send(value)
            except Refused as refused:
                raise RefusedValue(self._error(refused, value)) from None

        return process

    def _converter(self) -> Process:
        kind = self.column.kind
        if isinstance(kind, Choice):
            return _member_or_word(kind, words_of(self.impl_instance))
        if self.use == "sought":
            return lambda value: sought(kind, value)
        if self.use == "bound":
            return _number if isinstance(kind, Integer) else _day_or_moment
        return kind.convert

    def _error(self, refused: Refused, value: Any) -> BadInput:
        private, name = self.column.private, self.column.name
        return BadInput(
            f"{self.entity}.{name}: {'refused' if private else refused}",
            entity=self.entity,
            field=name,
            value=None if private else shown(value),
        )


class RealType(KindType):
    """FLOAT: MySQL shows but six digits of it by itself, so it is read in double precision."""

    cache_ok: bool | None = True

    def column_expression(self, column: Any) -> Any:
        """Return the column as it is stored."""
        return exactly(column)


def kind_type(entity: str, column: ColumnInfo, wrapped: TypeEngine[Any]) -> KindType:
    """Return the type of an entity's column; see `KindType`."""
    made = RealType if isinstance(column.kind, Real) else KindType
    return made(entity, column, wrapped)


def words_of(kind: TypeEngine[Any]) -> dict[Enum, str]:
    """Return what the database calls each member of an enum column."""
    enum = cast("EnumType", kind)
    return dict(zip(cast("Any", enum.enum_class), enum.enums, strict=True))


def _member_or_word(kind: Choice, words: dict[Enum, str]) -> Process:
    """Accept what the database calls a member, besides the member and its name."""
    members = {word: member for member, word in words.items()}

    def convert(value: Any) -> Any:
        found = members.get(value) if isinstance(value, str) else None
        return kind.convert(value) if found is None else found

    return convert


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return sought(Integer(), value)
    if isinstance(value, int | float) and abs(value) < _INT64:
        return value
    raise Refused(f"a number is needed, not {shown(value)}")


def _day_or_moment(value: Any) -> Any:
    """A moment in a day lies after the day: dates are midnights."""
    if isinstance(value, datetime) and value.time() != value.time().min:
        return Moment().convert(value)
    return Day().convert(value)


def _sender(kind: Any, wrapped: TypeEngine[Any], dialect: Dialect) -> Process | None:
    """Return what turns a converted value into what the driver is given; None if nothing must."""
    if isinstance(kind, Choice):
        return words_of(wrapped).__getitem__
    if isinstance(kind, Day | Moment):
        return _iso if dialect.name == "sqlite" else None
    if isinstance(kind, Real):
        return single if dialect.name != "sqlite" and is_single(kind, dialect) else None
    if isinstance(kind, Text | Integer):
        return None
    return wrapped.bind_processor(dialect)


def hold_singles(dialect: Dialect) -> None:
    """Note that a database is at the contract, where all numbers are of single precision.

    Before the first statement that sends or reads one.
    """
    vars(dialect)[_SINGLES] = True


def is_single(kind: Real, dialect: Dialect) -> bool:
    """Whether a database holds the numbers of a kind in single precision."""
    return not kind.double or vars(dialect).get(_SINGLES, False)


def _iso(value: Any) -> str:
    text: str = value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return text
