"""Folders that last as long as their process at the most: where a database in memory keeps files.

A folder is gone when its owner has removed it, and at the latest when the interpreter ends. A
process removes only what it has named itself: settings may be sent to others, or forked.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_named: dict[Path, int] = {}
"""The folders that were named, and by which process."""


def name_folder() -> Path:
    """Return the path of a temporary folder that nobody else has; it is not made yet."""
    path = Path(tempfile.gettempdir(), f"eyened-{os.urandom(16).hex()}").absolute()
    _named[path] = os.getpid()
    return path


def remove_folder(path: Path | None) -> None:
    """Remove a folder with everything in it, if this process has named it; it may be made again."""
    if path is not None and _named.get(path) == os.getpid():
        shutil.rmtree(path, ignore_errors=True)


@atexit.register
def _remove_all() -> None:
    for path in tuple(_named):
        if path.exists():
            remove_folder(path)
