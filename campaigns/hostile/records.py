"""Reliability S7: bad records are refused in one family of errors, fast, small, and without a row.

The bad inputs of the issue and as many generated ones as are wanted go through planning
and applying. An attack has succeeded when anything but an `EyenedError` comes out, a row
of any table comes or goes, one of them takes more than two seconds, or all together more
than 200 MB.

    python -m campaigns.hostile.records [--full] [--seed N]

Prints the seed and the figures; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from campaigns.kit.databases import fresh_database
from campaigns.units.imports import importing, row_counts
from eyened_domain.adapters.database import Database
from eyened_domain.errors import EyenedError
from eyened_domain.services.importing import ImportOptions

LONGEST_S, MOST_MB = 2.0, 200
_TEN_MB = 10_000_000
_NAMES = (
    "image_props", "series_props", "study_props", "patient_props", "props", "studies", "series",
    "images", "image", "sex", "Laterality", "rows_y", "cf_roi", "study_round",
    "ImageInstance.modality", "x.y", 1, None,
)  # fmt: skip
_LEVELS = ("image_props", "series_props", "study_props", "patient_props")


def _deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(3000):
        nested = [nested]
    return nested


def base() -> dict[str, Any]:
    """Give a record that is good."""
    return {
        "project_name": "Input",
        "patient_identifier": "P1",
        "study_date": "2024-01-31",
        "image": "good.png",
        "image_props": {"laterality": "R", "modality": "ColorFundus"},
    }


def listed() -> list[dict[str, Any]]:
    """Give the bad inputs of the issue, and their like: what replaces what is good."""
    long = "x" * _TEN_MB
    return [
        {"image": "../good.png"}, {"image": "a/../../good.png"}, {"image": "/etc/passwd"},
        {"image": "link.png"}, {"image": "missing.png"}, {"image": "empty.png"},
        {"image": "truncated.png"}, {"image": ""}, {"image": None}, {"image": 3},
        {"image": long}, {"image": "a\0.png"}, {"image": "😀.png"}, {"image": "good.png/"},
        {"lateralty": "R"}, {long: "R"}, {"image_props": {"laterality": "Right"}},
        {"image_props": {"rows_y": -1}}, {"image_props": {"rows_y": long}},
        {"image_props": {"cf_quality": math.nan}}, {"image_props": {"cf_quality": "inf"}},
        {"image_props": {"cf_quality": 10**400}}, {"image_props": {"fda_identifier": 10**5000}},
        {"image_props": {"cf_roi": _deep()}}, {"image_props": {"cf_roi": "[" * 1_000_000}},
        {"image_props": {"cf_roi": {"a": long}}}, {"image_props": [_deep()]},
        {"image_props": {"acquisition_date_time": datetime.now(UTC)}},
        {"image_props": {"modality_id": 1}}, {"image_props": {"device_instance_id": 10**9}},
        {"image_props": {"manufacturer": "x" * 46}}, {"image_props": {"source_name": "S\x1b"}},
        {"study_date": "2023-02-29"}, {"study_date": "0001-01-01"}, {"study_date": long},
        {"study_date": 20240131}, {"study_props": {"study_description": "x" * 65}},
        {"study_props": {"study_round": 1.5}}, {"series_id": 10**9}, {"series_id": "x"},
        {"series_props": {"series_instance_uid": long}}, {"patient_props": {"sex": "f"}},
        {"patient_props": {"birth_date": "24-12-1950"}},
        {"patient_props": {"sex": "F", "Sex": "M"}},
        {"patient_identifier": long}, {"patient_identifier": "P😀"},
        {"patient_identifier": "P\x07"}, {"patient_identifier": "P\u202e"},
        {"patient_identifier": "\ud800"}, {"patient_identifier": " "},
        {"project_name": None}, {"project_name": long}, {"project_name": ["A"]},
        {"studies": 3}, {"studies": [_deep()]},
    ]  # fmt: skip


class Generator:
    """Makes records that are good but for some place, and things that are no records."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        """Give any value."""
        pick = self._random.randrange(16 if depth < 3 else 12)
        number = self._random
        if pick in {12, 13}:
            return [self.value(depth + 1) for _ in range(number.randrange(3))]
        if pick > 13:
            return {self.name(): self.value(depth + 1) for _ in range(number.randrange(3))}
        return (
            None, True, number.randrange(-(2**70), 2**70), number.uniform(-1e40, 1e40), math.nan,
            self.text(), date(number.randrange(1, 9999), 1, 1), datetime.now(UTC),
            b"bytes", Decimal("sNaN"), object(), {1, 2},
        )[pick]  # fmt: skip

    def text(self) -> str:
        """Give a text of characters that make trouble."""
        alphabet = "aP1 .-/\\\0\n\x1b'\"%;😀\u202e\ud800é\u0130ß2024L"
        return "".join(self._random.choices(alphabet, k=self._random.choice((0, 1, 5, 70, 300))))

    def name(self) -> Any:
        """Give a name: of something, or of nothing."""
        return self._random.choice((*_NAMES, self.text()))

    def record(self) -> Any:
        """Give a record with something bad in it."""
        if self._random.random() < 0.1:
            return self.value()
        record: dict[Any, Any] = base()
        for _ in range(self._random.randint(1, 3)):
            place = self._random.random()
            if place < 0.4:
                record[self._random.choice([*record])] = self.value()
            elif place < 0.7:
                record[self.name()] = self.value()
            else:
                level = self._random.choice(_LEVELS)
                given = record.get(level)
                given = dict(given) if isinstance(given, dict) else {}
                record[level] = {**given, self.name(): self.value()}
        return record


def attacks(cases: int, seed: int) -> Iterator[list[Any]]:
    """Give the records of one import after another."""
    for bad in listed():
        yield [base() | bad]
    generator = Generator(seed)
    for _ in range(cases):
        yield [generator.record() for _ in range(2)]


def attack(database: Database, records: list[Any], outcomes: Counter[str]) -> float:
    """Plan and apply; return the seconds."""
    # The last record is always bad, so that nothing may be written.
    records = [*records, base() | {"image": "missing.png"}]
    options = ImportOptions(create_projects=True, create_patients=True, create_studies=True)
    started = time.perf_counter()
    try:
        plan = importing(database).plan(records, options)
        bad = {error.where.split(",")[0] for error in plan.errors}
        outcomes["records with an error"] += len(bad) - 1
        if len(records) == 2 and "record 1" not in bad:
            outcomes["ACCEPTED"] += 1  # one of those that are listed
        importing(database).apply(plan)
    except EyenedError as error:
        outcomes[type(error).__name__] += 1
    except Exception as error:  # noqa: BLE001 - what the campaign looks for
        outcomes["STRANGER"] += 1
        print(f"  {type(error).__name__} from {str(records[0])[:200]!a}")
    else:
        outcomes["ACCEPTED"] += 1
    return time.perf_counter() - started


def prepare(database: Database) -> None:
    from PIL import Image

    folder = Path(database.settings.images_basepath)
    Image.new("L", (8, 8)).save(folder / "good.png")
    (folder / "empty.png").touch()
    (folder / "truncated.png").write_bytes((folder / "good.png").read_bytes()[:30])
    (folder / "link.png").symlink_to("/etc/passwd")


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def campaign(cases: int, seed: int) -> int:
    """Run the campaign; print the figures and return the number of failures."""
    outcomes: Counter[str] = Counter()
    longest = 0.0
    with fresh_database("sqlite") as database:
        prepare(database)
        attack(database, [base()], Counter())  # what is loaded once is loaded now
        before, memory = row_counts(database), memory_mb()
        for records in attacks(cases, seed):
            longest = max(longest, attack(database, records, outcomes))
        grown = memory_mb() - memory
        rows = sum(abs(row_counts(database)[name] - count) for name, count in before.items())
    print(f"  {len(listed())} listed, {cases:,} generated: {dict(outcomes)}")
    print(f"  rows written {rows}, longest {longest:.2f} s, {grown:.0f} MB more at the peak")
    failures = outcomes["STRANGER"] + outcomes["ACCEPTED"] + rows
    return failures + (longest > LONGEST_S) + (grown > MOST_MB)


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="10,000 generated cases")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"S7 records: seed {seed}")
    failures = campaign(10_000 if options.full else 300, seed)
    print(f"result: {failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
