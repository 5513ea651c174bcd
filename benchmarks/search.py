"""Pages of a search, against each other and against hand-written SQL; iterating patients.

    python -m benchmarks.search [--database mariadb|sqlite] [--images 1000000] [--runs 5]

A page is of fifty. The first one, one from the middle and the last one are to take the same time,
and at most twice that of SQL which is written by hand for this page. Patients are as many as the
images; reading them with `iterate` is held against Core reading the same rows, and the memory of
a process that does nothing else is what it has taken at the most. Exit code 1 when a goal is
missed.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

from attrs import field as attribute
from attrs import frozen
from sqlalchemy import select, text

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.annotated import ATTRIBUTE, MODEL, RARE, annotate
from benchmarks.dataset import Size, fill, insert_chunked, patients
from benchmarks.run import as_table
from benchmarks.timing import Figure, ratio, seconds_of
from campaigns.kit.databases import MARIADB_URL, fresh_database
from eyened_domain import ImageInstance, Search
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.patient import Patient
from eyened_domain.services.conditions import All, Condition, field
from eyened_domain.services.search import Page

K = TypeVar("K")
URL = MARIADB_URL.replace("benchmarks", "benchmark_search")
PAGE = 50
SPREAD, OF_SQL, OF_CORE, MEMORY_MB = 1.5, 2.0, 1.6, 150.0
_ABOUT_S, _MOST_ROUNDS = 5.0, 50
_UP = (
    " JOIN Series se ON se.SeriesID = i.SeriesID JOIN Study st ON st.StudyID = se.StudyID"
    " JOIN Patient p ON p.PatientID = st.PatientID"
)
"""From an image to its patient."""


@frozen(kw_only=True)
class Case:
    """What is searched, and the same in hand-written SQL.

    Attributes:
        name: what is searched.
        condition: as we ask it.
        order_by: as we ask it.
        source: joins of ``ImageInstance i``.
        where: of the hand-written statement.
        order: of the hand-written statement.
        beyond: what comes after a row, whose columns of the order are ``:a``, ``:b``, ….
    """

    name: str
    condition: Condition = attribute(factory=lambda: All(()))
    order_by: tuple[str, ...] = ()
    source: str = ""
    where: str = "TRUE"
    order: tuple[str, ...] = ("i.ImageInstanceID",)
    beyond: str = "i.ImageInstanceID > :a"


CASES = (
    Case(name="all images"),
    Case(
        name="left OCT",
        condition=(field("modality") == "OCT") & (field("laterality") == "L"),
        where="i.Modality = 'OCT' AND i.Laterality = 'L'",
    ),
    Case(
        name="of patients born before 1970",
        condition=field("patient.birth_date") < "1970-01-01",
        source=_UP,
        where="p.BirthDate < '1970-01-01'",
    ),
    Case(
        name="with a rare tag",
        condition=field("tag") == RARE,
        where="EXISTS (SELECT 1 FROM ImageInstanceTag l JOIN Tag t ON t.TagID = l.TagID"
        f" WHERE l.ImageInstanceID = i.ImageInstanceID AND t.TagName = '{RARE}')",
    ),
    Case(
        name="with a segmentation",
        condition=field("segmentation") == "usual",
        where="EXISTS (SELECT 1 FROM Segmentation s JOIN Feature f ON f.FeatureID = s.FeatureID"
        " WHERE s.ImageInstanceID = i.ImageInstanceID AND f.FeatureName = 'usual'"
        " AND s.Inactive = 0)",
    ),
    Case(
        name="by an attribute's value",
        condition=field("attribute", name=ATTRIBUTE, model=MODEL) >= 0.5,
        where="EXISTS (SELECT 1 FROM AttributeValue v"
        " JOIN AttributeDefinition d ON d.AttributeID = v.AttributeID"
        " JOIN Model m ON m.ModelID = v.ModelID WHERE v.ImageInstanceID = i.ImageInstanceID"
        f" AND d.AttributeName = '{ATTRIBUTE}' AND m.ModelName = '{MODEL}'"
        " AND v.ValueFloat >= 0.5)",
    ),
    Case(
        name="in the order of their files",
        order_by=("dataset_identifier", "source_info_id"),
        order=("i.DatasetIdentifier", "i.SourceInfoID"),
        beyond="i.DatasetIdentifier >= :a AND (i.DatasetIdentifier > :a OR i.SourceInfoID > :b)",
    ),
    Case(
        name="in the order of visits' dates",
        order_by=("study.study_date",),
        source=_UP,
        order=("st.StudyDate", "i.ImageInstanceID"),
        beyond="st.StudyDate >= :a AND (st.StudyDate > :a OR i.ImageInstanceID > :b)",
    ),
)


@frozen
class Place:
    """A page: where it begins for us, and what its statement by hand is given."""

    name: str
    after: str | None
    values: dict[str, Any]


def places(database: Database, case: Case) -> list[Place]:
    """Return the first page, one from the middle and the last one."""
    search, found = Search(), [Place("first", None, {})]
    with database.unit_of_work() as uow:
        count = search.count(uow, case.condition).count
        for name, before in (("middle", count // 2), ("last", count - PAGE)):
            page: Page[ImageInstance] = search.page(
                uow, case.condition, order_by=case.order_by, size=before
            )
            found.append(Place(name, page.after, _values(database, case, page.ids[-1])))
    return found


def _values(database: Database, case: Case, image_id: int) -> dict[str, Any]:
    """Return what the columns of the order hold in the last row before a page."""
    statement = (
        f"SELECT {', '.join(case.order)} FROM ImageInstance i{case.source}"
        " WHERE i.ImageInstanceID = :id"
    )
    with database.engine.connect() as connection:
        row = connection.execute(text(statement), {"id": image_id}).one()
    return dict(zip("abcd", row, strict=False))


def ours(database: Database, case: Case, place: Place) -> tuple[int, ...]:
    """Return the ids of a page."""
    with database.unit_of_work() as uow:
        page: Page[ImageInstance] = Search().page(
            uow, case.condition, order_by=case.order_by, size=PAGE, after=place.after
        )
    return page.ids


def by_hand(database: Database, case: Case, place: Place) -> tuple[int, ...]:
    """Return the ids of the same page; one row more is read, as it tells whether there is more."""
    beyond = case.beyond if place.values else "TRUE"
    statement = (
        f"SELECT i.ImageInstanceID FROM ImageInstance i{case.source}"
        f" WHERE i.Inactive = 0 AND {case.where} AND {beyond}"
        f" ORDER BY {', '.join(case.order)} LIMIT {PAGE + 1}"
    )
    with database.engine.connect() as connection:
        rows = connection.execute(text(statement), place.values).all()
    return tuple(one for (one,) in rows[:PAGE])


def page_figures(database: Database, case: Case, runs: int) -> list[Figure]:
    """Hold the pages of a search against SQL by hand, and against each other."""
    works: dict[tuple[str, str], Callable[[], tuple[int, ...]]] = {}
    three = places(database, case)
    for place in three:
        works["ours", place.name] = partial(ours, database, case, place)
        works["hand", place.name] = partial(by_hand, database, case, place)
        ids = ours(database, case, place)
        if ids != by_hand(database, case, place) or len(ids) != PAGE:
            raise AssertionError(f"{case.name}, {place.name}: not the page that SQL finds")
    seconds = in_turns(works, runs)
    found = [
        _compared(
            f"{case.name}: {place.name} page",
            seconds["ours", place.name],
            seconds["hand", place.name],
            limit_name="SQL by hand, the same page",
            goal=OF_SQL,
        )
        for place in three
    ]
    of_ours = [seconds["ours", place.name] for place in three]
    spread = _compared(
        f"{case.name}: slowest page / fastest",
        max(of_ours),
        min(of_ours),
        limit_name="of the three pages",
        goal=SPREAD,
    )
    return [*found, spread]


def _compared(name: str, ours_s: float, limit_s: float, *, limit_name: str, goal: float) -> Figure:
    return Figure(
        name=f"{name} ({1000 * ours_s:.1f} ms / {1000 * limit_s:.1f} ms)",
        value=ours_s / limit_s,
        limit_name=limit_name,
        goal=goal,
    )


def in_turns(works: dict[K, Callable[[], Any]], runs: int) -> dict[K, float]:
    """Do each in turns, quick ones more often; return the medians, in seconds."""
    times: dict[K, list[float]] = {name: [] for name in works}
    slowest = max(seconds_of(work) for work in works.values())
    rounds = max(runs, min(_MOST_ROUNDS, int(_ABOUT_S / slowest / len(works))))
    for number in range(rounds):
        gc.collect()
        for name, work in islice(cycle(works.items()), number, number + len(works)):
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(some) for name, some in times.items()}


def iterate(database: Database) -> int:
    """Go through all patients as objects; return how many there are."""
    with database.unit_of_work() as uow:
        return _read(one.patient_identifier for one in uow.patients.iterate())


def core(database: Database) -> int:
    """Go through the same rows with Core, as a stream."""
    statement = select(table_of(Patient)).order_by(table_of(Patient).c.patient_id)
    with database.engine.connect() as connection:
        rows = connection.execution_options(yield_per=1000).execute(statement)
        return _read(row.patient_identifier for row in rows)


def _read(identifiers: Iterable[str]) -> int:
    return sum(1 for _ in identifiers)


def iterating_figures(database: Database, wanted: int, runs: int) -> list[Figure]:
    """Hold the time of `iterate` against Core, and what it takes of memory against the goal."""
    if iterate(database) != wanted or core(database) != wanted:
        raise AssertionError("not all patients")
    name = f"iterating {wanted:,} patients"
    seconds = ratio(
        name,
        lambda: iterate(database),
        lambda: core(database),
        limit_name="Core, the same rows as a stream",
        goal=OF_CORE,
        runs=runs,
    )
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "benchmarks.search", "--iterate", url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    memory = Figure(name=f"{name}: memory", value=float(told), unit="MB", goal=MEMORY_MB)
    return [seconds, memory]


def memory_of_iterating(url: str) -> float:
    """Go through all patients; return what this process has taken at the most, in MB."""
    database = Database({"database_url": url, "secret_key": "benchmark"})
    try:
        iterate(database)
    finally:
        database.close()
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kilobytes / 1024


def add_patients(database: Database, size: Size) -> None:
    """Add patients without images, so that there are as many as images."""
    rows = islice(patients(Size(10 * size.images)), size.patients, None)
    with database.engine.begin() as connection:
        insert_chunked(connection, table_of(Patient), rows)


def figures(kind: str, images: int, runs: int) -> list[Figure]:
    """Measure everything on a fresh database of that kind."""
    found: list[Figure] = []
    with fresh_database(kind, URL) as database:
        size = fill(database.engine, images)
        annotate(database, size)
        if kind == "mariadb":
            with database.engine.begin() as connection:
                # as a server does by itself when a table has grown
                for name in connection.execute(text("SHOW TABLES")).scalars().all():
                    connection.execute(text(f"ANALYZE TABLE `{name}`"))
        for case in CASES:
            found += page_figures(database, case, runs)
        add_patients(database, size)
        found += iterating_figures(database, images, runs)
    return found


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each, in turns (median)")
    parser.add_argument("--iterate", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.iterate:
        print(memory_of_iterating(options.iterate))
        return 0
    found = figures(options.database, options.images, options.runs)
    print(as_table({options.database: found}))
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
