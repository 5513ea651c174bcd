"""Tables of this software's own: who changed what, when, from what to what."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

changes: MetaData = MetaData()
_long_text = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")

Table(
    "History",
    changes,
    Column("StreamID", String(16), primary_key=True),
    Column("Number", Integer, primary_key=True, autoincrement=False),
    Column("TransactionNumber", Integer, nullable=False),
    Column("Entity", String(64), nullable=False),
    Column("EntityKey", String(64), nullable=False),
    Column("Kind", String(6), nullable=False),
    Column("OldValues", _long_text, nullable=True),
    Column("NewValues", _long_text, nullable=True),
    Column("ActorID", Integer, nullable=True),
    Column("Reason", Text, nullable=True),
    Column("MadeAt", BigInteger, nullable=False),
    Column("LastNumber", Integer, nullable=True),
    Column("Mac", String(32), nullable=False),
    Index("History_Entity_idx", "Entity", "EntityKey", "MadeAt"),
    Index("History_ActorID_idx", "ActorID", "MadeAt"),
    Index("History_MadeAt_idx", "MadeAt"),
    sqlite_with_rowid=False,
)

Table(
    "HistoryStream",
    changes,
    Column("StreamID", String(16), primary_key=True),
    Column("OpenedAt", BigInteger, nullable=False),
    Column("Follows", Text, nullable=False),
    Column("Mac", String(32), nullable=False),
    Index("HistoryStream_OpenedAt_idx", "OpenedAt"),
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(changes)


def downgrade() -> None:
    """Drop the tables; what was done until then is forgotten."""
    drop_tables(changes)
