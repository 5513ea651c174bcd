"""Looking patients up one by one, against Core selecting the full row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import bindparam, select

from benchmarks.dataset import Size, identifier
from benchmarks.timing import Figure, ratio
from eyened_domain import Patient
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of

LOOKUPS = 2000
PER_SESSION = 100
_PATIENT = table_of(Patient)


def _wanted(size: Size) -> Iterator[list[int]]:
    ids = [1 + (n * 7919) % size.patients for n in range(LOOKUPS)]
    for start in range(0, LOOKUPS, PER_SESSION):
        yield ids[start : start + PER_SESSION]


def by_identifier(database: Database, size: Size) -> None:
    """Look up by identifier, a fresh session per hundred."""
    for some in _wanted(size):
        with database.get_session() as session:
            for patient_id in some:
                Patient.by_identifier(session, 1, identifier(patient_id))


def by_id(database: Database, size: Size) -> None:
    """Look up by id, a fresh session per hundred."""
    for some in _wanted(size):
        with database.get_session() as session:
            for patient_id in some:
                Patient.by_id(session, patient_id)


def _core(database: Database, size: Size, statement: Any, parameters: Callable[[int], Any]) -> None:
    for some in _wanted(size):
        with database.engine.connect() as connection:
            for patient_id in some:
                connection.execute(statement, parameters(patient_id)).one()


def core_by_identifier(database: Database, size: Size) -> None:
    """The same with Core, a fresh connection per hundred, the statement built once."""
    statement = select(_PATIENT).where(
        _PATIENT.c.project_id == bindparam("project"),
        _PATIENT.c.patient_identifier == bindparam("identifier"),
    )
    _core(database, size, statement, lambda n: {"project": 1, "identifier": identifier(n)})


def core_by_id(database: Database, size: Size) -> None:
    """The same with Core, a fresh connection per hundred, the statement built once."""
    statement = select(_PATIENT).where(_PATIENT.c.patient_id == bindparam("id"))
    _core(database, size, statement, lambda n: {"id": n})


def figures(database: Database, size: Size, runs: int) -> list[Figure]:
    """Measure both kinds of look-up."""
    return [
        ratio(
            f"{LOOKUPS:,} lookups by {name}",
            lambda ours=ours: ours(database, size),  # type: ignore[misc]
            lambda core=core: core(database, size),  # type: ignore[misc]
            limit_name="Core, full row, statement built once",
            goal=2.0,
            runs=runs,
        )
        for name, ours, core in (
            ("identifier", by_identifier, core_by_identifier),
            ("id", by_id, core_by_id),
        )
    ]
