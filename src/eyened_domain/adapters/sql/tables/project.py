"""Tables of `eyened_domain.model.project`."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Moment, names_of, varchar
from eyened_domain.model.enums import ExternalEnum

contact = Table(
    "Contact",
    metadata,
    Column("ContactID", Integer, key="contact_id", primary_key=True),
    Column("Name", varchar(255), key="name", nullable=False),
    Column("Email", varchar(255), key="email", nullable=False),
    Column("Institute", varchar(255), key="institute", nullable=True),
    Column("Orcid", varchar(255), key="orcid", nullable=True),
    Index("NameEmailInstitute_UNIQUE", "name", "email", "institute", unique=True),
)

project = Table(
    "Project",
    metadata,
    Column("ProjectID", Integer, key="project_id", primary_key=True),
    Column("ProjectName", varchar(255), key="project_name", nullable=False),
    Column("External", names_of(ExternalEnum), key="external", nullable=False),
    Column("Description", Text, key="description", nullable=True),
    Column("ContactID", Integer, ForeignKey("Contact.contact_id"), key="contact_id", nullable=True),
    Column("DOI", varchar(255), key="doi", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("project_name"),
    Index("fk_Project_Contact1_idx", "contact_id"),
)
