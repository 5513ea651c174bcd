"""Opening files beneath a folder, and never outside it.

A check of a path followed by an `open` of the same path can be deceived: between
the two a folder is swapped for a symbolic link. Here the kernel resolves the path
and enforces the border in one step (Linux 5.6, `openat2(2)` with RESOLVE_BENEATH),
or the path is walked component by component from an open folder, without
following links (`openat(2)` with O_NOFOLLOW). What is then looked at is the open
file, not its name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from eyened_domain.adapters.files.openat2 import READ, open_beneath, openat2_works
from eyened_domain.errors import BadInput, EyenedError, FileMissing, FolderMissing, StorageError

E = TypeVar("E", bound=EyenedError)

_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_STORE_FAILED = frozenset(
    {errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ETIMEDOUT}
)
_REASONS = {
    errno.ENOTDIR: "goes through something that is not a folder",
    errno.ELOOP: "goes through a symbolic link, which is not followed",
    errno.EXDEV: "leads outside",
    errno.EACCES: "may not be read by this user",
    errno.EPERM: "may not be read by this user",
    errno.ENAMETOOLONG: "has a name longer than the file system allows",
    errno.ENXIO: "is not a regular file",
    errno.EINVAL: "is not a path",
}


class RootFolder:
    """A folder whose regular files may be opened, and nothing outside it.

    The folder itself may be a symbolic link: it is resolved once, here. A link
    beneath it is refused, unless it ends beneath one of `symlinks_to`. Holds no
    open file, so it may be shared by threads, forked and pickled.

    Args:
        path: the folder; it need not exist yet.
        setting: the variable that names the folder, for messages.
        entity: the entity whose field names the files, for errors.
        field: that field.
        symlinks_to: folders that links beneath this one may lead into.
        use_openat2: False walks component by component even where the kernel has
            openat2; None finds out.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        setting: str = "IMAGES_BASEPATH",
        entity: str = "ImageInstance",
        field: str = "dataset_identifier",
        symlinks_to: Sequence[str | os.PathLike[str]] = (),
        use_openat2: bool | None = None,
    ) -> None:
        self.given: Path = Path(os.path.abspath(path))  # noqa: PTH100 - no look at the file system
        self._path = os.path.realpath(path)
        self.path: Path = Path(self._path)
        self._setting = setting
        self._entity = entity
        self._field = field
        self._use_openat2 = use_openat2
        self._link_targets = tuple(
            RootFolder(target, setting=setting, entity=entity, field=field, use_openat2=use_openat2)
            for target in symlinks_to
        )

    def open(self, relative: str) -> int:
        """Open a regular file for reading.

        Args:
            relative: its path relative to this folder, with ``/`` between the parts.

        Returns:
            A file descriptor, which the caller closes.

        Raises:
            FileMissing: there is no such file.
            BadInput: it lies outside, or it is not a regular file.
            FolderMissing: the folder itself is not there, or holds nothing at all.
            StorageError: the file system failed.
        """
        parts = _parts(relative)
        if parts is None:
            raise self.refusal(relative, "leads outside, or names no file")
        try:
            descriptor = self._open_beneath(relative, parts)
        except OSError as error:
            if error.errno == errno.ELOOP and self._link_targets:
                return self._open_link(relative)
            self._raise(relative, error)
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            os.close(descriptor)
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise self.refusal(relative, f"is {what}")
        return descriptor

    def check(self) -> None:
        """Find out whether the folder is there.

        Raises:
            FolderMissing: it is not.
        """
        os.close(self._open_root())

    def check_filled(self) -> None:
        """Find out whether the folder is there and holds anything, as it must once files are named.

        Raises:
            FolderMissing: it is not there, or is empty, as the place is where a disk is mounted.
        """
        self.check()
        if is_empty(self._path):
            raise FolderMissing(
                f"{self._setting} is {str(self.given)[:200]!r}, which is empty: mount what belongs "
                f"there, or set {self._setting}",
                field=self._setting,
                value=str(self.given)[:200],
            )

    def refusal(self, relative: str, reason: str) -> BadInput:
        """Make the error for a file beneath this folder that is refused."""
        return self._error(BadInput, relative, reason)

    def _error(self, kind: type[E], relative: str, reason: str) -> E:
        shown = ascii(relative if len(relative) <= 80 else relative[:77] + "...")
        return kind(
            f"{self._entity}.{self._field}: the file {shown} {reason}",
            entity=self._entity,
            field=self._field,
            value=relative if len(relative) <= 256 else relative[:77] + "...",
        )

    def _open_beneath(self, relative: str, parts: list[str]) -> int:
        root = self._open_root()
        try:
            if self._use_openat2 is not False and openat2_works():
                return open_beneath(root, os.fsencode(relative))
            return _open_by_component(root, parts)
        finally:
            os.close(root)

    def _open_root(self) -> int:
        try:
            return os.open(self._path, _FOLDER | os.O_NOFOLLOW)
        except OSError as error:
            raise FolderMissing(
                f"{self._setting} is {str(self.given)[:200]!r}, which cannot be opened as a "
                f"folder ({error.strerror}); make the folder or set {self._setting}",
                field=self._setting,
                value=str(self.given)[:200],
            ) from error

    def _open_link(self, relative: str) -> int:
        # The end of the link is opened without following any, so a swap after
        # this look at it is refused too.
        try:
            target = os.path.realpath(self.path / relative)
        except OSError as error:  # swapped while it was looked at
            self._raise(relative, error)
        for folder in (self, *self._link_targets):
            if target.startswith(f"{folder.path}/"):
                beneath = target[len(str(folder.path)) + 1 :]
                return RootFolder.open(folder._without_links(), beneath)
        raise self.refusal(relative, "goes through a symbolic link that leads outside")

    def _without_links(self) -> RootFolder:
        return RootFolder(
            self.path,
            setting=self._setting,
            entity=self._entity,
            field=self._field,
            use_openat2=self._use_openat2,
        )

    def _raise(self, relative: str, error: OSError) -> NoReturn:
        if error.errno in _STORE_FAILED:
            raise StorageError(
                f"{self._setting}: the file {relative[:80]!a} could not be opened: "
                f"{error.strerror}",
                entity=self._entity,
                field=self._field,
                value=relative[:256],
            ) from error
        if error.errno == errno.ENOENT:
            self.check_filled()  # not one file is missing, but all of them
            raise self._error(FileMissing, relative, "does not exist") from error
        reason = _REASONS.get(error.errno or 0, f"cannot be opened: {error.strerror}")
        raise self.refusal(relative, reason) from error


def is_empty(folder: str | os.PathLike[str]) -> bool:
    """Whether there is nothing in a folder, but for hidden files and what a file system makes.

    That is what the place of a disk looks like which is not mounted. A folder that is not
    there, or cannot be listed, is not called empty.
    """
    try:
        with os.scandir(folder) as found:
            return all(one.name.startswith(".") or one.name == "lost+found" for one in found)
    except OSError:
        return False


def _open_by_component(root: int, parts: list[str]) -> int:
    """Open the last of `parts` by walking the others from `root`, following no link."""
    folder = os.dup(root)
    try:
        for part in parts[:-1]:
            try:
                inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            except NotADirectoryError as error:
                raise _link_or(error, part, folder) from error
            os.close(folder)
            folder = inner
        return os.open(parts[-1], READ | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _link_or(error: OSError, part: str, folder: int) -> OSError:
    """Tell a link from another thing that is no folder; for the message only."""
    try:
        os.readlink(part, dir_fd=folder)
    except OSError:
        return error
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _parts(relative: str) -> list[str] | None:
    """Split a relative path; None when its text alone leads outside, or nowhere."""
    if "\0" in relative or relative.startswith("/") or relative.endswith(("/", "/.")):
        return None
    try:
        os.fsencode(relative)
    except UnicodeEncodeError:
        return None
    parts = [part for part in relative.split("/") if part not in {"", "."}]
    return parts if parts and ".." not in parts else None
