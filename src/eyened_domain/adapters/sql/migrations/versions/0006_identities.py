"""A table of this software's own: who creators are at outside providers."""

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

identities: MetaData = MetaData()
_creator: Table = Table("Creator", MetaData(), Column("CreatorID", Integer, primary_key=True))


def _text(length: int) -> String:
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


Table(
    "CreatorIdentity",
    identities,
    Column("CreatorIdentityID", Integer, primary_key=True),
    Column(
        "CreatorID",
        Integer,
        ForeignKey(_creator.c.CreatorID, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("Issuer", _text(255), nullable=False),
    Column("Subject", _text(255), nullable=False),
    Column("Fingerprint", _text(64), nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=text("CURRENT_TIMESTAMP")),
    UniqueConstraint("Fingerprint", name="CreatorIdentity_Fingerprint_UNIQUE"),
    Index("fk_CreatorIdentity_Creator1_idx", "CreatorID"),
)


def upgrade() -> None:
    """Make the table and its index."""
    create_tables(identities)


def downgrade() -> None:
    """Drop the table; who logs in elsewhere is then no longer found here."""
    drop_tables(identities)
