"""Points at which a process kills itself: calls to the operating system, statements, commits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from eyened_domain.adapters.files import durable

_WRITES = {"write", "writev"}


class Points:
    """Counts the points that are passed, and kills the process at one of them.

    Args:
        fatal: at which one, from 1; None for none.

    Attributes:
        is_armed: whether points count at the moment.
        names: of the points that were passed.
    """

    def __init__(self, fatal: int | None) -> None:
        self._fatal = fatal
        self.is_armed = False
        self.names: list[str] = []

    def passed(self, name: str) -> None:
        """Count a point; do not return if it is the fatal one."""
        if not self.is_armed:
            return
        self.names.append(name)
        if len(self.names) == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()  # until the signal has come

    def is_next_fatal(self) -> bool:
        """Whether the next point is the fatal one."""
        return self.is_armed and len(self.names) + 1 == self._fatal


class WatchedOs:
    """The module `os`, whose functions are points; a write is one more when it is half done."""

    def __init__(self, points: Points) -> None:
        self._points = points

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        if not callable(found) or isinstance(found, type):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._points.passed(f"before {name}")
            if name in _WRITES:
                self._half(*arguments)
            return found(*arguments, **options)

        return call

    def _half(self, descriptor: int, data: Any) -> None:
        if self._points.is_next_fatal():
            whole = b"".join(map(bytes, data)) if isinstance(data, list) else bytes(data)
            os.write(descriptor, whole[: len(whole) // 2])
        self._points.passed("half a write")


def watch(engine: Engine, points: Points) -> None:
    """Make points of the store's calls to the system, and of an engine's statements and commits."""
    module: Any = durable
    module.os = WatchedOs(points)

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        points.passed(f"before {_shortened(statement)}")

    def after(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        points.passed(f"after {_shortened(statement)}")

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    dialect: Any = engine.dialect
    for name in ("do_commit", "do_rollback"):
        setattr(dialect, name, _watched(getattr(dialect, name), name[3:], points))


def _watched(function: Callable[..., Any], name: str, points: Points) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        points.passed(f"before {name}")
        result = function(*arguments)
        points.passed(f"after {name}")
        return result

    return call


def _shortened(statement: str) -> str:
    words = statement.replace("`", "").replace('"', "").split()
    if words[0] == "SELECT" and "FROM" in words:
        return f"SELECT FROM {words[words.index('FROM') + 1]}"
    return " ".join(words[:3])
