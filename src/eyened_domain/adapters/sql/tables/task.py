"""Tables of `eyened_domain.model.task`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Json, Moment, names_of, varchar
from eyened_domain.model.enums import SubTaskState, TaskState

task_definition = Table(
    "TaskDefinition",
    metadata,
    Column("TaskDefinitionID", Integer, key="task_definition_id", primary_key=True),
    Column("TaskDefinitionName", varchar(256), key="task_definition_name", nullable=False),
    Column("TaskConfig", Json, key="task_config", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
)

task = Table(
    "Task",
    metadata,
    Column("TaskID", Integer, key="task_id", primary_key=True),
    Column("TaskName", varchar(256), key="task_name", nullable=False),
    Column("Description", Text, key="description", nullable=True),
    Column("CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=True),
    Column("ContactID", Integer, ForeignKey("Contact.contact_id"), key="contact_id", nullable=True),
    Column(
        "TaskDefinitionID",
        Integer,
        ForeignKey("TaskDefinition.task_definition_id"),
        key="task_definition_id",
        nullable=False,
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Column("TaskState", names_of(TaskState), key="task_state", nullable=False),
    Index("fk_Task_TaskDefinition1_idx", "task_definition_id"),
)

sub_task = Table(
    "SubTask",
    metadata,
    Column("SubTaskID", Integer, key="sub_task_id", primary_key=True),
    Column(
        "TaskID",
        Integer,
        ForeignKey("Task.task_id", ondelete="CASCADE"),
        key="task_id",
        nullable=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=True),
    Column("Comments", Text, key="comments", nullable=True),
    Column("TaskState", names_of(SubTaskState), key="task_state", nullable=False),
    Index("fk_SubTask_Creator1_idx", "creator_id"),
    Index("fk_SubTask_Task1_idx", "task_id"),
)

sub_task_image_link = Table(
    "SubTaskImageLink",
    metadata,
    Column(
        "SubTaskID",
        Integer,
        ForeignKey("SubTask.sub_task_id", ondelete="CASCADE"),
        key="sub_task_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        primary_key=True,
        autoincrement=False,
    ),
    Index("fk_SubTaskImageLink_ImageInstance1_idx", "image_instance_id"),
    Index("fk_SubTaskImageLink_SubTask1_idx", "sub_task_id"),
)
