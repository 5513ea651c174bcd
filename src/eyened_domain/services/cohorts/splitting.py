"""Splitting images by patient, so that no patient and no picture is in two parts.

Patients that share a picture (the same DataHash) stay together, and with them all that share
one with these. What is together is dealt out whole, the largest first, each to the part that
lacks most of what it has.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.values import shown

PARTS: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""The usual parts, and how much of the images each gets."""
PART_LENGTH = 45


@frozen
class Picture:
    """What a split has to know of an image."""

    identity: int
    patient_id: int
    data_hash: bytes | None
    stratum: Hashable
    """What is to be alike in all parts: modality, device, grade."""


def checked_parts(parts: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each part, which together are 1.

    Raises:
        BadInput: there are fewer than two parts, a name is no short text, or a share is no
            positive number; or they are neither 1 together nor whole numbers.
    """
    if not isinstance(parts, Mapping) or len(parts) < 2:
        raise BadInput(f"parts: two or more are needed, with their shares, not {shown(parts)}")
    for name, share in parts.items():
        if not isinstance(name, str) or not 0 < len(name.strip()) <= PART_LENGTH:
            raise BadInput(f"parts: a name of at most 45 letters is needed, not {shown(name)}")
        is_number = isinstance(share, int | float) and not isinstance(share, bool)
        if not is_number or not (math.isfinite(share) and share > 0):
            raise BadInput(f"parts: {name}: a positive share is needed, not {shown(share)}")
    total = math.fsum(parts.values())
    are_weights = all(isinstance(share, int) for share in parts.values())
    if not are_weights and abs(total - 1) > 1e-6:
        raise BadInput(f"parts: the shares are {total:g} together, not 1")
    return {name: share / total for name, share in parts.items()}


def split(pictures: Sequence[Picture], parts: Mapping[str, float], seed: int) -> dict[int, str]:
    """Return the part of each image, by id; the same for the same images, parts and seed.

    Args:
        pictures: the images, in any order.
        parts: names, and shares that are 1 together.
        seed: decides between what is level.
    """
    together = _together(pictures)
    total = Counter(one.stratum for one in pictures)
    left = {
        part: {stratum: share * count for stratum, count in total.items()}
        for part, share in parts.items()
    }
    found: dict[int, str] = {}
    for group in sorted(together, key=lambda group: (-len(group), _drawn(seed, group))):
        has = Counter(one.stratum for one in group)
        part = max(parts, key=lambda part: _wanting(left[part], has, len(group), parts[part]))
        for stratum, count in has.items():
            left[part][stratum] -= count
        found |= {one.identity: part for one in group}
    return found


def _wanting(
    left: Mapping[Hashable, float], has: Mapping[Hashable, int], size: int, share: float
) -> float:
    """Return how well a part can do with a group: how much of it the part still lacks."""
    fits = math.fsum(min(count, max(left[stratum], 0)) for stratum, count in has.items())
    lacks = math.fsum(left.values())
    return fits / size + (lacks / share) * 1e-9


def _together(pictures: Iterable[Picture]) -> list[list[Picture]]:
    """Return the images of patients that share pictures, each of them together."""
    of_patient: dict[int, list[Picture]] = defaultdict(list)
    for one in pictures:
        of_patient[one.patient_id].append(one)
    root = {patient: patient for patient in of_patient}

    def first(patient: int) -> int:
        while root[patient] != patient:
            root[patient] = root[root[patient]]
            patient = root[patient]
        return patient

    holder: dict[bytes, int] = {}
    for patient in sorted(of_patient):
        for one in of_patient[patient]:
            if one.data_hash is not None:
                other = holder.setdefault(one.data_hash, patient)
                root[first(patient)] = first(other)
    groups: dict[int, list[Picture]] = defaultdict(list)
    for patient, theirs in of_patient.items():
        groups[first(patient)].extend(theirs)
    return [*groups.values()]


def _drawn(seed: int, group: Sequence[Picture]) -> bytes:
    """Return what a group is drawn by: nothing of the order in which images came."""
    lowest = min(one.patient_id for one in group)
    return hashlib.sha256(f"{seed}:{lowest}".encode()).digest()
