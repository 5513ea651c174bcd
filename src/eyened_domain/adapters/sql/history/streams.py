"""The streams in which a process writes its changes, each numbered without gaps.

One sequence of numbers for all writers would let them wait for each other until each commit; and
numbers that a database gives away have gaps where a transaction was rolled back, so that a row
that was taken out could not be told from them. So each transaction takes a stream of its
process that no other one has at the moment, and gives it back when it has ended. There come to
be as many as transactions have committed at once.
"""

from __future__ import annotations

import os
import secrets
import threading

from attrs import define

STREAM_DIGITS = 16


@define
class Stream:
    """A stream of this process, as it is committed."""

    stream_id: str
    last_number: int = 0
    """Of its last change."""
    last_moment: int = 0
    """Of its last change, in microseconds of Unix time."""

    @property
    def is_open(self) -> bool:
        """Whether the database knows of it."""
        return self.last_number > 0


class Streams:
    """The streams of this process on one database that no transaction has at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Stream] = []
        self._process = os.getpid()

    def take(self) -> Stream:
        """Return a stream that nobody else has; a new one if there is none."""
        with self._lock:
            if self._process != os.getpid():  # forked: these are the other one's
                self._free, self._process = [], os.getpid()
            if self._free:
                return self._free.pop()
        return Stream(secrets.token_hex(STREAM_DIGITS // 2))

    def give_back(self, stream: Stream) -> None:
        """Let others have a stream, whose end is known for certain."""
        with self._lock:
            if stream.is_open and self._process == os.getpid():
                self._free.append(stream)
