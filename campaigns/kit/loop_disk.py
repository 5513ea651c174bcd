"""A disk in a file, whose power can be cut: what had not reached the file is gone.

The cut is ext4's own (`FS_IOC_SHUTDOWN` without flushing the journal, as xfstests use it):
from one moment on nothing is written to the image any more, and every call fails. Needs
root and loop devices.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
_WITHOUT_FLUSHING = 2


class LoopDisk:
    """An ext4 file system in an image file, mounted on a folder.

    Args:
        folder: holds the image and the mount point.
        megabytes: size of the disk.

    Raises:
        LoopMissing: it cannot be made here; the text says why.
    """

    def __init__(self, folder: Path, megabytes: int = 512) -> None:
        self._image = folder / "disk.img"
        self.mount_point = folder / "disk"
        self.mount_point.mkdir()
        if os.geteuid():
            raise LoopMissing("only root may mount a disk")
        if not shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin"):
            raise LoopMissing("there is no mkfs.ext4 (apt install e2fsprogs)")
        with self._image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mount the disk; the journal is replayed."""
        _run("mount", "-o", "loop", str(self._image), str(self.mount_point))

    def cut_power(self) -> None:
        """Let nothing reach the disk from this moment on."""
        descriptor = os.open(self.mount_point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSHING))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount the disk; whoever had files open there has ended.

        The kernel may take a moment to close the files of a server that has died.
        """
        for _ in range(100):
            try:
                _run("umount", str(self.mount_point))
            except LoopMissing:
                time.sleep(0.1)
            else:
                return
        _run("umount", str(self.mount_point))

    def check(self) -> str:
        """Replay the journal and check the file system; return what is wrong with it."""
        done = subprocess.run(
            ["e2fsck", "-f", "-p", str(self._image)], capture_output=True, text=True, check=False
        )
        return "" if done.returncode in {0, 1} else done.stdout + done.stderr

    def remove(self) -> None:
        """Unmount the disk if it is mounted; the image goes with its folder."""
        if os.path.ismount(self.mount_point):
            self.unmount()


class LoopMissing(Exception):
    """There can be no disk in a file here; the text says why."""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoopMissing(f"{' '.join(command)}: {done.stderr.strip()}")
