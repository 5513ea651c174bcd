"""How much of our own code one image and one mask pass.

    python -m benchmarks.paths [--names]

Imports one CSV row (planned, then applied, as `eorm import` does) into an embedded SQLite
database, writes one mask, and prints how many functions in how many files of `src` each has
passed. A function counts once however often it is called, and when its body is entered: methods,
properties, nested functions, lambdas and generators do; comprehensions, class bodies, module
bodies and what attrs and SQLAlchemy write at run time do not. Both run a second time as they are
measured, so that what is made once in a process is not counted.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import eyened_domain
from benchmarks.importing import OPTIONS, importing
from campaigns.kit.databases import fresh_database
from campaigns.kit.segments import Drawer, pixels_of
from eyened_domain import Database
from eyened_domain.adapters.files.record_files import read_records

_SOURCE = str(Path(eyened_domain.__file__).parent)
_NOT_FUNCTIONS = {"<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
_SHAPE = (1, 64, 64)
_CSV = "project_name,patient_identifier,study_date,image,laterality,modality,rows_y,columns_x\n"
_ROW = "Paths,P{0},2024-01-31,{0}.png,R,ColorFundus,64,64\n"


@contextmanager
def passed() -> Iterator[set[CodeType]]:
    """Collect the functions of our own that are entered in the block, in all new threads too."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            seen.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        seen -= {code for code in seen if not _is_ours(code)}


def _is_ours(code: CodeType) -> bool:
    is_function = code.co_flags & 0x2 and code.co_name not in _NOT_FUNCTIONS  # CO_NEWLOCALS
    return bool(is_function) and code.co_filename.startswith(_SOURCE)


def _import(database: Database) -> Callable[[int], None]:
    def run(number: int) -> None:
        path = Path(database.settings.images_basepath, f"{number}.csv")
        path.write_text(_CSV + _ROW.format(number), encoding="utf-8")
        importing(database).run(read_records(str(path)), OPTIONS, source=str(path))

    return run


def _mask(database: Database) -> Callable[[int], None]:
    drawer = Drawer(database, _SHAPE)

    def run(number: int) -> None:
        with database.unit_of_work() as uow:
            one = uow.segmentations.add(drawer.new())
            one.write_data(pixels_of(number, _SHAPE))
            uow.commit()

    return run


def measure(make: Callable[[Database], Callable[[int], None]]) -> set[CodeType]:
    """Return the functions that the second run of some work passes, on a database of its own."""
    with fresh_database("sqlite") as database:
        run = make(database)
        run(1)
        with passed() as seen:
            run(2)
        return seen


def main() -> None:
    """Print the figures; with `--names` the functions as well."""
    parser = argparse.ArgumentParser(description="functions and files passed")
    parser.add_argument("--names", action="store_true")
    options = parser.parse_args()
    for name, make in (("one CSV row", _import), ("one mask", _mask)):
        seen = measure(make)
        files = {code.co_filename for code in seen}
        print(f"{name}: {len(seen)} functions in {len(files)} files")
        if options.names:
            lines = (f"  {Path(c.co_filename).relative_to(_SOURCE)} {c.co_qualname}" for c in seen)
            print(*sorted(lines), sep="\n")


if __name__ == "__main__":
    main()
