"""A table of this software's own: what was put away, so that it can be restored as it was."""

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
    text,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

trash: MetaData = MetaData()
_creator: Table = Table("Creator", MetaData(), Column("CreatorID", Integer, primary_key=True))


def _text(length: int) -> String:
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


Table(
    "TrashEntry",
    trash,
    Column("TrashEntryID", Integer, primary_key=True),
    Column("EntityName", _text(64), nullable=False),
    Column("EntityID", Integer, nullable=False),
    Column(
        "CreatorID",
        Integer,
        ForeignKey(_creator.c.CreatorID, ondelete="SET NULL"),
        nullable=True,
    ),
    Column("Reason", _text(255), nullable=True),
    Column("Contents", JSON, nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=text("CURRENT_TIMESTAMP")),
    Index("TrashEntry_Entity_idx", "EntityName", "EntityID"),
    Index("fk_TrashEntry_Creator1_idx", "CreatorID"),
)


def upgrade() -> None:
    """Make the table and its indexes."""
    create_tables(trash)


def downgrade() -> None:
    """Drop the table; what was put away stays inactive, and is no longer restored together."""
    drop_tables(trash)
