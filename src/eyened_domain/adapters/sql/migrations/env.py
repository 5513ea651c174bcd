"""Alembic's entry: runs revisions on the connection, or for the dialect, that it is given.

There is no alembic.ini: `eyened_domain.adapters.sql.migrations.alembic_config` makes the
configuration, which carries a `connection`, or for SQL on paper the name of a `dialect`.
"""

from typing import Any

from alembic import context

from eyened_domain.adapters.sql.migrations.revisions import VERSION_TABLE, is_ours
from eyened_domain.adapters.sql.schema import metadata

connection: Any = context.config.attributes.get("connection")
choices: dict[str, Any] = {
    "target_metadata": metadata,
    "version_table": VERSION_TABLE,
    "include_object": is_ours,
    "compare_type": True,
    "compare_server_default": False,
    "render_as_batch": True,  # SQLite can change a table by copying it only
}
if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"],
        literal_binds=True,
        transactional_ddl=context.config.attributes["dialect"] == "sqlite",
        **choices,
    )
else:
    context.configure(connection=connection, **choices)

with context.begin_transaction():
    context.run_migrations()
