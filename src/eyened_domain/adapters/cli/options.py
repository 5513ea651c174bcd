"""The options that every command has, and the settings that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eyened_domain.adapters.cli.lazy import DEBUG

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from eyened_domain.adapters.database import Database
    from eyened_domain.config import Settings

F = TypeVar("F", bound=Callable[..., Any])


def shared_options(command: F) -> F:
    """Add ``-e/--env``, ``--json`` and ``--debug`` to a command.

    The command gets ``env: Path | None`` and ``as_json: bool``; of ``--debug`` it need not
    know.
    """
    command = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_remember_debug,
        help="Show where in the program an error came from.",
    )(command)
    command = click.option(
        "--json", "as_json", is_flag=True, help="Print the result as JSON, for other programs."
    )(command)
    return click.option(
        "-e",
        "--env",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file with the settings (like .env); without it the environment is used.",
    )(command)


def _remember_debug(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


def settings_from(env: Path | None) -> Settings:
    """Return the settings of the file, or of the environment.

    Raises:
        ConfigurationError: something is missing or wrong.
    """
    from eyened_domain.config import Settings  # noqa: PLC0415 - loaded when a command runs

    return Settings.load(env)


@contextmanager
def engine_from(settings: Settings, *, make: bool = True) -> Iterator[Engine]:
    """Give an engine on the database, whatever state it is in, and close it afterwards.

    Args:
        settings: which database.
        make: make the folder and the file of an SQLite database; otherwise they must be there.

    Raises:
        ConfigurationError: the folder cannot be made.
        ConfiguredFileMissing: the file is not there.
    """
    from eyened_domain.adapters.sql.engine import engine_of  # noqa: PLC0415

    if make:
        settings.prepare()
    else:
        _check_is_there(settings)
    engine = engine_of(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened_database(source: Settings | dict[str, str], *, make: bool = False) -> Iterator[Database]:
    """Give a database, and close it afterwards.

    Args:
        source: its settings, or what they are made of.
        make: let an SQLite database be made; otherwise its file must be there.

    Raises:
        ConfiguredFileMissing: the file of an SQLite database is not there.
    """
    from eyened_domain.adapters.database import Database  # noqa: PLC0415 - takes a while

    with closing(Database(source)) as database:
        if not make:
            _check_is_there(database.settings)
        yield database


def _check_is_there(settings: Settings) -> None:
    from eyened_domain.errors import ConfiguredFileMissing  # noqa: PLC0415

    file = settings.database_file
    if file is not None and not file.exists():
        raise ConfiguredFileMissing(
            f"there is no database file {file} yet: run `eorm init`, or `eorm demo` for one "
            "with a study in it."
        )
