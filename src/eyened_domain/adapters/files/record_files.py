"""Reads import records from files: CSV with one row per image, JSON, and JSON lines.

A record that cannot be read at all stops the reading: nothing that follows it in the file
could be trusted.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

from eyened_domain.errors import BadInput, FileMissing
from eyened_domain.model.values import shown

Reader = Callable[[IO[str]], Iterator[dict[str, Any]]]
_LONGEST_CELL = 1_000_000


def read_records(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, one at a time.

    Args:
        path: a ``.csv`` or ``.tsv`` (one row per image, columns named as in the flat form
            of a record; an empty cell is not given), a ``.json`` (a list of records, or
            one record) or a ``.jsonl`` (one record per line).

    Raises:
        FileMissing: there is no such file.
        BadInput: it is of another kind, or it cannot be read; the message names the line.
    """
    readers = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".json": _read_json,
        ".jsonl": read_json_lines,
        ".ndjson": read_json_lines,
    }
    return read_by_ending(Path(path), readers)


def read_by_ending(path: Path, readers: Mapping[str, Reader]) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, read as its ending says.

    Args:
        path: the file.
        readers: by ending, what yields the records of an open file; it raises
            `UnreadableError` where they cannot be read.

    Raises:
        FileMissing: there is no such file.
        BadInput: it is of another kind, or it cannot be read; the message names the line.
    """
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadInput(f"{path}: records are read from {', '.join(readers)} files", field="file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from reader(file)
    except FileNotFoundError:
        raise FileMissing(f"there is no file {path}", field="file") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder, not a file of records", field="file") from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is not in UTF-8 (byte {error.start}); save it as UTF-8", field="file"
        ) from None
    except UnreadableError as error:
        raise BadInput(f"{path}, {error}", field="file") from None


class UnreadableError(ValueError):
    """Says which line of the file cannot be read, and why."""


def _read_csv(file: IO[str]) -> Iterator[dict[str, Any]]:
    head = file.readline()
    file.seek(0)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(file, delimiter=_delimiter(head), strict=True)
    try:
        names = _header(next(reader, []))
        for row in reader:
            if row:
                yield _csv_record(names, row, reader.line_num)
    except csv.Error as error:
        raise UnreadableError(f"line {reader.line_num}: {error}") from None


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise UnreadableError("line 1: the names of the columns are missing")
    if "" in names:
        raise UnreadableError(f"line 1: column {names.index('') + 1} has no name")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UnreadableError(f"line 1: the column {shown(twice[0])} is there twice")
    if "image" not in names:
        raise UnreadableError(
            f"line 1: there is no column 'image' among {shown(', '.join(names))}; one row per image"
        )
    return names


def _csv_record(names: list[str], row: list[str], line: int) -> dict[str, Any]:
    if len(row) != len(names):
        raise UnreadableError(f"line {line}: {len(row)} cells under {len(names)} columns")
    record: dict[str, Any] = {
        name: cell.strip() for name, cell in zip(names, row, strict=True) if cell.strip()
    }
    record.setdefault("image", "")
    return record


def _read_json(file: IO[str]) -> Iterator[dict[str, Any]]:
    try:
        found = json.load(file, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise UnreadableError("line 1: nested too deeply") from None
    yield from found if isinstance(found, list) else [found]


def read_json_lines(file: IO[str]) -> Iterator[dict[str, Any]]:
    """Yield what stands on each line that is not empty."""
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise UnreadableError(f"line {number}: {error.msg}") from None
        except RecursionError:
            raise UnreadableError(f"line {number}: nested too deeply") from None
        except UnreadableError as error:
            raise UnreadableError(f"line {number}: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is no value of a column")
