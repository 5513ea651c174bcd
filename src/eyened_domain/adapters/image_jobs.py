"""Puts together what is made of images, for a database and the files that belong to it."""

from __future__ import annotations

from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_hashes import StoredHashes
from eyened_domain.adapters.files.thumbnail_files import StoredThumbnails
from eyened_domain.adapters.sql.mounted import check_thumbnails
from eyened_domain.services.hashing import Hashes
from eyened_domain.services.thumbnails import Thumbnails


def thumbnails_on(database: Database) -> Thumbnails:
    """Return the service that makes the thumbnails of a database's images.

    Raises:
        FolderMissing: rows say that there are thumbnails, and there are none in THUMBNAILS_PATH.
    """
    engine = database.engine  # an embedded database has its key and folders when it is open
    settings = database.settings
    check_thumbnails(engine, settings.thumbnails_path)
    files = StoredThumbnails(settings.images_basepath, settings.thumbnails_path)
    return Thumbnails(database, files, settings.secret_key)


def hashes_on(database: Database) -> Hashes:
    """Return the service that fills in the hashes of a database's images."""
    _ = database.engine
    return Hashes(database, StoredHashes(database.settings.images_basepath))
