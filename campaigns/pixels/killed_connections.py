"""Reliability R6 for pixels: connections are killed while masks are saved, each of them once.

Each unit stores a new mask and overwrites another one, by `database.run`. A second connection
kills the unit's connection, or the one that reserves positions (KILL CONNECTION), at a random
moment of the work or in the middle of COMMIT, as often as is asked for.

    python -m campaigns.pixels.killed_connections [--full] [--seed N]

Prints the seed and the figures; exit code 1 when a mask was lost or stored twice.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter

from attrs import frozen
from sqlalchemy import select

from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER, Stage, identity_of, pixels_of, staged
from campaigns.kit.store_findings import read_all, tell_slots
from campaigns.units.connections import Killer, attack, lookups_counted
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import EyenedError

RETRIES = 60
OVERWRITTEN = 1
"""Identity of the mask that each unit overwrites."""


@frozen
class Size:
    """How large a campaign is: units of work, and how often a connection is killed."""

    units: int
    kills: int


SMALL, FULL = Size(40, 20), Size(500, 260)


def save(database: Database, stage: Stage, row: int, number: int) -> bool:
    """Store a new mask and overwrite another one, in one unit; return whether it succeeded."""
    identity = 100 + number

    def work(uow: SqlUnitOfWork) -> None:
        one = uow.segmentations.add(stage.flat(identity))
        one.write_data(pixels_of(identity, 1))
        uow.segmentations.get(row).write_data(pixels_of(OVERWRITTEN, 2 + number))

    try:
        database.run(work, retries=RETRIES)
    except EyenedError:
        return False
    return True


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    rng, figures = random.Random(seed), Figures()
    figures.tell("seed", seed)
    with staged(kind, server=server) as stage, lookups_counted() as in_doubt:
        database = Database(stage.settings)
        with database.unit_of_work() as uow:
            one = uow.segmentations.add(stage.flat(OVERWRITTEN))
            one.write_data(pixels_of(OVERWRITTEN, 1))
            uow.commit()
        killer = Killer(stage.settings["database_url"], rng, size.kills)
        attack(database, killer)
        saved = [save(database, stage, one.segmentation_id, n) for n in range(size.units)]
        killer.stop()
        database.close()  # the last kill may still be on its way
        figures.tell("kills", dict(killer.done))
        figures.tell("commits in doubt", dict(in_doubt))
        figures.zero("failed", saved.count(False))
        _judge(figures, database, size.units)
        database.close()
    return figures


def _judge(figures: Figures, database: Database, units: int) -> None:
    with database.get_session() as session:
        rows = Counter(map(identity_of, session.scalars(select(Segmentation))))
    found = read_all(database)
    wanted = {100 + number: 1 for number in range(units)} | {OVERWRITTEN: 1 + units}
    figures.zero("lost", sum(found.versions.get(one) != version for one, version in wanted.items()))
    figures.zero("duplicates", sum(count - 1 for count in rows.values()))
    figures.zeros(found.faults)
    tell_slots(figures, database, found.positions)


if __name__ == "__main__":
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of each kill
    summary = "R6: connections killed while masks are saved"
    sys.exit(command(summary, run, small=SMALL, full=FULL, databases=("mariadb",)))
