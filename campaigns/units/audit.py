"""The history under a crowd and kills: an entry for each change, none for what was not committed.

Workers change forms and tags, by objects and by the set, roll back and are killed; each unit gives
its own token as its reason. In the end each token must have as many entries as its unit made
changes, what the rows hold must follow from the entries, and whatever somebody does to the history
must show. Then the same work is timed with and without a history, in turns.

    python -m campaigns.units.audit [--full] [--database mariadb|sqlite] [--seed N] [--server URL]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import contextlib
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import select

from campaigns.kit.crowd import Crowd, Journal, Told, told
from campaigns.kit.databases import fresh_database
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER
from campaigns.units.tamperings import TAMPERINGS, Vandal
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.adapters.sql.history.auditing import Auditor
from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.history.reading import changes_of
from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history
from eyened_domain.model import FormAnnotation, ImageInstance, ImageInstanceTagLink, Tag
from eyened_domain.services.changes.blocks import FEWEST
from eyened_domain.services.changes.entries import Change, ChangeKind
from eyened_domain.services.changes.values import text_of_key
from eyened_domain.testing import Builder

FORMS, IMAGES = 60, 40
ROWS = FEWEST + 2
"""How many rows are written by the set: so many that they are one entry."""
COST_GOAL = 1.15
"""Time with a history, compared with the time without."""


@frozen
class Size:
    """How large a campaign is: processes, units of each, kills, and timed units."""

    workers: int
    each: int
    kills: int
    timed: int


SMALL, FULL = Size(3, 30, 4, 40), Size(16, 700, 100, 4000)


class Undone(Exception):
    """Leaves a unit, or a savepoint, so that it is rolled back."""


# --- what a unit does; each returns how many changes it has made ------------------------------


def save_form(uow: Any, rng: random.Random, token: int) -> int:
    """Save answers of a form."""
    form = uow.forms.get(rng.randrange(FORMS) + 1, lock=True)
    form.form_data = {**form.form_data, "token": token}
    return 1


def save_two(uow: Any, rng: random.Random, token: int) -> int:
    """Save two forms, with a flush between."""
    for one in sorted(rng.sample(range(1, FORMS + 1), 2)):
        uow.forms.get(one, lock=True).form_data["token"] = token
        uow.flush()
    return 2


def update_rows(uow: Any, rng: random.Random, token: int) -> int:
    """Write to some forms by the set."""
    ids = sorted(rng.sample(range(1, FORMS + 1), ROWS))
    rows = [{"form_annotation_id": one, "form_data": {"token": token}} for one in ids]
    uow.rows.update(FormAnnotation, rows)
    return len(rows)


def tag_images(uow: Any, rng: random.Random, token: int) -> int:
    """Make a tag, put it on some images, and take it off one."""
    tag = uow.tags.add(Tag(tag_name=f"tag {token}", tag_type="ImageInstance", creator_id=1))
    uow.flush()
    ids = sorted(rng.sample(range(1, IMAGES + 1), 4))
    links = [{"tag_id": tag.tag_id, "image_instance_id": one, "creator_id": 1} for one in ids]
    uow.rows.insert_links(ImageInstanceTagLink, links)
    uow.rows.delete_links(ImageInstanceTagLink, "tag_id", [tag.tag_id], image_instance_id=ids[0])
    return 6


def delete_tag(uow: Any, rng: random.Random, token: int) -> int:
    """Make a tag with a link, and delete it in the same unit: its link goes along."""
    tag = uow.tags.add(Tag(tag_name=f"tag {token}", tag_type="ImageInstance", creator_id=1))
    uow.flush()
    link = {"image_instance_id": rng.randrange(IMAGES) + 1, "creator_id": 1}
    uow.rows.insert_links(ImageInstanceTagLink, [{"tag_id": tag.tag_id, **link}])
    uow.tags.delete(tag)
    return 4


def half_undone(uow: Any, rng: random.Random, token: int) -> int:
    """Take a savepoint back, and go on."""
    with contextlib.suppress(Undone), uow.savepoint():
        uow.forms.get(rng.randrange(FORMS) + 1, lock=True).form_data["token"] = -token
        uow.flush()
        uow.history.get("none")  # what waits is written for that
        raise Undone
    return save_form(uow, rng, token)


def undone(uow: Any, rng: random.Random, token: int) -> int:
    """Do something, and roll it back."""
    update_rows(uow, rng, token)
    raise Undone


Kind = Callable[[Any, random.Random, int], int]
KINDS: dict[Kind, int] = {
    save_form: 1,
    save_two: 2,
    update_rows: ROWS,
    tag_images: 6,
    delete_tag: 4,
    half_undone: 1,
    undone: 0,
}
"""What units do, and how many changes that are."""


def _called(kind: Kind, rng: random.Random, token: int, uow: Any) -> int:
    return kind(uow, rng, token)


def work(number: int, file: Path, settings: dict[str, Any], each: int, seed: int) -> None:
    """Do the units of one worker, or the rest of them."""
    begun = file.read_text().count("?") if file.exists() else 0
    journal, database = Journal(file), Database(settings)
    for step in range(begun, each):
        token = number * 1_000_000 + step + 1
        rng = random.Random(seed * 1_000_003 + token)
        kind = rng.choice(list(KINDS))
        journal.begin(token, KINDS[kind])
        try:
            unit: Any = partial(_called, kind, rng, token)
            database.run(unit, retries=100, actor=1, reason=str(token))
        except Undone:
            journal.rolled_back()
        except Exception as error:  # noqa: BLE001 - each is counted
            journal.error(error)
        else:
            journal.done(token, KINDS[kind], KINDS[kind])
    database.close()


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database."""
    figures = Figures()
    figures.tell("seed", seed)
    url = f"{server}/test_audit_{secrets.token_hex(4)}"
    with fresh_database(kind, url) as database, tempfile.TemporaryDirectory() as folder:
        _fill(database)
        settings = _settings(database)
        crowd = Crowd(work, size.workers, Path(folder), settings, size.each, seed)
        crowd.kill_some(size.kills, size.workers * size.each, random.Random(seed))
        crowd.join()
        heard = told(crowd.files)
        figures.tell("kills", crowd.killed)
        figures.zero("exceptions", len(heard.errors))
        figures.quote(heard.errors)
        _count(figures, database, heard)
        figures.zero("rows that do not follow from their entries", _replayed(database))
        _tamper(figures, database, seed)
        _time(figures, settings, size, seed)
    return figures


def _fill(database: Database) -> None:
    build = Builder()
    with database.unit_of_work() as uow:
        uow.creators.add(build.a_creator(creator_id=1))
        uow.flush()
        forms = [
            build.a_form_annotation(form_annotation_id=n + 1, form_data={"token": 0, "n": n})
            for n in range(FORMS)
        ]
        uow.forms.add_all(forms)
        series = build.a_series()
        images = [
            build.an_image(image_instance_id=n + 1, series=series, dataset_identifier=f"{n}.png")
            for n in range(IMAGES)
        ]
        uow.images.add_all(images)
        uow.commit()


def _settings(database: Database) -> dict[str, Any]:
    url = url_of(database.settings).render_as_string(hide_password=False)
    return {"database_url": url, "secret_key": database.settings.secret_key.reveal()}


def _count(figures: Figures, database: Database, heard: Told) -> None:
    """Compare the entries of each unit with what it did, as its journal says."""
    reasons = [one.reason for one in _entries(database)]
    found = Counter(int(one) for one in reasons if one is not None)
    tokens = heard.done.keys() | heard.begun.keys()
    figures.tell("units", len(tokens))
    figures.tell("entries", len(reasons))
    wrong = [one for one in tokens if found[one] not in heard.allowed(one)]
    figures.zero("units with more or fewer entries than changes", len(wrong))
    figures.zero("entries of nobody", len(found.keys() - tokens))


def _entries(database: Database) -> Iterator[Change]:
    """Yield all changes, the oldest first."""
    order = (history.c.made_at, history.c.stream_id, history.c.number)
    with database.engine.connect() as connection:
        asked = select(history).where(history.c.number < HISTORY_HEAD).order_by(*order)
        for row in connection.execute(asked):
            yield from changes_of(row)


def _replayed(database: Database) -> int:
    """Carry out all entries; return how many rows do not follow from them."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    wrong = set()
    for one in _entries(database):
        key = (one.entity, text_of_key(one.key))
        now = rows.setdefault(key, {})
        if any(now.get(name) != value for name, value in one.before.items() if name[:5] != "date_"):
            wrong.add(key)
        if one.kind is ChangeKind.DELETE:
            del rows[key]
        else:
            now |= one.after
    for entity in (FormAnnotation, Tag, ImageInstanceTagLink, ImageInstance):
        wrong |= _differing(database, entity, rows)
    return len(wrong)


def _differing(database: Database, entity: type[Any], rows: dict[Any, dict[str, Any]]) -> set[Any]:
    name, info = entity.__name__, entity.__entity__
    with database.get_session() as session:
        stored = {
            (name, ",".join(str(getattr(one, part)) for part in info.primary_key)): one
            for one in session.scalars(select(entity)).all()
        }
    told_of = {key for key in rows if key[0] == name}
    wrong = stored.keys() ^ told_of
    for key in stored.keys() & told_of:
        held = {column: getattr(stored[key], column) for column in rows[key]}
        if _text(held) != _text(rows[key]):
            wrong = wrong | {key}
    return set(wrong)


def _text(values: dict[str, Any]) -> str:
    return json.dumps(values, default=str, sort_keys=True)


def _tamper(figures: Figures, database: Database, seed: int) -> None:
    """Do to the history whatever can be done, one after the other, and look whether it shows."""
    macs, missed = Macs(database.settings.secret_key), []
    with database.engine.connect() as connection:
        faults = list(Auditor(macs).faults(connection, lambda *_: None))
    figures.zero("entries that seem wrong before", len(faults))
    for tamper in TAMPERINGS:
        with database.engine.connect() as connection:
            tamper(Vandal(connection, random.Random(seed)))
            if next(Auditor(macs).faults(connection, lambda *_: None), None) is None:
                missed.append(tamper.__name__)
            connection.rollback()
    figures.tell("tamperings", len(TAMPERINGS))
    figures.zero("tamperings that do not show", len(missed))
    figures.quote(missed)


def _time(figures: Figures, settings: dict[str, Any], size: Size, seed: int) -> None:
    """Do the same units with and without a history, in turns of a few."""
    ways = {"with": Database(settings), "without": Database({**settings, "EYENED_HISTORY": "off"})}
    walls: dict[str, list[float]] = {way: [] for way in ways}
    cpus: dict[str, list[float]] = {way: [] for way in ways}
    turns, each = max(4, size.timed // 40), 20
    for turn in range(-2, turns):
        for way in sorted(ways, reverse=bool(turn % 2)):
            wall, cpu = time.perf_counter(), time.process_time()
            for step in range(each):
                token = 900_000_000 + (turn + 2) * 1000 + step
                unit: Any = partial(_called, save_form, random.Random(token + seed), token)
                ways[way].run(unit, actor=1)
            if turn >= 0:  # the first ones compile statements
                walls[way].append(time.perf_counter() - wall)
                cpus[way].append(time.process_time() - cpu)
    for one in ways.values():
        one.close()
    for what, taken in (("time", walls), ("CPU time of the client", cpus)):
        medians = {way: statistics.median(several) for way, several in taken.items()}
        ratio = medians["with"] / medians["without"]
        name = f"{what} of a saved form, with a history / without"
        said = f"{medians['with'] / each * 1e3:.2f} ms / {medians['without'] / each * 1e3:.2f} ms"
        figures.tell(name, f"{ratio:.3f} ({said})")
        if size == FULL and ratio > COST_GOAL:
            figures.missed.append(name)


if __name__ == "__main__":
    sys.exit(command("the history under a crowd, kills and vandals", run, small=SMALL, full=FULL))
