"""The colours of masks: the same name has the same colour, in every process and release.

The palette was searched for among colours of full chroma in Oklab: far from each other, and
from the reds, oranges and greys of the images, as people with normal sight, protanopia and
deuteranopia see them (Machado et al. 2009, doi 10.1109/TVCG.2009.113). The nearest two are
0.11 apart in Oklab; 0.02 can just be told apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

PALETTE: tuple[Colour, ...] = (
    (0x33, 0xEF, 0xFC),  # cyan
    (0xAB, 0x0F, 0xA5),  # purple
    (0xE7, 0xD9, 0x1C),  # yellow
    (0x53, 0x38, 0xFE),  # violet
    (0x9D, 0xFF, 0xB3),  # mint
    (0x6D, 0x8C, 0xFD),  # cornflower
    (0x30, 0xCF, 0xB7),  # teal
    (0x5C, 0xBE, 0xFE),  # sky
)


def colours_of(names: Iterable[str]) -> dict[str, Colour]:
    """Return a colour for each name.

    A name's colour is drawn from the hash of the name. Where two names of one picture would
    have the same, the second takes the next that is free, so that what is seen together can
    be told apart; from the ninth name on colours come again.

    Args:
        names: all names that belong together, in their order: those of a segmentation,
            whether or not all of them are shown.
    """
    given: dict[str, Colour] = {}
    for name in names:
        place = _place(name)
        turns = [PALETTE[(place + step) % len(PALETTE)] for step in range(len(PALETTE))]
        free = [colour for colour in turns if colour not in given.values()]
        given.setdefault(name, (free or turns)[0])
    return given


def _place(name: str) -> int:
    digest = hashlib.sha256(name.casefold().encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") % len(PALETTE)
