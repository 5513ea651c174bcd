"""Deletes rows with everything that hangs on them: those that point to others before these."""

from __future__ import annotations

from collections.abc import Set

from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.pixels.stored import StoredPixels
from eyened_domain.model.references import parts_of, referrers
from eyened_domain.services.row_shapes import runs_of
from eyened_domain.services.trash.reach import Key, Reach
from eyened_domain.services.unit_of_work import UnitOfWork


def delete_all(uow: UnitOfWork, reach: Reach) -> None:
    """Delete rows, and let the objects in hand that stand for them be gone.

    Args:
        uow: an open unit of work, flushed.
        reach: what is to go, with everything that is part of it.
    """
    for entity, keys in reach.items():
        _loosen(uow, entity, keys)
    for entity, keys in reversed(reach.items()):
        if len(entity.__entity__.primary_key) > 1:
            _delete_links(uow, entity, keys, reach)
        elif entity.__entity__.discriminator is not None:
            _delete_objects(uow, entity, [key[0] for key in keys])
        else:
            ids = [key[0] for key in keys]
            if issubclass(entity, StoredPixels):
                _delete_objects(uow, entity, _with_pixels(uow, entity, ids))
            uow.rows.delete(entity, runs_of(ids))


def _delete_objects(uow: UnitOfWork, entity: type[Entity], ids: list[int]) -> None:
    repository = uow.repository(entity)
    for one in repository.by_ids(ids):
        repository.delete(one)
    uow.flush()


def _with_pixels(uow: UnitOfWork, entity: type[Entity], ids: list[int]) -> list[int]:
    """Return the ids of those with pixels, whose positions are given up with an object only."""
    (key,) = entity.__entity__.primary_key
    found = uow.rows.find(entity, key, ids, (key, "zarr_array_index"))
    return [identity for identity, position in found if position is not None]


def _loosen(uow: UnitOfWork, entity: type[Entity], keys: Set[Key]) -> None:
    """Empty the links between rows of a table that all go: a server looks at one row at a time."""
    for referrer in referrers(entity.__name__):
        column = referrer.column
        if referrer.root != entity.__name__ or not column.forbids_deletion:
            continue
        if referrer in parts_of(entity.__name__):
            continue
        (key,) = entity.__entity__.primary_key
        ids = sorted(one[0] for one in keys)
        linked = uow.rows.find(entity, column.name, ids, [key])
        if linked:
            uow.rows.update(entity, [{key: one, column.name: None} for (one,) in linked])


def _delete_links(uow: UnitOfWork, entity: type[Entity], keys: Set[Key], reach: Reach) -> None:
    """Delete rows that are known by several columns, by the first that leads to what goes."""
    info = entity.__entity__
    waiting = set(keys)
    for place, name in enumerate(info.primary_key):
        target = info.columns[name].references
        if target is None:
            continue
        ids = {key[place] for key in waiting}
        gone = {key[0] for key in reach.get(entity_class(root_of(target)), ())}
        if ids & gone:
            uow.rows.delete_links(entity, name, sorted(ids & gone))
            waiting = {key for key in waiting if key[place] not in gone}
