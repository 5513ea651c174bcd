"""What a session does with its objects when it is flushed.

Before anything is sent: what is linked follows (deletions, links by id, modalities), every
rule is checked, and the rows that are about to be written over are compared with what was
read. Then plain rows are written, and SQLAlchemy does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.altered_rows import update_alone
from eyened_domain.adapters.sql.changed_rows import note_inserted, refuse_overwriting
from eyened_domain.adapters.sql.history.flushes import keep_before, note_changes
from eyened_domain.adapters.sql.links_by_id import follow_ids, forget_looked_up, note_ids
from eyened_domain.adapters.sql.links_in_view import check_stored_parts, in_view, is_linked_anew
from eyened_domain.adapters.sql.modalities import settle_modalities
from eyened_domain.adapters.sql.new_again import note_new
from eyened_domain.adapters.sql.new_rows import insert_together
from eyened_domain.adapters.sql.pixels import check_renaming, discard_deleted
from eyened_domain.adapters.sql.quiet_lists import note_moves
from eyened_domain.adapters.sql.removal import (
    delete_along,
    follow_deletions,
    keep_links,
    loosen_from_themselves,
    refuse_links_to_deleted,
    refuse_same_key,
    take_places,
)
from eyened_domain.adapters.sql.restoring import keep_for_rollback, read_emptied
from eyened_domain.adapters.sql.true_changes import (
    changed_objects,
    forget_untrue_changes,
    leave_lists,
)
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.entity import Entity
from eyened_domain.model.pixels.stored import StoredPixels

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession


def watch_flushes(session_class: type[DomainSession]) -> None:
    """Let the sessions of a class do all this in each flush."""
    event.listen(session_class, "before_flush", _prepare)
    event.listen(session_class, "after_flush", note_changes)
    event.listen(session_class, "after_flush", note_inserted)
    event.listen(session_class, "after_flush", follow_deletions)
    event.listen(session_class, "after_flush", follow_ids)
    event.listen(session_class, "after_flush", discard_deleted)


def _prepare(session: DomainSession, context: UOWTransaction, _instances: Any) -> None:
    forget_untrue_changes(session)
    new = [one for one in session.new if isinstance(one, Entity)]
    note_moves(session, (*session.new, *session.dirty))
    note_new(session, new)
    forget_looked_up(new)
    read_emptied(session)
    if session.deleted:
        delete_along(session, unseen=True)
        keep_links(session)
        loosen_from_themselves(session)
        take_places(session)
    note_ids(session, [one for one in (*session.new, *session.dirty) if isinstance(one, Entity)])
    settle_modalities(session)
    new = [one for one in session.new if isinstance(one, Entity)]  # with entries of modalities
    changed = changed_objects(session)
    _check(session, [*new, *changed], changed)
    if session.deleted:
        stored = [one for one in (*new, *changed) if one not in session.deleted]
        refuse_links_to_deleted(session, stored)
    written = [*changed, *(one for one in session.deleted if isinstance(one, Entity))]
    keep_for_rollback(session, written)
    refuse_overwriting(session, written)
    refuse_same_key(session)
    leave_lists(session)
    keep_before(session, new, changed)
    _write_plain_rows_first(session, context)


def _check(session: DomainSession, written: list[Entity], changed: list[Entity]) -> None:
    """Raise what is wrong with the objects that are about to be stored: rules, empty columns."""
    for one in changed:
        _empty_ids(one)
    with in_view(session):
        check_stored_parts(session)
        for one in written:
            if not one.checked_with_stored and (not one.checked_when_linked or is_linked_anew(one)):
                one.check_rules()
            _check_references(session, one)
    for one in written:
        one.check_needed(_cleared(one), _untouched(one))
    for one in changed:
        if isinstance(one, SegmentationModel):
            check_renaming(session, one)


def _write_plain_rows_first(session: Session, context: UOWTransaction) -> None:
    """Let the flush write what is plain by itself, before SQLAlchemy does what is left."""
    execute = context.execute

    def write() -> None:
        insert_together(session, context)
        if not update_alone(session, context):
            execute()

    context.execute = write  # type: ignore[method-assign]


def _cleared(one: Entity) -> frozenset[str]:
    """Return the columns that the flush is going to empty, since they or their links were."""
    changed, held = instance_state(one).committed_state, one.__dict__
    return frozenset(
        column
        for column, link in one.__entity__.link_of.items()
        if (link in changed and held.get(link) is None)
        or (column in changed and link not in changed and held.get(column) is None)
    )


def _empty_ids(one: Entity) -> None:
    """Let the ids be empty whose links were, so that rules need not guess which of them counts."""
    for name in _cleared(one):
        if one.__entity__.columns[name].nullable and one.__dict__.get(name) is not None:
            setattr(one, name, None)


def _untouched(one: Entity) -> frozenset[str]:
    """Return the columns that are needed and stay as they were read."""
    state = instance_state(one)
    if state.key is None:
        return frozenset()
    return frozenset(one.__entity__.needed) - state.committed_state.keys()


def _check_references(session: DomainSession, one: Entity) -> None:
    """Raise where the segmentation that another refers to was set, and cannot be referred to."""
    if isinstance(one, StoredPixels) and session.pixels is not None:
        state: Any = instance_state(one)
        if one.reference_segmentation_id and state.attrs.reference_segmentation_id.history.added:
            one.references()
