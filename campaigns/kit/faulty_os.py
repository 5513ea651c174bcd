"""An `os` that fails at its n-th call, for the modules that read and write the store."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from eyened_domain.adapters.files.openat2 import open_beneath

COUNTED = frozenset({
    "open", "close", "read", "pread", "write", "writev", "fsync", "fstat", "lstat", "mkdir",
    "link", "replace", "unlink", "rmdir", "scandir",
})  # fmt: skip
_WRITING = frozenset({"write", "writev", "fsync", "mkdir", "link", "replace"})
_MODULES = (
    "eyened_domain.adapters.files.durable",
    "eyened_domain.adapters.pixels.zarr.slot_file",
)
FAULTS = ("EIO", "EMFILE", "ENOSPC", "short")


class FaultyOs:
    """`os`, but for one call that fails; nothing waits for the disk.

    Args:
        at: which call fails, from 1; 0 for none.
        fault: ``EIO`` (any call), ``EMFILE`` (calls that open), ``ENOSPC`` (calls that write,
            and all such calls after) or ``short`` (reads and writes that do less than asked).
    """

    def __init__(self, at: int = 0, fault: str = "EIO") -> None:
        self._at = at
        self._fault = fault
        self.calls = 0
        self.failed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Return what `os` has under that name; what is called is counted."""
        real = getattr(os, name)
        return self.counted(name, real) if name in COUNTED else real

    def counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call of that name that is counted, and may be the one that fails."""

        def call(*arguments: Any, **options: Any) -> Any:
            if self._concerns(name, arguments):
                self.calls += 1
                if self.calls == self._at or (self._fault == "ENOSPC" and self.failed):
                    self.failed.append(name)
                    return self._fail(name, real, arguments)
            return None if name == "fsync" else real(*arguments, **options)

        return call

    def _concerns(self, name: str, arguments: tuple[Any, ...]) -> bool:
        creates = name == "open" and bool(arguments[1] & os.O_CREAT)
        return {
            "EIO": True,
            "EMFILE": name in {"open", "open_beneath", "scandir"},
            "ENOSPC": name in _WRITING or creates,
            "short": name in {"write", "writev", "pread", "read"},
        }[self._fault]

    def _fail(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if self._fault == "short":
            return _shortened(name, real, arguments)
        if name == "close":
            real(*arguments)  # as Linux does: whatever close returns, the descriptor is free
        code = getattr(errno, self._fault)
        raise OSError(code, os.strerror(code))


def _shortened(name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    if name in {"read", "pread"}:
        descriptor, length, *rest = arguments
        return real(descriptor, max(1, length // 2), *rest)
    descriptor, parts = arguments
    whole = b"".join(parts) if name == "writev" else bytes(parts)
    return os.write(descriptor, whole[: max(1, len(whole) // 2)])


@contextmanager
def faulty(at: int = 0, fault: str = "EIO") -> Iterator[FaultyOs]:
    """Let the store use a `FaultyOs` while the block runs."""
    one = FaultyOs(at, fault)
    patches: list[Any] = [mock.patch(f"{module}.os", one) for module in _MODULES]
    beneath = one.counted("open_beneath", open_beneath)
    patches.append(mock.patch(f"{_MODULES[0]}.open_beneath", beneath))
    for patch in patches:
        patch.start()
    try:
        yield one
    finally:
        for patch in patches:
            patch.stop()
