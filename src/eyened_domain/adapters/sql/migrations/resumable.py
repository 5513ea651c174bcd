"""Making and dropping tables in a revision, so that one which was killed can be run again.

MySQL commits every CREATE and DROP at once: what a revision had done when it was killed
stays, and the next run must take it from there.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import MetaData, Table, inspect
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from eyened_domain.adapters.sql.migrations.state import present_tables


def create_tables(tables: MetaData) -> None:
    """Make the tables and indexes that are not there yet; without a connection, all of them."""
    present = _present(tables)
    for table in tables.sorted_tables:
        if table.name not in present:
            _give_no_id_again(table)
            op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in present.get(table.name, ()):
                op.execute(CreateIndex(index))


def drop_tables(tables: MetaData) -> None:
    """Drop the tables, with everything in them."""
    for table in reversed(tables.sorted_tables):
        op.execute(DropTable(table, if_exists=True))


def _give_no_id_again(table: Table) -> None:
    """Let SQLite give each id once, as servers do, also when its row was deleted.

    By itself it gives the highest id that is there and one more. Whoever still holds an id of
    a row that is gone, an object in another unit of work or a file name, would mean another
    row by it. Tables that were made before stay as they are: SQLite can only copy them.
    """
    if table.autoincrement_column is not None and len(table.primary_key.columns) == 1:
        table.dialect_options["sqlite"]["autoincrement"] = True


def _present(tables: MetaData) -> dict[str, set[str | None]]:
    """Return the tables that are there, each with the names of its indexes."""
    if op.get_context().as_sql:
        return {}
    connection = op.get_bind()
    inspector = inspect(connection)
    return {
        name: {index["name"] for index in inspector.get_indexes(as_written)}
        for name, as_written in present_tables(connection, tables.tables).items()
    }
