"""Lets the modality of images and the entry that they are linked to say the same."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.links_in_view import is_changed, load, settle_link, take_out
from eyened_domain.model.acquisition import ModalityTable
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.modality_entries import let_agree

_SAID_BY = frozenset({"modality", "modality_id", "modality_entry"})


def settle_modalities(session: Session) -> None:
    """Let what was set of images that are about to be stored set the other.

    At most one statement for the entries known by their ids, and one for those by tag.

    Raises:
        RuleBroken: both were set, and contradict each other.
    """
    link = ImageInstance.__entity__.links["modality_entry"]
    touched: list[tuple[Any, bool, bool]] = []
    for one in (*session.new, *session.dirty):
        if isinstance(one, ImageInstance):
            said, linked = _what_was_set(session, one)
            if said or linked:
                touched.append((one, said, linked))
    if not touched:
        return
    filled = load(session, link, [one for one, _, _ in touched])
    wanted: list[tuple[ImageInstance, str]] = []
    for one, said, linked in touched:
        entry = one.__dict__.get(link.name)
        tag = None if entry is None else entry.modality_tag
        needed = let_agree(one, tag, is_said=said, is_linked=linked)
        if needed is not None:
            wanted.append((one, needed))
    take_out(filled)
    if wanted:
        entries = _entries(session, {tag for _, tag in wanted})
        for one, tag in wanted:
            one.modality_entry = entries[tag.casefold()]


def _what_was_set(session: Session, one: ImageInstance) -> tuple[bool, bool]:
    """Return whether the modality of an image was set, and whether its entry was."""
    link = one.__entity__.links["modality_entry"]
    known, state = one.__dict__, instance_state(one)
    if state.key is not None and _SAID_BY.isdisjoint(state.committed_state):
        return False, False
    if state.key is None:
        settle_link(session, one, link, is_new=True)
        linked = known.get(link.name) is not None or known.get("modality_id") is not None
        return known.get("modality") is not None, linked
    linked = settle_link(session, one, link, is_new=False)
    return is_changed(one, "modality"), linked


def _entries(session: Session, tags: set[str]) -> dict[str, ModalityTable]:
    """Return the entries with these tags, by the folded tag; those that are not there are made."""
    found = {
        one.modality_tag.casefold(): one for one in session.new if isinstance(one, ModalityTable)
    }
    lacking = [tag for tag in tags if tag.casefold() not in found]
    if lacking:
        asked = select(ModalityTable).where(ModalityTable.modality_tag.in_(lacking))
        for one in session.scalars(asked):
            found[one.modality_tag.casefold()] = one
    for tag in tags:
        if tag.casefold() not in found:
            found[tag.casefold()] = ModalityTable(modality_tag=tag)
            session.add(found[tag.casefold()])
    return found
