"""The container: the only module that sees every layer, and puts them together.

container = Container(config={"database_url": "mysql+pymysql://…", "secret_key": "…"})
with container.unit_of_work() as uow:
    …
"""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from eyened_domain.adapters.bootstrap import (
    annotation_conversion_on,
    hashes_on,
    importing_on,
    thumbnails_on,
)
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.sql.pixels import PixelShelf
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.config import Settings
from eyened_domain.model.annotation import AnnotationFiles
from eyened_domain.model.image_store import ImageStore
from eyened_domain.services.accounts import Accounts
from eyened_domain.services.agreement import Agreement
from eyened_domain.services.annotation_conversion import AnnotationConversion
from eyened_domain.services.attributes import Attributes
from eyened_domain.services.cohorts import Cohorts
from eyened_domain.services.features import Features
from eyened_domain.services.forms import FormImporting, Forms
from eyened_domain.services.hashing import Hashes
from eyened_domain.services.history import History
from eyened_domain.services.importing import Importing
from eyened_domain.services.provenance import Provenance
from eyened_domain.services.search import Search
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.services.tagging import Tagging
from eyened_domain.services.tasks import Tasks
from eyened_domain.services.thumbnails import Thumbnails
from eyened_domain.services.trash import Trash


class _Provided:
    """The stores as a container provides them at the moment, overridden or not; `Stores`."""

    def __init__(self, container: Any) -> None:
        self._container = container

    @property
    def image_store(self) -> ImageStore:
        store: ImageStore = self._container.image_store()
        return store

    @property
    def pixel_shelf(self) -> PixelShelf:
        shelf: PixelShelf = self._container.pixel_store()
        return shelf

    @property
    def annotation_files(self) -> AnnotationFiles:
        files: AnnotationFiles = self._container.annotation_files()
        return files


class Container(containers.DeclarativeContainer):
    """Everything an application needs, made from one configuration.

    Several containers may live in one process; each has a database of its own, which all
    threads share; ``container.close()`` closes it, also at the end of
    ``with contextlib.closing(Container(…)) as container:``. Any part
    can be replaced, for tests or by an application's own, which closes it as well:
    ``container.database.override(…)``, ``container.image_store.override(…)``. What replaces
    the image store, the pixel store or the annotation files reaches all entities that come
    into a unit of work or a session begun after that.

    Args:
        config: what `Database` takes: a dict, a URL, the path of an env file, `Settings`,
            or None for the environment.
        subscribers: functions that are called with each event, after its commit.
    """

    config: providers.Object[Any] = providers.Object(None)
    subscribers: providers.Object[Any] = providers.Object(())

    __self__: Any = providers.Self()
    _opened: providers.Provider[Database] = providers.ThreadSafeSingleton(
        Database,
        config,
        subscribers=subscribers,
        stores=providers.Factory(_Provided, __self__),
    )
    database: providers.Provider[Database] = providers.Callable(lambda opened: opened, _opened)
    settings: providers.Provider[Settings] = database.provided.settings
    unit_of_work: providers.Provider[SqlUnitOfWork] = database.provided.unit_of_work.call()
    close: providers.Provider[None] = _opened.provided.close.call()

    image_store: providers.Provider[ImageStore] = _opened.provided.image_store
    pixel_store: providers.Provider[PixelShelf] = _opened.provided.pixel_shelf
    annotation_files: providers.Provider[AnnotationFiles] = _opened.provided.annotation_files

    image_files: providers.Provider[FileSystemImageFiles] = providers.Factory(
        FileSystemImageFiles, database.provided.settings.images_basepath
    )

    segmenting: providers.Provider[Segmenting] = providers.Factory(Segmenting)
    accounts: providers.Provider[Accounts] = providers.Factory(Accounts)
    agreement: providers.Provider[Agreement] = providers.Factory(Agreement)
    attributes: providers.Provider[Attributes] = providers.Factory(Attributes)
    features: providers.Provider[Features] = providers.Factory(Features)
    forms: providers.Provider[Forms] = providers.Factory(Forms)
    form_importing: providers.Provider[FormImporting] = providers.Factory(FormImporting, database)
    provenance: providers.Provider[Provenance] = providers.Factory(Provenance)
    cohorts: providers.Provider[Cohorts] = providers.Factory(Cohorts)
    search: providers.Provider[Search] = providers.Factory(Search)
    history: providers.Provider[History] = providers.Factory(History)
    tagging: providers.Provider[Tagging] = providers.Factory(Tagging)
    trash: providers.Provider[Trash] = providers.Factory(Trash)
    tasks: providers.Provider[Tasks] = providers.Factory(Tasks)
    importing: providers.Provider[Importing] = providers.Factory(
        importing_on, database, image_files
    )
    annotation_conversion: providers.Provider[AnnotationConversion] = providers.Factory(
        annotation_conversion_on, database
    )
    thumbnails: providers.Provider[Thumbnails] = providers.Factory(thumbnails_on, database)
    hashes: providers.Provider[Hashes] = providers.Factory(hashes_on, database)
