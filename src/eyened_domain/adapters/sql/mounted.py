"""Whether the folders are there that rows speak of: a place where a disk is mounted is empty else.

Whoever works on many rows asks first. What cannot be found because nothing can be is no
fault of a row, and nothing is marked, written or repaired then.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine, exists, select

from eyened_domain.adapters.files.paths import is_empty
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.errors import FolderMissing
from eyened_domain.model.image import ImageInstance


def check_thumbnails(engine: Engine, folder: Path) -> None:
    """Raise if the folder of thumbnails is not there or empty, and rows say that there are some.

    Raises:
        FolderMissing: it is.
    """
    if folder.exists() and not is_empty(folder):
        return
    made = exists(select(1).where(table_of(ImageInstance).c.thumbnail_path != ""))
    with engine.connect() as connection:
        if connection.scalar(select(made)):
            raise folder_missing("THUMBNAILS_PATH", folder, "rows say that there are thumbnails")


def folder_missing(setting: str, folder: str | os.PathLike[str], why_not: str) -> FolderMissing:
    """Return the error that tells which folder is to be mounted, and why it is missed."""
    state = "empty" if Path(folder).exists() else "not there"
    return FolderMissing(
        f"{setting} is {str(folder)!r}, which is {state}, and {why_not}: mount what belongs there, "
        f"or set {setting}. If it is lost for good, put any file there to say so",
        field=setting,
        value=str(folder),
    )
