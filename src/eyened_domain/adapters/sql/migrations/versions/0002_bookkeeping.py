"""Tables of this software's own: what was committed, and what an import made."""

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

bookkeeping: MetaData = MetaData()

Table(
    "UnitOfWorkLog",
    bookkeeping,
    Column("UnitOfWorkID", String(32), primary_key=True),
    Column("CommittedAt", DateTime, nullable=False),
    Index("UnitOfWorkLog_CommittedAt_idx", "CommittedAt"),
)

Table(
    "ImportBatch",
    bookkeeping,
    Column("ImportBatchID", Integer, primary_key=True),
    Column("StartedAt", DateTime, nullable=False),
    Column("FinishedAt", DateTime, nullable=True),
    Column("UndoneAt", DateTime, nullable=True),
    Column("Source", Text, nullable=True),
    Column("Options", JSON, nullable=True),
)

Table(
    "ImportItem",
    bookkeeping,
    Column("ImportItemID", Integer, primary_key=True),
    Column(
        "ImportBatchID",
        Integer,
        ForeignKey("ImportBatch.ImportBatchID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("Entity", String(64), nullable=False),
    Column("FirstID", Integer, nullable=False),
    Column("LastID", Integer, nullable=False),
    Column("Before", JSON, nullable=True),
    Index("fk_ImportItem_ImportBatch1_idx", "ImportBatchID"),
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(bookkeeping)


def downgrade() -> None:
    """Drop the tables; what was imported can then no longer be undone."""
    drop_tables(bookkeeping)
