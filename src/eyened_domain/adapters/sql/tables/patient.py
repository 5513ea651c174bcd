"""Tables of `eyened_domain.model.patient`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Day, Moment, names_of, varchar
from eyened_domain.model.enums import SexEnum

patient = Table(
    "Patient",
    metadata,
    Column("PatientID", Integer, key="patient_id", primary_key=True),
    Column("PatientIdentifier", varchar(255), key="patient_identifier", nullable=False),
    Column("BirthDate", Day, key="birth_date", nullable=True),
    Column("Sex", names_of(SexEnum), key="sex", nullable=True),
    Column(
        "ProjectID",
        Integer,
        ForeignKey("Project.project_id", ondelete="CASCADE"),
        key="project_id",
        nullable=False,
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("ProjectIDPatientIdentifier_UNIQUE", "patient_identifier", "project_id", unique=True),
    Index("fk_Patient_Project1_idx", "project_id"),
)
