"""Tagging 2,000 images in one call, against SQLAlchemy Core doing the same.

    python -m benchmarks.tagging [--database sqlite|mariadb]

Core looks up the tag, the person, which of the images there are and which have the tag, and
inserts the links that are missing: what has to be done for the same promises. Each run is rolled
back. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from sqlalchemy import Connection, bindparam, insert, select

from benchmarks.dataset import fill
from benchmarks.timing import Figure, counted, ratio, seconds_of
from campaigns.kit.databases import MARIADB_URL, fresh_database
from eyened_domain import ImageInstance
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import TagType
from eyened_domain.model.tag import ImageInstanceTagLink, Tag
from eyened_domain.services.tagging import Tagging
from eyened_domain.services.unit_of_work import UnitOfWork

MANY = 2000
GOAL = 2.0
_TAG, _IMAGE, _LINK = table_of(Tag), table_of(ImageInstance), table_of(ImageInstanceTagLink)
_CREATOR = table_of(Creator)
_CORE = "Core: the same look-ups, and the same rows"
NEW, HALF, ALL = "good quality", "half", "all"


def _prepare(database: Database) -> list[int]:
    """Store a person and two tags, one on every other image, one on all; return the ids."""
    fill(database.engine, MANY)
    ids = list(range(1, MANY + 1))
    with database.unit_of_work() as uow:
        uow.creators.add(Creator(creator_name="dr_smith"))
        uow.flush()
        Tagging().create(uow, NEW, ImageInstance, by="dr_smith")
        Tagging().tag_ids(uow, ImageInstance, ids[::2], HALF, by="dr_smith")
        Tagging().tag_ids(uow, ImageInstance, ids, ALL, by="dr_smith")
        uow.commit()
    return ids


def by_ids(database: Database, ids: Sequence[int], name: str) -> None:
    """Tag the images of these ids."""
    with database.unit_of_work() as uow:
        Tagging().tag_ids(uow, ImageInstance, ids, name, by="dr_smith")
        uow.flush()


def core(database: Database, ids: Sequence[int], name: str) -> None:
    """The same with Core."""
    with database.engine.connect() as connection:
        creator = _CREATOR.c.creator_name == bindparam("name")
        statement = select(_CREATOR.c.creator_id).where(creator)
        by = connection.execute(statement, {"name": "dr_smith"}).scalar_one()
        tag = _core_tag(connection, name)
        there = _IMAGE.c.image_instance_id.in_(bindparam("ids", expanding=True))
        found = connection.execute(select(_IMAGE.c.image_instance_id).where(there), {"ids": ids})
        if len({*found.scalars()}) < len(ids):
            raise AssertionError("all of them are there")
        has = _LINK.c.image_instance_id.in_(bindparam("ids", expanding=True))
        linked = select(_LINK.c.image_instance_id).where(has, _LINK.c.tag_id == tag)
        tagged = {*connection.execute(linked, {"ids": ids}).scalars()}
        rows = [
            {"tag_id": tag, "image_instance_id": one, "creator_id": by}
            for one in ids
            if one not in tagged
        ]
        if rows:
            connection.execute(insert(_LINK), rows)
        connection.rollback()


def _core_tag(connection: Connection, name: str) -> int:
    wanted = (_TAG.c.tag_name == name, _TAG.c.tag_type == TagType.ImageInstance)
    found: int = connection.execute(select(_TAG.c.tag_id).where(*wanted)).scalar_one()
    return found


def figures(database: Database, runs: int) -> list[Figure]:
    """Measure on one database."""
    ids = _prepare(database)
    cases = (("none has it yet", NEW), ("half of them have it", HALF), ("all of them have it", ALL))
    found = [_statements(database, ids)]
    for case, name in cases:
        figure = ratio(
            f"{MANY:,} images by ids, {case}",
            lambda name=name: by_ids(database, ids, name),  # type: ignore[misc]
            lambda name=name: core(database, ids, name),  # type: ignore[misc]
            limit_name=_CORE,
            goal=GOAL,
            runs=runs,
        )
        found.append(figure)
    return [*found, _objects(database, ids, runs)]


def _objects(database: Database, ids: Sequence[int], runs: int) -> Figure:
    """The same where the images are in hand, as objects, and links are returned as objects."""
    ours, limit = [], []
    for _ in range(runs):
        limit.append(seconds_of(lambda: core(database, ids, NEW)))
        with database.unit_of_work() as uow:
            images = uow.images.by_ids(ids)

            def tag(uow: UnitOfWork = uow, images: Sequence[ImageInstance] = images) -> None:
                Tagging().tag_all(uow, images, NEW, by="dr_smith")
                uow.flush()

            ours.append(seconds_of(tag))
    ours_s, limit_s = median(ours), median(limit)
    return Figure(
        name=f"{MANY:,} images in hand as objects, none has it yet",
        ours=ours_s,
        limit=limit_s,
        limit_name=_CORE,
        value=ours_s / limit_s,
    )


def _statements(database: Database, ids: Sequence[int]) -> Figure:
    with counted(database.engine) as sent:
        by_ids(database, ids, NEW)
    statements = [one for one in sent if not one.startswith("BEGIN")]
    return Figure(name=f"{MANY:,} images by ids", value=len(statements), unit="statements")


def main() -> int:
    """Run on the databases that are asked for; print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "mariadb"), action="append")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    found: list[Figure] = []
    for kind in options.database or ("sqlite", "mariadb"):
        with fresh_database(kind, MARIADB_URL.replace("benchmarks", "benchmark_tags")) as database:
            some = figures(database, options.runs)
        for one in some:
            times = f", {one.ours:.3f} s / {one.limit:.3f} s" if one.ours and one.limit else ""
            goal = "" if one.goal is None else f", goal {one.goal:g}"
            print(f"{kind:>8}  {one.name}: {one.value:.3g} {one.unit}{times}{goal}", flush=True)
        found += some
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
