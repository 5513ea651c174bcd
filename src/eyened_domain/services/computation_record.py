"""What values were computed from, as it was then: recorded, so that changes are found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from attrs import frozen


@frozen
class Computed:
    """What a value was computed from."""

    inputs: Mapping[int, str]
    """The digest of each input (`digest`), by its id."""
    position: int | None = None
    """Where the pixels of its owner were, if it has any."""


class ComputationRecord(Protocol):
    """What values were computed from, by their ids; kept as long as the value is."""

    def noted(self, attribute_value_ids: Iterable[int]) -> dict[int, Computed]:
        """Return what was noted of these values.

        Raises:
            ConfigurationError: the storage keeps no such record yet.
        """

    def note(self, computed: Mapping[int, Computed]) -> None:
        """Note what values were computed from, in the place of what was noted before.

        Raises:
            ConfigurationError: the storage keeps no such record yet.
        """


def digest(value: Any) -> str:
    """Return what two values have in common that are the same; 16 characters."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
