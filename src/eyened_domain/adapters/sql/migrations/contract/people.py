"""Contacts, projects, creators and patients."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.contract.words import (
    NOW,
    TEXT,
    binary,
    choice,
    contract,
    varchar,
)

Table(
    "Contact",
    contract,
    Column("ContactID", Integer, primary_key=True),
    Column("Name", varchar(255), nullable=False),
    Column("Email", varchar(255), nullable=False),
    Column("Institute", varchar(255), nullable=True),
    Column("Orcid", varchar(255), nullable=True),
    Index("NameEmailInstitute_UNIQUE", "Name", "Email", "Institute", unique=True),
)

Table(
    "Project",
    contract,
    Column("ProjectID", Integer, primary_key=True),
    Column("ProjectName", varchar(255), nullable=False),
    Column("External", choice("Y", "N", "M"), nullable=False),
    Column("Description", TEXT, nullable=True),
    Column("ContactID", Integer, ForeignKey("Contact.ContactID"), nullable=True),
    Column("DOI", varchar(255), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("ProjectName"),
    Index("fk_Project_Contact1_idx", "ContactID"),
)

Table(
    "Creator",
    contract,
    Column("CreatorID", Integer, primary_key=True),
    Column("CreatorName", varchar(45), nullable=False),
    Column("EmployeeIdentifier", varchar(255), nullable=True),
    Column("IsHuman", Boolean, nullable=False),
    Column("Path", varchar(80), nullable=True),
    Column("Version", Integer, nullable=True),
    Column("Description", varchar(1000), nullable=True),
    Column("Role", Integer, nullable=True),
    Column("Password", binary(32), nullable=True),
    Column("PasswordHash", varchar(255), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("CreatorName"),
)

Table(
    "Patient",
    contract,
    Column("PatientID", Integer, primary_key=True),
    Column("PatientIdentifier", varchar(255), nullable=False),
    Column("BirthDate", Date, nullable=True),
    Column("Sex", choice("M", "F"), nullable=True),
    Column(
        "ProjectID", Integer, ForeignKey("Project.ProjectID", ondelete="CASCADE"), nullable=False
    ),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("ProjectIDPatientIdentifier_UNIQUE", "PatientIdentifier", "ProjectID", unique=True),
    Index("fk_Patient_Project1_idx", "ProjectID"),
)
