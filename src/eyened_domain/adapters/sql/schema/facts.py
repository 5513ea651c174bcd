"""What only the database knows of the entities' tables; everything else is made from the model.

By the names of the tables; columns are named by the fields that they hold. Tables that are
not here have nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from sqlalchemy.types import TypeEngine

from eyened_domain.adapters.sql.schema.types import binary, values_of
from eyened_domain.model.enums import ModelKind

Columns = tuple[str, ...]


@frozen(kw_only=True)
class TableFacts:
    """What only the database knows of a table."""

    types: Mapping[str, TypeEngine[Any]] = field(factory=dict)
    """Of columns whose type is not the usual one of their kind."""
    unique_constraints: Mapping[str, Columns] = field(factory=dict)
    """The names of natural keys of the model; those that are not named here have no name."""
    unique_indexes: Mapping[str, Columns] = field(factory=dict)
    """The names of natural keys that are unique indexes, and no constraints."""
    foreign_key_indexes: Columns = ()
    """Foreign keys with an index; that of Study.PatientID is called fk_Study_Patient1_idx."""
    indexes: Mapping[str, Columns] = field(factory=dict)
    """Further indexes."""
    checks: Mapping[str, str] = field(factory=dict)
    """Conditions on rows, in SQL."""


_OWNERS = ("ImageInstanceID", "SegmentationID", "ModelSegmentationID", "PatientID", "StudyID")
_EXACTLY_ONE_OWNER = " + ".join(f"({owner} IS NOT NULL)" for owner in _OWNERS) + " = 1"
CLAIM_INDEX = "SubTaskWork_Claim_idx"
"""The order in which subtasks wait; a claim is served by it."""
_VALUE = ("attribute_id", "model_id", "laterality")

COMPUTED: Mapping[str, Mapping[str, str]] = {
    "AttributeValue": {"ModelKey": "model_id", "LateralityKey": "laterality"},
}
"""Columns that the database computes of a field, so that nothing counts as a value in a key.

A revision makes them, and the keys over them; the tables here have the fields in these keys.
"""

FACTS: Mapping[str, TableFacts] = {
    "Annotation": TableFacts(
        foreign_key_indexes=(
            "patient_id",
            "study_id",
            "series_id",
            "image_instance_id",
            "creator_id",
            "feature_id",
            "annotation_type_id",
        ),
    ),
    "AnnotationData": TableFacts(foreign_key_indexes=("annotation_id",)),
    "AnnotationTag": TableFacts(foreign_key_indexes=("tag_id", "annotation_id", "creator_id")),
    "AnnotationType": TableFacts(
        unique_constraints={
            "AnnotationTypeNameInterpretation_UNIQUE": ("annotation_type_name", "interpretation"),
        },
    ),
    "AttributeDefinition": TableFacts(
        unique_constraints={"uq_AttributeDefinition_AttributeName": ("attribute_name",)},
    ),
    "AttributeValue": TableFacts(
        unique_constraints={
            "uq_AttributeValue_image_attribute_model": ("image_instance_id", *_VALUE),
            "uq_AttributeValue_modelseg_attribute_model": ("model_segmentation_id", *_VALUE),
            "uq_AttributeValue_patient_attribute_model": ("patient_id", *_VALUE),
            "uq_AttributeValue_segmentation_attribute_model": ("segmentation_id", *_VALUE),
            "uq_AttributeValue_study_attribute_model": ("study_id", *_VALUE),
        },
        foreign_key_indexes=(
            "attribute_id",
            "model_id",
            "image_instance_id",
            "segmentation_id",
            "model_segmentation_id",
            "patient_id",
            "study_id",
        ),
        checks={"ck_AttributeValue_exactly_one_entity": _EXACTLY_ONE_OWNER},
    ),
    "Cohort": TableFacts(
        unique_constraints={"Cohort_Name_UNIQUE": ("cohort_name",)},
        foreign_key_indexes=("creator_id",),
    ),
    "CompositeFeature": TableFacts(foreign_key_indexes=("parent_feature_id", "child_feature_id")),
    "Contact": TableFacts(
        unique_indexes={"NameEmailInstitute_UNIQUE": ("name", "email", "institute")},
    ),
    "Creator": TableFacts(types={"password": binary(32)}),
    "CreatorIdentity": TableFacts(
        unique_constraints={"CreatorIdentity_Fingerprint_UNIQUE": ("fingerprint",)},
        foreign_key_indexes=("creator_id",),
    ),
    "TrashEntry": TableFacts(
        indexes={"TrashEntry_Entity_idx": ("entity_name", "entity_id")},
        foreign_key_indexes=("creator_id",),
    ),
    "CreatorTag": TableFacts(foreign_key_indexes=("tag_id", "creator_id")),
    "DeviceInstance": TableFacts(
        unique_indexes={"DeviceModelIDDescription_UNIQUE": ("device_model_id", "description")},
    ),
    "DeviceModel": TableFacts(
        unique_indexes={
            "ManufacturerManufacturerModelName_UNIQUE": ("manufacturer", "manufacturer_model_name"),
        },
    ),
    "FormAnnotation": TableFacts(
        indexes={
            "ix_FormAnnotation_FormAnnotationReferenceID": ("form_annotation_reference_id",),
        },
    ),
    "FormAnnotationTag": TableFacts(
        foreign_key_indexes=("tag_id", "form_annotation_id", "creator_id"),
    ),
    "ImageInstance": TableFacts(
        unique_indexes={
            "SOPInstanceUid_UNIQUE": ("sop_instance_uid",),
            "SourceInfoIDDatasetIdentifier_UNIQUE": ("dataset_identifier", "source_info_id"),
        },
        foreign_key_indexes=(
            "series_id",
            "source_info_id",
            "device_instance_id",
            "modality_id",
            "scan_id",
        ),
    ),
    "ImageInstanceTag": TableFacts(
        foreign_key_indexes=("tag_id", "image_instance_id", "creator_id"),
    ),
    "Model": TableFacts(types={"model_type": values_of(ModelKind)}),
    "ModelInput": TableFacts(
        unique_constraints={
            "uq_ModelInput_ModelID_InputAttributeID": ("model_id", "input_attribute_id"),
        },
        foreign_key_indexes=("model_id",),
        indexes={"fk_ModelInput_Attribute1_idx": ("input_attribute_id",)},
    ),
    "Patient": TableFacts(
        unique_indexes={"ProjectIDPatientIdentifier_UNIQUE": ("patient_identifier", "project_id")},
        foreign_key_indexes=("project_id",),
    ),
    "Project": TableFacts(foreign_key_indexes=("contact_id",)),
    "SegmentationTag": TableFacts(
        foreign_key_indexes=("tag_id", "segmentation_id", "creator_id"),
    ),
    "Series": TableFacts(
        unique_indexes={
            "StudyInstanceUidSeriesInstanceUid_UNIQUE": (
                "study_instance_uid",
                "series_instance_uid",
            ),
        },
        foreign_key_indexes=("study_id",),
    ),
    "Study": TableFacts(
        unique_indexes={"PatientIDStudyDate_UNIQUE": ("study_date", "patient_id")},
        foreign_key_indexes=("patient_id",),
        indexes={"StudyDate_idx": ("study_date",), "StudyRound": ("study_round",)},
    ),
    "StudyTag": TableFacts(foreign_key_indexes=("tag_id", "study_id", "creator_id")),
    "SubTask": TableFacts(foreign_key_indexes=("task_id", "creator_id")),
    "SubTaskWork": TableFacts(
        unique_constraints={
            "SubTaskWork_Grader_UNIQUE": ("task_id", "set_number", "is_repeat", "grader_id"),
        },
        foreign_key_indexes=("reserved_for_id", "grader_id"),
        indexes={
            CLAIM_INDEX: ("task_id", "held_back", "reserved_for_id", "priority", "position"),
            "SubTaskWork_Lease_idx": ("task_id", "lease_expires"),
        },
    ),
    "SubTaskImageLink": TableFacts(foreign_key_indexes=("sub_task_id", "image_instance_id")),
    "Tag": TableFacts(
        unique_constraints={"Tag": ("tag_name", "tag_type")},
        foreign_key_indexes=("creator_id",),
    ),
    "Task": TableFacts(foreign_key_indexes=("task_definition_id",)),
}
