"""The settings themselves: what a `Database` needs to know, checked and frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs

from eyened_domain.config import keyfile, sources, temporary
from eyened_domain.config.secret import HIDDEN, Secret, as_secret
from eyened_domain.config.tls import TLSSettings
from eyened_domain.config.url import DatabaseURL
from eyened_domain.config.variables import BY_NAME, PARTS, TLS, read_port, read_url
from eyened_domain.errors import ConfigurationError

EMBEDDED_HOME = "eyened-data"
EMBEDDED_DATABASE = "eyened.db"
KEY_FILE = "secret_key"


def _as_port(value: int | str) -> int:
    return read_port("DATABASE_PORT", value)


def _as_url(value: str | Secret | None) -> Secret | None:
    return None if value is None else read_url("DATABASE_URL", value)


@attrs.frozen(kw_only=True)
class DatabaseSettings:
    """A MySQL or MariaDB server's database in its five parts.

    Attributes:
        user: DATABASE_USER.
        password: DATABASE_PASSWORD, any characters, not escaped.
        host: DATABASE_HOST, a name or an address.
        port: DATABASE_PORT, 1 to 65535.
        name: DATABASE_NAME (``database.database`` in the nested form).
        raise_on_warnings: DATABASE_RAISE_ON_WARNINGS.
    """

    user: str
    password: Secret = attrs.field(converter=as_secret)
    host: str
    port: int = attrs.field(converter=_as_port)
    name: str
    raise_on_warnings: bool = True

    @property
    def display_url(self) -> str:
        """The database as a URL, without the password."""
        host = f"[{self.host}]" if ":" in self.host and self.host[0] != "[" else self.host
        user, name = quote(self.user, safe=""), quote(self.name, safe="")
        return f"mysql+pymysql://{user}:{HIDDEN}@{host}:{self.port}/{name}"


@attrs.frozen(kw_only=True)
class Settings:
    """Which database, its stores and its key.

    The database is said in one of three ways: `database` (five parts),
    `database_url` (any SQLAlchemy URL), or neither: the embedded SQLite
    database `database_file` in the folder `home`. Paths are absolute.

    Attributes:
        database: the five parts of a server's database.
        database_url: the URL, escaped as SQLAlchemy reads it.
        home: the folder of an SQLite database's stores and key; None with a
            server. Embedded: EYENED_HOME, default ``./eyened-data``. By URL: the
            folder of a file called ``eyened.db``, and ``<file>-data`` beside a file
            of another name (two databases in one folder must not share thumbnails);
            in memory a new temporary folder, which is gone when the database is closed.
        tls: DATABASE_SSL_*, how the connection to a server is encrypted; None when nothing
            is said of it. Beside a URL it may stand in the URL's query instead.
        raise_on_warnings: DATABASE_RAISE_ON_WARNINGS, however the database was said.
        images_basepath: IMAGES_BASEPATH; default ``/images``, or ``home/images``.
        segmentations_zarr_store: SEGMENTATIONS_ZARR_STORE; default
            ``/storage/segmentations.zarr``, or ``home/segmentations.zarr``.
        thumbnails_path: THUMBNAILS_PATH; default ``/storage/thumbnails``, or
            ``home/thumbnails``.
        annotations_path: ANNOTATIONS_PATH; default ``/storage/annotations``, or
            ``home/annotations``.
        default_study_date: DEFAULT_STUDY_DATE, of studies that come without one.
        cfi_cache_path: CFI_CACHE_PATH.
        image_server_url: IMAGE_SERVER_URL, without a slash at its end.
        history: EYENED_HISTORY, whether it is kept who changed what; default true.

    Raises:
        ConfigurationError: two databases are said, a server without SECRET_KEY, or TLS
            that is contradictory, unknown, or without a server.
    """

    database: DatabaseSettings | None = None
    database_url: Secret | None = attrs.field(default=None, converter=_as_url)
    tls: TLSSettings | None = attrs.field()
    home: Path | None = attrs.field()
    raise_on_warnings: bool = attrs.field()
    _secret_key: Secret | None = attrs.field(
        alias="secret_key", converter=attrs.converters.optional(as_secret)
    )
    images_basepath: Path = attrs.field()
    segmentations_zarr_store: Path = attrs.field()
    thumbnails_path: Path = attrs.field()
    annotations_path: Path = attrs.field()
    default_study_date: date = date(1970, 1, 1)
    cfi_cache_path: Path | None = None
    image_server_url: str | None = None
    history: bool = True

    @tls.default
    def _tls_of_url(self) -> TLSSettings | None:
        is_in_url = self.database is None and self.is_server and self._url is not None
        return TLSSettings.of_options(self._url.query) if is_in_url and self._url else None

    @home.default
    def _home(self) -> Path | None:
        if self.is_server:
            return None
        if self._url is None:
            return Path(EMBEDDED_HOME).absolute()
        file = self._url.file
        if file is None:
            # Nobody else's stores: neither a deployment's nor an embedded database's.
            return temporary.name_folder()
        if file.name == EMBEDDED_DATABASE:
            return file.parent
        return file.with_name(f"{file.name}-data")

    @raise_on_warnings.default
    def _raise_on_warnings(self) -> bool:
        return True if self.database is None else self.database.raise_on_warnings

    @_secret_key.default
    def _default_key(self) -> Secret | None:
        in_memory = not self.is_server and self.database_file is None
        return keyfile.new_key() if in_memory else None

    @images_basepath.default
    def _images(self) -> Path:
        return self._store("images", "/images")

    @segmentations_zarr_store.default
    def _segmentations(self) -> Path:
        return self._store("segmentations.zarr", "/storage/segmentations.zarr")

    @thumbnails_path.default
    def _thumbnails(self) -> Path:
        return self._store("thumbnails", "/storage/thumbnails")

    @annotations_path.default
    def _annotations(self) -> Path:
        return self._store("annotations", "/storage/annotations")

    def _store(self, name: str, on_a_server: str) -> Path:
        return Path(on_a_server) if self.home is None else self.home / name

    def __attrs_post_init__(self) -> None:
        if self.database is not None and self.database_url is not None:
            raise _two_databases("the five parts")
        if self.tls is not None:
            self._check_tls(self.tls)
        if self.is_server and not self._secret_key:
            raise _missing(["SECRET_KEY"], "these settings")

    def _check_tls(self, tls: TLSSettings) -> None:
        if not self.is_server:
            raise _tls_besides("is set, but the database is SQLite's: which server is meant?")
        in_url = TLSSettings.of_options(self._url.query) if self._url is not None else None
        if in_url is not None and in_url != tls:
            raise _tls_besides("is set, and so is TLS in the URL's query: take one of them out.")

    @classmethod
    def load(cls, source: object = None, *, environ: Mapping[str, str] | None = None) -> Settings:
        """Read settings from one source; nothing is created on disk.

        Args:
            source: None for the environment (a ``.env`` file is read only when it
                is named); a path for an env file; a text with ``://``, or a
                `Secret`, for a database URL; a mapping, flat or nested, for the
                settings in it; `Settings` are given back. A file or a mapping is the
                whole configuration, the environment adds nothing to it. Beside a URL
                the environment gives what is not the database. Empty is not set.
            environ: instead of `os.environ`.

        Raises:
            ConfigurationError: something is missing (all missing variables are
                named at once), wrong, unknown, said twice or cannot be read.
        """
        if isinstance(source, Settings):
            return source
        given = sources.read(source, os.environ if environ is None else environ)
        del source, environ  # a traceback that shows local variables must not show these
        return _build(given)

    @property
    def secret_key(self) -> Secret:
        """SECRET_KEY, or the key that `prepare` keeps in ``home/secret_key``.

        Raises:
            ConfigurationError: there is no key yet, because nothing was prepared.
        """
        key = self._secret_key
        if not key and self.key_file is not None:
            key = keyfile.read_key(self.key_file)
        if not key:
            raise ConfigurationError(
                f"There is no SECRET_KEY yet in {self.key_file}. Call prepare() first, "
                "or set SECRET_KEY.",
                entity="Settings",
                field="SECRET_KEY",
            )
        return key

    @property
    def key_file(self) -> Path | None:
        """Where the key of an SQLite database is kept; None with a server."""
        return None if self.home is None else self.home / KEY_FILE

    @property
    def is_server(self) -> bool:
        """Whether the database is on a server, and not SQLite's."""
        return self.database is not None or (self._url is not None and not self._url.is_sqlite)

    @property
    def is_embedded(self) -> bool:
        """Whether no database was said, so that it is the one in `home`."""
        return self.database is None and self.database_url is None

    @property
    def database_file(self) -> Path | None:
        """The file of an SQLite database; None in memory, and with a server."""
        if self.is_embedded:
            return None if self.home is None else self.home / EMBEDDED_DATABASE
        return None if self._url is None else self._url.file

    @property
    def display_url(self) -> str:
        """Which database it is, for logs and messages: a URL without password and options."""
        if self.database is not None:
            return self.database.display_url
        if self._url is not None:
            return self._url.display
        return f"sqlite:///{self.database_file}"

    @property
    def _url(self) -> DatabaseURL | None:
        return None if self.database_url is None else DatabaseURL.parse(self.database_url)

    def prepare(self) -> Settings:
        """Make the folders and the key that an SQLite database keeps in `home`.

        Only what is below `home` is made: a store that was set explicitly must
        be there. With a server nothing is made. Doing it again, or in several
        processes at once, changes nothing and gives the same key.

        Returns:
            These settings, with the key in them.

        Raises:
            ConfigurationError: a folder or the key can't be made.
        """
        if self.home is None or self.key_file is None:
            return self
        if self.is_embedded or not self._secret_key:
            _make_folder(self.home)
        for store in self._stores():
            if store.is_relative_to(self.home):
                _make_folder(self.home)
                _make_folder(store)
        key = self._secret_key or keyfile.make_key(self.key_file)
        return attrs.evolve(self, secret_key=key)

    def _stores(self) -> tuple[Path, ...]:
        return (
            self.images_basepath,
            self.segmentations_zarr_store,
            self.thumbnails_path,
            self.annotations_path,
        )


def _build(given: sources.Given) -> Settings:
    values = given.values()
    parts = [part.name for part in PARTS if part.name in values]
    url = values.get("DATABASE_URL")
    if parts and url is not None:
        raise _two_databases(", ".join(parts))
    is_server = bool(parts) or (url is not None and not DatabaseURL.parse(url).is_sqlite)
    required = [part.name for part in PARTS] if parts else []
    missing = [name for name in [*required, *["SECRET_KEY"] * is_server] if name not in values]
    if missing:
        raise _missing(missing, given.origin)
    of_tls = {one.field: values.pop(one.name) for one in TLS if one.name in values}
    fields: dict[str, Any] = {
        BY_NAME[name].field: value
        for name, value in values.items()
        if name not in parts and not (is_server and name == "EYENED_HOME")
    }
    if of_tls:
        fields["tls"] = TLSSettings(**of_tls)
    if parts:
        of_parts = {part.field: values[part.name] for part in PARTS}
        warnings = values.get("DATABASE_RAISE_ON_WARNINGS", True)
        fields["database"] = DatabaseSettings(**of_parts, raise_on_warnings=warnings)
    return Settings(**fields)


def _missing(names: list[str], origin: str) -> ConfigurationError:
    are = "is" if len(names) == 1 else "are"
    hint = (
        " For an account without a password give DATABASE_URL instead of the five parts."
        if "DATABASE_PASSWORD" in names
        else ""
    )
    return ConfigurationError(
        f"A database server is half configured: {', '.join(names)} {are} not set in {origin} "
        f"(empty counts as not set).{hint}",
        entity="Settings",
        field=", ".join(names),
    )


def _two_databases(parts: str) -> ConfigurationError:
    return ConfigurationError(
        f"DATABASE_URL and {parts} are both set: which database is meant? Take one of them out.",
        entity="Settings",
        field="DATABASE_URL",
    )


def _tls_besides(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"DATABASE_SSL_* (ssl_ca, ssl_disabled, ...) {why}", entity="Settings", field="DATABASE_SSL"
    )


def _make_folder(path: Path) -> None:
    try:
        # For its owner only: these are patients' images, and the key is the owner's as well.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} cannot be made ({error.strerror}). Set EYENED_HOME, or the path "
            "of the store, to a place that can be written.",
            entity="Settings",
            field="EYENED_HOME",
            value=str(path),
        ) from error
