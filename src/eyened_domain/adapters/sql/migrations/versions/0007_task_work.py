"""Tables of this software's own: how tasks are shared among graders."""

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
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.resumable import create_tables, drop_tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

task_work: MetaData = MetaData()
_others = MetaData()
_creator: Table = Table("Creator", _others, Column("CreatorID", Integer, primary_key=True))
_task: Table = Table("Task", _others, Column("TaskID", Integer, primary_key=True))
_sub_task: Table = Table("SubTask", _others, Column("SubTaskID", Integer, primary_key=True))

Table(
    "TaskConfiguration",
    task_work,
    Column(
        "TaskID",
        Integer,
        ForeignKey(_task.c.TaskID, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("Configuration", JSON, nullable=False),
)

Table(
    "SubTaskWork",
    task_work,
    Column(
        "SubTaskID",
        Integer,
        ForeignKey(_sub_task.c.SubTaskID, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("TaskID", Integer, ForeignKey(_task.c.TaskID, ondelete="CASCADE"), nullable=False),
    Column("SetNumber", Integer, nullable=False),
    Column("Reading", Integer, nullable=False),
    Column("IsRepeat", Boolean, nullable=False),
    Column("Priority", Integer, nullable=False),
    Column("Position", Integer, nullable=False),
    Column("HeldBack", Boolean, nullable=False),
    Column("ReservedForID", Integer, ForeignKey(_creator.c.CreatorID), nullable=True),
    Column("GraderID", Integer, ForeignKey(_creator.c.CreatorID), nullable=True),
    Column(
        "LeaseToken",
        String(32).with_variant(String(32, collation="NOCASE"), "sqlite"),
        nullable=True,
    ),
    Column("LeaseExpires", DateTime, nullable=True),
    Column("FinishedAt", DateTime, nullable=True),
    UniqueConstraint(
        "TaskID", "SetNumber", "IsRepeat", "GraderID", name="SubTaskWork_Grader_UNIQUE"
    ),
    Index("fk_SubTaskWork_ReservedFor1_idx", "ReservedForID"),
    Index("fk_SubTaskWork_Grader1_idx", "GraderID"),
    Index("SubTaskWork_Claim_idx", "TaskID", "HeldBack", "ReservedForID", "Priority", "Position"),
    Index("SubTaskWork_Lease_idx", "TaskID", "LeaseExpires"),
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    create_tables(task_work)


def downgrade() -> None:
    """Drop the tables; who shares which task, and which leases there are, is then forgotten."""
    drop_tables(task_work)
