"""Tables that this library adds; other programs on the same database do not see them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from eyened_domain.adapters.sql.schema.entities import metadata
from eyened_domain.adapters.sql.schema.types import Json, LongText, Moment

unit_of_work_log: Table = Table(
    "UnitOfWorkLog",
    metadata,
    Column("UnitOfWorkID", String(32), key="unit_of_work_id", primary_key=True),
    Column("CommittedAt", Moment, key="committed_at", nullable=False),
    Index("UnitOfWorkLog_CommittedAt_idx", "committed_at"),
)
"""A token for each unit of work that may be run again: whether its commit went through."""

import_batch: Table = Table(
    "ImportBatch",
    metadata,
    Column("ImportBatchID", Integer, key="import_batch_id", primary_key=True),
    Column("StartedAt", Moment, key="started_at", nullable=False),
    Column("FinishedAt", Moment, key="finished_at", nullable=True),
    Column("UndoneAt", Moment, key="undone_at", nullable=True),
    Column("Source", Text, key="source", nullable=True),
    Column("Options", Json, key="options", nullable=True),
)
"""One run of an import."""

import_item: Table = Table(
    "ImportItem",
    metadata,
    Column("ImportItemID", Integer, key="import_item_id", primary_key=True),
    Column(
        "ImportBatchID",
        Integer,
        ForeignKey("ImportBatch.import_batch_id", ondelete="CASCADE"),
        key="import_batch_id",
        nullable=False,
    ),
    Column("Entity", String(64), key="entity", nullable=False),
    Column("FirstID", Integer, key="first_id", nullable=False),
    Column("LastID", Integer, key="last_id", nullable=False),
    Column("Before", Json, key="before", nullable=True),
    Index("fk_ImportItem_ImportBatch1_idx", "import_batch_id"),
)
"""Rows that an import made (a run of ids), or changed (one id, with what it held before)."""

attribute_computation: Table = Table(
    "AttributeComputation",
    metadata,
    Column(
        "AttributeValueID",
        Integer,
        key="attribute_value_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column("Inputs", Json, key="inputs", nullable=False),
    Column("ZarrArrayIndex", Integer, key="zarr_array_index", nullable=True),
    Column("RecordedAt", BigInteger, key="recorded_at", nullable=False),
)
"""What an attribute value was computed from: a digest of each input by its id, and the position of
its owner's pixels; `recorded_at` in Unix seconds."""

HISTORY_HEAD = 2**31 - 1
"""The number of the head of a stream in `History`."""

history: Table = Table(
    "History",
    metadata,
    Column("StreamID", String(16), key="stream_id", primary_key=True),
    Column("Number", Integer, key="number", primary_key=True, autoincrement=False),
    Column("TransactionNumber", Integer, key="transaction_number", nullable=False),
    Column("Entity", String(64), key="entity", nullable=False),
    Column("EntityKey", String(64), key="entity_key", nullable=False),
    Column("Kind", String(6), key="kind", nullable=False),
    Column("OldValues", LongText, key="old_values", nullable=True),
    Column("NewValues", LongText, key="new_values", nullable=True),
    Column("ActorID", Integer, key="actor_id", nullable=True),
    Column("Reason", Text, key="reason", nullable=True),
    Column("MadeAt", BigInteger, key="made_at", nullable=False),
    Column("LastNumber", Integer, key="last_number", nullable=True),
    Column("Mac", String(32), key="mac", nullable=False),
    Index("History_Entity_idx", "entity", "entity_key", "made_at"),
    Index("History_ActorID_idx", "actor_id", "made_at"),
    Index("History_MadeAt_idx", "made_at"),
    sqlite_with_rowid=False,
)
"""Changes of rows, or of blocks of rows (`services.changes.blocks`), in streams: what one process
writes, numbered from 1 without gaps.

Behind them, at the number `HISTORY_HEAD`, the head of a stream holds the number of its last
change (`last_number`), on the same page of the index. `made_at` is in microseconds of Unix time,
`transaction_number` the number of a transaction's first change, `mac` a keyed digest of the other
columns.
"""

history_stream: Table = Table(
    "HistoryStream",
    metadata,
    Column("StreamID", String(16), key="stream_id", primary_key=True),
    Column("OpenedAt", BigInteger, key="opened_at", nullable=False),
    Column("Follows", Text, key="follows", nullable=False),
    Column("Mac", String(32), key="mac", nullable=False),
    Index("HistoryStream_OpenedAt_idx", "opened_at"),
)
"""The streams of `History`; `follows`: those that were there, and that none had followed yet."""
