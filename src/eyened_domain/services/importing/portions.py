"""The entries of a plan in portions, of which only the first stay in memory."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

from eyened_domain.services.importing.entries import PatientEntry

_PORTIONS_IN_MEMORY = 2


class Portions:
    """Entries in portions; the later ones wait in a temporary file, so memory stays bounded."""

    def __init__(self) -> None:
        self._held: list[list[PatientEntry]] = []
        self._file: IO[bytes] | None = None
        self._filed = 0

    def append(self, portion: list[PatientEntry]) -> None:
        """Add a portion at the end."""
        if self._file is None and len(self._held) < _PORTIONS_IN_MEMORY:
            self._held.append(portion)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="eyened-import-")  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        self._file.seek(0, 2)
        pickle.dump(portion, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._filed += 1

    def __len__(self) -> int:
        return len(self._held) + self._filed

    def __iter__(self) -> Iterator[list[PatientEntry]]:
        yield from self._held
        if self._file is None:
            return
        position = 0
        for _ in range(self._filed):
            self._file.seek(position)
            portion: list[PatientEntry] = pickle.load(self._file)  # noqa: S301 - our own, unnamed
            position = self._file.tell()
            yield portion
            del portion  # one at a time
