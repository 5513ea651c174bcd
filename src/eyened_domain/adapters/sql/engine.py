"""Engines: how a database of the settings is connected to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import Dialect, IsolationLevel
from sqlalchemy.sql.compiler import InsertmanyvaluesSentinelOpts

from eyened_domain.adapters.sql.clock import ask_for_time
from eyened_domain.adapters.sql.compilers import write_alike
from eyened_domain.adapters.sql.in_memory import in_memory_engine, is_in_memory
from eyened_domain.adapters.sql.names import rename_parameters
from eyened_domain.adapters.sql.old_rows import read_json
from eyened_domain.adapters.sql.parameters import with_plain_parameters
from eyened_domain.adapters.sql.server import prepare_connections
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    log_no_rows,
)
from eyened_domain.adapters.sql.sqlite_names import compare_as_servers_do
from eyened_domain.adapters.sql.sqlite_turns import (
    PATIENCE_S,
    TurnTaking,
    before_statement,
    begin_sqlite,
)
from eyened_domain.adapters.sql.tls import tls_arguments
from eyened_domain.adapters.sql.translation import refuse_deletion, translate_errors
from eyened_domain.config import Settings, TLSSettings
from eyened_domain.errors import ConfigurationError

ISOLATION_LEVEL: IsolationLevel = "REPEATABLE READ"
"""Of transactions on MySQL and MariaDB, whatever the server's default is."""


def url_of(settings: Settings) -> URL:
    """Return the URL of the database that the settings name."""
    if settings.database is not None:
        parts = settings.database
        return URL.create(
            "mysql+pymysql",
            username=parts.user,
            password=parts.password.reveal(),
            host=parts.host,
            port=parts.port,
            database=parts.name,
        )
    if settings.database_url is not None:
        url = make_url(settings.database_url.reveal())
        plain = url.drivername in {"mysql", "mariadb"}
        return url.set(drivername=f"{url.drivername}+pymysql") if plain else url
    if settings.database_file is None:
        raise ConfigurationError("no database is configured")
    return URL.create("sqlite", database=str(settings.database_file))


def engine_of(settings: Settings) -> Engine:
    """Return a new engine for the database that the settings name."""
    url = url_of(settings)
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(url)
    return mysql_engine(url, raise_on_warnings=settings.raise_on_warnings, tls=settings.tls)


def mysql_engine(
    url: URL, *, raise_on_warnings: bool = True, tls: TLSSettings | None = None
) -> Engine:
    """Return an engine for MySQL or MariaDB.

    Args:
        url: the database; what its query says of TLS counts where `tls` is None.
        raise_on_warnings: refuse values that do not fit instead of cutting them
            (adds STRICT_TRANS_TABLES to the session's sql_mode).
        tls: how the connection is encrypted.

    Raises:
        ConfigurationError: a file for TLS cannot be used.
    """
    connect_args: dict[str, Any] = {"connect_timeout": 10}
    if url.get_driver_name() == "pymysql":
        said = tls or TLSSettings.of_options(_last_of_each(url))
        url = url.difference_update_query([name for name in url.query if name.startswith("ssl")])
        connect_args |= {"charset": "utf8mb4"} | tls_arguments(said)
        if url.password:
            # PyMySQL would encode it as Latin-1, whatever the charset of the connection.
            connect_args["password"] = url.password.encode()
    bare, options = _without_secrets(url)
    engine = create_engine(
        bare,
        pool_pre_ping=True,
        pool_recycle=3600,
        hide_parameters=True,
        isolation_level=ISOLATION_LEVEL,
        json_deserializer=read_json,
        connect_args=options | connect_args,
    )
    if url.get_driver_name() == "pymysql":
        event.listen(engine, "do_connect", _connect_keeping)
    prepare_connections(engine, strict=raise_on_warnings)
    event.listen(engine, "connect", ask_for_time)
    _finish(engine)
    return engine


def _last_of_each(url: URL) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()
    }


def _without_secrets(url: URL) -> tuple[URL, dict[str, Any]]:
    """Split a URL into what everybody may see of an engine, and what the driver gets besides."""
    _, given = url.get_dialect()().create_connect_args(url)
    shown = {"host", "user", "username", "port", "database", "db"}
    bare = URL.create(
        url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
    )
    return bare, {name: value for name, value in given.items() if name not in shown}


def _connect_keeping(
    _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]
) -> Any:
    from eyened_domain.adapters.sql.streaming import (  # noqa: PLC0415 - imports the driver
        KeepingConnection,
    )

    try:
        return KeepingConnection(*arguments, **options)
    except RuntimeError as error:
        if "cryptography" not in str(error):
            raise
    # Raised here and not there: the frames of that traceback hold the password.
    raise ConfigurationError(
        "the database cannot be logged into: its account is one of caching_sha2_password or "
        "sha256_password, which needs the package cryptography without TLS; "
        "run pip install 'PyMySQL[rsa]', or use TLS"
    )


def sqlite_engine(url: URL) -> Engine:
    """Return an engine for SQLite, with foreign keys on and transactions that are whole."""
    in_memory = is_in_memory(url)
    engine = in_memory_engine(url) if in_memory else _file_engine(url)
    _insert_many_at_once(engine.dialect)
    event.listen(engine, "connect", _prepare_in_memory if in_memory else _prepare_file)
    event.listen(engine, "begin", begin_sqlite)
    event.listen(engine, "before_cursor_execute", before_statement)
    event.listen(engine, "before_cursor_execute", refuse_deletion)
    _finish(engine)
    return engine


def _file_engine(url: URL) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        json_deserializer=read_json,
        connect_args={
            "check_same_thread": False,
            "timeout": PATIENCE_S,
            "factory": TurnTaking,
        },
    )


def _finish(engine: Engine) -> None:
    """Add what the engines of both kinds have in common."""
    write_alike(engine)
    event.listen(engine, "before_execute", rename_parameters, retval=True)
    event.listen(engine, "before_cursor_execute", with_plain_parameters, retval=True)
    translate_errors(engine)
    _log_no_rows(engine)
    event.listen(engine, "set_engine_execution_options", _log_no_rows)


def _log_no_rows(engine: Engine, _options: object = None) -> None:
    """Keep SQLAlchemy from logging rows at DEBUG: they hold what is private."""
    log_no_rows(engine)


def _insert_many_at_once(dialect: Dialect) -> None:
    """Let SQLite take many new rows in one INSERT, and give their ids back.

    SQLAlchemy does so where ids that were given by the database tell which row is which. It
    does not know that of SQLite, which takes the rows of VALUES one after the other, and
    gives each the highest id of its table and one more.
    """
    options: Any = dialect
    options.insertmanyvalues_implicit_sentinel = InsertmanyvaluesSentinelOpts.ANY_AUTOINCREMENT


def _prepare_file(connection: Any, _record: Any) -> None:
    _prepare_sqlite(connection, synchronous="FULL")


def _prepare_in_memory(connection: Any, _record: Any) -> None:
    _prepare_sqlite(connection, synchronous="OFF")


def _prepare_sqlite(connection: Any, *, synchronous: str) -> None:
    compare_as_servers_do(connection)
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.close()
