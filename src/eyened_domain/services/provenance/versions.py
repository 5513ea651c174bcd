"""Which of two versions of a model is the newer one."""

from __future__ import annotations

import re

_NUMBERED = re.compile(r"v?(\d+(?:\.\d+)*)", re.ASCII | re.IGNORECASE)


def newest(versions: dict[int, str]) -> int:
    """Return the id of the newest of several versions of one model.

    Numbers count part by part (1.10 is newer than 1.9, v2 than 1.10). Where a version is not
    made of numbers (the hash of a commit), the one counts that was registered last.

    Args:
        versions: by the id of the model, which grows as models are registered.
    """
    parts = {key: _parts(version) for key, version in versions.items()}
    if all(parts.values()):
        return max(parts, key=lambda key: (parts[key], key))
    return max(versions)


def _parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without zeros at the end; none if it has others parts."""
    found = _NUMBERED.fullmatch(version.strip())
    if found is None:
        return ()
    numbers = [int(part) for part in found[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
