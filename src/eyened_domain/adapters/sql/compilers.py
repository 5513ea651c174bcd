"""How statements are written where SQLAlchemy's own way means different things.

- a name in `order_by("BirthDate")` may be the database's;
- on SQLite, an enum column is ordered as the enum is, as MySQL orders it, and texts without a
  declared collation like all others;
- on SQLite, an element of a JSON value that is true or false stays that.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON

from eyened_domain.adapters.sql.comparisons import as_compared
from eyened_domain.adapters.sql.kinds import KindType, words_of
from eyened_domain.adapters.sql.names import python_names_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    VISIT_NAME_REFERENCE,
    LabelReference,
    NameReference,
    affinity_of,
    known_labels,
    order_of,
)
from eyened_domain.model.values import Choice

_DIRECTIONS = frozenset(
    (operators.asc_op, operators.desc_op, operators.nulls_first_op, operators.nulls_last_op)
)


_OF_TEXTS = frozenset(("lower", "upper", "trim", "ltrim", "rtrim", "substr", "replace", "concat"))
"""Functions that give texts, which compare like those of columns."""


class InOrder(FunctionElement[Any]):
    """The place of an enum column's value in its enum."""

    name = "in_order"
    inherit_cache: bool | None = True


@compiles(InOrder)
def _place(element: InOrder, compiler: Any, **options: Any) -> str:
    (column,) = element.clauses
    kind: Any = column.type
    words = words_of(kind.impl_instance).values()
    places = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(words))
    return f"CASE {compiler.process(column, **options)} {places} END"


class _BothNames:
    """Part of a compiler: names as texts may be the database's."""

    def visit_textual_label_reference(self: Any, element: Any, **options: Any) -> Any:
        resolve = getattr(self, VISIT_NAME_REFERENCE)
        return resolve(self._in_python(element), **options)

    def _in_python(self: Any, element: Any) -> Any:
        """Return the reference under the name that the statement knows."""
        known = known_labels(self)
        if element.element not in known:
            for name in python_names_of(element.element):
                if name in known:
                    return NameReference(name)
        return element


class _SQLite(_BothNames):
    """Part of SQLite's compiler."""

    def order_by_clause(self: Any, select: Any, **options: Any) -> str:
        clauses = order_of(select)
        ordered = [self._in_order(one) for one in clauses]
        if isinstance(select, CompoundSelect) or all(map(_is, ordered, clauses)):
            return str(super().order_by_clause(select, **options))  # type: ignore[misc]
        return f" ORDER BY {', '.join(self.process(one, **options) for one in ordered)}"

    def _in_order(self: Any, clause: Any) -> Any:
        if isinstance(clause, UnaryExpression) and clause.modifier in _DIRECTIONS:
            inner = self._in_order(clause.element)
            return clause if inner is clause.element else clause.modifier(inner)
        if isinstance(clause, LabelReference):
            inner = self._in_order(clause.element)
            return clause if inner is clause.element else inner
        if isinstance(clause, NameReference):
            column = known_labels(self).get(self._in_python(clause).element)
            inner = None if column is None else self._in_order(column)
            return clause if inner is column else inner
        if isinstance(clause.type, KindType):
            return InOrder(clause) if _is_choice(clause) else as_compared(clause)
        return clause

    def visit_function(self: Any, func: Any, **options: Any) -> str:
        written = str(super().visit_function(func, **options))  # type: ignore[misc]
        return f"({written} COLLATE NOCASE)" if func.name in _OF_TEXTS else written

    def visit_json_getitem_op_binary(self: Any, binary: Any, operator: Any, **options: Any) -> str:
        written = super().visit_json_getitem_op_binary  # type: ignore[misc]
        return str(self._json_element(written, binary, operator, options))

    def visit_json_path_getitem_op_binary(
        self: Any, binary: Any, operator: Any, **options: Any
    ) -> str:
        written = super().visit_json_path_getitem_op_binary  # type: ignore[misc]
        return str(self._json_element(written, binary, operator, options))

    def _json_element(self: Any, write: Any, binary: Any, operator: Any, options: Any) -> str:
        written: str = write(binary, operator, **options)
        if options.get("_cast_applied") or affinity_of(binary.type) is not JSON:
            return written
        place = ", ".join(self.process(part, **options) for part in (binary.left, binary.right))
        kind = f"json_type({place})"
        return f"CASE {kind} WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE {written} END"


def _is(one: Any, other: Any) -> bool:
    return one is other


def _is_choice(clause: Any) -> bool:
    return isinstance(clause.type.column.kind, Choice)


@cache
def _compiler(own: Any, part: Any) -> Any:
    own_reference = {VISIT_NAME_REFERENCE: own.visit_textual_label_reference}
    return type(own.__name__, (part, own), own_reference)


def write_alike(engine: Engine) -> None:
    """Let an engine write statements that mean the same on every database."""
    part = _SQLite if engine.dialect.name == "sqlite" else _BothNames
    own: Any = engine.dialect.statement_compiler
    engine.dialect.statement_compiler = _compiler(own, part)
