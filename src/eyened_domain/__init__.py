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
    from eyened_domain.errors import NotFound as NotFound
    from eyened_domain.errors import NotLoaded as NotLoaded
    from eyened_domain.errors import PixelsDamaged as PixelsDamaged
    from eyened_domain.errors import PixelsLost as PixelsLost
    from eyened_domain.errors import RowChanged as RowChanged
    from eyened_domain.errors import RuleBroken as RuleBroken
    from eyened_domain.errors import StorageError as StorageError
    from eyened_domain.errors import UnknownName as UnknownName
    from eyened_domain.model import *  # noqa: F403 - its own list says which
    from eyened_domain.services.importing import Importing as Importing
    from eyened_domain.services.importing import ImportOptions as ImportOptions
    from eyened_domain.services.segmenting import Segmenting as Segmenting
    from eyened_domain.services.tagging import Tagging as Tagging

_ELSEWHERE = {
    "BadInput": "eyened_domain.errors",
    "ConfigurationError": "eyened_domain.errors",
    "Conflict": "eyened_domain.errors",
    "ConfiguredFileMissing": "eyened_domain.errors",
    "Container": "eyened_domain.container",
    "Database": "eyened_domain.adapters.database",
    "Duplicate": "eyened_domain.errors",
    "EyenedError": "eyened_domain.errors",
    "FileMissing": "eyened_domain.errors",
    "FolderMissing": "eyened_domain.errors",
    "ImportOptions": "eyened_domain.services.importing",
    "Importing": "eyened_domain.services.importing",
    "NotFound": "eyened_domain.errors",
    "NotLoaded": "eyened_domain.errors",
    "PixelsDamaged": "eyened_domain.errors",
    "PixelsLost": "eyened_domain.errors",
    "RowChanged": "eyened_domain.errors",
    "RuleBroken": "eyened_domain.errors",
    "Segmenting": "eyened_domain.services.segmenting",
    "Settings": "eyened_domain.config",
    "StorageError": "eyened_domain.errors",
    "Tagging": "eyened_domain.services.tagging",
    "UnknownName": "eyened_domain.errors",
}
"""Where the names come from that are not of the model."""


if not TYPE_CHECKING:  # which would take any name for one

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return _names()
        if name not in _ELSEWHERE and not (name[:1].isupper() and name in _names()):
            raise AttributeError(f"module 'eyened_domain' has no attribute {name!r}")
        value = getattr(import_module(_ELSEWHERE.get(name, "eyened_domain.model")), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_names()})


def _names() -> list[str]:
    """Return the public names: all classes of the model are among them."""
    model = import_module("eyened_domain.model").__all__
    return sorted({*_ELSEWHERE, *(name for name in model if name[0].isupper())})


def map_entities() -> bool:
    """Let a query that is written before any Database was made find the classes mapped.

    The model asks for it when SQLAlchemy first asks a class for its columns; only the package
    knows both.

    Returns:
        True when the classes are mapped; False when called while mapping them.
    """
    mapping = import_module("eyened_domain.adapters.sql.mapping")
    return bool(mapping.map_entities())
