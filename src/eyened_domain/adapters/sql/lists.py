"""Lists of values that a column may hold, however many: SQLite takes 32,766 parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy import Integer as IntegerType

from eyened_domain.adapters.sql.kinds import KindType
from eyened_domain.model.values import Integer


def among(column: Any, values: Sequence[Any], *, negated: bool = False) -> ColumnElement[bool]:
    """Return that a column holds one of these values, or none of them.

    Whole numbers stand in the text of the statement, where they cost a fraction of what they do
    as parameters, and there may be a hundred thousand.

    Args:
        column: of an entity's table.
        values: as the column holds them, without None.
        negated: none of them.
    """
    kind = column.type.column.kind if isinstance(column.type, KindType) else None
    sought: Any = list(values)
    if isinstance(kind, Integer):
        sought = bindparam(
            None, sought, IntegerType(), unique=True, expanding=True, literal_execute=True
        )
    found: ColumnElement[bool] = column.not_in(sought) if negated else column.in_(sought)
    return found
