"""Servers whose defaults are not ours: what each connection is told; TLS; logins."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from eyened_domain import ConfigurationError, Database, Segmentation
from eyened_domain.adapters.sql import engine as engines
from eyened_domain.testing import Builder
from eyened_domain.testing.databases import do_without_mariadb, settings_on
from eyened_domain.testing.engines import engine_on
from eyened_domain.testing.mariadb import MariaDBServer, ServerMissing, server_in
from eyened_domain.testing.servers import new_name
from tests.integration.test_pixels import drawn, pixels

LEVELS = ["READ COMMITTED", "REPEATABLE READ"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for 127.0.0.1, one for another host, and their keys."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, host in (("ours", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example")):
        certify(folder, name, host)
    return folder


def certify(folder: Path, name: str, host: str) -> None:
    """Make ``name.pem`` and ``name.key``, for a host."""
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={host}"]
    files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    subprocess.run(
        ["openssl", *request, *subject, *files],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def contrary(
    tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> Iterator[MariaDBServer]:
    """A server with snapshot isolation, without strict mode, at READ COMMITTED, and with TLS."""
    options = [
        "--loose-innodb-snapshot-isolation=ON",
        "--sql-mode=",
        "--transaction-isolation=READ-COMMITTED",
        f"--ssl-ca={certificates / 'ours.pem'}",
        f"--ssl-cert={certificates / 'ours.pem'}",
        f"--ssl-key={certificates / 'ours.key'}",
    ]
    try:
        with server_in(tmp_path_factory.mktemp("contrary"), *options) as server:
            yield server
    except ServerMissing as missing:
        do_without_mariadb(str(missing))


@pytest.fixture
def contrary_url(contrary: MariaDBServer) -> Iterator[str]:
    """The URL of an empty database on that server."""
    with contrary.database(new_name()) as url:
        yield url


def session_of(engine: Engine) -> dict[str, str]:
    """Return the variables of a connection's session."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SHOW SESSION VARIABLES").all()
        return {str(name): str(value) for name, value in rows}


def encryption_of(url: str, **options: object) -> str:
    """Connect to a URL with options in its query; return the cipher, empty without TLS."""
    added = {name: str(value) for name, value in options.items()}
    engine = engine_on(make_url(url).update_query_dict(added).render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            row = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_cipher'").one()
            return str(row[1])
    finally:
        engine.dispose()


# --- what each connection is told -----------------------------------------------------------


def test_each_connection_is_strict_repeatable_and_without_snapshot_isolation(
    mariadb_url: str,
) -> None:
    session = session_of(engine_on(mariadb_url))
    assert "STRICT_TRANS_TABLES" in session["sql_mode"]
    assert session.get("innodb_snapshot_isolation", "OFF") == "OFF"
    level = session.get("transaction_isolation") or session["tx_isolation"]
    assert level == "REPEATABLE-READ"


def test_a_server_s_own_defaults_do_not_matter(contrary_url: str) -> None:
    test_each_connection_is_strict_repeatable_and_without_snapshot_isolation(contrary_url)


@pytest.mark.parametrize("level", LEVELS)
def test_a_unit_that_has_read_can_store_masks_where_snapshots_are_isolated(
    contrary_url: str, level: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ISOLATION_LEVEL", level)
    database = Database(settings_on(contrary_url, tmp_path))
    database.init()
    build = Builder()
    with database.unit_of_work() as uow:
        assert uow.segmentations.count() == 0
        one = uow.segmentations.add(drawn(build))
        one.write_data(pixels(1))
        uow.commit()
    with database.unit_of_work() as uow:
        uow.segmentations.get(one.segmentation_id).write_data(pixels(2))
        uow.commit()
    with database.get_session() as session:
        read = Segmentation.by_id(session, one.segmentation_id).read_data()
    database.close()
    assert (read == pixels(2)).all()


# --- TLS ------------------------------------------------------------------------------------


def test_a_server_is_believed_by_its_certificate(
    contrary: MariaDBServer, certificates: Path
) -> None:
    assert encryption_of(contrary.url(""), ssl_ca=certificates / "ours.pem")


@pytest.mark.parametrize("more", [{}, {"ssl_verify_cert": "true"}, {"ssl_verify_identity": "true"}])
def test_a_server_with_a_certificate_of_others_is_refused(
    contrary: MariaDBServer, certificates: Path, more: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match="CERTIFICATE_VERIFY_FAILED"):
        encryption_of(contrary.url(""), ssl_ca=certificates / "other.pem", **more)


def test_a_certificate_for_another_host_is_refused_unless_told(
    contrary: MariaDBServer, certificates: Path
) -> None:
    ours, localhost = certificates / "ours.pem", contrary.url("").replace("127.0.0.1", "localhost")
    with pytest.raises(ConfigurationError, match="localhost"):
        encryption_of(localhost, ssl_ca=ours)
    for option in ("ssl_verify_identity", "ssl_check_hostname"):
        assert encryption_of(localhost, ssl_ca=ours, **{option: "false"})


def test_tls_can_be_demanded_of_a_server_without_believing_it(
    contrary: MariaDBServer, certificates: Path
) -> None:
    assert encryption_of(contrary.url(""), ssl_verify_cert="no")
    with pytest.raises(ConfigurationError, match="CERTIFICATE_VERIFY_FAILED"):
        encryption_of(contrary.url(""), ssl_verify_cert="yes")  # of the system's authorities


@pytest.mark.parametrize(("said", "is_encrypted"), [("true", False), ("1", False), ("false", True)])
def test_tls_is_off_when_it_is_disabled_and_only_then(
    contrary: MariaDBServer, said: str, is_encrypted: bool
) -> None:
    assert bool(encryption_of(contrary.url(""), ssl_disabled=said)) == is_encrypted


def test_the_clients_own_certificate_is_shown(contrary: MariaDBServer, certificates: Path) -> None:
    name = new_name()
    contrary.execute(
        f"CREATE USER {name}@'127.0.0.1' REQUIRE X509", f"GRANT ALL ON *.* TO {name}@'127.0.0.1'"
    )
    url = contrary.url("").replace("root@", f"{name}@")
    own = {"ssl_cert": certificates / "ours.pem", "ssl_key": certificates / "ours.key"}
    with pytest.raises(ConfigurationError, match="Access denied"):
        encryption_of(url)
    assert encryption_of(url, ssl_ca=certificates / "ours.pem", **own)


@pytest.mark.parametrize("option", ["ssl_ca", "ssl_cert", "ssl_capath"])
def test_a_file_for_tls_that_is_not_there_is_named(
    contrary: MariaDBServer, option: str, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(ConfigurationError, match=rf"{option} is '.*missing\.pem'"):
        encryption_of(contrary.url(""), **{option: missing})


def test_tls_of_a_configuration_reaches_the_driver(
    contrary_url: str, certificates: Path, tmp_path: Path
) -> None:
    url = make_url(contrary_url)
    nested = {
        "database": {"user": "tls", "password": "geheim-ü", "host": "127.0.0.1"}
        | {"port": url.port, "database": url.database, "ssl_ca": str(certificates / "other.pem")},
        "secret_key": "k",
    }
    with pytest.raises(ConfigurationError, match="CERTIFICATE_VERIFY_FAILED") as refused:
        Database(nested).init()
    assert "geheim" not in str(refused.value)


def test_a_server_without_tls_is_refused_where_tls_is_demanded(
    mariadb_server: MariaDBServer, certificates: Path
) -> None:
    if encryption_of(mariadb_server.url("")):
        pytest.skip("this machine's MariaDB has TLS")
    with pytest.raises(ConfigurationError, match="SSL"):
        encryption_of(mariadb_server.url(""), ssl_ca=certificates / "ours.pem")


# --- logins ---------------------------------------------------------------------------------


def test_a_login_that_needs_a_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("'cryptography' package is required for sha256_password or ...")

    monkeypatch.setattr(pymysql.connections.Connection, "connect", refuse)
    with pytest.raises(ConfigurationError, match=r"PyMySQL\[rsa\]") as refused:
        engine_on("mysql+pymysql://t:geheim-ü@127.0.0.1/test_x").connect()
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert "geheim" not in str(refused.value)


def test_a_failed_login_is_an_error_of_ours_and_shows_no_password(
    mariadb_server: MariaDBServer,
) -> None:
    url = make_url(mariadb_server.url("")).set(username="t", password="geheim-wrong")
    with pytest.raises(ConfigurationError, match="Access denied") as refused:
        engine_on(url.render_as_string(hide_password=False)).connect()
    told: BaseException | None = refused.value
    while told is not None:
        assert "geheim" not in str(told)
        told = told.__cause__ or told.__context__
    assert not isinstance(refused.value, SQLAlchemyError)
