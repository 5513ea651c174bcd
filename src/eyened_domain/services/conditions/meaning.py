"""What a condition means to an adapter: tests of columns, put together.

A test is of a column that a path of links to one leads to. Lists are gone through by `Exists`.
Every test is true or false: one of a column that holds nothing is false, unless None is among
what it may hold.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen

from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import LinkInfo

Operator = Literal["in", "<", "<=", ">", ">=", "like"]


def _with_types(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values so that True is not 1."""
    return tuple((type(value), value) for value in values)


@frozen
class Test:
    """A column holds one of these values, or stands in this relation to one."""

    path: str
    operator: Operator
    values: tuple[Any, ...]
    """As the column holds them; None for nothing. One value but for ``in``."""


@frozen
class AnswerTest:
    """An element of a JSON column is one of these, or stands in this relation to one.

    Texts are compared as names are, numbers as numbers; True and False are no numbers.
    """

    path: str
    """Of the column."""
    keys: tuple[str | int, ...]
    """Of the element: keys of objects, positions in lists."""
    operator: Operator | Literal["is not null"]
    """The last one: it is there, and is not null."""
    values: tuple[str | float | bool, ...] = field(eq=_with_types)


@frozen
class Both:
    """All of these hold."""

    parts: tuple[Meaning, ...]


@frozen
class Either:
    """One of these holds."""

    parts: tuple[Meaning, ...]


@frozen
class Negated:
    """This does not hold."""

    part: Meaning


@frozen
class Exists:
    """There is one in a list of which something holds."""

    owner_key: str
    """Path to the primary key of the object with the list."""
    link: LinkInfo
    """The list."""
    target: type[Entity]
    """What is in it."""
    part: Meaning
    """What holds, with paths from what is in the list."""


Meaning = Test | AnswerTest | Both | Either | Negated | Exists


@frozen
class Order:
    """A column by which rows are ordered; nothing comes before everything else."""

    path: str
    descending: bool = False


def holds_nothing(path: str) -> Test:
    """Return the test that a column holds nothing."""
    return Test(path, "in", (None,))


EVERYTHING = Both(())
"""What always holds."""
NOTHING = Either(())
"""What never holds."""


@frozen(kw_only=True)
class Query:
    """Which rows of an entity are asked for, in which order."""

    columns: tuple[str, ...] = ()
    """Paths of what is told of each row."""
    meaning: Meaning = EVERYTHING
    order: tuple[Order, ...] = ()
    """Ends with the primary key, so that no two rows are level."""
    after: tuple[Any, ...] | None = None
    """What the columns of the order hold in the row after which these begin."""
    most: int | None = None
    """How many rows at the most."""
