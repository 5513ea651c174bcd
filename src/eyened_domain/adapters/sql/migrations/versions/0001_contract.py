"""The 40 tables of the contract."""

from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(contract)


def downgrade() -> None:
    """Drop the tables, with everything in them."""
    drop_tables(contract)
