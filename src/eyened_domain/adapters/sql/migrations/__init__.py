"""Migrations: how the tables come into a database, and how a database is found to be ready.

- `readiness`: `ensure_ready`, asked by every `Database`;
- `upgrade`: `initialise`, `upgrade`, `upgrade_sql`;
- `adopt`: takes over a database that another program made;
- `status`: what a database is and holds.

The revisions are in `versions`, in an Alembic of its own: see `revisions.VERSION_TABLE`.
"""

from eyened_domain.adapters.sql.migrations.readiness import ensure_ready as ensure_ready
