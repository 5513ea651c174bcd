"""Where settings are said: the environment, an env file, a dictionary, a URL.

One source is the whole configuration. A named file or a dictionary is not
completed from the environment: a server pieced together from two places is
how a test writes to production. A URL says only which database it is, so the
rest (SECRET_KEY, the stores) comes from the environment; the environment's
own database (DATABASE_*, EYENED_HOME) then doesn't count.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from eyened_domain.config import variables
from eyened_domain.config.secret import HIDDEN, Secret
from eyened_domain.config.url import looks_like_url
from eyened_domain.config.variables import BY_NAME, BY_NESTED, NEAR_MISS, PARTS, TLS, Variable
from eyened_domain.errors import ConfigurationError, ConfiguredFileMissing

_WHICH_DATABASE = frozenset(
    {"DATABASE_URL", "EYENED_HOME", *(part.name for part in (*PARTS, *TLS))}
)


@attrs.frozen
class Given:
    """What a source says, secrets already hidden, and what to call the source."""

    origin: str
    found: list[tuple[Variable, object]]

    def values(self) -> dict[str, Any]:
        """What is set, by variable name, checked and converted.

        Raises:
            ConfigurationError: a value does not do.
        """
        return {
            variable.name: variable.read(variable.name, value)
            for variable, value in self.found
            if variables.is_set(variable, value)
        }


def read(source: object, environ: Mapping[str, str]) -> Given:
    """Read a source of settings: its names are checked, its values not yet.

    Raises:
        ConfigurationError: an unknown name, a name given twice, a file that is
            not there or cannot be read, a source of a wrong type.
    """
    if source is None:
        return Given("the environment", _known(environ))
    if isinstance(source, Mapping):
        return Given("the dictionary", _from_mapping(source))
    if isinstance(source, Secret):
        return _from_url(source, environ)
    if isinstance(source, str) and looks_like_url(source):
        return _from_url(Secret(source), environ)
    if isinstance(source, str | Path):
        return Given(f"the file {_shown(str(source))}", _from_file(source))
    raise ConfigurationError(
        f"Settings come from None (the environment), an env file, a dictionary or a database "
        f"URL, not from {type(source).__name__}.",
        entity="Settings",
    )


def _from_url(url: Secret, environ: Mapping[str, str]) -> Given:
    rest = [(v, value) for v, value in _known(environ) if v.name not in _WHICH_DATABASE]
    origin = "the environment (beside the database URL)"
    return Given(origin, [(BY_NAME["DATABASE_URL"], url), *rest])


def _known(environ: Mapping[str, str]) -> list[tuple[Variable, object]]:
    found = ((variable, environ.get(name)) for name, variable in BY_NAME.items())
    return [(variable, _closed(variable, value)) for variable, value in found]


def _from_file(source: str | Path) -> list[tuple[Variable, object]]:
    found: list[tuple[Variable, object]] = []
    for key, value in _lines(source):
        variable = BY_NAME.get(key.upper())
        if variable is None:
            # Other names are other programs': env files are shared with docker compose.
            near = variables.nearest(key.upper(), BY_NAME, cutoff=NEAR_MISS)
            if near is not None:
                raise _unknown(key, near)
        elif value is not None and "${" in value and not variable.secret:
            raise variables.wrong(key, value, "an env file's ${...} is not filled in: write it out")
        else:
            found.append((variable, _closed(variable, value)))
    if not found:
        # A wrong file must not open an embedded database as if nothing had been said.
        raise ConfigurationError(
            f"The file {_shown(str(source))} sets nothing that is known here: is it an env file, "
            f"with lines like DATABASE_HOST=...? The names are {', '.join(BY_NAME)}.",
            entity="Settings",
        )
    # As in a shell, the last of two lines for one name holds.
    return list({variable.name: (variable, value) for variable, value in found}.values())


def _lines(source: str | Path) -> Iterator[tuple[str, str | None]]:
    from dotenv.parser import parse_stream  # noqa: PLC0415 - only where a file is read

    for binding in parse_stream(io.StringIO(_file_text(source))):
        if binding.error:
            raise ConfigurationError(
                f"The env file {_shown(str(source))} cannot be read at line "
                f"{binding.original.line}: NAME=value is wanted, and quotes must be closed.",
                entity="Settings",
            )
        if binding.key is not None:
            yield binding.key, binding.value


def _file_text(source: str | Path) -> str:
    shown = _shown(str(source))
    if not str(source).strip():
        raise ConfigurationError("An empty text names no env file.", entity="Settings")
    kind = ConfigurationError
    try:
        # utf-8-sig: editors on Windows put a mark before the first name.
        return Path(source).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        kind = ConfiguredFileMissing
        why = "there is no such file (a database URL would start with dialect://)"
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    except IsADirectoryError:
        why = "it is a folder"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not the name of a file"
    # Raised here and not in an except: a decoding error carries the whole file.
    raise kind(f"The env file {shown} cannot be read: {why}.", entity="Settings", value=shown)


def _from_mapping(source: Mapping[Any, object]) -> list[tuple[Variable, object]]:
    found: dict[str, tuple[Variable, object]] = {}
    for key, variable, value in _flat(source):
        if variable.name in found:
            raise ConfigurationError(
                f"{variable.name} is given twice in the dictionary, the second time as {key!r}.",
                entity="Settings",
                field=variable.name,
            )
        if variables.is_set(variable, value):
            found[variable.name] = (variable, _closed(variable, value))
    return list(found.values())


def _flat(source: Mapping[Any, object]) -> Iterator[tuple[str, Variable, object]]:
    for key, value in source.items():
        name = str(key).upper()
        if name == "DATABASE" and isinstance(value, Mapping):
            for inner, part in value.items():
                yield f"database.{inner}", _nested(str(inner)), part
        elif name == "DATABASE" and value is not None:
            raise ConfigurationError(
                f"'database' holds {{user, password, host, database, port}}, not "
                f"{type(value).__name__}; a database URL is given as 'database_url'.",
                entity="Settings",
                field="database",
            )
        elif name in BY_NAME:
            yield str(key), BY_NAME[name], value
        elif name != "DATABASE":
            raise _unknown(str(key), variables.nearest(name, ("DATABASE", *BY_NAME), cutoff=0.5))


def _nested(key: str) -> Variable:
    variable = BY_NESTED.get(key.lower())
    if variable is None:
        near = variables.nearest(key.lower(), BY_NESTED, cutoff=0.5)
        near = "database" if key.lower() == "name" else near
        raise _unknown(f"database.{key}", f"database.{near}" if near else None)
    return variable


def _closed(variable: Variable, value: object) -> object:
    """A secret as a `Secret` at once, so that no later frame or error holds it in clear."""
    return Secret(value) if variable.secret and isinstance(value, str) else value


def _unknown(key: str, near: str | None) -> ConfigurationError:
    shown = repr(key[: variables.SHOWN_CHARACTERS])
    hint = f"Did you mean {near}?" if near else f"The names are {', '.join(BY_NAME)}."
    return ConfigurationError(
        f"There is no setting {shown}. {hint}", entity="Settings", field=key[:80]
    )


def _shown(path: str) -> str:
    # What stands before an @ may be the password of a URL whose scheme was forgotten.
    _, at, behind = path.rpartition("@")
    text = f"{HIDDEN}@{behind}" if at else path
    limit = variables.SHOWN_CHARACTERS
    return repr(text if len(text) <= limit else "…" + text[1 - limit :])
