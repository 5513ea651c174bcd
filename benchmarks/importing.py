"""Importing images, against chunked Core inserts of the same rows.

The import service is measured here once it exists: give `import_images` a body and
`figures` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.databases import fresh_database
from benchmarks.dataset import fill
from benchmarks.timing import Figure, ratio
from eyened_domain.adapters.sql.database import Database

import_images: Callable[[Database, int], None] | None = None
"""Imports that many images into an empty database, in one call."""


def figures(kind: str, images: int, runs: int) -> list[Figure]:
    """Measure the import; nothing while there is no import to measure."""
    work = import_images
    if work is None:
        return []

    def ours() -> None:
        with fresh_database(kind) as database:
            work(database, images)

    def core() -> None:
        with fresh_database(kind) as database:
            fill(database.engine, images)

    return [
        ratio(
            f"import of {images:,} images",
            ours,
            core,
            limit_name="Core, chunked inserts of the same rows",
            goal=2.0,
            runs=runs,
        )
    ]
