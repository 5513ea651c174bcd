"""Reliability S5: secrets are in nothing that the library shows, says, logs or hands on.

Eight canaries (password and its hash of a creator, password, key and URL options of
databases, a wrong password) are put where secrets belong. Then everything that can be
looked at is gathered: representations, dicts, errors with their tracebacks, logs at DEBUG
with SQLAlchemy's echo, DataFrames and pickles; and searched for them.

    python -m campaigns.hostile.secrets [--database both]

Prints the figures; exit code 1 when a canary is found.
"""

from __future__ import annotations

import argparse
import logging
import pickle
import re
import secrets
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs
from sqlalchemy import Engine, create_engine, insert, make_url, select, text

from campaigns.kit.databases import campaign_url, fresh_database
from eyened_domain import Container, Creator, Patient, Project, Settings
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of

ACCOUNT = "test_secrets"
DRAWN = re.compile(rb"[0-9a-f]{16,}")


@attrs.frozen
class Canaries:
    """Secrets that nothing else looks like."""

    password: str = attrs.field(factory=lambda: f"pw@/#%{secrets.token_hex(8)}")
    wrong_password: str = attrs.field(factory=lambda: f"wrong{secrets.token_hex(8)}")
    secret_key: str = attrs.field(factory=lambda: f"key{secrets.token_hex(8)}")
    url_option: str = attrs.field(factory=lambda: f"option{secrets.token_hex(8)}")
    password_hash: str = attrs.field(factory=lambda: f"$argon2id${secrets.token_hex(8)}")
    changed_hash: str = attrs.field(factory=lambda: f"$argon2id$new{secrets.token_hex(8)}")
    refused_hash: str = attrs.field(factory=lambda: f"refused{secrets.token_hex(200)}")
    legacy: bytes = attrs.field(factory=lambda: secrets.token_hex(16).encode())

    def found_in(self, said: bytes) -> list[str]:
        """Return the names of the canaries of which 12 characters are in it."""
        found = []
        for name, value in attrs.asdict(self).items():
            (drawn,) = DRAWN.findall(value if isinstance(value, bytes) else value.encode())
            if any(drawn[start : start + 12] in said for start in range(0, len(drawn) - 11, 2)):
                found.append(name)
        return found


class Gathered(logging.Handler):
    """All that was said, each under what said it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[tuple[str, bytes]] = []

    def add(self, where: str, what: Any) -> None:
        """Keep what was said."""
        self.said.append((where, what if isinstance(what, bytes) else str(what).encode()))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of a log."""
        self.add(f"log {record.name}", self.format(record))

    def show(self, where: str, one: Any) -> None:
        """Look at an object in every way there is."""
        for how in (repr, str, format, _dir_values):
            self.add(f"{how.__name__} of {where}", how(one))
        try:
            self.add(f"pickle of {where}", pickle.dumps(one))
        except Exception as error:  # noqa: BLE001 - not all can be pickled
            self.error(f"pickle of {where}", error)

    def fails(self, where: str, work: Callable[[], Any]) -> None:
        """Do what must fail, and keep all that the error says."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell
            self.error(where, error)
            return
        raise AssertionError(f"{where} did not fail")

    def error(self, where: str, error: BaseException) -> None:
        """Keep an error with its causes and attributes."""
        one: BaseException | None = error
        while one is not None:
            self.add(f"error of {where}", f"{one!r} {one} {vars(one)!r}")
            one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        self.add(f"traceback of {where}", "".join(traceback.format_exception(error)))


def _dir_values(one: Any) -> str:
    """Return the representation of what an object holds."""
    held = getattr(one, "__dict__", {})
    public = {name: value for name, value in held.items() if not _is_private(one, name)}
    return repr(public)


def _is_private(one: Any, name: str) -> bool:
    info = getattr(type(one), "__entity__", None)
    return info is not None and name in info.columns and bool(info.columns[name].private)


def run(kind: str, url: str) -> dict[str, Any]:
    """Gather and search.

    Returns:
        figures; ``leaks`` must be empty.
    """
    canaries, gathered = Canaries(), Gathered()
    with (
        fresh_database(kind, url) as made,
        _account(kind, url, canaries) as address,
        _listening(gathered),
    ):
        _gather(gathered, canaries, _config(made, address, canaries), kind)
    leaks = [(where, name) for where, said in gathered.said for name in canaries.found_in(said)]
    lines = sum(where.startswith("log ") for where, _ in gathered.said)
    return {
        "database": kind,
        "canaries": len(attrs.fields(Canaries)),
        "texts": len(gathered.said),
        "lines of logs": lines,
        "leaks": sorted(set(leaks)),
    }


@contextmanager
def _listening(gathered: Gathered) -> Iterator[None]:
    names = ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm", "pymysql")
    loggers = [logging.getLogger(name) for name in (*names, "eyened_domain")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(gathered)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        loggers[0].removeHandler(gathered)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _account(kind: str, url: str, canaries: Canaries) -> Iterator[str]:
    """Give the URL of the database for an account whose password is a canary."""
    if kind == "sqlite":
        yield ""
        return
    parts = make_url(url)
    admin = create_engine(parts)
    name = f"{ACCOUNT}_{secrets.token_hex(4)}"
    # a server may have an account without a name at localhost, which comes before '%'
    users = [f"'{name}'@'{host}'" for host in ("%", "localhost")]
    for user in users:
        _execute(admin, f"CREATE USER {user} IDENTIFIED BY :password", canaries.password)
    try:
        for user in users:
            _execute(admin, f"GRANT ALL ON `{parts.database}`.* TO {user}")
        given = parts.set(username=name, password=canaries.password)
        yield given.render_as_string(hide_password=False)
    finally:
        for user in users:
            _execute(admin, f"DROP USER {user}")
        admin.dispose()


def _execute(engine: Engine, statement: str, password: str | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), {"password": password} if password else {})


def _config(made: Database, address: str, canaries: Canaries) -> dict[str, Any]:
    paths = {"secret_key": canaries.secret_key, "images_basepath": str(made.image_store._base)}
    if not address:
        return {"database_url": str(made.settings.database_url.reveal())} | paths  # type: ignore[union-attr]
    return {"database_url": f"{address}?init_command=SET%20%40x%3D'{canaries.url_option}'"} | paths


def _gather(gathered: Gathered, canaries: Canaries, config: dict[str, Any], kind: str) -> None:
    database = Database(config)
    container = Container(config=config)
    for where, one in (
        ("Database", database),
        ("Settings", database.settings),
        ("Engine", database.engine),
        ("URL", database.engine.url),
        ("Container", container),
        ("asdict", attrs.asdict(database.settings)),
        ("pool", database.engine.pool),
    ):
        gathered.show(where, one)
    _gather_creators(gathered, canaries, database)
    _gather_errors(gathered, canaries, database)
    if kind == "mariadb":
        _gather_refusals(gathered, canaries, config)
    database.close()


def _gather_creators(gathered: Gathered, canaries: Canaries, database: Database) -> None:
    with database.get_session() as session:
        session.add(
            Creator(
                creator_name="ann", password_hash=canaries.password_hash, password=canaries.legacy
            )
        )
        session.commit()
    with database.unit_of_work() as uow:
        ann = uow.creators.by_name("ann")
        ann.PasswordHash = canaries.changed_hash
        gathered.show("UnitOfWork", uow)
        uow.commit()
    with database.get_session() as session:
        ann = Creator.by_name(session, "ann")
        gathered.show("session", session)
        gathered.show("repository", session.repository(Creator))
        gathered.add("frame", session.frame(select(Creator)).to_string())
        gathered.add("list", Creator.to_list(session))
        gathered.add("database list", Creator.to_list(session, database_names=True))
    for where, one in (("Creator", ann), ("list of Creator", [ann])):
        gathered.show(where, one)
    gathered.add("dict", ann.to_dict())
    gathered.add("database dict", ann.to_dict(database_names=True))


def _gather_errors(gathered: Gathered, canaries: Canaries, database: Database) -> None:
    refused: dict[str, dict[str, Any]] = {
        "long hash": {"password_hash": canaries.refused_hash},
        "wrong kind": {"password": canaries.password_hash},
        "unknown name": {"PassHash": canaries.password_hash},
    }
    for where, values in refused.items():
        gathered.fails(where, partial(Creator, creator_name="b", **values))
    twice: dict[str, Any] = {"creator_name": "ann", "password_hash": canaries.password_hash}
    with database.get_session() as session:
        gathered.fails(
            "duplicate in bulk",
            lambda: session.execute(insert(table_of(Creator)), [twice | {"is_human": True}]),
        )
    with database.get_session() as session:
        session.add(Creator(**twice, password=canaries.legacy))
        gathered.fails("duplicate", session.commit)
    with database.get_session() as session:
        one = session.repository(Creator).one
        gathered.fails("look-up", partial(one, password_hash=canaries.changed_hash + "x"))
        gathered.fails("look-up", partial(one, password=canaries.legacy[:-1]))
        gathered.fails(
            "look-up, refused", lambda: Creator.where(session, password_hash=canaries.refused_hash)
        )
        gathered.fails("frame", lambda: session.frame(select(Creator.password_hash)))
        gathered.fails("statement", lambda: session.execute(text(f"SELECT 1 FROM nowhere -- {1}")))
        session.add(Patient(patient_identifier="x", project=Project(project_name="y")))
        gathered.show(
            "statement with parameters",
            select(Creator).where(Creator.password_hash == canaries.password_hash),
        )


def _gather_refusals(gathered: Gathered, canaries: Canaries, config: dict[str, Any]) -> None:
    """Gather what is said of databases that cannot be opened."""
    right = make_url(config["database_url"])
    wrong = right.set(password=canaries.wrong_password)
    nowhere = right.set(port=1, host="127.0.0.1")
    for url in (wrong, nowhere, right.set(database="test_not_there")):
        written = url.render_as_string(hide_password=False)
        gathered.fails("no access", partial(_open, config | {"database_url": written}))
    parts = {
        "user": "root",
        "password": canaries.password,
        "host": "",
        "database": "x",
        "port": "x",
    }
    gathered.fails(
        "wrong parts", lambda: Settings.load({"database": parts, "secret_key": canaries.secret_key})
    )
    gathered.fails(
        "no URL",
        lambda: Settings.load(
            {
                "database_url": f"mysql://{canaries.password}@",
                "secret_key": canaries.secret_key,
                "x": 1,
            }
        ),
    )


def _open(config: dict[str, Any]) -> None:
    with Database(config).get_session() as session:
        session.connection()


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("mariadb", "sqlite", "both"), default="both")
    options = parser.parse_args()
    kinds = ("mariadb", "sqlite") if options.database == "both" else (options.database,)
    url = campaign_url("secrets")
    well = True
    for kind in kinds:
        figures = run(kind, url)
        for name, value in figures.items():
            print(f"{name:>14}: {value}")
        well = well and not figures["leaks"]
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
