"""The container: the only module that sees every layer, and puts them together.

container = Container(config={"database_url": "mysql+pymysql://…", "secret_key": "…"})
with container.unit_of_work() as uow:
    …
"""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.image_jobs import hashes_on, thumbnails_on
from eyened_domain.adapters.importing import importing_on
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.config import Settings
from eyened_domain.services.annotation_conversion import AnnotationConversion
from eyened_domain.services.hashing import Hashes
from eyened_domain.services.importing import Importing
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.services.tagging import Tagging
from eyened_domain.services.thumbnails import Thumbnails


class Container(containers.DeclarativeContainer):
    """Everything an application needs, made from one configuration.

    Several containers may live in one process; each has a database of its own, which all
    threads share; ``container.close()`` closes it, also at the end of
    ``with contextlib.closing(Container(…)) as container:``. Any part
    can be replaced, for tests or by an application's own:
    ``container.database.override(…)``.

    Args:
        config: what `Database` takes: a dict, a URL, the path of an env file, `Settings`,
            or None for the environment.
        subscribers: functions that are called with each event, after its commit.
    """

    config: providers.Object[Any] = providers.Object(None)
    subscribers: providers.Object[Any] = providers.Object(())

    database: providers.Provider[Database] = providers.ThreadSafeSingleton(
        Database, config, subscribers=subscribers
    )
    settings: providers.Provider[Settings] = database.provided.settings
    unit_of_work: providers.Provider[SqlUnitOfWork] = database.provided.unit_of_work.call()
    close: providers.Provider[None] = database.provided.close.call()

    image_files: providers.Provider[FileSystemImageFiles] = providers.Factory(
        FileSystemImageFiles, database.provided.settings.images_basepath
    )

    segmenting: providers.Provider[Segmenting] = providers.Factory(Segmenting)
    tagging: providers.Provider[Tagging] = providers.Factory(Tagging)
    importing: providers.Provider[Importing] = providers.Factory(
        importing_on, database, image_files
    )
    annotation_conversion: providers.Provider[AnnotationConversion] = providers.Factory(
        AnnotationConversion, database
    )
    thumbnails: providers.Provider[Thumbnails] = providers.Factory(thumbnails_on, database)
    hashes: providers.Provider[Hashes] = providers.Factory(hashes_on, database)
