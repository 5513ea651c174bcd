"""Tables of this software's own: the positions of pixels in the zarr store."""

from sqlalchemy import (
    BINARY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

pixels: MetaData = MetaData()


def _exact(length: int) -> String:
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


Table(
    "ZarrArray",
    pixels,
    Column("ZarrArrayID", Integer, primary_key=True),
    Column("GroupName", _exact(255), nullable=False),
    Column("ArrayName", _exact(64), nullable=False),
    Column("NextIndex", BigInteger, nullable=False),
    UniqueConstraint("GroupName", "ArrayName", name="ZarrArray_Name_UNIQUE"),
)

Table(
    "ZarrSlot",
    pixels,
    Column("ZarrArrayID", Integer, autoincrement=False),
    Column("SlotIndex", BigInteger, autoincrement=False),
    Column("State", String(16), nullable=False),
    Column("Token", String(32), nullable=False),
    Column("Digest", BINARY(16).with_variant(LargeBinary(), "sqlite"), nullable=True),
    Column("Bytes", BigInteger, nullable=True),
    Column("Since", BigInteger, nullable=False),
    Column("SegmentationID", Integer, nullable=True),
    Column("ModelSegmentationID", Integer, nullable=True),
    PrimaryKeyConstraint("ZarrArrayID", "SlotIndex"),
    Index("ZarrSlot_State_idx", "State", "Since"),
    Index("ZarrSlot_Segmentation_idx", "SegmentationID"),
    Index("ZarrSlot_ModelSegmentation_idx", "ModelSegmentationID"),
)

Table(
    "DatabaseIdentity",
    pixels,
    Column("IdentityID", Integer, primary_key=True, autoincrement=False),
    Column("DatabaseID", String(32), nullable=False),
)

Table(
    "AnnotationConversion",
    pixels,
    Column("AnnotationID", Integer, primary_key=True, autoincrement=False),
    Column("SegmentationID", Integer, nullable=False),
    Column("ConvertedAt", BigInteger, nullable=False),
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(pixels)


def downgrade() -> None:
    """Drop the tables; pixels can then no longer be checked against their checksums."""
    drop_tables(pixels)
