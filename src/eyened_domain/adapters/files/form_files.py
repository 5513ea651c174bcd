"""Forms in files: CSV with a column for each path to an answer, and JSON lines.

In a CSV, answers stand as JSON has them: ``3``, ``1.5``, ``true``, ``null``, ``[]``, ``{}``. A text
stands as it is, unless it could be taken for something else, or a spreadsheet would compute it:
then it is in quotes as in JSON, ``"3"``, ``"=A1"``. An empty cell is no answer.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from eyened_domain.adapters.files.record_files import (
    UnreadableError,
    read_by_ending,
    read_json_lines,
)
from eyened_domain.errors import BadInput
from eyened_domain.model.flat_answers import WHOLE, leaves, nested, path_of, written
from eyened_domain.model.flat_answers import Path as AnswerPath
from eyened_domain.model.values import Text, shown
from eyened_domain.services.form_rows import (
    RECORD_COLUMNS,
    column_infos,
    path_order,
    reserved_names,
)
from eyened_domain.services.forms.records import Record

_LONGEST_CELL = 16_000_000
_WORDS = frozenset(("true", "false", "null", "[]", "{}"))
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_COMPUTED = ('"', "=", "+", "-", "@", "\t")
_DELIMITERS = (",", ";", "\t")
_KINDS = {name: info.columns[name].kind for name, info in column_infos(RECORD_COLUMNS).items()}


def write_forms(path: Path | str, records: Callable[[], Iterable[Record]]) -> int:
    """Write records to a new file; return how many.

    Args:
        path: a ``.csv``, ``.jsonl`` or ``.ndjson``.
        records: gives the records, each time the same; for a CSV they are read twice, the
            first time for its columns.

    Raises:
        BadInput: the file is of another kind, is there already, or cannot be written.
    """
    path = Path(path)
    writers: dict[str, Callable[[IO[str], Callable[[], Iterable[Record]]], int]] = {
        ".csv": _write_csv,
        ".jsonl": _write_json_lines,
        ".ndjson": _write_json_lines,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise BadInput(f"{path}: forms are written to {', '.join(writers)} files", field="file")
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise BadInput(f"{path} exists already; choose another name", field="file") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}", field="file") from None
    try:
        with file:
            return writer(file, records)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_forms(path: Path | str) -> Iterator[Record]:
    """Yield the records of a file, one at a time.

    Args:
        path: a ``.csv`` or ``.tsv`` (columns that tell of the form, and paths to answers), a
            ``.jsonl`` or ``.ndjson``.

    Raises:
        FileMissing: there is no such file.
        BadInput: it is of another kind, or it cannot be read; the message names the line.
    """
    lines = read_json_lines
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".jsonl": lines, ".ndjson": lines}
    return read_by_ending(Path(path), readers)


def _write_json_lines(file: IO[str], records: Callable[[], Iterable[Record]]) -> int:
    count = 0
    for record in records():
        file.write(_as_json(record) + "\n")
        count += 1
    return count


def _as_json(value: Any) -> str:
    """Return JSON as people read it; where UTF-8 has no word for a text, in ASCII."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    return text


def _write_csv(file: IO[str], records: Callable[[], Iterable[Record]]) -> int:
    paths: set[AnswerPath] = set()
    for record in records():
        if record[WHOLE] is not None:
            paths.update(path for path, _ in leaves(record[WHOLE]))
    ordered = sorted(paths, key=path_order)
    writer = csv.writer(file, lineterminator="\n")
    reserved = reserved_names()
    writer.writerow([*RECORD_COLUMNS, *(written(path, reserved) for path in ordered)])
    count = 0
    for record in records():
        told = [_told(record.get(name)) for name in RECORD_COLUMNS]
        answers = {} if record[WHOLE] is None else dict(leaves(record[WHOLE]))
        cells = [_cell(answers[path]) if path in answers else "" for path in ordered]
        writer.writerow([*told, *cells])
        count += 1
    return count


def _told(value: Any) -> str:
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _cell(answer: Any) -> str:
    if not isinstance(answer, str):
        return json.dumps(answer, allow_nan=False)
    is_ambiguous = answer in _WORDS or _NUMBER.fullmatch(answer)
    return json.dumps(answer, ensure_ascii=False) if is_ambiguous else _text(answer)


def _text(text: str) -> str:
    """Return a text as it stands in a cell; in JSON's quotes where it would not stay the same."""
    is_plain = text.replace("\n", "").isprintable() and text == text.strip()
    if text and is_plain and not text.startswith(_COMPUTED):
        return text
    return _as_json(text)


def _read_csv(file: IO[str]) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_CELL)
    head = file.readline()
    file.seek(0)
    delimiter = _delimiter_of(head)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader, []))
        for row in reader:
            if row:
                yield _record(columns, row, reader.line_num)
    except csv.Error as error:
        raise UnreadableError(f"line {reader.line_num}: {error}") from None


def _delimiter_of(head: str) -> str:
    """Return what stands between the columns: names of answers may have any of them within."""
    for delimiter in _DELIMITERS:
        names = next(csv.reader([head], delimiter=delimiter), [])
        if not {"schema_name", "SchemaName"}.isdisjoint(name.strip() for name in names):
            return delimiter
    raise UnreadableError(f"line 1: there is no column 'schema_name' in {shown(head.strip())}")


def _columns(names: list[str]) -> list[tuple[str | None, AnswerPath]]:
    """Return for each column what it tells of the form, or the path to an answer."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UnreadableError(f"line 1: the column {shown(twice[0])} is there twice")
    infos = column_infos(RECORD_COLUMNS)
    told = {info.columns[name].database_name: name for name, info in infos.items()}
    told |= {name: name for name in infos}
    found: list[tuple[str | None, AnswerPath]] = []
    for name in names:
        try:
            known = told.get(name)
            found.append((known, () if known is not None else path_of(name)))
        except BadInput as error:
            raise UnreadableError(f"line 1: {error}") from None
    return found


def _record(columns: list[tuple[str | None, AnswerPath]], row: list[str], line: int) -> Record:
    if len(row) != len(columns):
        raise UnreadableError(f"line {line}: {len(row)} cells under {len(columns)} columns")
    record: Record = {}
    answers: list[tuple[AnswerPath, Any]] = []
    try:
        for (told, path), cell in zip(columns, row, strict=True):
            if cell and told is not None:
                record[told] = _told_by(told, cell)
            elif cell:
                answers.append((path, _answer(cell)))
        record[WHOLE] = nested(answers)
    except BadInput as error:
        raise UnreadableError(f"line {line}: {error}") from None
    return record


def _told_by(name: str, cell: str) -> Any:
    kind = _KINDS[name]
    return _unquoted(cell) if isinstance(kind, Text) else _answer(cell.strip())


def _answer(cell: str) -> Any:
    if cell in _WORDS or _NUMBER.fullmatch(cell):
        try:
            return json.loads(cell)
        except ValueError as error:  # of thousands of digits
            raise BadInput(f"{shown(cell)} is too long a number: {error}") from None
    return _unquoted(cell)


def _unquoted(cell: str) -> str:
    if not cell.startswith('"'):
        return cell
    try:
        text = json.loads(cell)
    except ValueError:  # nobody's quotes but the text's own
        return cell
    return text if isinstance(text, str) else cell
