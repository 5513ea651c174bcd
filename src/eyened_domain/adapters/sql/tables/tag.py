"""Tables of `eyened_domain.model.tag`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Moment, names_of, varchar
from eyened_domain.model.enums import TagType

tag = Table(
    "Tag",
    metadata,
    Column("TagID", Integer, key="tag_id", primary_key=True),
    Column("TagName", varchar(256), key="tag_name", nullable=False),
    Column("TagType", names_of(TagType), key="tag_type", nullable=False),
    Column("TagDescription", varchar(256), key="tag_description", nullable=False),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("tag_name", "tag_type", name="Tag"),
    Index("fk_Tag_Creator1_idx", "creator_id"),
)

creator_tag_link = Table(
    "CreatorTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID",
        Integer,
        ForeignKey("Creator.creator_id", ondelete="CASCADE"),
        key="creator_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_CreatorTag_Creator1_idx", "creator_id"),
    Index("fk_CreatorTag_Tag1_idx", "tag_id"),
)

study_tag_link = Table(
    "StudyTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "StudyID",
        Integer,
        ForeignKey("Study.study_id", ondelete="CASCADE"),
        key="study_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column("Comment", varchar(256), key="comment", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_StudyTag_Creator1_idx", "creator_id"),
    Index("fk_StudyTag_Study1_idx", "study_id"),
    Index("fk_StudyTag_Tag1_idx", "tag_id"),
)

image_instance_tag_link = Table(
    "ImageInstanceTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
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
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column("Comment", varchar(256), key="comment", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_ImageInstanceTag_Creator1_idx", "creator_id"),
    Index("fk_ImageInstanceTag_ImageInstance1_idx", "image_instance_id"),
    Index("fk_ImageInstanceTag_Tag1_idx", "tag_id"),
)

annotation_tag_link = Table(
    "AnnotationTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "AnnotationID",
        Integer,
        ForeignKey("Annotation.annotation_id", ondelete="CASCADE"),
        key="annotation_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_AnnotationTag_Annotation1_idx", "annotation_id"),
    Index("fk_AnnotationTag_Creator1_idx", "creator_id"),
    Index("fk_AnnotationTag_Tag1_idx", "tag_id"),
)

segmentation_tag_link = Table(
    "SegmentationTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "SegmentationID",
        Integer,
        ForeignKey("Segmentation.segmentation_id", ondelete="CASCADE"),
        key="segmentation_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column("Comment", varchar(256), key="comment", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_SegmentationTag_Creator1_idx", "creator_id"),
    Index("fk_SegmentationTag_Segmentation1_idx", "segmentation_id"),
    Index("fk_SegmentationTag_Tag1_idx", "tag_id"),
)

form_annotation_tag_link = Table(
    "FormAnnotationTag",
    metadata,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.tag_id", ondelete="CASCADE"),
        key="tag_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "FormAnnotationID",
        Integer,
        ForeignKey("FormAnnotation.form_annotation_id", ondelete="CASCADE"),
        key="form_annotation_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column("Comment", varchar(256), key="comment", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("fk_FormAnnotationTag_Creator1_idx", "creator_id"),
    Index("fk_FormAnnotationTag_FormAnnotation1_idx", "form_annotation_id"),
    Index("fk_FormAnnotationTag_Tag1_idx", "tag_id"),
)
