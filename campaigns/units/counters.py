"""Lost updates: a crowd that reads, changes and writes the same rows loses no change.

Processes count in JSON columns of a few rows, each step a unit of work of its own; then the
same number of processes does so with `SELECT … FOR UPDATE`, `UPDATE` and `COMMIT` in
SQLAlchemy Core, as one would by hand.

    python -m campaigns.units.counters [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import event, select, update

from campaigns.kit.crowd import Crowd, Journal, told
from campaigns.kit.databases import fresh_database
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.model.form import FormAnnotation
from eyened_domain.testing import Builder

form_annotation = table_of(FormAnnotation)

ROWS = 20
RATIO_GOAL = 0.8
"""Steps a second, compared with Core by hand."""
LEVELS = {"mariadb": ("READ COMMITTED", "REPEATABLE READ"), "sqlite": ("SERIALIZABLE",)}


@frozen
class Size:
    """How large a campaign is: so many processes, and steps of each."""

    workers: int
    each: int


SMALL, FULL = Size(4, 20), Size(16, 500)


def opened(settings: dict[str, Any], level: str) -> Database:
    """Open a database whose transactions have an isolation level."""
    database = Database(settings)
    if level != "SERIALIZABLE":

        def set_level(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")

        engine = database.engine
        event.listen(engine, "connect", set_level)
        engine.update_execution_options(isolation_level=level)
        engine.dispose()
    return database


def by_units(database: Database, row: int) -> None:
    """Count in a unit of work."""

    def step(uow: Any) -> None:
        uow.forms.get(row, lock=True).form_data["count"] += 1

    database.run(step, retries=100)


def by_hand(database: Database, row: int) -> None:
    """Count in Core, with the row locked."""
    key = form_annotation.c.form_annotation_id
    engine = database.engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with engine.begin() as connection:
        asked = select(form_annotation.c.form_data).where(key == row).with_for_update()
        data = connection.execute(asked).scalar_one()
        data["count"] += 1
        connection.execute(update(form_annotation).where(key == row).values(form_data=data))


WAYS: dict[str, Callable[[Database, int], None]] = {"units": by_units, "by hand": by_hand}


@frozen
class Steps:
    """What a worker does: how, so often, at what level, drawn from what seed."""

    way: str
    level: str
    each: int
    seed: int


def count(number: int, file: Path, settings: dict[str, Any], steps: Steps) -> None:
    """Take the steps of one worker."""
    journal, rng = Journal(file), random.Random(steps.seed * 1000 + number)
    database = opened(settings, steps.level)
    for step in range(steps.each):
        row = rng.randrange(ROWS) + 1
        try:
            WAYS[steps.way](database, row)
        except Exception as error:  # noqa: BLE001 - each is counted
            journal.error(error)
        else:
            journal.done(number * 1_000_000 + step, row, row)
    database.close()


def run(
    kind: str, size: Size, seed: int, server: str = SERVER, levels: tuple[str, ...] = ()
) -> Figures:
    """Run the campaign on a database."""
    figures = Figures()
    figures.tell("seed", seed)
    for level in levels or LEVELS[kind]:
        rates = {}
        for way in WAYS:
            url = f"{server}/test_counters_{secrets.token_hex(4)}"
            with fresh_database(kind, url) as database, tempfile.TemporaryDirectory() as folder:
                steps = Steps(way, level, size.each, seed)
                rates[way] = _counted(figures, database, Path(folder), steps, size.workers)
        ratio = rates["units"] / rates["by hand"]
        name = f"{level}: steps a second, units / by hand"
        if size == FULL:
            figures.at_least(name, ratio, RATIO_GOAL)
        else:
            figures.tell(name, f"{ratio:.2f}")
    return figures


def _counted(
    figures: Figures, database: Database, folder: Path, steps: Steps, workers: int
) -> float:
    """Let the crowd count; return how many steps it took a second."""
    with database.unit_of_work() as uow:
        build = Builder()
        uow.forms.add_all(
            [
                build.a_form_annotation(form_annotation_id=n + 1, form_data={"count": 0})
                for n in range(ROWS)
            ]
        )
        uow.commit()
    settings = {
        "database_url": url_of(database.settings).render_as_string(hide_password=False),
        "secret_key": "campaign",
    }
    started = time.monotonic()
    crowd = Crowd(count, workers, folder, settings, steps)
    crowd.join()
    took = time.monotonic() - started
    heard, name = told(crowd.files), f"{steps.level}, {steps.way}"
    with database.get_session() as session:
        counted = sum(
            data["count"] for data in session.scalars(select(form_annotation.c.form_data))
        )
    figures.zero(f"{name}: lost or doubled", abs(counted - heard.writes))
    figures.zero(f"{name}: exceptions", len(heard.errors))
    figures.zero(f"{name}: not done", workers * steps.each - heard.writes)
    figures.tell(f"{name}: steps a second", f"{heard.writes / took:.0f}")
    return heard.writes / took


if __name__ == "__main__":
    sys.exit(command("counters in rows that a crowd shares", run, small=SMALL, full=FULL))
