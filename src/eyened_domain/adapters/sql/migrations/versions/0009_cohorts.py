"""Tables of this software's own: searches that are kept by name, and what they found once."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

cohorts: MetaData = MetaData()
_creator: Table = Table("Creator", MetaData(), Column("CreatorID", Integer, primary_key=True))


def _text(length: int) -> String:
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


_cohort: Table = Table(
    "Cohort",
    cohorts,
    Column("CohortID", Integer, primary_key=True),
    Column("CohortName", _text(255), nullable=False),
    Column("Description", Text, nullable=True),
    Column("CreatorID", Integer, ForeignKey(_creator.c.CreatorID), nullable=False),
    Column("SearchCondition", JSON, nullable=False),
    Column("OrderBy", JSON, nullable=True),
    Column("IncludeInactive", Boolean, nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=text("CURRENT_TIMESTAMP")),
    Column("DateFrozen", DateTime, nullable=True),
    Column("Digest", _text(64), nullable=True),
    UniqueConstraint("CohortName", name="Cohort_Name_UNIQUE"),
    Index("fk_Cohort_Creator1_idx", "CreatorID"),
)
Table(
    "CohortMember",
    cohorts,
    Column(
        "CohortID",
        Integer,
        ForeignKey(_cohort.c.CohortID, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("ImageInstanceID", Integer, primary_key=True, autoincrement=False),
    Column("Position", Integer, nullable=False),
    Column("Digest", _text(64), nullable=False),
    Column("Part", _text(45), nullable=True),
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(cohorts)


def downgrade() -> None:
    """Drop the tables; the searches that were kept in them are gone then."""
    drop_tables(cohorts)
