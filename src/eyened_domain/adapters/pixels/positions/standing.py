"""What stands at a position: what was stored there, or what another program has made of it.

Programs beside this one write through zarr, in place. What they have written carries no
manifest, and is read and built upon like pixels of ours; where they have stored zeros there
is no file. All that is looked for only when a file is not what the database knows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import attrs

from eyened_domain.adapters.pixels.positions.digests import Digests, Record
from eyened_domain.adapters.pixels.positions.rows import LIVE
from eyened_domain.adapters.pixels.zarr.adopted import taken_over
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import PixelsReplaced, StoredSlot
from eyened_domain.errors import PixelsDamaged

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("eyened_domain")

_LOOKS = 5
"""How often a file is read that another program may be writing at the moment, in place."""


@attrs.frozen
class Standing:
    """A position that a row points to.

    Attributes:
        files: the store.
        digests: what is known of positions.
        key: the array.
        position: on its axis 0.
        record: what the database knows of it, or did when it was last asked.
        ask_again: asks the database for what it knows at this moment.
    """

    files: SlotFiles
    digests: Digests
    key: ArrayKey
    position: int
    record: Record
    ask_again: Callable[[], Record]

    def use(self, work: Callable[[StoredSlot | None], T]) -> T:
        """Return what work makes of the slot; it is given None where the pixels are zero.

        Raises:
            SlotGone: there is no file, and nobody has stored zeros.
            PixelsDamaged: the file is not what was stored, nor what another program wrote.
        """
        slot = StoredSlot(self.position, self.record.digest)
        try:
            return work(slot)
        except SlotGone:
            if not self._is_zero():
                raise
            return work(None)
        except PixelsDamaged as error:
            return self._look_again(slot, error, work)

    def _look_again(
        self, slot: StoredSlot, error: PixelsDamaged, work: Callable[[StoredSlot | None], T]
    ) -> T:
        newer = self.ask_again()
        if newer.digest not in (None, slot.digest):
            slot = StoredSlot(self.position, newer.digest)
            try:
                return work(slot)
            except PixelsDamaged as again:
                error = again
        if slot.digest is None:
            return self._patiently(slot, work)
        if not isinstance(error, PixelsReplaced):
            raise error
        slot = taken_over(error, self.position, token=newer.token, since=newer.since)
        done = self._patiently(slot, work)
        self._tell(error)
        return done

    def _patiently(self, slot: StoredSlot, work: Callable[[StoredSlot | None], T]) -> T:
        """Work on another program's file: until zarr 3.1.2, chunks are written in place."""
        for look in range(_LOOKS - 1):
            try:
                return work(slot)
            except PixelsDamaged:
                time.sleep(0.002 * (look + 1))
        return work(slot)

    def _is_zero(self) -> bool:
        """Whether another program has stored zeros: it has no file for them."""
        if not self.record.is_known:
            return self.files.is_within(self.key, self.position)
        # the database comes last: while a row points here, nobody collects what is here
        if not self.files.is_erased(self.key, self.position):
            return False
        if self.ask_again().state != LIVE:
            return False
        if self.digests.is_news(self.key, self.position, (0, 0)):
            logger.warning(
                "position %d of %s was erased by another program: it reads as zeros, and `eorm "
                "doctor --adopt` takes it over",
                self.position,
                self.key.path,
            )
        return True

    def _tell(self, error: PixelsReplaced) -> None:
        if self.digests.is_news(self.key, self.position, (error.size, error.changed_ns)):
            logger.warning(
                "position %d of %s was written by another program after it was stored here; what "
                "is there is read, and `eorm doctor --adopt` takes it over",
                self.position,
                self.key.path,
            )
