"""`openat2(2)`: opening what is beneath a folder in one step (Linux 5.6).

The kernel resolves the path, refuses every symbolic link and `..`, and holds the border.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys

# O_NONBLOCK: opening a FIFO that nobody writes to would otherwise wait for ever.
READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""How files are opened whose names come from somewhere."""
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_OPENAT2 = 437  # the same number on every architecture that openat2 is found on, save Alpha
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08


class _OpenHow(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_HOW = _OpenHow(flags=READ, mode=0, resolve=_BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)


@functools.cache
def openat2_works() -> bool:
    """Whether this kernel has openat2 and lets this process call it."""
    if not sys.platform.startswith("linux") or os.uname().machine == "alpha":
        return False
    try:
        root = os.open("/", _FOLDER)
        try:
            open_beneath(root, b"absent-\xff/x")
        finally:
            os.close(root)
    except OSError as error:
        # ENOSYS: an older kernel; EPERM: a sandbox (seccomp) that does not know the call.
        return error.errno == errno.ENOENT
    return False


@functools.cache
def _syscall() -> ctypes._NamedFuncPointer:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = (
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    )
    return call


def open_beneath(folder: int, relative: bytes) -> int:
    """Open a file for reading beneath an open folder; no link is followed.

    Args:
        folder: its descriptor.
        relative: path of the file from there.

    Returns:
        its descriptor, which the caller closes; what was opened may be no regular file.

    Raises:
        OSError: there is none, or the way to it leads outside or over a link.
    """
    call = _syscall()
    for _ in range(16):
        descriptor: int = call(
            _OPENAT2, folder, relative, ctypes.addressof(_HOW), ctypes.sizeof(_HOW)
        )
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        # EAGAIN: something was renamed while the kernel walked the path.
        if number not in {errno.EAGAIN, errno.EINTR}:
            break
    raise OSError(number, os.strerror(number))
