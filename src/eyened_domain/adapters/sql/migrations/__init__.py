"""Migrations (provisional)."""

from sqlalchemy import Engine

import eyened_domain.adapters.sql.tables.bookkeeping
from eyened_domain.adapters.sql.tables.metadata import metadata


def ensure_ready(engine: Engine, *, embedded: bool) -> None:
    metadata.create_all(engine)
