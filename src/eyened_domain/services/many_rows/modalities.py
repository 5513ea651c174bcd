"""Images say their modality twice, as a word and as a link; rows of them hold both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import RuleBroken
from eyened_domain.model.acquisition import ModalityTable
from eyened_domain.model.modality_entries import UNKNOWN, modality_of
from eyened_domain.services.many_rows.columns import Batch
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows

SAID_TWICE = ("modality", "modality_id")


def settle_modalities(rows: Rows, batch: Batch, faults: Faults, *, clear: bool) -> None:
    """Let the modality of images and the id of its entry say the same, whichever was given.

    At most one statement for the entries known by id, and one for those by tag. In the place of
    the id of an entry that is not there yet stands its tag, until `make_entries`.

    Args:
        rows: the storage's set-based reading and writing.
        batch: rows of images; lacks neither of the two afterwards, or both.
        faults: takes the rows in which the two contradict each other.
        clear: whether an empty modality is meant.

    Raises:
        RuleBroken: some contradict each other.
    """
    values, nothing = batch.values, [None] * len(batch)
    if not values.keys() & set(SAID_TWICE):
        return
    said, ids = (values.get(name, nothing) for name in SAID_TWICE)
    tags = _tags(rows, {one for one in ids if one is not None})
    settled: list[tuple[Any, Any]] = []
    wanted: set[str] = set()
    for number, word, identity in zip(batch.numbers, said, ids, strict=True):
        linked = modality_of(tags.get(identity))
        if word is not None and linked is not None and word is not linked:
            text = f"is {word.name}, its modality_entry is {linked.name}"
            faults.add(number, "modality", f"{text}; give one of them", word.name)
        if identity is None and (word is not None or (clear and "modality" in values)):
            wanted.add(_tag(word))
        settled.append((word or linked, identity))
    faults.raise_as(RuleBroken)
    entries = _entries(rows, wanted) if wanted else {}
    values["modality"] = [word for word, _ in settled]
    values["modality_id"] = [
        entries.get(_tag(word), _tag(word))
        if identity is None and _tag(word) in wanted
        else identity
        for word, identity in settled
    ]


def make_entries(rows: Rows, many: Iterable[Row]) -> None:
    """Make the entries that rows of images lack, right before these are written."""
    waiting = [row for row in many if isinstance(row.get("modality_id"), str)]
    tags = sorted({row["modality_id"] for row in waiting})
    made = rows.insert(
        ModalityTable, [{"modality_tag": tag} for tag in tags], key=("modality_tag",)
    )
    ids = dict(zip(tags, made, strict=True))
    for row in waiting:
        row["modality_id"] = ids[row["modality_id"]]


def _tag(word: Any) -> str:
    return UNKNOWN if word is None else str(word.name)


def _tags(rows: Rows, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(rows.find(ModalityTable, "modality_id", ids, ("modality_id", "modality_tag")))


def _entries(rows: Rows, tags: set[str]) -> dict[str, int]:
    """Return the ids of the entries with these tags, as far as they are there."""
    names = ("modality_tag", "modality_id")
    found = {tag.casefold(): i for tag, i in rows.find(ModalityTable, names[0], tags, names)}
    return {tag: found[tag.casefold()] for tag in tags if tag.casefold() in found}
