"""What services tell the application: events, published after the commit that made them true."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Event:
    """Something that happened; services record events, subscribers get them after commit."""


Subscriber = Callable[[Event], None]
Subscribers = Sequence[Subscriber]
