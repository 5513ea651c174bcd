"""The main job: records of images become rows; plan, apply, undo."""

from eyened_domain.services.importing.applying import Written
from eyened_domain.services.importing.entries import RecordError
from eyened_domain.services.importing.options import (
    ImportDefaults,
    ImportOptions,
    OnConflict,
    OnError,
)
from eyened_domain.services.importing.plan import ImportPlan, Level
from eyened_domain.services.importing.service import Importing, ImportResult
from eyened_domain.services.importing.undoing import Undone

__all__ = [
    "ImportDefaults",
    "ImportOptions",
    "ImportPlan",
    "ImportResult",
    "Importing",
    "Level",
    "OnConflict",
    "OnError",
    "RecordError",
    "Undone",
    "Written",
]
