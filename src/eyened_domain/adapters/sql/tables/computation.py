"""Tables of `eyened_domain.model.computation`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Moment, values_of, varchar
from eyened_domain.model.enums import ModelKind

model = Table(
    "Model",
    metadata,
    Column("ModelID", Integer, key="model_id", primary_key=True),
    Column("ModelName", varchar(255), key="model_name", nullable=False),
    Column("Version", varchar(255), key="version", nullable=False),
    Column("ModelType", values_of(ModelKind), key="model_type", nullable=False),
    Column("Description", varchar(255), key="description", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("model_name", "version"),
    UniqueConstraint("model_name"),
)

segmentation_model = Table(
    "SegmentationModel",
    metadata,
    Column(
        "ModelID",
        Integer,
        ForeignKey("Model.model_id", ondelete="CASCADE"),
        key="model_id",
        primary_key=True,
    ),
    Column("FeatureID", Integer, ForeignKey("Feature.feature_id"), key="feature_id", nullable=True),
)

attributes_model = Table(
    "AttributesModel",
    metadata,
    Column(
        "ModelID",
        Integer,
        ForeignKey("Model.model_id", ondelete="CASCADE"),
        key="model_id",
        primary_key=True,
    ),
)

model_input = Table(
    "ModelInput",
    metadata,
    Column("ModelInputID", Integer, key="model_input_id", primary_key=True),
    Column(
        "ModelID",
        Integer,
        ForeignKey("AttributesModel.model_id", ondelete="CASCADE"),
        key="model_id",
        nullable=False,
    ),
    Column(
        "InputAttributeID",
        Integer,
        ForeignKey("AttributeDefinition.attribute_id", ondelete="CASCADE"),
        key="input_attribute_id",
        nullable=False,
    ),
    Column("InputName", varchar(255), key="input_name", nullable=False),
    UniqueConstraint(
        "model_id", "input_attribute_id", name="uq_ModelInput_ModelID_InputAttributeID"
    ),
    Index("fk_ModelInput_Attribute1_idx", "input_attribute_id"),
    Index("fk_ModelInput_Model1_idx", "model_id"),
)

attributes_model_output = Table(
    "AttributesModelOutput",
    metadata,
    Column(
        "ModelID",
        Integer,
        ForeignKey("AttributesModel.model_id", ondelete="CASCADE"),
        key="model_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "AttributeID",
        Integer,
        ForeignKey("AttributeDefinition.attribute_id", ondelete="CASCADE"),
        key="attribute_id",
        primary_key=True,
        autoincrement=False,
    ),
)
