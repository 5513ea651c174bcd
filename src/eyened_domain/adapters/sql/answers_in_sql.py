"""Elements of JSON columns as SQL, compared in one way on every database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Double, String, and_, false, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from eyened_domain.services.conditions.meaning import AnswerTest

Bool = ColumnElement[bool]


class AnswerKind(FunctionElement[Any]):
    """What kind of JSON an element is, in the database's words; NULL where it is not there."""

    name = "answer_kind"
    inherit_cache: bool | None = True
    type: TypeEngine[Any] = String()


class AnswerText(FunctionElement[Any]):
    """An element that is a text, without its quotation marks, compared as names are."""

    name = "answer_text"
    inherit_cache: bool | None = True
    type: TypeEngine[Any] = String()


class AnswerNumber(FunctionElement[Any]):
    """An element that is a number."""

    name = "answer_number"
    inherit_cache: bool | None = True
    type: TypeEngine[Any] = Double()


_TEXT = ("text", "string")
_NUMBER = ("integer", "real", "double", "decimal", "unsigned integer")
_NULL = ("null",)
_TRUTH = {True: ("true",), False: ("false",)}
_LIST = ("array",)
OPERATIONS: Mapping[str, Callable[[Any, Any], Bool]] = {
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "like": lambda column, value: column.like(value),
    "not like": lambda column, value: column.not_like(value),
}
"""What the operators of tests are as SQL, of columns and of answers alike."""


@compiles(AnswerKind, "sqlite")
def _kind_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_type({compiler.process(element.clauses, **options)})"


@compiles(AnswerKind)
def _kind(element: Any, compiler: Any, **options: Any) -> str:
    found = f"JSON_EXTRACT({compiler.process(element.clauses, **options)})"
    kind = f"LOWER(CONVERT(JSON_TYPE({found}) USING utf8mb4))"
    return f"(CASE {kind} WHEN 'boolean' THEN CAST({found} AS CHAR) ELSE {kind} END)"


@compiles(AnswerText, "sqlite")
def _text_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(json_extract({compiler.process(element.clauses, **options)}) COLLATE NOCASE)"


@compiles(AnswerText)
def _text(element: Any, compiler: Any, **options: Any) -> str:
    found = f"JSON_UNQUOTE(JSON_EXTRACT({compiler.process(element.clauses, **options)}))"
    return f"(CONVERT({found} USING utf8mb4) COLLATE utf8mb4_unicode_ci)"


@compiles(AnswerNumber, "sqlite")
def _number_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)})"


@compiles(AnswerNumber)
def _number(element: Any, compiler: Any, **options: Any) -> str:
    return f"(JSON_EXTRACT({compiler.process(element.clauses, **options)}) + 0e0)"


def answer_passes(test: AnswerTest, column: Any, *, negated: bool) -> Bool:
    """Return that an answer passes a test; or that it does not, where it may not be there.

    Args:
        test: what is asked.
        column: with the answers.
        negated: write that it does not pass.
    """
    path = literal(_path(test.keys))
    held = func.coalesce(_passes(test, column, path), literal(value=False))
    # MySQL takes what is no list for a list of one
    lists = [
        func.coalesce(AnswerKind(column, literal(_path(test.keys[:at]))).in_(_LIST), False)
        for at, key in enumerate(test.keys)
        if isinstance(key, int)
    ]
    found = and_(*lists, held)
    return ~found if negated else found


def _passes(test: AnswerTest, column: Any, path: Any) -> Bool:
    kind = AnswerKind(column, path)
    if test.operator == "is not null":
        return and_(kind.is_not(None), kind.not_in(_NULL))
    if test.operator == "in":
        return or_(false(), *(_equals(kind, column, path, value) for value in test.values))
    (value,) = test.values
    is_text = isinstance(value, str)
    found: Any = AnswerText(column, path) if is_text else AnswerNumber(column, path)
    of_kind = kind.in_(_TEXT if is_text else _NUMBER)
    return and_(of_kind, OPERATIONS[test.operator](found, value))


def _equals(kind: Any, column: Any, path: Any, value: Any) -> Bool:
    if isinstance(value, bool):
        truth: Bool = kind.in_(_TRUTH[value])
        return truth
    if isinstance(value, str):
        return and_(kind.in_(_TEXT), AnswerText(column, path) == value)
    return and_(kind.in_(_NUMBER), AnswerNumber(column, path) == float(value))


def _path(keys: tuple[str | int, ...]) -> str:
    """Return a path as JSON functions read it: ``$."lesions"[0]``."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f'."{key}"' for key in keys)
