"""From objects to rows: everything that has changed is stored together, or nothing is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.agreement import agree, id_of
from eyened_domain.adapters.memory.constraints import (
    check_keys,
    check_references,
    check_values,
    duplicate,
    follow_removal,
    refuse_links_to,
)
from eyened_domain.adapters.memory.held import AsMade, Held, copied_json
from eyened_domain.adapters.memory.history import note_since
from eyened_domain.adapters.memory.links_in_view import check_stored_parts, put_in_view
from eyened_domain.adapters.memory.modalities import settle_modalities
from eyened_domain.adapters.memory.references import Key
from eyened_domain.adapters.memory.removal import delete_along
from eyened_domain.adapters.memory.tables import Row, View
from eyened_domain.errors import BadInput, RowChanged
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.fields import ColumnInfo, LinkInfo
from eyened_domain.model.pixels.stored import StoredPixels
from eyened_domain.model.values import Refused, is_same_json, json_value

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def flush(objects: Objects) -> None:
    """Store what is new, changed and deleted in the view of the transaction.

    Raises:
        BadInput: an object lacks a value that it needs.
        RuleBroken: an object breaks a rule, or points to one that is not stored.
        Duplicate: there is one with the same key already.
        Conflict: somebody else has changed a row since it was read.
    """
    for held in list(objects.deleted.values()):
        objects.delete(held)  # with what has been linked to it since
    delete_along(objects)
    changed = _changed(objects)
    if not (changed or objects.deleted):
        return
    mark, made = objects.view.mark(), _as_made(changed)
    try:
        _check(objects, changed)
        changed = _with_linked(objects, changed)
        made |= _as_made(held for held in changed if held not in made)
        written = _write(objects, changed)
        note_since(objects, mark)
    except BaseException:
        objects.view.undo(mark)
        for held, before in made.items():
            held.take_back(before)
        raise
    for held, before in made.items():
        held.empty = before.empty
    _note(objects, mark, written)


def _as_made(changed: Iterable[Held]) -> dict[Held, AsMade]:
    """Return what new objects hold, to be so again when they are not stored."""
    return {held: AsMade(held) for held in changed if held.row is None}


def _note(objects: Objects, mark: int, written: dict[tuple[str, Key], Held]) -> None:
    """Let the objects in hand know what has become of their rows since the mark."""
    replaced = [held for held in objects.deleted.values() if _is_replaced(held, written)]
    objects.deleted.clear()
    kept = set(written.values())  # one whose primary key has changed is not gone
    for root, key in objects.view.written(mark):
        if objects.view.row(root, key) is None:
            _keep_links(objects, objects.known.get((root, key)))
    for held in replaced:
        objects.removed(held)
    for root, key in objects.view.written(mark):
        known = written.get((root, key)) or objects.known.get((root, key))
        row = objects.view.row(root, key)
        if known is not None and row is not None:
            objects.stored(known, row)
        elif known is not None and known not in kept and known.row and known.row.key == key:
            objects.removed(known)


def _keep_links(objects: Objects, held: Held | None) -> None:
    """Let an object whose row is gone hold what it was linked to, where that is here."""
    if held is None:
        return
    mine = held.entity.__dict__
    for link in held.info.to_one:
        known = objects.in_hand(link.target, mine[str(link.via)])
        if link.name not in mine and known is not None:
            mine[link.name] = known.entity


def _is_replaced(held: Held, written: dict[tuple[str, Key], Held]) -> bool:
    """Whether another object stands for the row of one that was deleted."""
    return held.row is not None and (held.info.root, held.row.key) in written


def _check(objects: Objects, changed: list[Held]) -> None:
    """Check the rules, with what they read in view."""
    settle_modalities(objects, changed)
    put_in_view(objects, changed)
    check_stored_parts(objects, changed)
    for held in changed:
        one = held.entity
        if not one.checked_with_stored and (not one.checked_when_linked or held.is_linked_anew()):
            one.check_rules()
        _check_references(held)
        if isinstance(one, SegmentationModel):
            _check_renaming(objects, held, one)


def _check_references(held: Held) -> None:
    """Raise where the segmentation that another refers to was set, and cannot be referred to."""
    one = held.entity
    if not isinstance(one, StoredPixels):
        return
    before = held.row.values["reference_segmentation_id"] if held.row is not None else None
    if one.reference_segmentation_id not in {None, before}:
        one.references()


def _check_renaming(objects: Objects, held: Held, model: SegmentationModel) -> None:
    """Raise where a stored model is renamed whose segmentations have pixels."""
    if held.row is None:
        return
    names = ("model_name", "version")
    fields = [name for name in names if getattr(model, name) != held.row.values[name]]
    if not fields:
        return
    table = objects.view.table(root_of("ModelSegmentation"))
    made = table.holding(model_id=model.model_id)
    has_pixels = any(row.values["zarr_array_index"] is not None for row in made)
    model.check_renaming(fields, has_pixels=has_pixels)


def _changed(objects: Objects) -> list[Held]:
    known = list(objects.known.values())
    # something in there, such as an array, may not compare
    with contextlib.suppress(ValueError):
        # comparing dicts costs a tenth of a closer look, which is needed only where they differ
        known = [held for held in known if held.watched or held.entity.__dict__ != held.seen]
    touched = [held for held in known if held.is_touched()]
    deleted = objects.deleted
    return [held for held in (*objects.new.values(), *touched) if id(held.entity) not in deleted]


def _with_linked(objects: Objects, changed: list[Held]) -> list[Held]:
    """Return the changed objects, and those that they were linked to without our knowing."""
    for held in changed:
        for link in held.info.to_one:
            other = held.entity.__dict__.get(link.name)
            if other is not None and (held.row is None or held.is_relinked(link)):
                objects.hold(other)
    there = {id(held) for held in changed}
    return [*changed, *(held for held in objects.new.values() if id(held) not in there)]


def _write(objects: Objects, touched: list[Held]) -> dict[tuple[str, Key], Held]:
    view = objects.view
    for held in touched:
        _give_id(objects, held)
    for held in touched:
        for link in held.info.to_one:
            agree(objects, held, link)
    altered = [(held, row) for held in touched if _is_altered(held, row := _row_of(held))]
    rows = [row for _, row in altered]
    refuse_links_to(rows, [held.row for held in objects.deleted.values() if held.row is not None])
    for held, _ in altered:
        if held.row is not None:
            current(objects, held)
    gone = [current(objects, held) for held in objects.deleted.values()]
    written = {(row.info.root, row.key): held for held, row in altered}
    for row in gone:
        if (row.info.root, row.key) in written:  # its place is taken
            view.remove(row)
    _put_all(objects, altered)
    for held in touched:
        for link in held.info.through:
            rows += _put_between(objects, held, link)
    check_references(view, rows)
    check_keys(view, rows)
    _remove(view, gone)
    _settle(set(touched) - {held for held, _ in altered})
    return written


def _is_altered(held: Held, row: Row) -> bool:
    """Whether an object's row is to be written: it may be that only a list between two changed."""
    before = None if held.row is None else held.row.values
    return before is None or any(not is_same_json(row.values[n], v) for n, v in before.items())


def _settle(unaltered: Iterable[Held]) -> None:
    """Let objects count as stored whose rows stay; a rollback finds that they were flushed."""
    for held in unaltered:
        if held.row is not None:
            held.row = Row(type(held.entity), held.row.values)
            held.settle()


def _put_all(objects: Objects, altered: list[tuple[Held, Row]]) -> None:
    leaving = {(held.info.root, held.row.key) for held, _ in altered if held.row is not None}
    for held, row in sorted(altered, key=_turn):
        if held.row is None and (row.info.root, row.key) in leaving:
            raise duplicate(row.entity, row.info.primary_key)
        _put(objects, held, row)
        if held.row is not None:
            check_keys(objects.view, [row])


def _turn(one: tuple[Held, Row]) -> tuple[bool, Key]:
    """Say when a row is put: changed ones first, in the order of their keys, as on a database.

    A key that one row passes on to another is free only once that one was changed.
    """
    held, _ = one
    return held.row is None, () if held.row is None else held.row.key


def _remove(view: View, gone: list[Row]) -> None:
    """Take rows out, after everything was written: till then their keys are not free."""
    for row in gone:
        if view.row(row.info.root, row.key) is row:
            view.remove(row)
    for row in gone:
        follow_removal(view, row)


def _give_id(objects: Objects, held: Held) -> None:
    if held.row is not None or len(held.info.primary_key) > 1:
        return
    (name,) = held.info.primary_key
    given = held.entity.__dict__[name]
    if given is None:
        held.entity.__dict__[name] = objects.store.next_id(held.info.root)
    else:
        objects.store.skip_ids(held.info.root, given)


def _row_of(held: Held) -> Row:
    mine = held.entity.__dict__
    now = datetime.now().replace(microsecond=0)
    mine |= {column.name: now for column in _to_be_stamped(held)}
    values = {column.name: mine[column.name] for column in held.info.columns.values()}
    for column in held.info.columns.values():
        if column.name in held.info.json:
            values[column.name] = _json_of(held, column, values[column.name])
    row = Row(type(held.entity), values)
    check_values(row)
    return row


def _to_be_stamped(held: Held) -> list[ColumnInfo]:
    """Return the columns that hold the moment of this change, and were given no other value."""
    mine, row, columns = held.entity.__dict__, held.row, held.info.columns.values()
    if row is None:
        return [c for c in columns if c.set_on_insert and mine[c.name] is None]
    stamped = [c for c in columns if c.set_on_update and mine[c.name] == row.values[c.name]]
    lacking = [c for c in columns if c.generated and c.set_on_insert and mine[c.name] is None]
    if stamped and all(is_same_json(mine[c.name], row.values[c.name]) for c in columns):
        stamped = []
    return stamped + lacking


def _json_of(held: Held, column: ColumnInfo, value: Any) -> Any:
    try:
        return copied_json(json_value(value))  # it may have been edited in place
    except Refused as refused:
        raise BadInput(
            f"{held.info.name}.{column.name}: {refused}",
            entity=held.info.name,
            field=column.name,
        ) from None


def _put(objects: Objects, held: Held, row: Row) -> None:
    before = held.row
    if (before is None or before.key != row.key) and objects.view.row(row.info.root, row.key):
        raise duplicate(row.entity, row.info.primary_key)
    if before is not None and before.key != row.key:
        objects.view.remove(before)
    objects.view.put(row)


def current(objects: Objects, held: Held) -> Row:
    """Return the stored row of an object.

    Raises:
        Conflict: it is not the one that the object was read from.
    """
    row = objects.view.row(held.info.root, held.row.key) if held.row is not None else None
    before = {} if held.row is None else held.row.values
    is_same = row is not None and all(is_same_json(v, before.get(k)) for k, v in row.values.items())
    if row is None or not is_same:  # what was changed and changed back is as it was read
        raise RowChanged(
            f"this {held.info.name} was changed or deleted by somebody else since it was read; "
            "run it again",
            entity=held.info.name,
        )
    return row


def _put_between(objects: Objects, held: Held, link: LinkInfo) -> list[Row]:
    name, mine, theirs = link.through or ("", "", "")
    come, gone = held.relisted(link)
    rows = [_between(held.entity, mine, one, theirs, name) for one in come]
    put = [row for row in rows if objects.view.row(row.info.root, row.key) is None]
    for row in put:
        objects.view.put(row)
    for one in gone:
        row = _between(held.entity, mine, one, theirs, name)
        there = objects.view.row(row.info.root, row.key)
        if there is not None:
            objects.view.remove(there)
    return put


def _between(one: Entity, mine: str, other: Entity, theirs: str, name: str) -> Row:
    values = {mine: id_of(one), theirs: id_of(other)}
    return Row(entity_class(name), values)
