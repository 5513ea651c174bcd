"""The variables of the contract's Configuration table, and what each may hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from eyened_domain.config.secret import Secret
from eyened_domain.config.url import DatabaseURL, has_control_characters
from eyened_domain.errors import ConfigurationError

SHOWN_CHARACTERS = 80
NEAR_MISS = 0.9  # of difflib: one or two slips, but not DATABASE_ROOT_PASSWORD


@attrs.frozen
class Variable:
    """One setting.

    Attributes:
        name: the environment's name, for example ``DATABASE_PORT``.
        field: the attribute of `Settings`, `DatabaseSettings` or `TLSSettings` that it fills.
        read: turns what was given into the value; called with (name, given).
        nested: the key below ``database`` in a nested dictionary, where it has one.
        secret: the value may appear nowhere.
    """

    name: str
    field: str
    read: Callable[[str, object], Any]
    nested: str | None = None
    secret: bool = False


def wrong(name: str, value: object, why: str) -> ConfigurationError:
    """The error for a value that does not do; the value is shown, shortened."""
    text = repr(value)
    shown = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return ConfigurationError(
        f"{name} is {shown}, but {why}.", entity="Settings", field=name, value=shown
    )


def read_secret(name: str, value: object) -> Secret:
    """A text that is hidden from here on; errors tell its type at most."""
    # The text gets no name here: a traceback may show the local variables.
    if isinstance(value, str):
        value = Secret(value)
    if not isinstance(value, Secret):
        raise ConfigurationError(
            f"{name} must be text, not {type(value).__name__}; in YAML put it in quotes.",
            entity="Settings",
            field=name,
        )
    if _has_lone_surrogates(value.reveal()):
        raise ConfigurationError(
            f"{name} is not valid UTF-8 text; write it in UTF-8.", entity="Settings", field=name
        )
    return value


def read_url(name: str, value: object) -> Secret:
    """A database URL, checked, in the form that SQLAlchemy reads."""
    return DatabaseURL.parse(read_secret(name, value), name=name).text()


def read_text(name: str, value: object) -> str:
    """A text of one line, without the spaces around it."""
    if not isinstance(value, str):
        raise wrong(name, value, "must be text; in YAML put it in quotes")
    text = value.strip()
    if has_control_characters(text) or _has_lone_surrogates(text):
        raise wrong(name, value, "must be one line of UTF-8 text without control characters")
    return text


def read_server_url(name: str, value: object) -> str:
    """The address before an image's path, without a slash at its end."""
    return read_text(name, value).rstrip("/")


def read_path(name: str, value: object) -> Path:
    """An absolute path: ``~`` is the home folder, relative is below the current folder."""
    if not isinstance(value, str | Path):
        raise wrong(name, value, "must be a path")
    text = str(value)
    if has_control_characters(text):
        raise wrong(name, value, "must be a path without control characters")
    path = Path(text)
    if not text.startswith("~"):
        return path.absolute()
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise wrong(name, value, "there is no such user's home folder") from None


def read_port(name: str, value: object) -> int:
    """A TCP port, 1 to 65535."""
    why = "must be a whole number from 1 to 65535"
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,5}", text):
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int) or not 1 <= text <= 65535:
        raise wrong(name, value, why)
    return text


def read_date(name: str, value: object) -> date:
    """A day, as a `date` or as ISO 8601 text (YYYY-MM-DD)."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 31st of February: the same error as for any other text
    raise wrong(name, value, "must be a date that exists, written YYYY-MM-DD")


def read_flag(name: str, value: object) -> bool:
    """True or false: also yes/no, on/off, 1/0, in any case."""
    text = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if text in {"true", "yes", "on", "1"}:
        return True
    if text in {"false", "no", "off", "0"}:
        return False
    raise wrong(name, value, "must be true or false (or yes/no, on/off, 1/0)")


def is_set(variable: Variable, value: object) -> bool:
    """Whether a value counts: None and empty text do not (nor blanks, but in a secret)."""
    if value is None or isinstance(value, Secret):
        return bool(value)
    if isinstance(value, str) and not variable.secret:
        return bool(value.strip())
    return value != ""


def nearest(name: str, known: Iterable[str], *, cutoff: float) -> str | None:
    """The known name most like `name`, or None when none is like it enough."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def _has_lone_surrogates(text: str) -> bool:
    # How Python shows bytes of the environment that are not UTF-8.
    return any("\ud800" <= character <= "\udfff" for character in text)


PARTS = (
    Variable("DATABASE_USER", "user", read_text, nested="user"),
    Variable("DATABASE_PASSWORD", "password", read_secret, nested="password", secret=True),
    Variable("DATABASE_HOST", "host", read_text, nested="host"),
    Variable("DATABASE_PORT", "port", read_port, nested="port"),
    Variable("DATABASE_NAME", "name", read_text, nested="database"),
)
TLS = (
    Variable("DATABASE_SSL_CA", "ca", read_path, nested="ssl_ca"),
    Variable("DATABASE_SSL_CAPATH", "ca_folder", read_path, nested="ssl_capath"),
    Variable("DATABASE_SSL_CERT", "cert", read_path, nested="ssl_cert"),
    Variable("DATABASE_SSL_KEY", "key", read_path, nested="ssl_key"),
    Variable(
        "DATABASE_SSL_KEY_PASSWORD",
        "key_password",
        read_secret,
        nested="ssl_key_password",
        secret=True,
    ),
    Variable("DATABASE_SSL_CIPHER", "cipher", read_text, nested="ssl_cipher"),
    Variable("DATABASE_SSL_VERIFY_CERT", "verify_cert", read_flag, nested="ssl_verify_cert"),
    Variable(
        "DATABASE_SSL_VERIFY_IDENTITY",
        "verify_identity",
        read_flag,
        nested="ssl_verify_identity",
    ),
    Variable("DATABASE_SSL_DISABLED", "disabled", read_flag, nested="ssl_disabled"),
)
OTHERS = (
    Variable("DATABASE_URL", "database_url", read_url, secret=True),
    Variable("DATABASE_RAISE_ON_WARNINGS", "raise_on_warnings", read_flag, "raise_on_warnings"),
    Variable("EYENED_HOME", "home", read_path),
    Variable("SECRET_KEY", "secret_key", read_secret, secret=True),
    Variable("IMAGES_BASEPATH", "images_basepath", read_path),
    Variable("SEGMENTATIONS_ZARR_STORE", "segmentations_zarr_store", read_path),
    Variable("THUMBNAILS_PATH", "thumbnails_path", read_path),
    Variable("ANNOTATIONS_PATH", "annotations_path", read_path),
    Variable("DEFAULT_STUDY_DATE", "default_study_date", read_date),
    Variable("CFI_CACHE_PATH", "cfi_cache_path", read_path),
    Variable("IMAGE_SERVER_URL", "image_server_url", read_server_url),
    Variable("EYENED_HISTORY", "history", read_flag),
)
BY_NAME: Mapping[str, Variable] = MappingProxyType({v.name: v for v in (*PARTS, *TLS, *OTHERS)})
BY_NESTED: Mapping[str, Variable] = MappingProxyType(
    {v.nested: v for v in (*PARTS, *TLS, *OTHERS) if v.nested is not None}
)
