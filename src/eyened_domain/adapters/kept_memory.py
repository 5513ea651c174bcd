"""Memory that a process of ours keeps between one image and the next.

An image of 10 megapixels is an array of 30 MB, which the C library asks from the system each
time and gives back afterwards. The system empties every page anew: a third of the time of a
hash, a fifth of that of a thumbnail.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT_BYTES = 1 << 30
_AT_A_TIME_BYTES = 64 << 20


def keep_memory() -> bool:
    """Let this process keep what it frees; for worker processes and commands, not for a host.

    Returns:
        whether the C library does so: glibc does.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    asked = (
        (_MMAP_THRESHOLD, _KEPT_BYTES),
        (_TRIM_THRESHOLD, _KEPT_BYTES),
        (_TOP_PAD, _AT_A_TIME_BYTES),
    )
    taken: list[int] = [mallopt(*option) for option in asked]
    return bool(taken[1])
