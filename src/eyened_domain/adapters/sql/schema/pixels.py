"""Tables that this library adds for the pixels of segmentations; see `adapters.pixels`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.schema.entities import metadata, table_of
from eyened_domain.adapters.sql.schema.types import binary, exact
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

OWNERS: dict[type[Segmentation | ModelSegmentation], tuple[Table, str]] = {
    Segmentation: (table_of(Segmentation), "segmentation_id"),
    ModelSegmentation: (table_of(ModelSegmentation), "model_segmentation_id"),
}
"""The tables whose rows point to positions, and their primary keys (also columns of ZarrSlot)."""
KINDS = tuple(OWNERS)


def table_and_key(kind: type[Any]) -> tuple[Table, Any]:
    """Return the table of a kind of segmentations, and its primary key."""
    table, key = OWNERS[kind]
    return table, table.c[key]


GROUP_LENGTH = 255
"""Characters in the name of a zarr group: the most that a file system takes for a folder."""

zarr_array: Table = Table(
    "ZarrArray",
    metadata,
    Column("ZarrArrayID", Integer, key="zarr_array_id", primary_key=True),
    Column("GroupName", exact(GROUP_LENGTH), key="group_name", nullable=False),
    Column("ArrayName", exact(64), key="array_name", nullable=False),
    Column("NextIndex", BigInteger, key="next_index", nullable=False),
    UniqueConstraint("group_name", "array_name", name="ZarrArray_Name_UNIQUE"),
)
"""An array of the store, and the first position in it that nobody has reserved yet."""

zarr_slot: Table = Table(
    "ZarrSlot",
    metadata,
    Column("ZarrArrayID", Integer, key="zarr_array_id", autoincrement=False),
    Column("SlotIndex", BigInteger, key="slot_index", autoincrement=False),
    Column("State", String(16), key="state", nullable=False),
    Column("Token", String(32), key="token", nullable=False),
    Column("Digest", binary(16), key="digest", nullable=True),
    Column("Bytes", BigInteger, key="bytes", nullable=True),
    Column("Since", BigInteger, key="since", nullable=False),
    Column("SegmentationID", Integer, key="segmentation_id", nullable=True),
    Column("ModelSegmentationID", Integer, key="model_segmentation_id", nullable=True),
    PrimaryKeyConstraint("zarr_array_id", "slot_index"),
    Index("ZarrSlot_State_idx", "state", "since"),
    Index("ZarrSlot_Segmentation_idx", "segmentation_id"),
    Index("ZarrSlot_ModelSegmentation_idx", "model_segmentation_id"),
)
"""A position in an array: reserved, live (a row points to it), garbage, or in quarantine.

`since` is in seconds of Unix time. There are no foreign keys: other programs delete rows of
segmentations, and must not be kept from it.
"""

database_identity: Table = Table(
    "DatabaseIdentity",
    metadata,
    Column("IdentityID", Integer, key="identity_id", primary_key=True, autoincrement=False),
    Column("DatabaseID", String(32), key="database_id", nullable=False),
)
"""One row, number 1: what this database is known by in the stores that belong to it."""

annotation_conversion: Table = Table(
    "AnnotationConversion",
    metadata,
    Column("AnnotationID", Integer, key="annotation_id", primary_key=True, autoincrement=False),
    Column("SegmentationID", Integer, key="segmentation_id", nullable=False),
    Column("ConvertedAt", BigInteger, key="converted_at", nullable=False),
)
"""Which segmentation was made from a legacy annotation; `converted_at` in Unix seconds."""
