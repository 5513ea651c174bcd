"""Chunks of large volumes are worked on two at a time: zstd and SHA-256 let go of the GIL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

WORTH_IT_BYTES = 4 * 1024 * 1024
"""Bytes of pixels from which a second thread gains more than it costs to start."""


def for_each(count: int, work: Callable[[int], T], *, size: int) -> list[T]:
    """Return what the work gives for each number from 0, in their order.

    Args:
        count: how many numbers.
        work: may be called in two threads at once.
        size: bytes of all pixels that are worked on.
    """
    if size < WORTH_IT_BYTES:
        return [work(number) for number in range(count)]
    half = count // 2
    with ThreadPoolExecutor(1) as other:
        second = other.submit(lambda: [work(number) for number in range(half, count)])
        first = [work(number) for number in range(half)]
        return first + second.result()
