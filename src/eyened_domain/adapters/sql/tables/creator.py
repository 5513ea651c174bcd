"""Tables of `eyened_domain.model.creator`."""

from sqlalchemy import Boolean, Column, Integer, Table, UniqueConstraint, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Moment, binary, varchar

creator = Table(
    "Creator",
    metadata,
    Column("CreatorID", Integer, key="creator_id", primary_key=True),
    Column("CreatorName", varchar(45), key="creator_name", nullable=False),
    Column("EmployeeIdentifier", varchar(255), key="employee_identifier", nullable=True),
    Column("IsHuman", Boolean, key="is_human", nullable=False),
    Column("Path", varchar(80), key="path", nullable=True),
    Column("Version", Integer, key="version", nullable=True),
    Column("Description", varchar(1000), key="description", nullable=True),
    Column("Role", Integer, key="role", nullable=True),
    Column("Password", binary(32), key="password", nullable=True),
    Column("PasswordHash", varchar(255), key="password_hash", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("creator_name"),
)
