"""Whether the zarr store is there that rows point into; see `adapters.sql.mounted`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from eyened_domain.adapters.files.paths import is_empty
from eyened_domain.adapters.pixels.positions.rows import has_pixels
from eyened_domain.adapters.sql.mounted import folder_missing


def check_store(connection: Connection, store: Path) -> None:
    """Raise if the zarr store is empty that rows point into.

    Raises:
        FolderMissing: it is.
    """
    # looked at twice: who stores the first pixels of all makes the array, and then the rows
    if is_empty(store) and has_pixels(connection) and is_empty(store):
        raise folder_missing("SEGMENTATIONS_ZARR_STORE", store, "rows point into it")
