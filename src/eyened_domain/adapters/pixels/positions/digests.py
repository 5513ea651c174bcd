"""What the database knows of positions: asked for many segmentations at a time, and kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection

from eyened_domain.adapters.pixels.positions.rows import digests_of_owners, noted_at
from eyened_domain.adapters.sql.schema.pixels import OWNERS

if TYPE_CHECKING:
    from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

_MOST = 200_000
_CHUNK = 500
Known = tuple[str, str, int]
"""Group, array and position."""


@attrs.frozen
class Record:
    """What the database knows of a position.

    Attributes:
        is_known: whether it knows it; if not, an older program has written there.
        digest: of the slot; None when it was never taken.
        state: reserved, live, garbage or quarantine; None where only the digest is in hand.
        token: of the reservation, or of the adoption; None as above.
        since: when it was noted so, in seconds of Unix time; None as above.
    """

    is_known: bool
    digest: bytes | None
    state: str | None = None
    token: str | None = None
    since: int | None = None


class Digests:
    """Digests of slots. What is written to a position here stays, so they may be kept.

    Another program may write there all the same, and a digest be taken anew: whoever finds
    that one does not fit asks again before anything is said of it.
    """

    def __init__(self) -> None:
        self._kept: dict[Known, bytes] = {}
        self._told: dict[Known, tuple[int, int]] = {}

    def kept(self, key: ArrayKey, position: int) -> Record | None:
        """Return what is known without asking the database."""
        digest = self._kept.get((key.group, key.name, position))
        return None if digest is None else Record(True, digest)

    def keep(self, key: ArrayKey, position: int, digest: bytes) -> None:
        """Remember the digest of a slot."""
        self._keep({(key.group, key.name, position): digest})

    def ask(self, connection: Connection, key: ArrayKey, position: int) -> Record:
        """Ask the database for one position."""
        found = noted_at(connection, key, position)
        if found is None:
            return Record(False, None)
        digest = bytes(found.digest) if found.digest else None
        if digest is not None:
            self.keep(key, position, digest)
        return Record(True, digest, found.state, found.token, found.since)

    def ask_for(
        self,
        connection: Connection,
        owner: type[Segmentation | ModelSegmentation],
        identities: Iterable[int],
    ) -> None:
        """Ask the database for the slots of many segmentations of one class."""
        waiting = list(identities)
        for start in range(0, len(waiting), _CHUNK):
            chunk = waiting[start : start + _CHUNK]
            self._keep(digests_of_owners(connection, OWNERS[owner][1], chunk))

    def is_news(self, key: ArrayKey, position: int, file: tuple[int, int]) -> bool:
        """Whether nobody was told yet of this file of another program; size and time of it."""
        here = (key.group, key.name, position)
        if self._told.get(here) == file:
            return False
        if len(self._told) > _MOST:
            self._told = {}
        self._told[here] = file
        return True

    def _keep(self, found: dict[Known, bytes]) -> None:
        if len(self._kept) > _MOST:
            self._kept = {}
        self._kept.update(found)
