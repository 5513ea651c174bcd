"""The service: changes of an object, of a creator, of a time; as a frame; and their way back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.model.values import kind_of, members, shown
from eyened_domain.services.changes.author import Actor
from eyened_domain.services.changes.entries import Change
from eyened_domain.services.changes.record import Wanted
from eyened_domain.services.changes.recorded import RECORDED, is_recorded
from eyened_domain.services.changes.values import key_text
from eyened_domain.services.history.frames import frame_of
from eyened_domain.services.history.reverting import revert
from eyened_domain.services.sought_values import check_entity, converted
from eyened_domain.services.unit_of_work import UnitOfWork

PAGE = 100
"""How many changes a page holds, unless another number is asked for."""


class History:
    """Reads who changed what, when, from what to what; the newest changes come first.

    What is recorded says `services.changes.recorded`. A page goes on behind the last change of
    the one before: ``before=page[-1]``.
    """

    def find(
        self,
        uow: UnitOfWork,
        *,
        of: Entity | Iterable[Entity] | None = None,
        entity: type[Entity] | str | None = None,
        by: Actor | Iterable[Actor] = None,
        since: datetime | None = None,
        until: datetime | None = None,
        transaction: Change | str | None = None,
        before: Change | str | None = None,
        most: int = PAGE,
    ) -> list[Change]:
        """Return changes, the newest first.

        Args:
            uow: the unit of work; what it has changed itself is among them.
            of: an object, or several of one class, also ones that were deleted since.
            entity: a class, or its name; its special kinds are found with it.
            by: who made them: creators, their names or ids.
            since: a moment with its zone, or in UTC; it counts itself.
            until: as well; it does not count itself.
            transaction: a change, or a transaction's id: all changes of that transaction.
            before: a change: only older ones.
            most: how many at the most.

        Raises:
            BadInput: something is of another kind, or the class is not recorded.
            NotFound: there is no such creator.
            ConfigurationError: the database keeps no history yet.
        """
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise BadInput(f"most is a whole number from 1 on, not {most!r}", field="most")
        names, keys = _subject(of, entity)
        wanted = Wanted(
            entities=names,
            keys=keys,
            actor_ids=None if by is None else frozenset(_actors(uow, by)),
            since=_in_utc("since", since),
            until=_in_utc("until", until),
            transaction_id=_id_of("transaction", transaction, "transaction_id"),
            before=_id_of("before", before, "change_id"),
        )
        return uow.history.find(wanted, most)

    def get(self, uow: UnitOfWork, change_id: str) -> Change:
        """Return the change with that id.

        Raises:
            NotFound: there is none.
        """
        found = uow.history.get(change_id) if isinstance(change_id, str) else None
        if found is None:
            raise NotFound(f"there is no change {change_id!r}", entity="Change", value=change_id)
        return found

    def frame(
        self, uow: UnitOfWork, changes: Change | Iterable[Change], *, backend: str = "pandas"
    ) -> Any:
        """Return changes as a DataFrame: a row for each column that was changed.

        Args:
            uow: the unit of work, which knows the creators' names.
            changes: as `find` returns them.
            backend: ``pandas`` or ``polars``.

        Returns:
            columns change_id, transaction_id, made_at (UTC), actor_id, actor_name, reason,
            entity, key, kind, column, before and after (texts; JSON where it is no text).
        """
        return frame_of(uow, _several(changes), backend=backend)

    def revert(
        self, uow: UnitOfWork, change: Change | Iterable[Change], *, reason: str | None = None
    ) -> None:
        """Take back a change, or several in their order; that is recorded as well.

        What a change wrote must be what is stored now. A row that was deleted comes back with
        its id; one that was inserted is deleted, if nothing hangs on it.

        Args:
            uow: the unit of work; the caller commits.
            change: one, or several, the newest first, as `find` returns them.
            reason: why; the record says besides which change it reverts.

        Raises:
            Conflict: it was changed again since.
            RuleBroken: it cannot be taken back: the history has a digest only of a long value,
                it is about pixels or a creator with a password, or rows hang on what was
                inserted (`StillNeeded`).
            Duplicate: another row has its natural key by now.
        """
        for one in _several(change):
            revert(uow, one, reason)


def _several(changes: Change | Iterable[Change]) -> list[Change]:
    several = [changes] if isinstance(changes, Change) else _listed(changes)
    if several is None or not all(isinstance(one, Change) for one in several):
        raise BadInput(f"changes are needed, as `find` returns them, not {shown(changes)}")
    return several


def _listed(several: Any) -> list[Any] | None:
    return list(several) if isinstance(several, Iterable) else None


def _subject(
    of: Entity | Iterable[Entity] | None, entity: type[Entity] | str | None
) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    objects = None if of is None else [of] if isinstance(of, Entity) else _listed(of)
    if of is not None and objects is None:
        raise BadInput(f"of: an object is needed, or several, not {shown(of)}", field="of")
    cls = entity_class(entity) if isinstance(entity, str) else entity
    if cls is not None:
        check_entity(cls)
    for one in objects or ():
        if not isinstance(one, Entity) or type(one) is not (cls or type(objects[0])):  # type: ignore[index]
            raise BadInput(
                f"of: objects of one class are asked for, not {kind_of(one)}", field="of"
            )
        cls = type(one)
    if cls is None:
        return None, None
    if not is_recorded(cls):
        raise BadInput(
            f"{cls.__name__} is not recorded in the history; recorded are {', '.join(RECORDED)}",
            entity=cls.__name__,
        )
    names = frozenset(one.__name__ for one in entity_classes() if issubclass(one, cls))
    return names, None if objects is None else frozenset(map(_key, objects))


def _key(one: Entity) -> str:
    values = {name: getattr(one, name) for name in one.__entity__.primary_key}
    if None in values.values():
        raise RuleBroken(
            f"this {type(one).__name__} was never stored, and has no history",
            entity=type(one).__name__,
        )
    return key_text(type(one), values)


def _actors(uow: UnitOfWork, by: Actor | Iterable[Actor]) -> Iterable[int]:
    for one in members(by) or [by]:
        if isinstance(one, Creator):
            yield one.creator_id
        elif isinstance(one, str):
            yield uow.creators.by_name(one).creator_id
        else:
            yield converted(Creator.__entity__, "creator_id", one)


def _in_utc(name: str, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise BadInput(f"{name} is a datetime, not {kind_of(moment)}", field=name)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id_of(name: str, given: Change | str | None, attribute: str) -> str | None:
    found = getattr(given, attribute) if isinstance(given, Change) else given
    if found is not None and not isinstance(found, str):
        raise BadInput(f"{name} is a change or its id, not {kind_of(given)}", field=name)
    return found
