"""Claims (reliability R15): a crowd shares a task, and some of it is killed while it works.

Processes claim subtasks of one task, look at the images for a moment and finish them, each claim
and each finish a unit of work of its own. Some are killed at random moments, most while they
look, and begun anew under the same name. Afterwards
each subtask was finished once, by who had it, none was left, and what the killed had was
claimed again once their leases had expired.

    python -m campaigns.units.claims [--full] [--database mariadb|sqlite] [--server URL] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import frozen

from campaigns.kit.crowd import Crowd, Journal
from campaigns.kit.databases import fresh_database
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.errors import LeaseLost
from eyened_domain.model.enums import SubTaskState
from eyened_domain.services.tasks import Claim, ReadingPlan, Tasks
from eyened_domain.testing import Builder

P99_GOAL_MS = 50.0
BACK_GOAL_S = 120.0
_GRADERS = 4
"""Creators that the processes share: several programs may work under one name."""
_PATIENCE_S = 1500.0
_RETRIES = 100


@frozen
class Size:
    """How large a campaign is: processes, subtasks, kills, and how long leases last."""

    workers: int
    sub_tasks: int
    kills: int
    lease_s: int
    look_s: float
    """How long a grader looks at the images, at the most."""


SMALL, FULL = Size(4, 200, 8, 2, 0.02), Size(16, 32_000, 100, 90, 0.2)


class Notes(Journal):
    """What a worker has done: a line for each claim and finish, with the time in seconds."""

    def claimed(self, sub_task_id: int, began: float) -> None:
        """Note a claim that is committed, and how long it took."""
        now = time.time()
        self._say(f"c {sub_task_id} {now:.6f} {now - began:.6f}")

    def finished(self, sub_task_id: int) -> None:
        """Note a finish that is committed."""
        self._say(f"! {sub_task_id} {time.time():.6f} 0")

    def lost(self, sub_task_id: int) -> None:
        """Note that a lease was told to be lost."""
        self._say(f"l {sub_task_id} {time.time():.6f} 0")


def grade(number: int, file: Path, settings: dict[str, Any], task_id: int, look_s: float) -> None:
    """Claim and finish as long as the task has subtasks that are not ready."""
    notes, tasks, database = Notes(file), Tasks(), Database(settings)
    name, rng = f"grader {number % _GRADERS}", random.Random(number)
    deadline = time.monotonic() + _PATIENCE_S
    _is_done(database, task_id)  # connects
    while time.monotonic() < deadline:
        try:
            began = time.time()
            claim = database.run(lambda uow: tasks.claim_next(uow, task_id, name), retries=_RETRIES)
            if claim is None:
                if _is_done(database, task_id):
                    break
                time.sleep(0.05)
                continue
            notes.claimed(claim.sub_task_id, began)
            time.sleep(rng.uniform(0, look_s))
            _finish(database, notes, claim)
        except Exception as error:  # noqa: BLE001 - each is counted
            notes.error(error)
    database.close()


def _finish(database: Database, notes: Notes, claim: Claim) -> None:
    try:
        database.run(lambda uow: Tasks().finish(uow, claim), retries=_RETRIES)
    except LeaseLost:
        notes.lost(claim.sub_task_id)
    else:
        notes.finished(claim.sub_task_id)


def _is_done(database: Database, task_id: int) -> bool:
    with database.unit_of_work() as uow:
        states = Tasks().progress(uow, task_id).states
    return states[SubTaskState.Ready] == sum(states.values())


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database."""
    figures, rng = Figures(), random.Random(seed)
    figures.tell("seed", seed)
    url = f"{server}/test_claims_{secrets.token_hex(4)}"
    with fresh_database(kind, url) as database, tempfile.TemporaryDirectory() as folder:
        task_id = _made(database, size)
        settings = {
            "database_url": url_of(database.settings).render_as_string(hide_password=False),
            "secret_key": "campaign",
        }
        started = time.monotonic()
        crowd = Crowd(grade, size.workers, Path(folder), settings, task_id, size.look_s)
        crowd.kill_some(size.kills, size.sub_tasks, rng)
        crowd.join()
        took = time.monotonic() - started
        figures.tell("killed", crowd.killed)
        figures.zero("kills that were not", size.kills - crowd.killed)
        figures.zero("workers that failed", crowd.failed)
        _judge(figures, database, task_id, crowd.files, size)
        figures.tell("subtasks a second", f"{size.sub_tasks / took:.0f}")
    return figures


def _made(database: Database, size: Size) -> int:
    """Make a task with a subtask for each of so many images."""
    build = Builder()
    with database.unit_of_work() as uow:
        image = uow.images.add(build.an_image())
        uow.creators.add_all([build.a_creator(creator_name=f"grader {n}") for n in range(_GRADERS)])
        uow.flush()
        plan = ReadingPlan(lease=timedelta(seconds=size.lease_s))
        sets = [[image.image_instance_id]] * size.sub_tasks
        task = Tasks().create(uow, "crowd", "crowd", sets, plan=plan, make_definition=True)
        uow.commit()
        return task.task_id


@frozen
class Event:
    """What a worker has noted: ``c`` claimed, ``!`` finished, ``l`` told that it was lost."""

    at: float
    what: str
    sub_task_id: int
    took: float


def _told(files: list[Path]) -> tuple[list[Event], list[str]]:
    """Return what all workers have noted, in the order of time, and their errors."""
    events, errors = [], []
    for file in files:
        for line in file.read_text().splitlines():
            what, _, rest = line.partition(" ")
            if what == "x":
                errors.append(rest)
            else:
                sub_task_id, at, took = rest.split()
                events.append(Event(float(at), what, int(sub_task_id), float(took)))
    return sorted(events, key=lambda one: one.at), errors


def _judge(
    figures: Figures, database: Database, task_id: int, files: list[Path], size: Size
) -> None:
    events, errors = _told(files)
    claims: defaultdict[int, list[Event]] = defaultdict(list)
    for one in events:
        if one.what == "c":
            claims[one.sub_task_id].append(one)
    finished = Counter(one.sub_task_id for one in events if one.what == "!")
    again = [pair for several in claims.values() for pair in pairwise(several)]
    # a lease begins before its claim is committed, and ends with a whole second
    early = [b for a, b in again if b.at - a.at + a.took + 1 < size.lease_s]
    figures.zero("claimed by two at once", len(early))
    figures.zero("finished twice", sum(count - 1 for count in finished.values()))
    with database.unit_of_work() as uow:
        states = Tasks().progress(uow, task_id).states
    figures.zero("never finished", size.sub_tasks - states[SubTaskState.Ready])
    figures.zero(
        "finished, and not so in the database", max(0, len(finished) - states[SubTaskState.Ready])
    )
    figures.zero("exceptions", len(errors))
    figures.quote(errors)
    figures.tell("told that their lease was lost", sum(one.what == "l" for one in events))
    figures.tell("claimed again after a kill", len(again))
    waited = max((b.at - a.at for a, b in again), default=0.0)
    figures.at_most("longest from a lost claim to the next, s", waited, BACK_GOAL_S)
    took = sorted(one.took * 1000 for one in events if one.what == "c")
    figures.tell("median of a claim, ms", f"{took[len(took) // 2]:.1f}")
    p99 = took[int(len(took) * 0.99)]
    if size == FULL:
        figures.at_most("p99 of a claim, ms", p99, P99_GOAL_MS)
    else:
        figures.tell("p99 of a claim, ms", f"{p99:.1f}")


if __name__ == "__main__":
    sys.exit(command("a task that a crowd shares", run, small=SMALL, full=FULL))
