"""Reliability R16: a crowd of importers that are killed again and again loses and doubles nothing.

Importers with overlapping records run at once, each in a process of its own; processes are
killed (SIGKILL) in the middle and their imports begun anew. At the end every image is there
once, under its own patient and date, and running all imports again writes no row.

    python -m campaigns.units.imports [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from datetime import date, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import attrs
from attrs import define, frozen
from sqlalchemy import func, select

from campaigns.kit.crowd import context
from campaigns.kit.databases import fresh_database
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.bookkeeping import import_item
from eyened_domain.model.acquisition import DeviceInstance, DeviceModel
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing import ImportDefaults, Importing, ImportOptions, planner

PER_PATIENT, PER_STUDY, PER_PORTION = 12, 4, 100
PLANNING, APPLYING, DONE = 1, 2, 3
SERVER = "mysql+pymysql://root@127.0.0.1:3306"
Record = dict[str, Any]


@frozen(kw_only=True)
class Size:
    """How large a campaign is."""

    importers: int
    each: int
    kills: int

    @property
    def total(self) -> int:
        """Images in all; each importer brings two thirds of them."""
        return self.each * 3 // 2


SMALL, FULL = Size(importers=4, each=600, kills=12), Size(importers=8, each=4800, kills=60)


def day_of(image: int) -> date:
    return date(1990, 1, 1) + timedelta(days=image // PER_STUDY * 7)


def moment_of(image: int) -> datetime:
    day = day_of(image)
    return datetime(day.year, day.month, day.day, 8) + timedelta(seconds=image)


def record_of(image: int) -> Record:
    patient = image // PER_PATIENT
    return {
        "project_name": "Crowd",
        "patient_identifier": f"P{patient:05}",
        "patient_props": {"birth_date": "1950-12-24", "sex": "FM"[patient % 2]},
        "study_date": day_of(image).isoformat(),
        "image": f"{patient}/{image:06}.png",
        "laterality": "LR"[image % 2],
        "modality": ("OCT", "ColorFundus")[image % 2],
        "manufacturer": f"Maker {image % 3}",
        "acquisition_date_time": moment_of(image).isoformat(),
    }


def records_of(importer: int, size: Size, seed: int) -> list[Record]:
    """Give an importer's records: a stretch of the images, its studies in an order of its own."""
    first = importer * size.total // size.importers
    images = [(first + n) % size.total for n in range(size.each)]
    blocks = [images[n : n + PER_STUDY] for n in range(0, len(images), PER_STUDY)]
    random.Random(seed + importer).shuffle(blocks)
    return [record_of(image) for block in blocks for image in block]


def importing(database: Database) -> Importing:
    base = database.settings.images_basepath
    return Importing(database, FileSystemImageFiles(base), ImportDefaults(images_basepath=base))


def options_of(importer: int) -> ImportOptions:
    """All import in portions, but the last, which writes all or nothing."""
    return ImportOptions(
        create_projects=True,
        create_patients=True,
        create_studies=True,
        read_files=False,
        on_error="stop" if importer == 0 else "skip",
    )


def work(
    settings: dict[str, str], importer: int, size: Size, seed: int, phase: Synchronized[int]
) -> None:
    """Import; in a process of its own."""
    planner.IMAGES_PER_PORTION = PER_PORTION
    database = Database(settings)
    service = importing(database)
    records = records_of(importer, size, seed)
    phase.value = PLANNING
    plan = service.plan(records, options_of(importer))
    phase.value = APPLYING
    service.apply(plan)
    phase.value = DONE


@define
class Importer:
    """One of the crowd: its process of now, and how often it was begun."""

    process: Any
    phase: Synchronized[int]


class Crowd:
    """The importers of a campaign, and the one who kills them."""

    def __init__(self, settings: dict[str, str], size: Size, seed: int) -> None:
        self._settings, self._size, self._seed = settings, size, seed
        self._context = context()
        self._random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()
        self._importers = [self._begin(number) for number in range(size.importers)]

    def _begin(self, number: int) -> Importer:
        phase = self._context.Value("i", 0)
        arguments = (self._settings, number, self._size, self._seed, phase)
        process = self._context.Process(target=work, args=arguments, daemon=True)
        process.start()
        self.outcomes["begun"] += 1
        return Importer(process, phase)

    def run(self) -> None:
        """Kill until it was enough, then let all come to their end."""
        while self.outcomes["killed"] < self._size.kills:
            self._kill(self._random.randrange(self._size.importers))
        deadline = time.monotonic() + 1800
        for number, importer in enumerate(self._importers):
            importer.process.join(max(1.0, deadline - time.monotonic()))
            if importer.process.exitcode != 0 or importer.phase.value != DONE:
                print(f"importer {number} ended with {importer.process.exitcode}")
                self.outcomes["FAILED"] += 1

    def _kill(self, number: int) -> None:
        """Kill an importer at some moment of its work; a finished one begins again first."""
        importer = self._importers[number]
        if not importer.process.is_alive():
            self.outcomes["FAILED"] += importer.process.exitcode != 0
            importer = self._importers[number] = self._begin(number)
        wanted = APPLYING if self._random.random() < 0.8 else PLANNING
        while importer.phase.value < wanted and importer.process.is_alive():
            time.sleep(0.002)
        time.sleep(self._random.random() ** 2 * self._size.each / 1000)
        if importer.process.is_alive() and importer.phase.value < DONE:
            phase = "planning" if importer.phase.value == PLANNING else "applying"
            importer.process.kill()
            importer.process.join()
            self.outcomes["killed"] += 1
            self.outcomes[f"killed while {phase}"] += 1
            self._importers[number] = self._begin(number)


def row_counts(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in import_item.metadata.sorted_tables
        }


def stored(database: Database) -> list[tuple[Any, ...]]:
    """Give of every image: path, patient, study date, moment, laterality, modality, maker."""
    image, patient, study = table_of(ImageInstance), table_of(Patient), table_of(Study)
    device_model = table_of(DeviceModel)
    chain = (
        image.join(table_of(Series)).join(study).join(patient)
        .join(table_of(DeviceInstance)).join(device_model)
    )  # fmt: skip
    columns = (
        image.c.dataset_identifier, patient.c.patient_identifier,
        study.c.study_date, image.c.acquisition_date_time,
        image.c.laterality, image.c.modality,
        device_model.c.manufacturer,
    )  # fmt: skip
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).select_from(chain))]


def findings(database: Database, size: Size) -> Counter[str]:
    """Count what is missing, doubled, or not as given."""
    wanted = {record["image"]: record for record in map(record_of, range(size.total))}
    found = stored(database)
    seen = Counter(row[0] for row in found)
    result: Counter[str] = Counter()
    result["missing"] = len(wanted.keys() - seen.keys())
    result["duplicates"] = sum(count - 1 for count in seen.values())
    for path, patient, day, moment, laterality, modality, maker in found:
        record = wanted[path]
        given = (
            record["patient_identifier"], record["study_date"], record["acquisition_date_time"],
            record["laterality"], record["modality"], record["manufacturer"],
        )  # fmt: skip
        held = (patient, day.isoformat(), moment.isoformat(), laterality.name, modality.name, maker)
        result["not as given"] += held != given
    counts = row_counts(database)
    expected = {
        "Project": 1, "Patient": -(-size.total // PER_PATIENT), "SourceInfo": 1, "Modality": 2,
        "Study": -(-size.total // PER_STUDY), "Series": size.total, "DeviceModel": 3,
        "DeviceInstance": 3,
    }  # fmt: skip
    result["surplus or missing rows"] = sum(counts[n] != c for n, c in expected.items())
    return result


def rerun_writes(database: Database, size: Size, seed: int) -> int:
    """Run all imports again; return how many rows of any table came or went."""
    before = row_counts(database)
    for importer in range(size.importers):
        importing(database).run(records_of(importer, size, seed), options_of(importer))
    after = row_counts(database)
    return sum(abs(after[name] - before[name]) for name in before)


def forty_nine(database: Database) -> int:
    """Import fifty images of which the file of one is missing; return how many are stored."""
    from PIL import Image

    base = Path(database.settings.images_basepath)
    for n in range(50):
        if n != 17:
            Image.new("L", (8, 8)).save(base / f"of50_{n}.png")
    records = [
        record_of(n) | {"project_name": "Fifty", "image": f"of50_{n}.png"} for n in range(50)
    ]
    options = attrs.evolve(options_of(1), read_files=True)
    result = importing(database).run(records, options)
    return result.written.made["ImageInstance"]


def campaign(kind: str, size: Size, seed: int, server: str = SERVER) -> Counter[str]:
    """Run the campaign on a database of its own; print the figures and return them."""
    url = f"{server}/test_crowd_{secrets.token_hex(4)}"
    with fresh_database(kind, url) as database, tempfile.TemporaryDirectory() as base:
        settings = {
            "database_url": url_of(database.settings).render_as_string(hide_password=False),
            "secret_key": "campaign",
            "images_basepath": base,
        }
        started = time.monotonic()
        crowd = Crowd(settings, size, seed)
        crowd.run()
        print(f"  {kind}: {dict(crowd.outcomes)} in {time.monotonic() - started:.0f} s")
        own = Database(settings)
        result = findings(own, size)
        result["failed importers"] = crowd.outcomes["FAILED"]
        result["rows written by the re-run"] = rerun_writes(own, size, seed)
        result["of 49 good ones missing"] = 49 - forty_nine(own)
        own.close()
    figures = ", ".join(f"{name} {count}" for name, count in result.items())
    print(f"  {kind}: {size.total:,} images wanted; {figures}")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="8 importers x 4800 images, 60 kills")
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    size = FULL if options.full else SMALL
    print(f"R16 imports: seed {seed}; {size.importers} x {size.each} images, {size.kills} kills")
    result = campaign(options.database, size, seed)
    failures = sum(result.values())
    print(f"result: {failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
