"""Lets the modality of images and the entry that they are linked to say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyened_domain.adapters.memory.agreement import agree_for_rules
from eyened_domain.adapters.memory.held import Held
from eyened_domain.model.acquisition import ModalityTable
from eyened_domain.model.entity import root_of
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.modality_entries import let_agree

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def settle_modalities(objects: Objects, changed: list[Held]) -> None:
    """Let what was set of images that are about to be stored set the other.

    Args:
        objects: what the unit of work holds.
        changed: what is about to be stored.

    Raises:
        RuleBroken: both were set, and contradict each other.
    """
    for held in changed:
        if isinstance(held.entity, ImageInstance):
            _settle(objects, held, held.entity)


def _settle(objects: Objects, held: Held, image: ImageInstance) -> None:
    link = image.__entity__.links["modality_entry"]
    mine = image.__dict__
    linked = agree_for_rules(objects, held, link)
    before = None if held.row is None else held.row.values["modality"]
    said = mine["modality"] is not before
    if held.row is None:
        linked = mine.get(link.name) is not None or mine["modality_id"] is not None
    if not (said or linked):
        return
    if link.name not in mine:
        entry = objects.linked(link, mine["modality_id"], flush=False)
        if entry is not None:
            held.found(link, entry)
    entry = mine.get(link.name)
    tag = None if entry is None else entry.modality_tag
    needed = let_agree(image, tag, is_said=said, is_linked=linked)
    if needed is not None:
        image.modality_entry = _entry(objects, needed)


def _entry(objects: Objects, tag: str) -> ModalityTable:
    """Return the entry with a tag; it is made where it is not there."""
    for held in objects.new.values():
        one = held.entity
        if isinstance(one, ModalityTable) and one.modality_tag.casefold() == tag.casefold():
            return one
    for row in objects.view.table(root_of("ModalityTable")).holding(modality_tag=tag):
        found: ModalityTable = objects.loaded(row)
        return found
    made = ModalityTable(modality_tag=tag)
    objects.hold(made)
    return made
