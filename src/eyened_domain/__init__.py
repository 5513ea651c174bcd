"""The domain layer of the Eyened ophthalmic imaging database.

    from eyened_domain import Database, Project

    database = Database()
    with database.get_session() as session:
        project = Project.by_name(session, "My Project Name")

Names are loaded when they are first used: importing the package costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database as Database
    from eyened_domain.adapters.memory import MemoryDatabase as MemoryDatabase
    from eyened_domain.config import Settings as Settings
    from eyened_domain.container import Container as Container
    from eyened_domain.errors import BadInput as BadInput
    from eyened_domain.errors import ConfigurationError as ConfigurationError
    from eyened_domain.errors import ConfiguredFileMissing as ConfiguredFileMissing
    from eyened_domain.errors import Conflict as Conflict
    from eyened_domain.errors import Duplicate as Duplicate
    from eyened_domain.errors import EyenedError as EyenedError
    from eyened_domain.errors import FileMissing as FileMissing
    from eyened_domain.errors import FolderMissing as FolderMissing
    from eyened_domain.errors import LeaseLost as LeaseLost
    from eyened_domain.errors import NeededBy as NeededBy
    from eyened_domain.errors import NotAllowed as NotAllowed
    from eyened_domain.errors import NotFound as NotFound
    from eyened_domain.errors import NotLoaded as NotLoaded
    from eyened_domain.errors import PixelsDamaged as PixelsDamaged
    from eyened_domain.errors import PixelsLost as PixelsLost
    from eyened_domain.errors import RowChanged as RowChanged
    from eyened_domain.errors import RowFault as RowFault
    from eyened_domain.errors import RuleBroken as RuleBroken
    from eyened_domain.errors import StillNeeded as StillNeeded
    from eyened_domain.errors import StorageError as StorageError
    from eyened_domain.errors import UnknownName as UnknownName
    from eyened_domain.model import *  # noqa: F403 - its own list says which
    from eyened_domain.model.annotation import AnnotationFiles as AnnotationFiles
    from eyened_domain.model.entity import entity as entity
    from eyened_domain.model.fields import column as column
    from eyened_domain.model.image_store import ImageStore as ImageStore
    from eyened_domain.model.pixels.store import PixelStore as PixelStore
    from eyened_domain.services.accounts import Accounts as Accounts
    from eyened_domain.services.accounts import Login as Login
    from eyened_domain.services.accounts import Throttle as Throttle
    from eyened_domain.services.accounts import Tries as Tries
    from eyened_domain.services.agreement import Agreement as Agreement
    from eyened_domain.services.agreement import DisagreedCase as DisagreedCase
    from eyened_domain.services.agreement import Disagreements as Disagreements
    from eyened_domain.services.agreement import Intervals as Intervals
    from eyened_domain.services.annotation_conversion import (
        AnnotationConversion as AnnotationConversion,
    )
    from eyened_domain.services.attributes import Attributes as Attributes
    from eyened_domain.services.cohorts import CohortDrift as CohortDrift
    from eyened_domain.services.cohorts import Cohorts as Cohorts
    from eyened_domain.services.cohorts import Leaks as Leaks
    from eyened_domain.services.conditions import Condition as Condition
    from eyened_domain.services.conditions import field as field
    from eyened_domain.services.conditions import some as some
    from eyened_domain.services.doctor import Checkup as Checkup
    from eyened_domain.services.events import Event as Event
    from eyened_domain.services.events import Segmented as Segmented
    from eyened_domain.services.features import Features as Features
    from eyened_domain.services.forms import AnswerCheck as AnswerCheck
    from eyened_domain.services.forms import AnswerFault as AnswerFault
    from eyened_domain.services.forms import AnswersRefused as AnswersRefused
    from eyened_domain.services.forms import FormImporting as FormImporting
    from eyened_domain.services.forms import Forms as Forms
    from eyened_domain.services.forms import FormSubmitted as FormSubmitted
    from eyened_domain.services.forms import PatternTooSlow as PatternTooSlow
    from eyened_domain.services.hashing import FileHashes as FileHashes
    from eyened_domain.services.hashing import Hashes as Hashes
    from eyened_domain.services.history import Change as Change
    from eyened_domain.services.history import ChangeKind as ChangeKind
    from eyened_domain.services.history import History as History
    from eyened_domain.services.image_files import ImageFiles as ImageFiles
    from eyened_domain.services.importing import Importing as Importing
    from eyened_domain.services.importing import ImportOptions as ImportOptions
    from eyened_domain.services.many_rows import RowsWritten as RowsWritten
    from eyened_domain.services.provenance import Provenance as Provenance
    from eyened_domain.services.provenance import ProvenanceEdge as ProvenanceEdge
    from eyened_domain.services.provenance import ProvenanceGraph as ProvenanceGraph
    from eyened_domain.services.provenance import StaleCause as StaleCause
    from eyened_domain.services.provenance import StaleReason as StaleReason
    from eyened_domain.services.provenance import StaleValue as StaleValue
    from eyened_domain.services.provenance import ValueNode as ValueNode
    from eyened_domain.services.repository import Repository as Repository
    from eyened_domain.services.rows import Rows as Rows
    from eyened_domain.services.search import FieldInfo as FieldInfo
    from eyened_domain.services.search import Page as Page
    from eyened_domain.services.search import Search as Search
    from eyened_domain.services.segmenting import Segmenting as Segmenting
    from eyened_domain.services.storage import Storage as Storage
    from eyened_domain.services.tagging import ManyTagged as ManyTagged
    from eyened_domain.services.tagging import ManyUntagged as ManyUntagged
    from eyened_domain.services.tagging import Tagged as Tagged
    from eyened_domain.services.tagging import Tagging as Tagging
    from eyened_domain.services.tagging import TagUse as TagUse
    from eyened_domain.services.tagging import Untagged as Untagged
    from eyened_domain.services.tasks import Claim as Claim
    from eyened_domain.services.tasks import ImageSet as ImageSet
    from eyened_domain.services.tasks import Progress as Progress
    from eyened_domain.services.tasks import ReadingPlan as ReadingPlan
    from eyened_domain.services.tasks import TaskReading as TaskReading
    from eyened_domain.services.tasks import Tasks as Tasks
    from eyened_domain.services.thumbnails import ThumbnailFiles as ThumbnailFiles
    from eyened_domain.services.thumbnails import Thumbnails as Thumbnails
    from eyened_domain.services.trash import Deleted as Deleted
    from eyened_domain.services.trash import DeletionPlan as DeletionPlan
    from eyened_domain.services.trash import PutAway as PutAway
    from eyened_domain.services.trash import Restored as Restored
    from eyened_domain.services.trash import Trash as Trash
    from eyened_domain.services.trash import TrashResult as TrashResult
    from eyened_domain.services.unit_of_work import UnitOfWork as UnitOfWork

    __version__: str

_ELSEWHERE = {
    "Accounts": "eyened_domain.services.accounts",
    "Agreement": "eyened_domain.services.agreement",
    "AnnotationConversion": "eyened_domain.services.annotation_conversion",
    "AnnotationFiles": "eyened_domain.model.annotation",
    "AnswerCheck": "eyened_domain.services.forms",
    "AnswerFault": "eyened_domain.services.forms",
    "AnswersRefused": "eyened_domain.services.forms",
    "Attributes": "eyened_domain.services.attributes",
    "BadInput": "eyened_domain.errors",
    "Checkup": "eyened_domain.services.doctor",
    "ConfigurationError": "eyened_domain.errors",
    "ConfiguredFileMissing": "eyened_domain.errors",
    "Claim": "eyened_domain.services.tasks",
    "Conflict": "eyened_domain.errors",
    "Container": "eyened_domain.container",
    "Database": "eyened_domain.adapters.database",
    "DisagreedCase": "eyened_domain.services.agreement",
    "Disagreements": "eyened_domain.services.agreement",
    "Deleted": "eyened_domain.services.trash",
    "DeletionPlan": "eyened_domain.services.trash",
    "Duplicate": "eyened_domain.errors",
    "Event": "eyened_domain.services.events",
    "EyenedError": "eyened_domain.errors",
    "Features": "eyened_domain.services.features",
    "FileHashes": "eyened_domain.services.hashing",
    "FileMissing": "eyened_domain.errors",
    "FolderMissing": "eyened_domain.errors",
    "FormImporting": "eyened_domain.services.forms",
    "FormSubmitted": "eyened_domain.services.forms",
    "Forms": "eyened_domain.services.forms",
    "Hashes": "eyened_domain.services.hashing",
    "ImageFiles": "eyened_domain.services.image_files",
    "ImageSet": "eyened_domain.services.tasks",
    "ImageStore": "eyened_domain.model.image_store",
    "ImportOptions": "eyened_domain.services.importing",
    "Importing": "eyened_domain.services.importing",
    "Intervals": "eyened_domain.services.agreement",
    "ManyTagged": "eyened_domain.services.tagging",
    "ManyUntagged": "eyened_domain.services.tagging",
    "LeaseLost": "eyened_domain.errors",
    "Login": "eyened_domain.services.accounts",
    "MemoryDatabase": "eyened_domain.adapters.memory",
    "NeededBy": "eyened_domain.errors",
    "NotAllowed": "eyened_domain.errors",
    "NotFound": "eyened_domain.errors",
    "NotLoaded": "eyened_domain.errors",
    "PatternTooSlow": "eyened_domain.services.forms",
    "PixelStore": "eyened_domain.model.pixels.store",
    "PixelsDamaged": "eyened_domain.errors",
    "PixelsLost": "eyened_domain.errors",
    "Progress": "eyened_domain.services.tasks",
    "Provenance": "eyened_domain.services.provenance",
    "ProvenanceEdge": "eyened_domain.services.provenance",
    "ProvenanceGraph": "eyened_domain.services.provenance",
    "PutAway": "eyened_domain.services.trash",
    "ReadingPlan": "eyened_domain.services.tasks",
    "Repository": "eyened_domain.services.repository",
    "Restored": "eyened_domain.services.trash",
    "RowChanged": "eyened_domain.errors",
    "RowFault": "eyened_domain.errors",
    "Rows": "eyened_domain.services.rows",
    "RowsWritten": "eyened_domain.services.many_rows",
    "RuleBroken": "eyened_domain.errors",
    "CohortDrift": "eyened_domain.services.cohorts",
    "Cohorts": "eyened_domain.services.cohorts",
    "Condition": "eyened_domain.services.conditions",
    "Leaks": "eyened_domain.services.cohorts",
    "FieldInfo": "eyened_domain.services.search",
    "Page": "eyened_domain.services.search",
    "Search": "eyened_domain.services.search",
    "Segmented": "eyened_domain.services.events",
    "Segmenting": "eyened_domain.services.segmenting",
    "Settings": "eyened_domain.config",
    "StaleCause": "eyened_domain.services.provenance",
    "StaleReason": "eyened_domain.services.provenance",
    "StaleValue": "eyened_domain.services.provenance",
    "StillNeeded": "eyened_domain.errors",
    "Storage": "eyened_domain.services.storage",
    "StorageError": "eyened_domain.errors",
    "TagUse": "eyened_domain.services.tagging",
    "Tagged": "eyened_domain.services.tagging",
    "Change": "eyened_domain.services.history",
    "ChangeKind": "eyened_domain.services.history",
    "History": "eyened_domain.services.history",
    "Tagging": "eyened_domain.services.tagging",
    "TaskReading": "eyened_domain.services.tasks",
    "Tasks": "eyened_domain.services.tasks",
    "Throttle": "eyened_domain.services.accounts",
    "ThumbnailFiles": "eyened_domain.services.thumbnails",
    "Thumbnails": "eyened_domain.services.thumbnails",
    "Tries": "eyened_domain.services.accounts",
    "Trash": "eyened_domain.services.trash",
    "TrashResult": "eyened_domain.services.trash",
    "UnitOfWork": "eyened_domain.services.unit_of_work",
    "UnknownName": "eyened_domain.errors",
    "Untagged": "eyened_domain.services.tagging",
    "ValueNode": "eyened_domain.services.provenance",
    "column": "eyened_domain.model.fields",
    "entity": "eyened_domain.model.entity",
    "field": "eyened_domain.services.conditions",
    "some": "eyened_domain.services.conditions",
}
"""Where the names come from that are not of the model."""


if not TYPE_CHECKING:  # which would take any name for one

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return _names()
        if name == "__version__":
            return import_module("importlib.metadata").version("eyened-domain")
        if name not in _ELSEWHERE and not (name[:1].isupper() and name in _names()):
            raise AttributeError(f"module 'eyened_domain' has no attribute {name!r}")
        value = getattr(import_module(_ELSEWHERE.get(name, "eyened_domain.model")), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_names(), "__version__"})


def _names() -> list[str]:
    """Return the public names: all classes of the model are among them."""
    model = import_module("eyened_domain.model").__all__
    return sorted({*_ELSEWHERE, *(name for name in model if name[0].isupper())})
