"""Files that are there after a power cut, or not at all.

A new file is written under another name, flushed to the disk (fsync), and then given its
name with `link(2)`, which never takes the place of a file that is there; a file that is
replaced gets its name with `rename(2)`. Either way the folder is flushed after. Folders are
opened one from the other without following symbolic links, so that a folder that is swapped
for a link meanwhile leads nowhere.

Every call to the operating system goes through `os` of this module: tests put one in its
place that fails, or kills the process, at the n-th call.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from eyened_domain.adapters.files.openat2 import READ, open_beneath, openat2_works

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = READ | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MOST_PARTS = 512
"""Parts of a file that are written in one call: Linux takes 1024 (IOV_MAX)."""
PARTIAL = ".partial"
"""How the names of files end that are being written, or were when the program was killed."""


class OpenFolder:
    """An open folder; what is done in it is done there, wherever its name leads meanwhile.

    Args:
        descriptor: of the open folder; closed with this object.
        durable: wait until what is written is on the disk.
    """

    def __init__(self, descriptor: int, *, durable: bool = True) -> None:
        self._descriptor = descriptor
        self._durable = durable

    @classmethod
    def at(cls, path: str, *, durable: bool = True) -> Self:
        """Open a folder by its path, the end of which must be no symbolic link.

        Raises:
            OSError: it is not there, or is no folder.
        """
        return cls(os.open(path, _FOLDER | os.O_NOFOLLOW), durable=durable)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder."""
        _close(self._descriptor)

    def folder(self, name: str, *, make: bool = False) -> OpenFolder:
        """Open a folder in this one.

        Args:
            name: its name, without a slash.
            make: make it when it is not there.

        Raises:
            OSError: it is not there, is no folder, or cannot be made.
        """
        _check_name(name)
        if make:
            self.make(name)
            self.sync()  # also when it was there: who made it may not have come that far
        opened = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._descriptor)
        return OpenFolder(opened, durable=self._durable)

    def make(self, name: str) -> bool:
        """Make a folder in this one; return whether it was not there before."""
        _check_name(name)
        try:
            os.mkdir(name, dir_fd=self._descriptor)
        except FileExistsError:
            return False
        return True

    def write_new(
        self, name: str, *parts: bytes | memoryview, way: Sequence[OpenFolder] = ()
    ) -> None:
        """Write a file that is not there yet; it appears complete, or not at all.

        Args:
            name: of the file.
            parts: its content.
            way: new folders that lead here: they have to be on the disk as well.

        Raises:
            FileExistsError: there is one; it is left as it is.
            OSError: it cannot be written; nothing is left behind.
        """
        with self._written(parts) as (partial, descriptor):
            self._sync(descriptor)
            os.link(
                partial,
                name,
                src_dir_fd=self._descriptor,
                dst_dir_fd=self._descriptor,
                follow_symlinks=False,
            )
        try:
            for folder in (self, *way):
                folder.sync()
        except BaseException:
            with contextlib.suppress(OSError):
                self.remove(name)
            raise

    def replace(self, name: str, *parts: bytes | memoryview) -> None:
        """Write a file in the place of the one that is there; readers see the one or the other.

        Raises:
            OSError: it cannot be written; the old one is still there.
        """
        with self._written(parts) as (partial, descriptor):
            self._sync(descriptor)
            os.replace(partial, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def open(self, name: str) -> int:
        """Open a regular file for reading; return its descriptor, which the caller closes.

        Raises:
            OSError: it is not there, or is no regular file.
        """
        return self.open_below(name)

    def open_below(self, *names: str) -> int:
        """Open a regular file that is some folders down; return its descriptor.

        Args:
            names: of the folders, and of the file.

        Raises:
            OSError: it is not there, or is no regular file, or one of them is a link.
        """
        for name in names:
            _check_name(name)
        if openat2_works():
            return _if_regular(open_beneath(self._descriptor, os.fsencode("/".join(names))))
        folder = self._descriptor
        try:
            for name in names[:-1]:
                inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                if folder != self._descriptor:
                    _close(folder)
                folder = inner
            return _if_regular(os.open(names[-1], _FILE, dir_fd=folder))
        finally:
            if folder != self._descriptor:
                _close(folder)

    def read(self, name: str) -> bytes:
        """Return the content of a regular file.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        descriptor = self.open(name)
        try:
            return read_all(descriptor)
        finally:
            os.close(descriptor)

    def holds(self, name: str) -> bool:
        """Whether there is anything of that name."""
        try:
            os.lstat(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        return True

    def names(self) -> list[str]:
        """Return the names of all that is in the folder, in no order."""
        return [name for name, _ in self.entries()]

    def entries(self) -> Iterator[tuple[str, bool]]:
        """Yield each name, and whether it is a folder (and not a link to one)."""
        with os.scandir(self._descriptor) as found:
            for entry in found:
                yield entry.name, entry.is_dir(follow_symlinks=False)

    def status(self, name: str) -> os.stat_result:
        """Return the status of what is there under that name, links not followed."""
        return os.lstat(name, dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Take a file out."""
        os.unlink(name, dir_fd=self._descriptor)

    def remove_folder(self, name: str) -> None:
        """Take an empty folder out."""
        os.rmdir(name, dir_fd=self._descriptor)

    def move(self, name: str, to: OpenFolder, new_name: str) -> None:
        """Move a file to another folder, where nothing of that name may be."""
        os.link(
            name,
            new_name,
            src_dir_fd=self._descriptor,
            dst_dir_fd=to._descriptor,
            follow_symlinks=False,
        )
        to.sync()
        os.unlink(name, dir_fd=self._descriptor)
        self.sync()

    def sync(self) -> None:
        """Wait until the names in this folder are on the disk."""
        self._sync(self._descriptor)

    def _sync(self, descriptor: int) -> None:
        if self._durable:
            os.fsync(descriptor)

    @contextlib.contextmanager
    def _written(self, parts: tuple[bytes | memoryview, ...]) -> Iterator[tuple[str, int]]:
        """Write a file under a name of its own, and take the name away in the end."""
        partial = f".{uuid.uuid4().hex}{PARTIAL}"
        descriptor = os.open(partial, _NEW, 0o666, dir_fd=self._descriptor)
        try:
            _write_all(descriptor, parts)
            yield partial, descriptor
        finally:
            with contextlib.suppress(OSError):  # renamed, or on a disk that fails
                os.unlink(partial, dir_fd=self._descriptor)
            os.close(descriptor)


def read_all(descriptor: int) -> bytes:
    """Return all that is in an open file."""
    return read_part(descriptor, os.fstat(descriptor).st_size, 0)


def read_part(descriptor: int, length: int, offset: int) -> bytes:
    """Return a part of an open file; less where the file ends before."""
    found = os.pread(descriptor, length, offset)
    while len(found) < length:
        more = os.pread(descriptor, length - len(found), offset + len(found))
        if not more:
            break
        found += more
    return found


def _write_all(descriptor: int, parts: tuple[bytes | memoryview, ...]) -> None:
    waiting = deque(memoryview(part).cast("B") for part in parts)
    while waiting:
        written = os.writev(descriptor, list(itertools.islice(waiting, _MOST_PARTS)))
        while waiting and written >= len(waiting[0]):
            written -= len(waiting.popleft())
        if written:
            waiting[0] = waiting[0][written:]


def _if_regular(descriptor: int) -> int:
    """Return the descriptor of a regular file; close any other, and raise."""
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except BaseException:
        _close(descriptor)
        raise
    if is_file:
        return descriptor
    _close(descriptor)
    raise OSError(errno.EINVAL, "is no regular file")


def _close(descriptor: int) -> None:
    """Close what was only read: an error of closing it loses nothing."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _check_name(name: str) -> None:
    if "/" in name or name in {"", ".", ".."} or "\0" in name:
        raise OSError(errno.EINVAL, "is not the name of one file or folder", name)
