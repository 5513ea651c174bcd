"""Tables of `eyened_domain.model.study`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Day, Moment, varchar

study = Table(
    "Study",
    metadata,
    Column("StudyID", Integer, key="study_id", primary_key=True),
    Column(
        "PatientID",
        Integer,
        ForeignKey("Patient.patient_id", ondelete="CASCADE"),
        key="patient_id",
        nullable=False,
    ),
    Column("StudyRound", Integer, key="study_round", nullable=True),
    Column("StudyDescription", varchar(64), key="study_description", nullable=True),
    Column("StudyDate", Day, key="study_date", nullable=False),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("PatientIDStudyDate_UNIQUE", "study_date", "patient_id", unique=True),
    Index("StudyDate_idx", "study_date"),
    Index("StudyRound", "study_round"),
    Index("fk_Study_Patient1_idx", "patient_id"),
)

series = Table(
    "Series",
    metadata,
    Column("SeriesID", Integer, key="series_id", primary_key=True),
    Column(
        "StudyID",
        Integer,
        ForeignKey("Study.study_id", ondelete="CASCADE"),
        key="study_id",
        nullable=False,
    ),
    Column("SeriesNumber", Integer, key="series_number", nullable=True),
    Column("SeriesInstanceUid", varchar(64), key="series_instance_uid", nullable=True),
    Column("StudyInstanceUid", varchar(64), key="study_instance_uid", nullable=True),
    UniqueConstraint("series_instance_uid"),
    Index(
        "StudyInstanceUidSeriesInstanceUid_UNIQUE",
        "study_instance_uid",
        "series_instance_uid",
        unique=True,
    ),
    Index("fk_Series_Study1_idx", "study_id"),
)
