"""A table of this software's own: what attribute values were computed from."""

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

computations: MetaData = MetaData()

Table(
    "AttributeComputation",
    computations,
    Column("AttributeValueID", Integer, primary_key=True, autoincrement=False),
    Column("Inputs", JSON, nullable=False),
    Column("ZarrArrayIndex", Integer, nullable=True),
    Column("RecordedAt", BigInteger, nullable=False),
)


def upgrade() -> None:
    """Make the table."""
    create_tables(computations)


def downgrade() -> None:
    """Drop the table; changes of inputs are not found then."""
    drop_tables(computations)
