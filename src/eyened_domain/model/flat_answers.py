"""Nested answers as flat ones: each value with the path that leads to it, and back.

A path is written as ``left.grades[2]``. Names that could be taken for something else stand in
brackets and quotes, as JSON writes them: ``["a.b"]``. So every path has one text, and every text
one path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.values import JSON_DEEPEST, shown

Path = tuple[str | int, ...]
"""Names of answers, and positions in lists."""
WHOLE = "answers"
"""How the path to all of the answers is written."""
_PLAIN = re.compile(r'[^.\[\]"\x00-\x1f\x7f\ud800-\udfff]+')
_PART = re.compile(r'\[(0|[1-9][0-9]{0,8})\]|\[("(?:[^"\\]|\\.)*")\]|(?:^|\.)([^.\[\]"]+)')


def leaves(answers: Any) -> Iterator[tuple[Path, Any]]:
    """Yield each value that holds no others, with its path: new empty lists and objects, too.

    Args:
        answers: what JSON can hold, however deep.
    """
    waiting: list[tuple[Path, Any]] = [((), answers)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, name), value[name]) for name in reversed(value)]
        elif isinstance(value, list) and value:
            waiting += [((*path, place), value[place]) for place in reversed(range(len(value)))]
        else:
            yield path, type(value)() if isinstance(value, dict | list) else value


def flat(answers: Any) -> dict[str, Any]:
    """Return the values of answers by the text of their path, in their order.

    ``{"left": {"grades": [1, 2]}, "notes": []}`` gives ``{"left.grades[0]": 1,
    "left.grades[1]": 2, "notes": []}``.
    """
    return {written(path): value for path, value in leaves(answers)}


def written(path: Path, reserved: Collection[str] = ()) -> str:
    """Return the text of a path; ``answers`` for all of them.

    Args:
        path: names and positions.
        reserved: names that mean something else where the text will stand: an answer of such
            a name is written in brackets.
    """
    if not path:
        return WHOLE
    text = "".join(map(_part, path)).removeprefix(".")
    if text == WHOLE or text in reserved:
        return f"[{json.dumps(path[0], ensure_ascii=False)}]"
    return text


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _PLAIN.fullmatch(part):
        return f".{part}"
    return f"[{_quoted(part)}]"


def _quoted(name: str) -> str:
    text = json.dumps(name, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(name)


def path_of(text: str) -> Path:
    """Return the path that a text stands for.

    Raises:
        BadInput: it stands for none.
    """
    if text == WHOLE:
        return ()
    path: list[str | int] = []
    start = 0
    while start < len(text):
        found = _PART.match(text, start)
        if found is None or (found.group(3) and bool(path) != text.startswith(".", start)):
            raise BadInput(
                f"{shown(text)} is no path to an answer, such as left.grades[2] or "
                f'["a.b"].note, from {shown(text[start:])} on'
            )
        path.append(_read(found))
        start = found.end()
    if not 0 < len(path) <= JSON_DEEPEST:
        raise BadInput(
            f"a path to an answer has 1 to {JSON_DEEPEST} parts, and {len(path)} are in "
            f"{shown(text)}; all of the answers are called {WHOLE}"
        )
    return tuple(path)


def _read(found: re.Match[str]) -> str | int:
    position, quoted, name = found.groups()
    if position is not None:
        return int(position)
    if name is not None:
        return str(name)
    try:
        return str(json.loads(quoted))
    except ValueError as error:
        raise BadInput(f"{quoted} is no name as JSON writes it: {error}") from None


def nested(items: Iterable[tuple[Path, Any]]) -> Any:
    """Return the answers that have these values at these paths: what `leaves` took apart.

    Raises:
        BadInput: a list has no value at one of its positions, or a path leads through a value.
    """
    root: dict[Any, Any] = {}
    for path, value in items:
        holder = root
        for part in ("", *path[:-1]) if path else ():
            holder = holder.setdefault(part, {}) if isinstance(holder, dict) else _through(path)
        if not isinstance(holder, dict) or (path[-1] if path else "") in holder:
            _through(path)
        holder[path[-1] if path else ""] = _Leaf(value)
    return _built(root[""], ()) if root else None


class _Leaf:
    """A value, told apart from what is being built."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _through(path: Path) -> Any:
    raise BadInput(
        f"{written(path)} has a value, and one of the names on the way to it, or it itself, has "
        "another"
    )


def _built(part: Any, path: Path) -> Any:
    if isinstance(part, _Leaf):
        return part.value
    built = {name: _built(value, (*path, name)) for name, value in part.items()}
    places = [name for name in built if isinstance(name, int)]
    if not places:
        return built
    if len(places) < len(built):
        raise BadInput(f"{written(path)} has names and positions; it is an object or a list")
    if sorted(places) != list(range(len(places))):
        missing = next(place for place in range(len(places)) if place not in built)
        raise BadInput(f"{written((*path, missing))} is missing; a list has no gaps")
    return [built[place] for place in range(len(places))]
