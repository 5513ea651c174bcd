"""The plan of an import: what would be written. It can be printed, saved, and applied."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import IO, Any

from attrs import asdict, define, field

from eyened_domain.errors import BadInput, EyenedError, FileMissing
from eyened_domain.services.importing.entries import Columns, RecordError, error_lines
from eyened_domain.services.importing.options import ImportOptions
from eyened_domain.services.importing.portions import Portions
from eyened_domain.services.importing.saved import patient_in, patient_out

LEVELS = ("Project", "Patient", "Study", "Series", "ImageInstance")
_FORMAT = "eyened_domain import plan 1"


@define
class Level:
    """What an import does at one level: projects, patients, studies, series or images."""

    new: int = 0
    existing: int = 0
    skipped: int = 0
    filled: Counter[str] = field(factory=Counter)
    """How many rows get which column."""
    changed: Counter[str] = field(factory=Counter)
    """How many existing rows get another value in which column."""

    @property
    def total(self) -> int:
        """How many there are in the records."""
        return self.new + self.existing + self.skipped


@define
class ImportPlan:
    """What an import would do. Nothing is written until it is applied.

    Attributes:
        options: how it was planned, and will be applied.
        source: where the records came from, for the record of imports.
        levels: for Project, Patient, Study, Series and ImageInstance what is new, what
            exists, what is left out, and which columns get filled.
        errors: what is wrong with which record.
    """

    options: ImportOptions
    source: str | None = None
    levels: dict[str, Level] = field(factory=lambda: {name: Level() for name in LEVELS})
    errors: list[RecordError] = field(factory=list)
    portions: Portions = field(factory=Portions, repr=False)
    shared: dict[Any, Columns] = field(factory=dict, repr=False)
    """What all records together say of a patient or study, by its key, or a series, by its UID."""

    def __str__(self) -> str:
        lines = [f"{'':14}{'total':>9}{'new':>9}{'existing':>9}{'left out':>9}  columns filled"]
        for name, level in self.levels.items():
            filled = ", ".join(sorted(level.filled | level.changed))
            lines.append(
                f"{name:14}{level.total:9,}{level.new:9,}{level.existing:9,}{level.skipped:9,}"
                f"  {filled}".rstrip()
            )
        return "\n".join([*lines, *error_lines(self.errors)])

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can hold it."""
        return {
            "options": self.options.as_dict(),
            "source": self.source,
            "levels": {
                name: {**asdict(level), "total": level.total} for name, level in self.levels.items()
            },
            "errors": [asdict(error) for error in self.errors],
        }

    @property
    def writes(self) -> bool:
        """Whether there is anything new, or anything to change."""
        return any(level.new or level.changed for level in self.levels.values())

    def all_of(self, key: Any, columns: Columns) -> Columns:
        """Return what all records together say of what has a key, where one says `columns`."""
        return self.shared.get(key, columns)

    def save(self, path: Path | str) -> None:
        """Write the plan to a file, one JSON document per line.

        Raises:
            BadInput: the file exists already, or cannot be written.
        """
        path = Path(path)
        try:
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            raise BadInput(f"{path} exists already; choose another name for the plan") from None
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}") from None
        try:
            with file:
                _write(self, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path | str) -> ImportPlan:
        """Read a plan that `save` wrote.

        Raises:
            FileMissing: there is no such file.
            BadInput: the file is not a plan, or is cut off.
        """
        try:
            with Path(path).open(encoding="utf-8") as file:
                return _read(file)
        except FileNotFoundError:
            raise FileMissing(f"there is no plan {path}") from None
        except OSError as error:
            raise BadInput(f"the plan {path} cannot be read: {error.strerror}") from None
        except EyenedError as error:
            raise BadInput(f"{path} is not a whole import plan ({error})") from None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(
                f"{path} is not a whole import plan ({type(error).__name__}: {str(error)[:80]})"
            ) from None


def _write(plan: ImportPlan, file: IO[str]) -> None:
    head = {"format": _FORMAT, "portions": len(plan.portions), **plan.as_dict()}
    file.write(json.dumps(head) + "\n")
    for portion in plan.portions:
        lines = [json.dumps(patient_out(entry, plan.all_of)) for entry in portion]
        file.write(json.dumps(len(lines)) + "\n" + "".join(f"{line}\n" for line in lines))


def _read(file: IO[str]) -> ImportPlan:
    head = json.loads(file.readline())
    if head.get("format") != _FORMAT:
        raise ValueError(f"its first line is not {_FORMAT!r}")
    plan = ImportPlan(options=ImportOptions.from_dict(head["options"]), source=head["source"])
    for name, level in head["levels"].items():
        plan.levels[name] = Level(
            new=level["new"],
            existing=level["existing"],
            skipped=level["skipped"],
            filled=Counter(level["filled"]),
            changed=Counter(level["changed"]),
        )
    plan.errors = [RecordError(**error) for error in head["errors"]]
    for _ in range(head["portions"]):
        count = json.loads(file.readline())
        plan.portions.append([patient_in(json.loads(file.readline())) for _ in range(count)])
    if file.read(1):
        raise ValueError("there is more after its end")
    return plan
