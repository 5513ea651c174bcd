"""Rarer garbage collections while many objects are loaded.

Loading tens of thousands of objects, or planning to store them, makes the collector walk
them again and again for nothing; its thresholds are raised while it lasts (a quarter to a
half of the time).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = {"now": 0}
_usual: list[tuple[int, int, int]] = []


@contextmanager
def rarer_collections() -> Iterator[None]:
    """Raise the collector's thresholds inside the block; blocks of several threads may overlap."""
    with _lock:
        _depth["now"] += 1
        if _depth["now"] == 1:
            _usual.append(gc.get_threshold())
            gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        with _lock:
            _depth["now"] -= 1
            if _depth["now"] == 0:
                gc.set_threshold(*_usual.pop())
