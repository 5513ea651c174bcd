"""Secrets are in nothing that is shown, said, logged or handed on."""

import logging
import pickle

import pytest
from sqlalchemy import make_url, select

from campaigns.hostile import secrets as campaign_secrets
from eyened_domain import BadInput, Creator, Database, Duplicate, NotFound

HASH = "$argon2id$v=19$m=65536,t=3,p=4$canary"


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_canaries_are_found_nowhere(kind, mariadb_url):
    url = make_url(f"{mariadb_url}_secrets").set(username="root", password="")  # who may grant
    figures = campaign_secrets.run(kind, url.render_as_string(hide_password=False))
    assert figures["leaks"] == []
    assert figures["texts"] > 150
    assert figures["lines of logs"] > 50


@pytest.fixture
def session(database):
    with database.get_session() as session:
        session.add_all([Creator(creator_name=name, password_hash=HASH) for name in "ab"])
        session.commit()
        yield session


def test_rows_are_not_logged_when_sqlalchemy_logs_all_it_can(session, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.engine")
    assert session.scalars(select(Creator.password_hash)).all() == [HASH, HASH]
    assert "SELECT" in caplog.text
    assert "canary" not in caplog.text


def test_rows_that_a_unit_of_work_reads_are_not_logged(database, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.engine")
    with database.unit_of_work() as uow:
        uow.creators.add(Creator(creator_name="a", password_hash=HASH))
        uow.flush()
        uow.session.expire_all()
        assert uow.creators.by_name("a").password_hash == HASH
    assert "SELECT" in caplog.text
    assert "canary" not in caplog.text


def test_private_values_are_not_in_what_look_ups_say(session):
    creators = session.repository(Creator)
    with pytest.raises(NotFound, match=r"password_hash .private") as missing:
        creators.one(password_hash=HASH + "x")
    with pytest.raises(Duplicate, match=r"password_hash .private") as several:
        creators.one(password_hash=HASH)
    with pytest.raises(BadInput) as refused:
        creators.one(PasswordHash=HASH + "\0")
    for error in (missing.value, several.value, refused.value):
        assert "canary" not in f"{error}{vars(error)}"


def test_the_url_of_an_engine_holds_neither_password_nor_options():
    url = "mysql+pymysql://ann:canary@localhost:3307/test_x?init_command=canary2&read_timeout=7"
    from eyened_domain.adapters.sql.engine import engine_of

    engine = engine_of(Database({"database_url": url, "secret_key": "k"}).settings)
    said = (
        f"{engine!r}{engine.url.render_as_string(hide_password=False)}{pickle.dumps(engine.url)!r}"
    )
    assert "canary" not in said
    assert "localhost:3307/test_x" in said


def test_the_password_and_the_options_of_a_url_reach_the_driver(monkeypatch):
    import eyened_domain.adapters.sql.streaming as streaming
    from eyened_domain.adapters.sql.engine import engine_of

    class ReachedError(Exception):
        pass

    def connect(*_arguments, **options):
        raise ReachedError(options)

    monkeypatch.setattr(streaming, "KeepingConnection", connect)
    url = "mysql+pymysql://ann:p%40w@localhost:3307/test_x?read_timeout=7&init_command=SELECT+1"
    engine = engine_of(Database({"database_url": url, "secret_key": "k"}).settings)
    with pytest.raises(ReachedError) as reached:
        engine.connect()
    options = reached.value.args[0]
    assert options["password"] in {"p@w", b"p@w"}
    assert (options["user"], options["host"], options["port"]) == ("ann", "localhost", 3307)
    assert (options["database"], options["read_timeout"]) == ("test_x", 7)
    assert options["init_command"] == "SELECT 1"
    assert options["charset"] == "utf8mb4"
