"""The service: plans and carries out deletions, puts away and restores."""

from __future__ import annotations

from typing import Any

from eyened_domain.errors import BadInput, NeededBy, RuleBroken, StillNeeded
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.trash import TrashEntry
from eyened_domain.model.values import kind_of
from eyened_domain.services.inactive import INACTIVE
from eyened_domain.services.tagging.wanted import creator_of
from eyened_domain.services.trash.contents import Ids, contents_of, ids_of, split_last, without
from eyened_domain.services.trash.deleting import delete_all
from eyened_domain.services.trash.events import Deleted, PutAway, Restored
from eyened_domain.services.trash.flags import set_flags, standing
from eyened_domain.services.trash.plan import DeletionPlan, planned
from eyened_domain.services.trash.reach import flagged, gather, with_flags_below
from eyened_domain.services.trash.told import TrashResult, TrashRow, counted
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_NAMED = 10
_LISTED = ("trash_entry_id", "entity_name", "entity_id", "creator.creator_name", "reason")


class Trash:
    """Puts away, restores, and deletes for good, each with everything that hangs on it.

    What hangs on an object is what the database deletes along with it, and what says the same in
    short: forms, annotations and attribute values of a patient or a study. See docs/trash.md.
    """

    # --- deleted for good -----------------------------------------------------------------------

    def plan_delete(self, uow: UnitOfWork, one: Entity) -> DeletionPlan:
        """Return what would go with an object, and what stands in the way; nothing is written.

        A constant number of statements per ten thousand objects of a kind.

        Raises:
            RuleBroken: it is not stored.
            BadInput: it is no object of an entity, or one between two others.
        """
        entity, identity = _stored(uow, one)
        return planned(uow, entity, [identity])[0]

    def delete(self, uow: UnitOfWork, one: Entity) -> DeletionPlan:
        """Delete an object with everything that hangs on it, and return what went.

        Pixels of segmentations are collected once no row points to them (`eorm doctor`).

        Args:
            uow: an open unit of work; the caller commits.
            one: the object.

        Raises:
            StillNeeded: something that stays needs what would go; nothing was deleted.
            Conflict: it was changed by somebody else since it was read.
            RuleBroken: it is not stored.
            BadInput: it is no object of an entity, or one between two others.
        """
        entity, identity = _stored(uow, one)
        uow.lock(one)
        plan, reach = planned(uow, entity, [identity], lock=True)
        plan.check()
        delete_all(uow, reach)
        uow.record(Deleted(plan.entity, plan.ids, plan.counts))
        return plan

    # --- put away and restored ------------------------------------------------------------------

    def put_away(
        self,
        uow: UnitOfWork,
        one: Entity,
        *,
        by: Creator | str | None = None,
        reason: str | None = None,
    ) -> TrashResult:
        """Let an object be inactive, with every image, segmentation, form that hangs on it.

        A patient, a study or a series has no flag: it stays, and its images are put away. What is
        inactive already stays so when this is restored. The second time, nothing is changed.

        Args:
            uow: an open unit of work; the caller commits.
            one: an object with the flag, or one that something with a flag hangs on.
            by: who does it, or the name.
            reason: why.

        Raises:
            BadInput: nothing that hangs on such an object has the flag.
            RuleBroken: it is not stored.
            NotFound: there is nobody of that name.
        """
        entity, identity = _stored(uow, one)
        who = None if by is None else creator_of(uow, by)
        put = standing(uow, self._below(uow, entity, identity), inactive=False)
        if not put:
            return TrashResult(entry_id=None, counts={})
        set_flags(uow, put, inactive=True)
        entry = TrashEntry(
            entity_name=entity.__name__,
            entity_id=identity,
            reason=reason,
            contents=contents_of(put),
            creator_id=None if who is None else who.creator_id,
        )
        uow.trash_entries.add(entry)
        uow.flush()
        counts = {name: len(some) for name, some in put.items()}
        uow.record(PutAway(entity.__name__, identity, counts))
        return TrashResult(entry_id=entry.trash_entry_id, counts=counts)

    def restore(self, uow: UnitOfWork, one: Entity | TrashRow) -> TrashResult:
        """Let what was put away be active again, and not what had been inactive before.

        Args:
            uow: an open unit of work; the caller commits.
            one: an entry in the trash, as `entries` tells of it or as it is stored; an object that
                was put away; one that was put away with another, which is taken out of the entry
                of that; or one that was made inactive without an entry, which becomes active alone.

        Raises:
            RuleBroken: it is not stored.
            BadInput: nothing that hangs on such an object has the flag.
        """
        if isinstance(one, TrashRow):
            one = uow.trash_entries.get(one.entry_id)
        if isinstance(one, TrashEntry):
            return self._restore_entry(uow, one)
        entity, identity = _stored(uow, one)
        entries = uow.trash_entries.where(entity_name=entity.__name__, entity_id=identity)
        if not entries:
            return self._restore_part(uow, entity, identity)
        counts: dict[str, int] = {}
        for entry in entries:
            for name, count in self._restore_entry(uow, entry).counts.items():
                counts[name] = counts.get(name, 0) + count
        return TrashResult(entry_id=entries[-1].trash_entry_id, counts=counts)

    def entries(
        self, uow: UnitOfWork, *, after: int = 0, most: int | None = None
    ) -> list[TrashRow]:
        """Return what is in the trash, in the order in which it was put there.

        Args:
            uow: an open unit of work.
            after: the id of an entry beyond which they begin.
            most: how many to return at the most.
        """
        uow.flush()
        columns = [*_LISTED, "date_inserted", "contents"]
        rows = uow.rows.page(TrashEntry, columns, any_of=[{}], after=after, most=most)
        return [
            TrashRow(
                entry_id=row[0],
                entity=row[1],
                entity_id=row[2],
                creator_name=row[3],
                reason=row[4],
                date_inserted=row[5],
                counts=counted(row[6]),
            )
            for row in rows
        ]

    def inactive(self, uow: UnitOfWork) -> dict[str, int]:
        """Return how many are inactive by the names of their entities, put away or not."""
        uow.flush()
        return {one.__name__: uow.rows.count(one, any_of=[{INACTIVE: True}]) for one in flagged()}

    def empty(
        self, uow: UnitOfWork, entry: TrashEntry | TrashRow, *, most: int | None = None
    ) -> dict[str, int]:
        """Delete for good what an entry had put away; it goes when nothing is left in it.

        What was restored since stays. So do patients, studies and series, which have no flag.

        Args:
            uow: an open unit of work; the caller commits.
            entry: as `entries` tells of it, or as it is stored.
            most: how many of what was put away to delete at the most, the last first; it is called
                again until the entry is gone.

        Returns:
            how many went, by the names of their entities.

        Raises:
            StillNeeded: something that is not inactive hangs on it, or needs it.
        """
        if isinstance(entry, TrashRow):
            entry = uow.trash_entries.get(entry.entry_id)
        _stored(uow, entry)
        uow.lock(entry)
        contents = {name: runs for name, runs in entry.contents.items() if runs}
        name = next((one.__name__ for one in reversed(flagged()) if one.__name__ in contents), None)
        counts: dict[str, int] = {}
        if name is not None:
            taken, left = split_last(contents.pop(name), most)
            portion = standing(uow, {name: set(taken)}, inactive=True)
            counts = self._delete_inactive(uow, name, portion.get(name, set()))
            entry.contents = contents | ({name: left} if left else {})
        if name is None or not entry.contents:
            uow.trash_entries.delete(entry)
        uow.flush()
        return counts

    def _delete_inactive(self, uow: UnitOfWork, name: str, ids: set[int]) -> dict[str, int]:
        if not ids:
            return {}
        entity = entity_class(name)
        plan, reach = planned(uow, entity, sorted(ids), lock=True)
        plan.check()
        of_flagged = {
            one.__name__: {key[0] for key in keys}
            for one, keys in reach.items()
            if INACTIVE in one.__entity__.columns
        }
        active = standing(uow, of_flagged, inactive=False)
        if active:
            needed = [
                NeededBy(kind, len(some), tuple(map(str, sorted(some)[:_MOST_NAMED])))
                for kind, some in active.items()
            ]
            error = StillNeeded(
                f"{name} {', '.join(map(str, plan.ids[:_MOST_NAMED]))} cannot be deleted: active "
                f"things hang on it: {'; '.join(map(str, needed))}; put these away, or restore it",
                entity=name,
            )
            error.needed_by = tuple(needed)
            raise error
        delete_all(uow, reach)
        uow.record(Deleted(name, plan.ids, plan.counts))
        return dict(plan.counts)

    def _below(self, uow: UnitOfWork, entity: type[Entity], identity: int) -> Ids:
        """Return the ids of everything with the flag that hangs on an object, and of itself."""
        only = with_flags_below()
        if entity not in only:
            raise BadInput(
                f"nothing that hangs on a {entity.__name__} can be put away: images, "
                "segmentations, forms and annotations can, and what they hang on",
                entity=entity.__name__,
            )
        reach = gather(uow, {entity: [identity]}, only=only)
        return {
            one.__name__: {key[0] for key in keys}
            for one, keys in reach.items()
            if INACTIVE in one.__entity__.columns
        }

    def _restore_entry(self, uow: UnitOfWork, entry: TrashEntry) -> TrashResult:
        _stored(uow, entry)
        later = uow.rows.page(TrashEntry, ["contents"], any_of=[{}], after=entry.trash_entry_id)
        ids = without(ids_of(entry.contents), (ids_of(row[0]) for row in later))
        restored = standing(uow, ids, inactive=True)
        set_flags(uow, restored, inactive=False)
        entry_id = entry.trash_entry_id
        uow.trash_entries.delete(entry)
        uow.flush()
        return self._tell(uow, entry.entity_name, entry.entity_id, restored, entry_id)

    def _restore_part(self, uow: UnitOfWork, entity: type[Entity], identity: int) -> TrashResult:
        """Restore what was put away with something above it."""
        below = self._below(uow, entity, identity)
        name, ids = entity.__name__, Ids()
        for entry in uow.trash_entries.where():
            there = ids_of(entry.contents)
            shared = {one: some & below.get(one, set()) for one, some in there.items()}
            if not any(shared.values()):
                continue
            for one, some in shared.items():
                ids.setdefault(one, set()).update(some)
            entry.contents = contents_of(without(there, [shared]))
            if not entry.contents:
                uow.trash_entries.delete(entry)
        if name in below:
            ids.setdefault(name, set()).add(identity)
        uow.flush()
        restored = standing(uow, ids, inactive=True)
        set_flags(uow, restored, inactive=False)
        return self._tell(uow, name, identity, restored, None)

    def _tell(
        self, uow: UnitOfWork, name: str, identity: int, restored: Ids, entry_id: int | None
    ) -> TrashResult:
        counts = {one: len(some) for one, some in restored.items()}
        if counts:
            uow.record(Restored(name, identity, counts))
        return TrashResult(entry_id=entry_id, counts=counts)


def _stored(uow: UnitOfWork, one: Any) -> tuple[type[Entity], int]:
    """Return the class whose table holds an object, and its id, once what has changed is stored."""
    if not isinstance(one, Entity):
        raise BadInput(f"an object of an entity is needed, not {kind_of(one)}")
    info = one.__entity__
    if len(info.primary_key) > 1:
        raise BadInput(
            f"a {info.name} stands between two others: delete it by its repository",
            entity=info.name,
        )
    uow.flush()
    identity = getattr(one, info.primary_key[0])  # read anew after a rollback
    if identity is None:
        raise RuleBroken(f"this {info.name} is not stored; add it first", entity=info.name)
    uow.repository(type(one)).add(one)  # into this unit, if it comes from another one
    return entity_class(root_of(info.name)), identity
