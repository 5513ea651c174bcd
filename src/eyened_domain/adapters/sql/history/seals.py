"""Seals: what the history held at a time, kept outside of the database.

Who can write to the database could put it back, with everything in it, to what it was some time
before. That shows beside a seal, which he cannot make, and should not be able to take away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from eyened_domain.adapters.files.durable import OpenFolder
from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.errors import BadInput, StorageError

_WORDS = "eyened history seal 1"


def read_seal(file: Path, macs: Macs) -> dict[str, int]:
    """Return the last number of each stream that a seal says; none where there is no file.

    Raises:
        BadInput: it was not written with the SECRET_KEY of this database, or altered since.
        StorageError: it cannot be read.
    """
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"the seal {file} cannot be read: {error}") from error
    try:
        held = json.loads(text)
        ends = {str(one): int(number) for one, number in held["streams"].items()}
        is_true = held["mac"] == _mac_of(macs, held["sealed_at"], ends)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_true, ends = False, {}
    if not is_true:
        raise BadInput(
            f"{file} is no seal of this database's history, or was altered: it is checked with "
            "SECRET_KEY",
            field="seal",
            value=str(file),
        )
    return ends


def write_seal(file: Path, macs: Macs, ends: Mapping[str, int]) -> None:
    """Write a seal, in the place of the one that is there.

    Raises:
        StorageError: it cannot be written.
    """
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    held = {"sealed_at": moment, "streams": dict(sorted(ends.items()))}
    text = json.dumps({**held, "mac": _mac_of(macs, moment, ends)}, indent=1)
    try:
        with OpenFolder.at(str(file.parent.resolve())) as folder:
            folder.replace(file.name, text.encode())
    except OSError as error:
        raise StorageError(f"the seal {file} cannot be written: {error}") from error


def _mac_of(macs: Macs, moment: str, ends: Mapping[str, int]) -> str:
    return macs.of(_WORDS, moment, *(part for pair in sorted(ends.items()) for part in pair))
