"""The enumerations of the contract: MySQL ENUM columns, in the order of the columns.

A column of MySQL type ENUM holds the member's *name*, except `Model.ModelType`,
which holds the *value* of `ModelKind`.
"""

from __future__ import annotations

from enum import Enum, IntEnum, unique


@unique
class ExternalEnum(Enum):
    """Whether a project's data come from outside (`Project.External`): yes, no, mixed."""

    Y = "Y"
    N = "N"
    M = "M"


@unique
class SexEnum(Enum):
    """Patient's sex (DICOM (0010,0040), `Patient.Sex`)."""

    M = "M"
    F = "F"


@unique
class Laterality(Enum):
    """Which eye: left (OS) or right (OD) (DICOM (0020,0060))."""

    L = "L"
    R = "R"


@unique
class ModalityType(Enum):
    """DICOM modality (0008,0060) in use here: OP photography, OPT tomography, SC capture."""

    OP = "OP"
    OPT = "OPT"
    SC = "SC"


@unique
class Modality(Enum):
    """What kind of picture it is; finer than the DICOM modality (`ImageInstance.Modality`)."""

    AdaptiveOptics = "AdaptiveOptics"
    ColorFundus = "ColorFundus"
    ColorFundusStereo = "ColorFundusStereo"
    RedFreeFundus = "RedFreeFundus"
    ExternalEye = "ExternalEye"
    LensPhotograph = "LensPhotograph"
    Ophthalmoscope = "Ophthalmoscope"
    Autofluorescence = "Autofluorescence"
    FluoresceinAngiography = "FluoresceinAngiography"
    ICGA = "ICGA"
    InfraredReflectance = "InfraredReflectance"
    BlueReflectance = "BlueReflectance"
    GreenReflectance = "GreenReflectance"
    OCT = "OCT"
    OCTA = "OCTA"


@unique
class ETDRSField(Enum):
    """Standard field of a fundus photograph (ETDRS seven fields; F1 disc, F2 macula)."""

    F1 = "F1"
    F2 = "F2"
    F3 = "F3"
    F4 = "F4"
    F5 = "F5"
    F6 = "F6"
    F7 = "F7"


@unique
class ModelKind(Enum):
    """What a model computes (`Model.ModelType`; stored by value)."""

    Segmentation = "segmentation"
    Attributes = "attributes"


@unique
class DataRepresentation(Enum):
    """What a pixel value of a segmentation means.

    Binary 0/1; DualBitMask bit 0 mask, bit 1 questionable; Probability in [0, 1];
    MultiLabel bit i = child feature with FeatureIndex i; MultiClass value v > 0 =
    child feature with FeatureIndex v - 1.
    """

    Binary = "Binary"
    DualBitMask = "DualBitMask"
    Probability = "Probability"
    MultiLabel = "MultiLabel"
    MultiClass = "MultiClass"

    @property
    def has_labels(self) -> bool:
        """Whether pixels mean the subfeatures of a composite feature, by their index."""
        return self in {DataRepresentation.MultiLabel, DataRepresentation.MultiClass}


@unique
class Datatype(Enum):
    """Number type of the stored pixels of a segmentation (`Segmentation.DataType`)."""

    R8 = "R8"
    R8UI = "R8UI"
    R16UI = "R16UI"
    R32UI = "R32UI"
    R32F = "R32F"

    @property
    def numpy_name(self) -> str:
        """Name of the numpy dtype in which the pixels are stored."""
        return _NUMPY_NAMES[self.name]


_NUMPY_NAMES = {
    "R8": "uint8",
    "R8UI": "uint8",
    "R16UI": "uint16",
    "R32UI": "uint32",
    "R32F": "float32",
}


@unique
class AttributeDataType(Enum):
    """Type of the values of an attribute (`AttributeDefinition.AttributeDataType`)."""

    String = "String"
    Float = "Float"
    Int = "Int"
    JSON = "JSON"


@unique
class EntityType(Enum):
    """What a form is filled in about (`FormSchema.EntityType`)."""

    Patient = "Patient"
    Study = "Study"
    Eye = "Eye"
    StudyEye = "StudyEye"
    ImageInstance = "ImageInstance"


@unique
class TagType(Enum):
    """What a tag may be put on (`Tag.TagType`)."""

    Study = "Study"
    ImageInstance = "ImageInstance"
    Annotation = "Annotation"
    Segmentation = "Segmentation"
    FormAnnotation = "FormAnnotation"


@unique
class TaskState(Enum):
    """How far a task is (`Task.TaskState`)."""

    NotStarted = "NotStarted"
    Busy = "Busy"
    Finished = "Finished"
    Aborted = "Aborted"
    Archived = "Archived"


@unique
class SubTaskState(Enum):
    """How far a subtask is (`SubTask.TaskState`)."""

    NotStarted = "NotStarted"
    Busy = "Busy"
    Ready = "Ready"


@unique
class Role(IntEnum):
    """What a person may do (`Creator.Role`, a number); each may what those before it may.

    The contract does not say what the numbers mean. These are ours; where a deployment has
    others, `Accounts(roles=…)` is told.
    """

    READER = 1
    """May look at everything."""
    GRADER = 2
    """May say something of images: forms, segmentations, tags."""
    MANAGER = 3
    """May make tasks, schemas and features, and import."""
    ADMINISTRATOR = 4
    """May make accounts, and give roles."""
