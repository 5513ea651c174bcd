"""What differs between a database and the contract, one by one."""

from __future__ import annotations

from enum import Enum, unique

from attrs import frozen


@unique
class Severity(Enum):
    """Whether a difference keeps the database from being used."""

    BLOCKING = "blocking"
    NOTE = "note"


@frozen
class Difference:
    """One thing that is not as the contract has it."""

    severity: Severity
    table: str
    column: str | None
    """None when it is about the table as a whole."""
    what: str

    def __str__(self) -> str:
        where = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{self.severity.value}: {where} {self.what}"


def blocking(what: str, table: str, column: str | None = None) -> Difference:
    """A difference with which the software cannot work."""
    return Difference(Severity.BLOCKING, table, column, what)


def note(what: str, table: str, column: str | None = None) -> Difference:
    """A difference that the software can live with."""
    return Difference(Severity.NOTE, table, column, what)
