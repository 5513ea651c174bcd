"""Database URLs, read without SQLAlchemy and shown without a password.

The grammar is SQLAlchemy's, with one more liberty: the *last* ``@`` ends the
password, so that an unescaped ``@`` in it works too. `DatabaseURL.text` gives
the URL back in the form that SQLAlchemy reads.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

import attrs

from eyened_domain.config.secret import HIDDEN, Secret
from eyened_domain.errors import ConfigurationError

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][\w+]*)://(?P<rest>.*)", re.DOTALL)
_LOCATION = re.compile(
    r"(?P<host>\[[^\]/?@]+\]|[^/:?@]*)"
    r"(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<options>.*))?",
    re.DOTALL,
)


def looks_like_url(text: str) -> bool:
    """Whether a text starts as a URL does (``dialect://``) and not as a path."""
    return re.match(r"[A-Za-z][\w+.\-]*://", text) is not None


def has_control_characters(text: str) -> bool:
    """Whether a text could forge a line in a log."""
    return any(character < " " or character == "\x7f" for character in text)


class _SlipError(Exception):
    """What is wrong with a URL, in words that quote nothing of it."""


@attrs.frozen(kw_only=True)
class DatabaseURL:
    """The parts of a database URL.

    `user` and `password` are decoded; `options` is what stands behind the
    ``?`` (it may hold a password too, so it is never shown).
    """

    scheme: str
    user: str | None
    password: Secret | None
    host: str
    port: int | None
    database: str | None
    options: Secret | None

    @classmethod
    def parse(cls, url: Secret, *, name: str = "DATABASE_URL") -> DatabaseURL:
        """Take a URL apart.

        Args:
            url: ``dialect[+driver]://[user[:password]@][host][:port][/database][?options]``.
            name: the variable that an error names.

        Raises:
            ConfigurationError: it is no such URL. The message never quotes it.
        """
        try:
            return cls._taken_apart(url)
        except _SlipError as slip:
            why = str(slip)
        # Raised here and not there: that traceback's local variables hold the password.
        raise ConfigurationError(
            f"{name} is not a database URL: {why}. The form is "
            "dialect+driver://user:password@host:port/database, "
            "with special characters of the password as %XX.",
            entity="Settings",
            field=name,
        )

    @classmethod
    def _taken_apart(cls, url: Secret) -> DatabaseURL:
        start = _SCHEME.fullmatch(url.reveal())
        if start is None:
            raise _SlipError("it does not start with dialect+driver://")
        account, location = _split_account(start["rest"])
        place = _LOCATION.fullmatch(location)
        if place is None:
            raise _SlipError("the part behind the password is not host:port/database")
        if has_control_characters(location):
            raise _SlipError("it has control characters behind the password")
        user, colon, password = account.partition(":")
        return cls(
            scheme=start["scheme"].lower(),
            user=unquote(user) or None,
            password=Secret(unquote(password)) if colon else None,
            host=place["host"],
            port=_port(place["port"]),
            database=place["database"],
            options=Secret(place["options"]) if place["options"] else None,
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite's, with whatever driver."""
        return self.scheme.partition("+")[0] == "sqlite"

    @property
    def file(self) -> Path | None:
        """The absolute path of an SQLite file; None in memory, and for a server."""
        if not self.is_sqlite or self.database in (None, "", ":memory:"):
            return None
        assert self.database is not None  # noqa: S101 - tells mypy what the line above said
        if not self._is_uri:
            return Path(self.database).absolute()
        path = unquote(re.sub(r"^file:(//(localhost)?(?=/))?", "", self.database))
        if path in ("", ":memory:") or self._option("mode") == "memory":
            return None
        return Path(path).absolute()

    @property
    def _is_uri(self) -> bool:
        return (self.database or "").startswith("file:") and self._option("uri") is not None

    def _option(self, name: str) -> str | None:
        return self.query.get(name)

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the ``?``, decoded; it may hold a password."""
        options = parse_qs(self.options.reveal()) if self.options else {}
        return {name: values[-1] for name, values in options.items()}

    @property
    def display(self) -> str:
        """The URL for a log or a message: no password, no options."""
        hidden = f":{HIDDEN}" if self.password is not None else ""
        return self._render(hidden)

    def text(self) -> Secret:
        """The URL as SQLAlchemy reads it: escaped, an SQLite path made absolute."""
        password = "" if self.password is None else ":" + quote(self.password.reveal(), safe="")
        options = "" if self.options is None else "?" + self.options.reveal()
        return Secret(self._render(password) + options)

    def _render(self, password: str) -> str:
        account = quote(self.user or "", safe="") + password
        at = "@" if account else ""
        port = "" if self.port is None else f":{self.port}"
        path = self.database
        if self.file is not None and not self._is_uri:
            path = str(self.file)
        tail = "" if path is None else f"/{path}"
        return f"{self.scheme}://{account}{at}{self.host}{port}{tail}"


def _split_account(rest: str) -> tuple[str, str]:
    """``user:password`` and what follows its ``@``; empty when there is no account."""
    account, at, location = rest.rpartition("@")
    if not at or "/" in account.partition(":")[0]:
        return "", rest
    head, _, tail = rest.partition("?")
    if "@" in head and "@" in tail:
        raise _SlipError(
            "it has an @ before and behind a ?, so that nobody can tell where the password "
            "ends; write @ as %40 and ? as %3F in the password and in the options"
        )
    return account, location


def _port(text: str | None) -> int | None:
    if not text:
        return None
    # The text is not quoted: in a URL with a slip it may be part of the password.
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise _SlipError("the port behind the host is not a number from 1 to 65535")
    return int(text)
