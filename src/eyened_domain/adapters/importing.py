"""Puts the import together for a database and the image files that belong to it."""

from __future__ import annotations

from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.services.image_files import ImageFiles
from eyened_domain.services.importing import ImportDefaults, Importing


def importing_on(database: Database, files: ImageFiles | None = None) -> Importing:
    """Return the import service of a database.

    Args:
        database: where the rows go; its settings say where the images are.
        files: where the images are, if not beneath IMAGES_BASEPATH.
    """
    settings = database.settings
    defaults = ImportDefaults(
        study_date=settings.default_study_date,
        images_basepath=settings.images_basepath,
        thumbnails_path=settings.thumbnails_path,
    )
    return Importing(database, files or FileSystemImageFiles(settings.images_basepath), defaults)
