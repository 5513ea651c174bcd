"""What is in two parts of a split: patients, and pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from attrs import frozen

from eyened_domain.services.cohorts.splitting import Picture


@frozen(kw_only=True)
class Leaks:
    """What is in more than one part of a split, and so tells a model what it is tested on.

    Attributes:
        patients: the ids of patients, with the parts that they are in.
        pictures: the ids of images with the same pixels (DataHash) that are in several parts.
        without_hash: ids of images of which nobody knows whether others have their pixels:
            they have no DataHash (`eorm update-hashes` computes it).
    """

    patients: Mapping[int, tuple[str, ...]]
    pictures: tuple[tuple[int, ...], ...]
    without_hash: tuple[int, ...]

    @property
    def are_none(self) -> bool:
        """Whether nothing is known to be in two parts."""
        return not (self.patients or self.pictures)


def leaks_of(pictures: Iterable[Picture], parts: Mapping[int, str | None]) -> Leaks:
    """Return what is in several parts.

    Args:
        pictures: the images.
        parts: of each, by its id; None for an image in no part.
    """
    by_patient: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    by_hash: dict[bytes, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    without = []
    for one in pictures:
        part = parts.get(one.identity)
        if part is None:
            continue
        by_patient[one.patient_id][part].append(one.identity)
        if one.data_hash is None:
            without.append(one.identity)
        else:
            by_hash[one.data_hash][part].append(one.identity)
    return Leaks(
        patients={
            patient: tuple(sorted(several))
            for patient, several in sorted(by_patient.items())
            if len(several) > 1
        },
        pictures=tuple(
            sorted(
                tuple(sorted(one for ids in several.values() for one in ids))
                for several in by_hash.values()
                if len(several) > 1
            )
        ),
        without_hash=tuple(sorted(without)),
    )
