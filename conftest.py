"""Runs the code of the README and of docs/ as it stands."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

BEFORE = {name: os.environ.get(name) for name in ("EYENED_HOME", "DATABASE_URL")}


def _begin(namespace: dict[str, Any]) -> None:
    """Stand in a new folder, with the study that the documents speak of."""
    from eyened_domain import Database
    from eyened_domain.testing import Builder

    folder = tempfile.TemporaryDirectory(prefix="test_docs_")
    namespace["_folder"], namespace["_cwd"] = folder, Path.cwd()
    os.chdir(folder.name)
    for name in BEFORE:
        os.environ.pop(name, None)
    builder = Builder()
    for source in (None, "sqlite:///clinic.db"):
        database = Database(source)
        database.init()
        with database.unit_of_work() as uow:
            uow.add_study = None
            uow.commit()
