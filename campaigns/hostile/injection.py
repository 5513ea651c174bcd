"""Reliability S2: whatever text is given, it is stored as it is or refused, and never run.

Quotes, backticks, NUL, emoji, percent signs, `:names`, backslashes and SQL are put together
at random and given to every public argument that takes a text: constructors, look-ups by
name, identifier, column and condition, names of columns, tags, DataFrames.

    python -m campaigns.hostile.injection [--full] [--seed N] [--database both]

Prints the seed and the figures; exit code 1 when a text was run, changed or found too much.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import func, select

from campaigns.kit.databases import campaign_url, fresh_database
from eyened_domain import Creator, Feature, Patient, Project, Study, StudyTagLink, Tag
from eyened_domain.adapters.database import Database
from eyened_domain.errors import EyenedError
from eyened_domain.services.tagging import Tagging

FRAGMENTS = (
    "'", '"', "`", "\\", "\\'", '\\"', "''", "%", "%s", "%(x)s", "%%", "%d", ":name", ":x_1", "?",
    "?1", "{x}", "${x}", "#", "--", "-- ", "/*", "*/", "/*!50000 ", ";", "\0", "\x1a", "\n", "\t",
    "\r", "😀", "👩‍⚕️", "é", "ß", "İ", "ʼ", "＇", "\u2028", "\u202e", "\ufeff", "\ud800", "名", " ",
    "(", ")", "NULL", "' OR '1'='1", '" OR ""="', "' OR 1=1 -- ", "'; DROP TABLE Project; -- ",
    "`; DROP TABLE `Patient`; -- ", "' UNION SELECT PasswordHash FROM Creator -- ", "\\' OR 1=1 #",
    "' OR SLEEP(0)='", "'||'", "' AND '1'='2", "0x27", "CHAR(39)", "a", "Z", "_", "*",
)  # fmt: skip
SENTINEL = "the row that nobody asked for"


def texts(rng: random.Random, count: int) -> Iterator[str]:
    """Give every fragment by itself, then mixtures of them."""
    for number in range(count):
        if number < len(FRAGMENTS):
            yield FRAGMENTS[number]
        else:
            yield "".join(rng.choices(FRAGMENTS, k=rng.randint(2, 5)))


def run(kind: str, url: str, *, count: int, seed: int) -> dict[str, Any]:
    """Run the campaign on a fresh database.

    Returns:
        figures; ``errors`` (not ours), ``changed``, ``extra rows`` and ``damage`` must be 0.
    """
    figures: Counter[str] = Counter()
    with fresh_database(kind, url) as database:
        attack = _Attack(database, figures)
        for one in texts(random.Random(seed), count):
            attack.store(one)
            attack.look_up(one)
            attack.name_columns(one)
            attack.tag(one)
        attack.look_over()
    names = ("stored", "refused", "found", "errors", "changed", "extra rows", "damage")
    return (
        {"seed": seed, "database": kind, "texts": count}
        | {n: figures[n] for n in names}
        | {"first errors": attack.errors[:3]}
    )


class _Attack:
    """One database, and what was done to it."""

    def __init__(self, database: Database, figures: Counter[str]) -> None:
        self._database = database
        self._figures = figures
        self.errors: list[str] = []
        with database.get_session() as session:
            project = Project(project_name=SENTINEL, description=SENTINEL)
            patient = Patient(patient_identifier=SENTINEL, project=project)
            session.add(Study(patient=patient, study_date="2024-01-01"))
            session.add(Creator(creator_name="ann", password_hash="hash"))
            session.commit()

    def _attempt(self, given: str, work: Callable[[], Any]) -> Any:
        """Do it; what the library refuses is counted, what else is raised is a failure."""
        try:
            return work()
        except EyenedError:
            self._figures["refused"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
            self._figures["errors"] += 1
            self.errors.append(f"{given!a}: {type(error).__name__}: {error}"[:300])
        return None

    def store(self, given: str) -> None:
        """Store the text in columns of several kinds, and read it back."""
        made: tuple[Callable[[], Any], ...] = (
            lambda: Project(project_name=given, description=given, doi=given),
            lambda: Patient(patient_identifier=given, project_id=1),
            lambda: Creator(creator_name=given, description=given, path=given),
            lambda: Feature(feature_name=given),
        )
        for make in made:
            self._attempt(given, lambda make=make: self._store(given, make))  # type: ignore[misc]

    def _store(self, given: str, make: Callable[[], Any]) -> None:
        with self._database.get_session() as session:
            one = make()
            session.add(one)
            session.commit()
            entity, info = type(one), one.__entity__
            identity = getattr(one, info.primary_key[0])
        self._figures["stored"] += 1
        with self._database.get_session() as session:
            again = entity.by_id(session, identity)
            held = [name for name in info.columns if getattr(one, name) == given]
            if not held or any(getattr(again, name) != given for name in held):
                self._figures["changed"] += 1

    def look_up(self, given: str) -> None:
        """Look for the text in every way there is; the sentinel must never come back."""
        with self._database.get_session() as session:
            lookups: tuple[Callable[[], Any], ...] = (
                lambda: Project.by_name(session, given, default=None),
                lambda: Project.by_name(session, given),
                lambda: Patient.by_identifier(session, 1, given, default=None),
                lambda: Patient.by_identifier(session, given, SENTINEL + "?", default=None),  # type: ignore[call-overload]
                lambda: Project.by_column(session, "project_name", given),
                lambda: Project.by_columns(session, ProjectName=given, description=given),
                lambda: Project.where(session, project_name=[given, given + "x"]),
                lambda: Project.where(session, Project.ProjectName == given),
                lambda: Project.by_id(session, given, default=None),
                lambda: Project.by_ids(session, [given]),
                lambda: session.repository(Project).one(description=given, default=None),
                lambda: [None] * session.repository(Project).count(project_name=given),
                lambda: list(
                    session.frame(select(Project.description).where(Project.doi == given))[
                        "description"
                    ]
                ),
            )
            for lookup in lookups:
                self._judge(self._attempt(given, lookup))

    def _judge(self, found: Any) -> None:
        several = found if isinstance(found, list) else [] if found is None else [found]
        self._figures["found"] += len(several)
        for one in several:
            text = getattr(one, "description", one) if not isinstance(one, str) else one
            if text == SENTINEL or getattr(one, "patient_identifier", None) == SENTINEL:
                self._figures["extra rows"] += 1

    def name_columns(self, given: str) -> None:
        """Give the text where the name of a column is expected; no row may come back."""
        named: dict[str, Any] = {given: SENTINEL}
        with self._database.get_session() as session:
            for lookup in (
                lambda: Project.by_column(session, given, SENTINEL),
                lambda: Project.where(session, **named),
                lambda: session.repository(Project).count(**named),
                lambda: Project(**named),
                lambda: session.frame(select(Project.project_id), backend=given),
            ):
                if self._attempt(given, lookup):
                    self._figures["extra rows"] += 1

    def tag(self, given: str) -> None:
        """Put a tag of that name on a study, and take it off again."""
        self._attempt(given, lambda: self._tag(given))

    def _tag(self, given: str) -> None:
        tagging = Tagging()
        with self._database.unit_of_work() as uow:
            study, ann = uow.studies.get(1), uow.creators.by_name("ann")
            tagging.tag(uow, study, given, by=ann, comment=given)
            uow.commit()
        with self._database.get_session() as session:
            (link,) = session.scalars(select(StudyTagLink)).all()
            if given != link.comment:
                self._figures["changed"] += 1
        with self._database.unit_of_work() as uow:
            tagging.untag(uow, uow.studies.get(1), given)
            uow.commit()

    def look_over(self) -> None:
        """Count as damage whatever is not as it was: rows gone, tables gone, hashes changed."""
        with self._database.get_session() as session:
            sentinel = session.scalar(
                select(func.count()).select_from(Project).where(Project.description == SENTINEL)
            )
            hashes = set(session.scalars(select(Creator.password_hash)))
            links = session.scalar(select(func.count()).select_from(StudyTagLink))
            session.scalars(select(Tag)).all()
        self._figures["damage"] += (sentinel != 1) + (hashes - {None} != {"hash"}) + (links != 0)


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether all texts were stored as they are, or refused."""
    return not any(figures[name] for name in ("errors", "changed", "extra rows", "damage"))


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="500 texts instead of 150")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--database", choices=("mariadb", "sqlite", "both"), default="both")
    options = parser.parse_args()
    kinds = ("mariadb", "sqlite") if options.database == "both" else (options.database,)
    url = campaign_url("injection")
    well = True
    for kind in kinds:
        figures = run(kind, url, count=500 if options.full else 150, seed=options.seed)
        for name, value in figures.items():
            print(f"{name:>12}: {value}")
        well = well and sound(figures)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
