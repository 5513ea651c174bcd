"""Puts services together for a database and the files that belong to it.

The container and the command line both do it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database
    from eyened_domain.services.annotation_conversion import AnnotationConversion
    from eyened_domain.services.hashing import Hashes
    from eyened_domain.services.image_files import ImageFiles
    from eyened_domain.services.importing import Importing
    from eyened_domain.services.thumbnails import Thumbnails

# Each function imports what it needs: a command loads nothing of the others.


def importing_on(database: Database, files: ImageFiles | None = None) -> Importing:
    """Return the import service of a database.

    Args:
        database: where the rows go; its settings say where the images are.
        files: where the images are, if not beneath IMAGES_BASEPATH.
    """
    from eyened_domain.adapters.files.image_files import FileSystemImageFiles  # noqa: PLC0415
    from eyened_domain.services.importing import ImportDefaults, Importing  # noqa: PLC0415

    settings = database.settings
    defaults = ImportDefaults(
        study_date=settings.default_study_date,
        images_basepath=settings.images_basepath,
        thumbnails_path=settings.thumbnails_path,
    )
    return Importing(database, files or FileSystemImageFiles(settings.images_basepath), defaults)


def annotation_conversion_on(database: Database) -> AnnotationConversion:
    """Return the service that makes segmentations of a database's legacy annotations."""
    from eyened_domain.services.annotation_conversion import (  # noqa: PLC0415
        AnnotationConversion,
    )

    return AnnotationConversion(database)


def thumbnails_on(database: Database) -> Thumbnails:
    """Return the service that makes the thumbnails of a database's images.

    Raises:
        FolderMissing: rows say that there are thumbnails, and there are none in THUMBNAILS_PATH.
    """
    from eyened_domain.adapters.files.thumbnail_files import StoredThumbnails  # noqa: PLC0415
    from eyened_domain.adapters.sql.mounted import check_thumbnails  # noqa: PLC0415
    from eyened_domain.services.thumbnails import Thumbnails  # noqa: PLC0415

    engine = database.engine  # an embedded database has its key and folders when it is open
    settings = database.settings
    check_thumbnails(engine, settings.thumbnails_path)
    files = StoredThumbnails(settings.images_basepath, settings.thumbnails_path)
    return Thumbnails(database, files, settings.secret_key)


def hashes_on(database: Database) -> Hashes:
    """Return the service that fills in the hashes of a database's images."""
    from eyened_domain.adapters.files.image_hashes import StoredHashes  # noqa: PLC0415
    from eyened_domain.services.hashing import Hashes  # noqa: PLC0415

    _ = database.engine
    return Hashes(database, StoredHashes(database.settings.images_basepath))
