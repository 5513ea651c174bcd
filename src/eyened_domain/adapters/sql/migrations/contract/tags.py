"""Tags and what they are put on."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, UniqueConstraint

from eyened_domain.adapters.sql.migrations.contract.words import NOW, choice, contract, varchar

Table(
    "Tag",
    contract,
    Column("TagID", Integer, primary_key=True),
    Column("TagName", varchar(256), nullable=False),
    Column(
        "TagType",
        choice("Study", "ImageInstance", "Annotation", "Segmentation", "FormAnnotation"),
        nullable=False,
    ),
    Column("TagDescription", varchar(256), nullable=False),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("TagName", "TagType", name="Tag"),
    Index("fk_Tag_Creator1_idx", "CreatorID"),
)

Table(
    "CreatorTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "CreatorID",
        Integer,
        ForeignKey("Creator.CreatorID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_CreatorTag_Creator1_idx", "CreatorID"),
    Index("fk_CreatorTag_Tag1_idx", "TagID"),
)

Table(
    "StudyTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "StudyID",
        Integer,
        ForeignKey("Study.StudyID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("Comment", varchar(256), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_StudyTag_Creator1_idx", "CreatorID"),
    Index("fk_StudyTag_Study1_idx", "StudyID"),
    Index("fk_StudyTag_Tag1_idx", "TagID"),
)

Table(
    "ImageInstanceTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("Comment", varchar(256), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_ImageInstanceTag_Creator1_idx", "CreatorID"),
    Index("fk_ImageInstanceTag_ImageInstance1_idx", "ImageInstanceID"),
    Index("fk_ImageInstanceTag_Tag1_idx", "TagID"),
)

Table(
    "AnnotationTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "AnnotationID",
        Integer,
        ForeignKey("Annotation.AnnotationID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_AnnotationTag_Annotation1_idx", "AnnotationID"),
    Index("fk_AnnotationTag_Creator1_idx", "CreatorID"),
    Index("fk_AnnotationTag_Tag1_idx", "TagID"),
)

Table(
    "SegmentationTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "SegmentationID",
        Integer,
        ForeignKey("Segmentation.SegmentationID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("Comment", varchar(256), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_SegmentationTag_Creator1_idx", "CreatorID"),
    Index("fk_SegmentationTag_Segmentation1_idx", "SegmentationID"),
    Index("fk_SegmentationTag_Tag1_idx", "TagID"),
)

Table(
    "FormAnnotationTag",
    contract,
    Column(
        "TagID",
        Integer,
        ForeignKey("Tag.TagID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "FormAnnotationID",
        Integer,
        ForeignKey("FormAnnotation.FormAnnotationID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("Comment", varchar(256), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_FormAnnotationTag_Creator1_idx", "CreatorID"),
    Index("fk_FormAnnotationTag_FormAnnotation1_idx", "FormAnnotationID"),
    Index("fk_FormAnnotationTag_Tag1_idx", "TagID"),
)
