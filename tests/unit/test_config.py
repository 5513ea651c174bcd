"""What the settings must hold, whatever the place they were said in."""

from __future__ import annotations

import copy
import json
import logging
import multiprocessing
import os
import pickle
import re
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, make_url

from eyened_domain.config import DatabaseSettings, Secret, Settings, keyfile
from eyened_domain.errors import ConfigurationError

CANARY = "c4n4ry@/#%:?'\"é"
SERVER = {
    "DATABASE_USER": "reader",
    "DATABASE_PASSWORD": "p@ss/w#rd%",
    "DATABASE_HOST": "db.clinic.example",
    "DATABASE_PORT": "3306",
    "DATABASE_NAME": "eyened",
    "SECRET_KEY": "the key",
}
URL_OF_SERVER = "mysql+pymysql://reader:p%40ss@db.clinic.example:3306/eyened"


def refused(source: object = None, environ: Mapping[str, str] | None = None) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(source, environ=environ or {})
    return caught.value


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- a Secret -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{!r:>5}".format, "%s".__mod__, "%r".__mod__, ascii]
)
def test_a_secret_shows_stars_however_it_is_shown(show: Callable[[object], str]):
    shown = show((Secret(CANARY),)) if show in (repr, str, ascii) else show(Secret(CANARY))
    assert "***" in shown
    assert "c4n4ry" not in shown


def test_a_secret_gives_its_text_when_asked():
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY), protocol)


def test_a_secret_hands_out_no_state():
    with pytest.raises(TypeError):
        Secret(CANARY).__getstate__()
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_a_secret_is_not_json():
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(CANARY)})
    assert "c4n4ry" not in json.dumps({"key": Secret(CANARY)}, default=str)


def test_a_copy_of_a_secret_is_the_secret_itself():
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@given(st.text(), st.text())
def test_secrets_are_equal_when_their_texts_are(one: str, other: str):
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda a, b: compared.append((a, b)) or a == b)  # type: ignore[func-returns-value]
    assert Secret("a") != Secret("b")
    assert compared == [(b"a", b"b")]


def test_a_secret_equals_no_plain_text_and_has_no_hash():
    assert Secret("a") != "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("a"))


def test_a_secret_of_something_else_than_text_is_refused_without_showing_it():
    with pytest.raises(TypeError) as caught:
        Secret(b"c4n4ry")  # type: ignore[arg-type]
    assert "c4n4ry" not in str(caught.value)


# --- a server's database in five parts ----------------------------------------------------


def test_five_variables_are_a_server():
    loaded = Settings.load(environ=SERVER)
    assert loaded.database == DatabaseSettings(
        user="reader", password="p@ss/w#rd%", host="db.clinic.example", port=3306, name="eyened"
    )
    assert loaded.is_server
    assert not loaded.is_embedded
    assert loaded.secret_key.reveal() == "the key"


def test_a_server_has_the_defaults_of_the_contract():
    loaded = Settings.load(environ=SERVER)
    assert loaded.images_basepath == Path("/images")
    assert loaded.segmentations_zarr_store == Path("/storage/segmentations.zarr")
    assert loaded.thumbnails_path == Path("/storage/thumbnails")
    assert loaded.annotations_path == Path("/storage/annotations")
    assert loaded.default_study_date == date(1970, 1, 1)
    assert loaded.cfi_cache_path is None
    assert loaded.image_server_url is None
    assert loaded.home is None
    assert loaded.raise_on_warnings
    assert loaded.database is not None
    assert loaded.database.raise_on_warnings


def test_every_variable_reaches_its_setting():
    loaded = Settings.load(
        environ={
            **SERVER,
            "DATABASE_RAISE_ON_WARNINGS": "No",
            "IMAGES_BASEPATH": "/a",
            "SEGMENTATIONS_ZARR_STORE": "/b.zarr",
            "THUMBNAILS_PATH": "/c",
            "ANNOTATIONS_PATH": "/d",
            "DEFAULT_STUDY_DATE": "2001-02-03",
            "CFI_CACHE_PATH": "/e",
            "IMAGE_SERVER_URL": "https://img.example/base/",
            "HOME": "/not/ours",
            "DATABASE_PASSWRD": "unknown names of the environment are other programs'",
        }
    )
    assert loaded.database is not None
    assert not loaded.database.raise_on_warnings
    assert not loaded.raise_on_warnings
    assert loaded.images_basepath == Path("/a")
    assert loaded.segmentations_zarr_store == Path("/b.zarr")
    assert loaded.thumbnails_path == Path("/c")
    assert loaded.annotations_path == Path("/d")
    assert loaded.default_study_date == date(2001, 2, 3)
    assert loaded.cfi_cache_path == Path("/e")
    assert loaded.image_server_url == "https://img.example/base"


def test_without_a_source_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch):
    for name, value in SERVER.items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == Settings.load(environ=SERVER)


def test_the_signature_does_not_hold_the_environment():
    import inspect

    assert "environ({" not in str(inspect.signature(Settings.load))


@pytest.mark.parametrize("given_part", [name for name in SERVER if name != "SECRET_KEY"])
def test_a_half_configured_server_names_every_missing_variable_at_once(given_part: str):
    error = refused(environ={given_part: SERVER[given_part]})
    missing = [name for name in SERVER if name != given_part]
    assert all(name in str(error) for name in missing)
    assert error.field is not None
    assert error.field.split(", ") == missing
    assert "the environment" in str(error)


def test_the_secret_key_is_required_with_a_server():
    error = refused(environ={k: v for k, v in SERVER.items() if k != "SECRET_KEY"})
    assert error.field == "SECRET_KEY"


def test_the_secret_key_is_required_with_a_server_given_by_url():
    assert refused(URL_OF_SERVER).field == "SECRET_KEY"
    assert refused({"database_url": URL_OF_SERVER}).field == "SECRET_KEY"
    assert refused(environ={"DATABASE_URL": URL_OF_SERVER}).field == "SECRET_KEY"


def test_settings_of_a_server_made_by_hand_require_a_key_too():
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        Settings(database=Settings.load(environ=SERVER).database)
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        Settings(database_url=URL_OF_SERVER, secret_key="")


@pytest.mark.parametrize("name", list(SERVER))
def test_empty_is_not_set(name: str):
    assert refused(environ={**SERVER, name: ""}).field == name
    assert refused({**SERVER, name: None}).field == name


def test_a_missing_password_says_how_to_do_without_one():
    assert "DATABASE_URL" in str(refused(environ={**SERVER, "DATABASE_PASSWORD": ""}))


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "3306.0", "٣٣٠٦", "9" * 5000, "3 3"])
def test_a_wrong_port_is_named_with_its_value(port: str):
    error = refused(environ={**SERVER, "DATABASE_PORT": port})
    assert error.field == "DATABASE_PORT"
    assert port[:70] in str(error)
    assert len(str(error)) < 250


@pytest.mark.parametrize("port", [True, 3306.0, [3306], 70000])
def test_a_wrong_port_in_a_dictionary_is_refused(port: object):
    assert refused({**SERVER, "DATABASE_PORT": port}).field == "DATABASE_PORT"


@pytest.mark.parametrize(
    "day", ["2024-02-31", "20240101", "01-02-2024", "soon", "2024-W01-1", "2024-1-1"]
)
def test_a_wrong_date_is_named_with_its_value(day: str):
    error = refused(environ={**SERVER, "DEFAULT_STUDY_DATE": day})
    assert error.field == "DEFAULT_STUDY_DATE"
    assert day in str(error)


def test_a_date_of_a_dictionary_is_a_date_but_no_moment():
    day = date(2020, 2, 29)
    assert Settings.load({"default_study_date": day}).default_study_date == day
    assert refused({"default_study_date": datetime(2020, 1, 1, 12)}).field == "DEFAULT_STUDY_DATE"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, True) for text in ("true", "YES", "1", " on ", True, 1)),
        *((text, False) for text in ("false", "No", "0", "off", False, 0)),
    ],
)
def test_true_and_false_are_understood(text: object, meant: bool):
    loaded = Settings.load({"database_url": "sqlite://", "database_raise_on_warnings": text})
    assert loaded.raise_on_warnings is meant


@pytest.mark.parametrize("text", ["maybe", "2", 2, 1.0, "truee"])
def test_what_is_neither_true_nor_false_is_refused(text: object):
    error = refused({"DATABASE_RAISE_ON_WARNINGS": text})
    assert error.field == "DATABASE_RAISE_ON_WARNINGS"
    assert repr(text) in str(error)


@pytest.mark.parametrize("name", ["DATABASE_HOST", "IMAGES_BASEPATH", "IMAGE_SERVER_URL"])
def test_control_characters_are_refused(name: str):
    error = refused(environ={**SERVER, name: "a\n2024 ERROR forged line"})
    assert error.field == name
    assert "\n" not in str(error)


def test_a_number_as_password_is_refused_without_showing_it():
    for name in ("DATABASE_PASSWORD", "SECRET_KEY"):
        error = refused({**SERVER, name: 12345678})
        assert error.field == name
        assert "12345678" not in str(error)


def test_bytes_that_are_not_utf8_are_refused_without_showing_them():
    error = refused(environ={**SERVER, "DATABASE_PASSWORD": "c4n4ry\udcff"})
    assert error.field == "DATABASE_PASSWORD"
    assert "c4n4ry" not in "".join(traceback.format_exception(error))


# --- dictionaries -------------------------------------------------------------------------


NESTED = {
    "database": {
        "user": "reader",
        "password": "p@ss/w#rd%",
        "host": "db.clinic.example",
        "database": "eyened",
        "port": 3306,
        "raise_on_warnings": True,
    },
    "secret_key": "the key",
}


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_flat_dictionary_takes_the_names_in_any_case(case: Callable[[str], str]):
    flat = {case(name): value for name, value in SERVER.items()}
    assert Settings.load(flat, environ={}) == Settings.load(environ=SERVER)


def test_a_nested_dictionary_is_the_same_as_a_flat_one():
    assert Settings.load(NESTED, environ={}) == Settings.load(environ=SERVER)


def test_a_dictionary_may_mix_flat_and_nested():
    mixed = {**NESTED, "IMAGES_BASEPATH": Path("/data")}
    assert Settings.load(mixed).images_basepath == Path("/data")


def test_a_dictionary_is_not_completed_from_the_environment():
    half = {k: v for k, v in SERVER.items() if k != "DATABASE_HOST"}
    assert refused(half, environ=SERVER).field == "DATABASE_HOST"


def test_a_name_given_twice_in_a_dictionary_is_refused():
    assert refused({"secret_key": "a", "SECRET_KEY": "b"}).field == "SECRET_KEY"
    assert refused({**NESTED, "database_host": "x"}).field == "DATABASE_HOST"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("DATABASE_PASSWRD", "DATABASE_PASSWORD"),
        ("image_basepath", "IMAGES_BASEPATH"),
        ("databse", "DATABASE"),
        ("Thumbnail_Path", "THUMBNAILS_PATH"),
        ("database_uri", "DATABASE_URL"),
    ],
)
def test_an_unknown_name_in_a_dictionary_is_an_error_that_knows_the_nearest(key: str, near: str):
    error = refused({**SERVER, key: CANARY})
    assert repr(key) in str(error)
    assert re.search(rf"Did you mean {near}\?", str(error))
    assert "c4n4ry" not in str(error)


@pytest.mark.parametrize(
    ("key", "near"), [("passwrd", "password"), ("name", "database"), ("usr", "user")]
)
def test_an_unknown_nested_name_is_an_error_that_knows_the_nearest(key: str, near: str):
    error = refused({"database": {key: CANARY}})
    assert f"'database.{key}'" in str(error)
    assert f"database.{near}?" in str(error)


@pytest.mark.parametrize("key", ["zzz", 5, None, "x" * 10_000])
def test_a_name_like_no_other_gets_the_list_of_names(key: object):
    error = refused({key: 1})
    assert "SEGMENTATIONS_ZARR_STORE" in str(error)
    assert len(str(error)) < 700


def test_a_url_in_the_place_of_the_nested_database_is_told_where_to_go():
    error = refused({"database": f"mysql://u:{CANARY}@h/d"})
    assert "database_url" in str(error)
    assert "c4n4ry" not in str(error)


@pytest.mark.parametrize("source", [5, b"x", ["a"], object()])
def test_a_source_of_another_kind_is_refused(source: object):
    assert type(source).__name__ in str(refused(source))


def test_settings_are_given_back_as_they_are():
    loaded = Settings.load({})
    assert Settings.load(loaded) is loaded


# --- env files ----------------------------------------------------------------------------


def env_file(text: str, name: str = "file.env") -> Path:
    path = Path(name).absolute()
    path.write_text(text, encoding="utf-8", newline="")
    return path


LINES = "".join(f"{name}='{value}'\n" for name, value in SERVER.items())


@pytest.mark.parametrize("kind", [str, Path])
def test_an_env_file_is_named_by_text_or_path(kind: Callable[[Path], object]):
    path = env_file("# a comment\n\nexport CFI_CACHE_PATH=/cache\n" + LINES)
    expected = Settings.load(environ={**SERVER, "CFI_CACHE_PATH": "/cache"})
    assert Settings.load(kind(path), environ={}) == expected


def test_an_env_file_from_windows_is_read():
    path = env_file("\ufeff" + LINES.replace("\n", "\r\n"))
    assert Settings.load(path, environ={}) == Settings.load(environ=SERVER)


def test_an_env_file_is_the_whole_configuration():
    path = env_file(LINES.replace("DATABASE_HOST", "OTHER"))
    assert refused(path, environ=SERVER).field == "DATABASE_HOST"
    path = env_file("IMAGES_BASEPATH=/x\n")
    assert Settings.load(path, environ=SERVER).is_embedded


def test_a_dot_env_in_the_current_folder_is_not_read_unless_named():
    env_file(LINES, ".env")
    assert Settings.load(environ={}).is_embedded
    assert Settings.load(".env", environ={}).is_server


def test_a_misspelt_name_in_an_env_file_is_an_error():
    error = refused(env_file(LINES + f"DATABASE_PASSWRD={CANARY}\n"))
    assert "'DATABASE_PASSWRD'" in str(error)
    assert "DATABASE_PASSWORD?" in str(error)
    assert "c4n4ry" not in str(error)


def test_an_env_file_may_hold_other_programs_names():
    others = "COMPOSE_PROJECT_NAME=x\nDATABASE_ROOT_PASSWORD=y\nPORT=8000\nTZ=Europe/Amsterdam\n"
    assert Settings.load(env_file(others + LINES), environ={}).is_server


def test_variables_in_an_env_file_are_not_filled_in():
    path = env_file(LINES.replace("p@ss/w#rd%", "a${HOME}b"))
    loaded = Settings.load(path, environ={"HOME": "/h"})
    assert loaded.database is not None
    assert loaded.database.password.reveal() == "a${HOME}b"
    assert refused(env_file(LINES + "IMAGES_BASEPATH=${HOME}/x\n")).field == "IMAGES_BASEPATH"


def test_an_unclosed_quote_in_an_env_file_is_an_error_that_names_the_line():
    error = refused(env_file(LINES + f"CFI_CACHE_PATH='{CANARY}\n"))
    assert "line 7" in str(error)
    assert "c4n4ry" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("text", ["", "# nothing\n", "hello\n", "database:\n  user: x\n"])
def test_a_file_that_sets_nothing_known_does_not_open_an_embedded_database(text: str):
    assert "file.env" in str(refused(env_file(text)))


@pytest.mark.parametrize("kind", [str, Path])
def test_an_env_file_that_is_not_there_is_an_error_that_names_it(kind: Callable[[str], object]):
    error = refused(kind("nowhere/prod.env"))
    assert "nowhere/prod.env" in str(error)
    assert "no such file" in str(error)


@pytest.mark.parametrize("source", ["", "  ", ".", "a\0b", "x" * 5000])
def test_a_text_that_names_no_file_is_an_error(source: str):
    assert len(str(refused(source))) < 300


def test_a_file_that_is_not_text_is_refused_without_showing_it():
    Path("x.env").write_bytes(b"SECRET_KEY=c4n4ry\xff\xfe")
    error = refused("x.env")
    assert "UTF-8" in str(error)
    assert error.__context__ is None


def test_a_url_whose_scheme_was_forgotten_shows_no_password():
    error = refused("reader:c4n4ry@db.clinic.example/eyened")
    assert "c4n4ry" not in "".join(traceback.format_exception(error, chain=True))


# --- database URLs ------------------------------------------------------------------------


def test_a_url_and_parts_together_are_refused():
    error = refused(environ={**SERVER, "DATABASE_URL": URL_OF_SERVER})
    assert "DATABASE_URL" in str(error)
    assert "DATABASE_HOST" in str(error)
    with pytest.raises(ConfigurationError):
        Settings(database_url="sqlite://", database=Settings.load(environ=SERVER).database)


def test_beside_a_url_the_environment_says_what_is_not_the_database():
    environ = {**SERVER, "EYENED_HOME": "/other", "IMAGES_BASEPATH": "/pictures"}
    environ["DATABASE_PORT"] = "nonsense that does not count"
    loaded = Settings.load(URL_OF_SERVER, environ=environ)
    assert loaded.database is None
    assert loaded.secret_key.reveal() == "the key"
    assert loaded.images_basepath == Path("/pictures")
    assert loaded.home is None
    assert Settings.load("sqlite:///x.db", environ=environ).home == Path("x.db-data").absolute()


def test_a_url_may_be_handed_over_as_a_secret():
    loaded = Settings.load(Secret(URL_OF_SERVER), environ={"SECRET_KEY": "k"})
    assert loaded.database_url == Secret(URL_OF_SERVER)


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://u:p%40@h:3306/d?charset=utf8mb4",
        "mysql+pymysql://u:p@[::1]:3306/d",
        "mysql+pymysql://root@127.0.0.1/d",
        "mysql+pymysql:///d?unix_socket=/run/x.sock",
        "mysql+pymysql://u@h/d?read_default_file=/home/me%40x/my.cnf",
        "mariadb+pymysql://user@server:p@h/d",
        "postgresql://u:p@/d",
        "sqlite+pysqlcipher://:p%2F@/abs/x.db",
    ],
)
def test_any_sqlalchemy_url_means_the_same_to_sqlalchemy(url: str):
    loaded = Settings.load({"database_url": url, "secret_key": "k"})
    assert loaded.database_url is not None
    ours, theirs = make_url(loaded.database_url.reveal()), make_url(url)
    if not loaded.is_server:
        theirs = theirs.set(database=ours.database)
    assert ours == theirs


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:c4n4ry",
        "mysql://u:c4n4ry/x",
        "mysql://u:x@h:c4n4ry/d",
        "mysql://u:x@h:0/d",
        "mysql://u:x@h:99999/d",
        "mysql://u:x@h:1:c4n4ry/d",
        "mysql:u:c4n4ry@h/d",
        "my sql://u:c4n4ry@h/d",
        "mysql://u:c4n4ry@x?y@h/d",
        "mysql://u:c4n4ry@h/d\nforged",
        "c4n4ry",
    ],
)
def test_what_is_no_database_url_is_refused_without_showing_it(url: str):
    error = refused({"database_url": url, "secret_key": "k"})
    assert error.field == "DATABASE_URL"
    assert "c4n4ry" not in "".join(traceback.format_exception(error, chain=True))
    assert "c4n4ry" not in repr(vars(error))
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL_OF_SERVER, "mysql+pymysql://reader:***@db.clinic.example:3306/eyened"),
        ("mysql+pymysql://u:a@b/c@h/d?password=x", "mysql+pymysql://u:***@h/d"),
        ("mysql://root@h/d", "mysql://root@h/d"),
        ("sqlite:////abs/me@x/eyened.db", "sqlite:////abs/me@x/eyened.db"),
        ("sqlite://", "sqlite://"),
    ],
)
def test_the_database_is_told_without_its_password(url: str, shown: str):
    assert Settings.load({"database_url": url, "secret_key": "k"}).display_url == shown


def test_a_database_of_parts_is_told_without_its_password():
    shown = "mysql+pymysql://reader:***@db.clinic.example:3306/eyened"
    assert Settings.load(environ=SERVER).display_url == shown
    assert "@[::1]:3306/" in Settings.load(environ={**SERVER, "DATABASE_HOST": "::1"}).display_url


# --- passwords of any characters ----------------------------------------------------------

PASSWORDS = st.one_of(
    st.text(min_size=1), st.text(alphabet="@/#%:?&=+'\"\\ $[]{}éß漢😀a1", min_size=1)
)


@given(PASSWORDS)
def test_a_password_of_any_characters_goes_through_the_parts(password: str):
    database = Settings.load({**SERVER, "DATABASE_PASSWORD": password}).database
    assert database is not None
    assert database.password.reveal() == password
    url = URL.create(
        "mysql+pymysql", database.user, database.password.reveal(), database.host, database.port
    )
    assert make_url(url.render_as_string(hide_password=False)).password == password
    assert database.display_url == Settings.load(environ=SERVER).display_url


@given(PASSWORDS)
def test_a_password_of_any_characters_goes_through_a_url(password: str):
    text = f"mysql+pymysql://me%40x:{quote(password, safe='')}@h:3306/d?charset=utf8mb4"
    loaded = Settings.load(text, environ={"SECRET_KEY": "k"})
    assert loaded.database_url is not None
    url = make_url(loaded.database_url.reveal())
    assert (url.username, url.password, url.host, url.port) == ("me@x", password, "h", 3306)
    assert (url.database, dict(url.query)) == ("d", {"charset": "utf8mb4"})


@given(PASSWORDS.filter(lambda password: "%" not in password))
def test_a_password_that_was_not_escaped_goes_through_a_url_or_is_refused(password: str):
    text = f"mysql://u:{password}@h:3306/d"
    if "@" in password.partition("?")[0] and "?" in password:
        assert "%40" in str(refused(text, {"SECRET_KEY": "k"}))
        return
    loaded = Settings.load(text, environ={"SECRET_KEY": "k"})
    assert loaded.database_url is not None
    url = make_url(loaded.database_url.reveal())
    assert (url.username, url.password, url.host, url.port) == ("u", password, "h", 3306)
    assert loaded.display_url == "mysql://u:***@h:3306/d"


@settings(max_examples=50)
@given(PASSWORDS.filter(lambda password: not set(password) & set("\r\n\0\x85\u2028\u2029\f\v")))
def test_a_password_of_any_characters_goes_through_an_env_file(password: str):
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    path = env_file(LINES.replace("p@ss/w#rd%", "PLACE").replace("'PLACE'", f"'{quoted}'"))
    database = Settings.load(path, environ={}).database
    assert database is not None
    assert database.password.reveal() == password


# --- the embedded database ----------------------------------------------------------------


def test_with_nothing_configured_the_database_is_embedded():
    home = Path("eyened-data").absolute()
    loaded = Settings.load(environ={})
    assert loaded.is_embedded
    assert not loaded.is_server
    assert loaded.home == home
    assert loaded.database_file == home / "eyened.db"
    assert loaded.display_url == f"sqlite:///{home}/eyened.db"
    assert loaded.images_basepath == home / "images"
    assert loaded.segmentations_zarr_store == home / "segmentations.zarr"
    assert loaded.thumbnails_path == home / "thumbnails"
    assert loaded.annotations_path == home / "annotations"


def test_settings_of_nothing_are_embedded_as_well():
    assert Settings() == Settings.load({}) == Settings.load(environ={})


def test_the_home_can_be_said():
    assert Settings.load({"eyened_home": "~/eyes"}).home == Path.home() / "eyes"
    assert Settings.load(environ={"EYENED_HOME": "rel"}).home == Path("rel").absolute()


def test_loading_and_looking_creates_nothing(tmp_path: Path):
    sources: tuple[dict[str, str] | str, ...] = (
        {}, "sqlite:///x.db", "sqlite:///eyened.db", "sqlite://"
    )  # fmt: skip
    for source in sources:
        loaded = Settings.load(source, environ={})
        repr(loaded)
        assert loaded.display_url
        assert loaded.home is not None
        assert not loaded.home.exists() or loaded.home == tmp_path
    with pytest.raises(ConfigurationError, match=r"prepare\(\)"):
        assert Settings.load({}).secret_key
    assert list(tmp_path.iterdir()) == []


def test_preparing_makes_the_folders_and_one_key():
    loaded = Settings.load({})
    prepared = loaded.prepare()
    assert prepared.home is not None
    assert {path.name for path in prepared.home.iterdir()} == {
        "annotations",
        "images",
        "secret_key",
        "segmentations.zarr",
        "thumbnails",
    }
    assert re.fullmatch("[0-9a-f]{64}", prepared.secret_key.reveal())
    assert loaded.secret_key == prepared.secret_key


def test_preparing_again_changes_nothing():
    key = Settings.load({}).prepare().secret_key
    assert Settings.load({}).prepare().secret_key == key
    assert Settings.load({}).prepare().prepare().secret_key == key
    assert Settings.load({}).secret_key == key


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_the_key_is_for_its_owner_only_whatever_the_umask():
    before = os.umask(0)
    try:
        prepared = Settings.load({}).prepare()
    finally:
        os.umask(before)
    assert prepared.key_file is not None
    assert prepared.home is not None
    assert stat.S_IMODE(prepared.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(prepared.home.stat().st_mode) == 0o700


def test_what_is_set_explicitly_is_kept_and_not_made():
    loaded = Settings.load({"secret_key": "mine", "images_basepath": "elsewhere"}).prepare()
    assert loaded.secret_key.reveal() == "mine"
    assert loaded.images_basepath == Path("elsewhere").absolute()
    assert loaded.key_file is not None
    assert not loaded.key_file.exists()
    assert not loaded.images_basepath.exists()
    assert loaded.home is not None
    assert not (loaded.home / "images").exists()
    assert (loaded.home / "thumbnails").is_dir()


def test_preparing_a_server_makes_nothing(tmp_path: Path):
    loaded = Settings.load({**SERVER, "eyened_home": "here"})
    assert loaded.prepare() is loaded
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file_is_an_error_that_names_it():
    Path("eyened-data").write_text("")
    with pytest.raises(ConfigurationError, match="EYENED_HOME") as caught:
        Settings.load({}).prepare()
    assert str(Path("eyened-data").absolute()) in str(caught.value)


def test_an_empty_key_file_is_an_error_and_no_key():
    Path("eyened-data").mkdir()
    Path("eyened-data/secret_key").write_text("\n")
    with pytest.raises(ConfigurationError, match="empty"):
        Settings.load({}).prepare()


def test_a_key_file_that_cannot_be_read_is_an_error_that_names_it():
    Path("eyened-data/secret_key").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="secret_key cannot be read"):
        Settings.load({}).prepare()


def test_a_full_disk_leaves_no_key_behind(monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        Settings.load({}).prepare()
    assert not Path("eyened-data/secret_key").exists()
    assert list(Path("eyened-data").glob("*.partial")) == []


def test_a_file_system_without_links_gets_one_key_as_well(monkeypatch: pytest.MonkeyPatch):
    def no_links(source: object, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    key = Settings.load({}).prepare().secret_key
    assert re.fullmatch("[0-9a-f]{64}", key.reveal())
    assert Settings.load({}).prepare().secret_key == key
    assert list(Path("eyened-data").glob("*.partial")) == []


def test_a_link_that_fails_for_another_reason_is_an_error(monkeypatch: pytest.MonkeyPatch):
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        Settings.load({}).prepare()
    assert not Path("eyened-data/secret_key").exists()


def test_a_key_that_is_there_is_read_without_writing(monkeypatch: pytest.MonkeyPatch):
    key = Settings.load({}).prepare().secret_key

    def read_only(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    assert Settings.load({}).prepare().secret_key == key


def test_a_process_that_comes_second_takes_the_key_of_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    path = tmp_path / "secret_key"
    link = os.link

    def overtaken(source: Path, target: Path) -> None:
        path.write_text("the key of the first\n")
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)
    assert keyfile.make_key(path).reveal() == "the key of the first"
    assert list(tmp_path.iterdir()) == [path]


def _race(folder: str, rounds: int, barrier: object, keys: object) -> None:
    for number in range(rounds):
        loaded = Settings.load({"eyened_home": f"{folder}/{number}"})
        barrier.wait(30)  # type: ignore[attr-defined]
        keys.put((number, loaded.prepare().secret_key.reveal()))  # type: ignore[attr-defined]


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path):
    processes, rounds = 2, 40
    context = multiprocessing.get_context("spawn")
    barrier, keys = context.Barrier(processes), context.Queue()
    racers = [
        context.Process(target=_race, args=(str(tmp_path), rounds, barrier, keys))
        for _ in range(processes)
    ]
    for racer in racers:
        racer.start()
    found = [keys.get(timeout=60) for _ in range(processes * rounds)]
    for racer in racers:
        racer.join(30)
        assert racer.exitcode == 0
    assert len(set(found)) == rounds
    assert len({key for _, key in found}) == rounds
    assert list(tmp_path.glob("*/*.partial")) == []


# --- SQLite by URL ------------------------------------------------------------------------


def test_an_sqlite_url_needs_no_key_and_keeps_its_own_beside_the_file(tmp_path: Path):
    loaded = Settings.load("sqlite:///study.db", environ={}).prepare()
    assert loaded.database_file == tmp_path / "study.db"
    assert loaded.key_file == tmp_path / "study.db-data" / "secret_key"
    assert loaded.key_file.is_file()
    assert loaded.images_basepath == tmp_path / "study.db-data" / "images"


def test_two_sqlite_databases_in_one_folder_share_no_stores():
    one = Settings.load("sqlite:///one.db", environ={})
    two = Settings.load("sqlite:///two.db", environ={})
    assert one.thumbnails_path != two.thumbnails_path
    assert one.segmentations_zarr_store != two.segmentations_zarr_store


def test_the_embedded_database_opened_by_its_url_has_the_same_stores_and_key():
    embedded = Settings.load({}).prepare()
    by_url = Settings.load(f"sqlite:///{embedded.database_file}", environ={}).prepare()
    assert by_url.database_file == embedded.database_file
    assert by_url.secret_key == embedded.secret_key
    assert by_url.thumbnails_path == embedded.thumbnails_path


def test_a_relative_sqlite_url_means_the_same_after_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    loaded = Settings.load("sqlite:///study.db", environ={})
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert loaded.database_url is not None
    assert make_url(loaded.database_url.reveal()).database == str(tmp_path / "study.db")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite+pysqlite:///:memory:",
        "sqlite:///file::memory:?cache=shared&uri=true",
        "sqlite:///file:name?mode=memory&cache=shared&uri=true",
    ],
)
def test_a_database_in_memory_has_a_random_key_and_nobody_elses_stores(url: str):
    one, two = Settings.load(url, environ={}), Settings.load(url, environ={})
    assert one.database_file is None
    assert one.secret_key != two.secret_key
    assert one.secret_key == one.secret_key
    assert one.thumbnails_path != two.thumbnails_path
    assert not str(one.thumbnails_path).startswith(str(Path.cwd()))
    assert one.home is not None
    assert not one.home.exists()


def test_a_database_in_memory_can_be_given_a_home():
    loaded = Settings.load({"database_url": "sqlite://", "eyened_home": "h"}).prepare()
    assert loaded.images_basepath == Path("h/images").absolute()
    assert loaded.images_basepath.is_dir()


@pytest.mark.parametrize("prefix", ["", "file:", "file://", "file://localhost"])
def test_the_file_of_an_sqlite_uri_is_found(prefix: str):
    query = "?mode=ro&uri=true" if prefix else ""
    loaded = Settings.load(f"sqlite:///{prefix}/data/x.db{query}", environ={})
    assert loaded.database_file == Path("/data/x.db")
    assert loaded.home == Path("/data/x.db-data")


def test_an_sqlite_database_with_everything_set_makes_no_folder(tmp_path: Path):
    stores = ["images_basepath", "segmentations_zarr_store", "thumbnails_path", "annotations_path"]
    source = {"database_url": "sqlite:///x.db", "secret_key": "k", **dict.fromkeys(stores, "/s")}
    Settings.load(source).prepare()
    assert list(tmp_path.iterdir()) == []


# --- no secret anywhere -------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        {**SERVER, "DATABASE_PASSWORD": CANARY, "SECRET_KEY": CANARY},
        {"database_url": f"mysql://u:{quote(CANARY, safe='')}@h/d", "secret_key": CANARY},
        {"secret_key": CANARY},
    ],
)
def test_no_secret_is_in_what_settings_show(source: dict[str, object]):
    loaded = Settings.load(source, environ={})
    record = logging.makeLogRecord({"msg": "%s %r", "args": (loaded, loaded.database)})
    shown = [
        repr(loaded),
        str(loaded),
        f"{loaded}",
        repr(attrs.asdict(loaded)),
        repr(attrs.astuple(loaded)),
        json.dumps(attrs.asdict(loaded), default=str),
        loaded.display_url,
        record.getMessage(),
        repr(copy.deepcopy(loaded)),
    ]
    assert all("c4n4ry" not in text for text in shown)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(loaded)


@pytest.mark.parametrize(
    "more",
    [
        {"DATABASE_PORT": "x"},
        {"DATABASE_HOST": ""},
        {"DEFAULT_STUDY_DATE": "x"},
        {"IMAGES_BASEPATH": "\0"},
        {"DATABASE_URL": f"mysql://u:{CANARY}@h/d"},
        {"DATABASE_URL": "mysql://u:c4n4ry"},
        {"SECRET_KEY": "c4n4ry\udcff"},
    ],
)
def test_no_secret_is_in_an_error_or_in_the_local_variables_of_its_traceback(
    more: dict[str, str],
):
    environ = {**SERVER, "DATABASE_PASSWORD": CANARY, "SECRET_KEY": CANARY, **more}
    error = refused(environ=environ)
    ours = error.__traceback__.tb_next  # type: ignore[union-attr]  # behind the test's own frame
    shown = "".join(
        traceback.TracebackException(type(error), error, ours, capture_locals=True).format()
    )
    assert "_build" in shown
    assert "c4n4ry" not in shown
    assert "c4n4ry" not in repr(vars(error))


def test_settings_bring_no_sqlalchemy_and_no_dotenv():
    code = (
        "import sys, eyened_domain.config as c; c.Settings.load({}); "
        "print([m for m in ('sqlalchemy', 'dotenv', 'numpy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
