"""Tables of `eyened_domain.model.feature`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Moment, varchar

feature = Table(
    "Feature",
    metadata,
    Column("FeatureID", Integer, key="feature_id", primary_key=True),
    Column("FeatureName", varchar(60), key="feature_name", nullable=False),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("feature_name"),
)

feature_feature_link = Table(
    "CompositeFeature",
    metadata,
    Column(
        "ParentFeatureID",
        Integer,
        ForeignKey("Feature.feature_id", ondelete="CASCADE"),
        key="parent_feature_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "ChildFeatureID",
        Integer,
        ForeignKey("Feature.feature_id", ondelete="RESTRICT"),
        key="child_feature_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column("FeatureIndex", Integer, key="feature_index", primary_key=True, autoincrement=False),
    Index("fk_CompositeFeature_ChildFeature1_idx", "child_feature_id"),
    Index("fk_CompositeFeature_ParentFeature1_idx", "parent_feature_id"),
)
