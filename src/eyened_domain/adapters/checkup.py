"""Puts together what the doctor looks at: a database, its store, its images and thumbnails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eyened_domain.adapters.pixels.collect import GRACE_S
from eyened_domain.adapters.pixels.examinations.garbage import Garbage
from eyened_domain.adapters.pixels.examinations.positions import Positions
from eyened_domain.adapters.pixels.examinations.quarantine import YOUNG_S
from eyened_domain.adapters.pixels.examinations.slot_pixels import SlotPixels
from eyened_domain.adapters.pixels.examinations.store_files import StoreFiles
from eyened_domain.adapters.pixels.examinations.unsigned import Unsigned
from eyened_domain.adapters.sql.doctor.audit import Audit
from eyened_domain.adapters.sql.doctor.images import ImageChecksums, ImagesThere, Thumbnails
from eyened_domain.adapters.sql.doctor.old_values import OldValues
from eyened_domain.adapters.sql.doctor.rules import Rules
from eyened_domain.adapters.sql.doctor.unit_log import UnitLog
from eyened_domain.services.doctor import Checkup, Examination, Watch

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database


def checkup_on(
    database: Database,
    *,
    watch: Watch | None = None,
    grace_s: float = GRACE_S,
    young_s: float = YOUNG_S,
    adopt: bool = False,
    resume: bool = False,
    audit: bool = False,
    seal: Path | None = None,
) -> Checkup:
    """Return a check-up of a database, its store, its images and its thumbnails.

    Args:
        database: which.
        watch: its time limit, and who is told how far it is.
        grace_s: how old in seconds garbage must be to be collected.
        young_s: how old in seconds a file must be before it is said that nobody points to it.
        adopt: take over pixels of other programs when things are fixed: their checksums, and
            those of what they have written over pixels of ours.
        resume: go on with the pixels where the last check-up ran out of time.
        audit: look whether the history is as it was written.
        seal: a file that says what the history held before; see `adapters.sql.history.seals`.
    """
    engine, files = database.engine, database.pixel_shelf.files
    settings = database.settings
    examinations: list[Examination] = [
        Rules(engine),
        OldValues(engine),
        Positions(engine, files),
        Unsigned(engine, files, adopt=adopt, young_s=young_s),
        UnitLog(engine),
        StoreFiles(engine, files, young_s=young_s, adopt=adopt),
        Garbage(engine, files, grace_s=grace_s),
        ImagesThere(engine, settings.images_basepath),
        Thumbnails(engine, settings.thumbnails_path),
        SlotPixels(engine, files, resume=resume, adopt=adopt, young_s=young_s),
        ImageChecksums(engine, settings.images_basepath),
    ]
    if audit:
        examinations.append(Audit(engine, database.settings.secret_key, seal))
    return Checkup(examinations, watch)
