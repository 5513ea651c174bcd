"""What services tell the application: events, published after the commit that made them true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation


class Event:
    """Something that happened; services record events, subscribers get them after commit."""


@frozen
class Segmented(Event):
    """Pixels of a segmentation were stored, all of them or a slice; by whatever way."""

    segmentation: Segmentation | ModelSegmentation


Subscriber = Callable[[Event], None]
Subscribers = Sequence[Subscriber]
