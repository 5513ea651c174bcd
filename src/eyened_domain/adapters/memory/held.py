"""The objects of a unit of work: what was read of each, and how its links are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.siblings import load_siblings
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.errors import NotLoaded, deleted
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.entity_dict import whole
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.links import HOLDER, LinkedList
from eyened_domain.model.values import is_same_json

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects

_UNSET = object()


class Held:
    """What a unit of work knows of one object; the `Holder` of `model.links`.

    Args:
        entity: the object.
        objects: those of the unit of work that it belongs to; None when that has closed.
    """

    __slots__ = (
        "deleted",
        "empty",
        "entity",
        "info",
        "left",
        "links",
        "lists",
        "objects",
        "row",
        "seen",
        "watched",
    )

    def __init__(self, entity: Entity, objects: Objects | None) -> None:
        self.entity: Entity = entity
        self.objects = objects
        self.info: EntityInfo = type(entity).__entity__
        self.row: Row | None = None
        """What is stored of it; None while it is new."""
        self.deleted: bool = False
        """Whether it was stored, and is no more."""
        self.empty: frozenset[str] = frozenset()
        """The columns that were empty, and the links to one not set, when it was first stored."""
        self.left: Objects | None = None
        """Those that it belonged to before it was deleted, where its links are looked up."""
        self.links: dict[str, Entity | None] = {}
        self.lists: dict[str, list[Entity]] = {}
        self.seen: dict[str, Any] = {}
        """All that the object held when it was last found to be as it was stored."""
        self.watched: bool = True
        """Whether it holds something that can be edited in place, so that `seen` is not enough."""
        entity.__dict__[HOLDER] = self
        _own_lists(entity)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.row is None:
            return _released, (self.entity, None)
        private = {column.name: None for column in self.info.columns.values() if column.private}
        return _released, (self.entity, self.row.values | private)

    @property
    def is_open(self) -> bool:
        """Whether the unit of work is still at work."""
        return self.objects is not None

    @property
    def is_stored(self) -> bool:
        """Whether the storage knows the object."""
        return self.row is not None

    def hold(self, *entities: Entity) -> None:
        """Hold other objects as well, with everything that hangs on them."""
        if self.objects is not None:
            self.objects.hold(*entities)
            return
        for one in hanging_on(entities, lambda other: HOLDER not in other.__dict__):
            Held(one, None)

    def refuse_deleted(self) -> None:
        """Raise `RuleBroken` where the object was deleted, or is to be."""
        if self.deleted or (self.objects is not None and id(self.entity) in self.objects.deleted):
            raise deleted(self.entity)

    def load(self, owner: Entity, link: LinkInfo, *, flush: bool = True) -> Any:
        """Return what a link leads to, and remember it; see `model.links.Holder`."""
        if self.row is None and not (self.deleted and self.left is not None):
            return self._of_new(owner, link)
        if self.objects is None and (self.left is None or self.left.is_closed):
            name = f"{self.info.name}.{link.name}"
            raise NotLoaded(
                f"{name} was not loaded before the unit of work closed; read it while the unit "
                "of work is open",
                entity=self.info.name,
                field=link.name,
            )
        if self.objects is None:
            return self._of_deleted(owner, link)
        if not link.many:
            return self._load_one(self.objects, owner, link, flush=flush)
        items = self.objects.linking(link, self)
        if link.through:
            self.lists[link.name] = list(items)
        if self.objects is not None:  # it may have been deleted by the flush
            load_siblings(self.objects, self, link)
        return items

    def _load_one(self, objects: Objects, owner: Entity, link: LinkInfo, *, flush: bool) -> Any:
        identity = owner.__dict__[str(link.via)]
        is_asked_for = identity is not None and objects.in_hand(link.target, identity) is None
        if is_asked_for and not flush:
            return None  # it is about to be set, and nobody has the other end in hand
        found = objects.linked(link, identity, flush=flush)
        self.found(link, found)
        if is_asked_for:
            load_siblings(objects, self, link)
        return found

    def found(self, link: LinkInfo, target: Entity | None) -> None:
        """Let a link to one lead where it does in the storage: that is no change of it."""
        self.entity.__dict__[link.name] = self.links[link.name] = target

    def _of_deleted(self, owner: Entity, link: LinkInfo) -> Any:
        if link.many or self.left is None:
            return []
        found = self.left.linked(link, owner.__dict__[str(link.via)], flush=False)
        owner.__dict__[link.name] = found
        return found

    def _of_new(self, owner: Entity, link: LinkInfo) -> Any:
        if link.many:
            return []
        identity = owner.__dict__.get(str(link.via))
        return None if self.objects is None else self.objects.linked(link, identity, flush=False)

    def read(self, row: Row) -> None:
        """Let the object hold what a row holds, with its links still to be loaded."""
        held = self.entity.__dict__
        for name in self.entity.__entity__.links:
            held.pop(name, None)
        held.update(row.values)
        for name in self.info.json:
            held[name] = copied_json(held[name])
        self.row, self.deleted = row, False
        self.settle()

    def renew(self) -> None:
        """Let the object be new again: without the ids that it got, and its links to be stored."""
        mine, info = self.entity.__dict__, self.entity.__entity__
        for name in self.empty & info.links.keys():
            mine.pop(name, None)
        for name in self.empty - info.links.keys():
            column, link = info.columns[name], info.links.get(info.link_of.get(name, ""))
            is_filled_in = column.primary_key or column.generated or (link and link.name in mine)
            if is_filled_in and not (link and self._is_id_set_last(link)):
                mine[name] = None
        if self.row is not None or self.deleted:  # it was stored
            self.links = {x.name: None for x in self.info.to_one if mine.get(x.name, self) is None}
        self.row, self.objects, self.deleted = None, None, False
        self.lists = {}

    def drop_moved(self) -> None:
        """Take off the lists what has been moved to them, and is linked elsewhere again."""
        for link in self.entity.__entity__.links.values():
            there: Any = self.entity.__dict__.get(link.name)
            for item in list(there) if there and link.many and not link.through else ():
                if item.__dict__.get(str(link.back)) is not self.entity:
                    there.drop(item)

    def _is_id_set_last(self, link: LinkInfo) -> bool:
        via = str(link.via)
        is_changed = self.row is not None and self.entity.__dict__[via] != self.row.values[via]
        return is_changed and not self.is_relinked(link)

    def values(self) -> dict[str, Any]:
        """Return what the columns hold now."""
        held = self.entity.__dict__
        return {column.name: held[column.name] for column in self.info.columns.values()}

    def emptiness(self) -> frozenset[str]:
        """Return the columns that are empty, and the links to one that were not set."""
        unset = [link.name for link in self.info.to_one if not self.is_relinked(link)]
        return frozenset([*unset, *(name for name, held in self.values().items() if held is None)])

    def links_in_hand(self) -> frozenset[str]:
        """Return the links to one that hold something, if only that they lead nowhere."""
        mine = self.entity.__dict__
        return frozenset(link.name for link in self.info.to_one if link.name in mine)

    def take_back(self, before: AsMade) -> None:
        """Hold what it held: no id that it did not get, nor what was put in view for its rules."""
        self.entity.__dict__.update(before.values)
        for name in self.links_in_hand() - before.links:
            del self.entity.__dict__[name]

    def settle(self) -> None:
        """Remember the object as it is: as the row holds it."""
        held = self.entity.__dict__
        self.links = {x.name: held[x.name] for x in self.info.to_one if x.name in held}
        self.lists = {x.name: list(held[x.name]) for x in self.info.through if x.name in held}

        self._see()

    def _see(self) -> None:
        held = self.entity.__dict__
        self.seen = whole(held)
        self.watched = any(held[name] is not None for name in self.info.json) or any(
            link.name in held for link in self.info.through
        )

    def is_touched(self) -> bool:
        """Whether the object is not as it was read or stored."""
        held, row = self.entity.__dict__, self.row
        if (
            row is None
            or self.values() != row.values
            or any(self.is_relinked(link) for link in self.info.to_one)
            or any(not is_same_json(held[name], row.values[name]) for name in self.info.json)
            or any(any(self.relisted(link)) for link in self.info.through)
        ):
            return True
        self._see()
        return False

    def is_relinked(self, link: LinkInfo) -> bool:
        """Whether a link to one was set to something else."""
        mine = self.entity.__dict__
        now, before = mine.get(link.name, _UNSET), self.links.get(link.name, _UNSET)
        if before is _UNSET and now is not _UNSET and self.row is not None:
            own = None if now is None else now.__dict__[now.__entity__.primary_key[0]]
            stored = self.row.values[str(link.via)]
            return own != stored or mine[str(link.via)] != stored or (own is None and bool(now))
        return now is not before

    def is_linked_anew(self) -> bool:
        """Whether the object is new, or one of its links to one was changed."""
        mine, row = self.entity.__dict__, self.row
        return row is None or any(
            self.is_relinked(link) or mine[str(link.via)] != row.values[str(link.via)]
            for link in self.info.to_one
        )

    def hangs_on(self, other: Held, column: str) -> bool:
        """Whether a stored object is linked to another one by a column, or was moved to it."""
        mine = self.entity.__dict__
        for link in self.info.to_one:
            if link.via == column and self.is_relinked(link):
                return mine.get(link.name) is other.entity
        if self.row is None or other.row is None:
            return False
        return bool(self.row.values[column] == other.row.key[0] == mine[column])

    def relisted(self, link: LinkInfo) -> tuple[list[Entity], list[Entity]]:
        """Return what has come into a many-to-many list, and what has gone from it."""
        now = self.entity.__dict__.get(link.name)
        if now is None:
            return [], []
        before = self.lists.get(link.name, [])
        old, new = {id(one) for one in before}, {id(one) for one in now}
        return [x for x in now if id(x) not in old], [x for x in before if id(x) not in new]


class AsMade:
    """What a new object holds before it is stored; it does so again when it is not stored."""

    __slots__ = ("empty", "links", "values")

    def __init__(self, held: Held) -> None:
        self.values: dict[str, Any] = held.values()
        self.links: frozenset[str] = held.links_in_hand()
        self.empty: frozenset[str] = held.emptiness()


def held_of(entity: Any) -> Held | None:
    """Return what a unit of work in memory knows of an object, if one holds it or has held it."""
    found: Held | None = entity.__dict__.get(HOLDER)
    return found


def _released(entity: Entity, values: dict[str, Any] | None) -> Held:
    """Return what is known of a pickled or copied object: no unit of work holds it."""
    held = Held(entity, None)
    held.row = None if values is None else Row(type(entity), values)
    return held  # private columns are not among the values, and hold nothing


def hanging_on(entities: Sequence[Entity], wanted: Any) -> Iterator[Entity]:
    """Yield objects and everything linked to them that is wanted, nearest first, each once."""
    queue = list({id(entity): entity for entity in entities}.values())
    seen = {id(entity) for entity in queue}
    for one in queue:
        if not wanted(one):
            continue
        yield one
        for other in _linked(one):
            if id(other) not in seen:
                seen.add(id(other))
                queue.append(other)


def _linked(entity: Entity) -> Iterator[Entity]:
    held = entity.__dict__
    for name in entity.__entity__.links:
        found = held.get(name)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found


def _own_lists(entity: Entity) -> None:
    """Put lists of the model in the place of what SQLAlchemy may have put there."""
    held = entity.__dict__
    for name, link in entity.__entity__.links.items():
        found = held.get(name)
        if isinstance(found, list) and not isinstance(found, LinkedList):
            mine = held[name] = LinkedList(entity, link)
            list.extend(mine, found)


def copied_json(value: Any) -> Any:
    """Return a copy that shares nothing that can be edited."""
    if isinstance(value, dict):
        return {str(key): copied_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied_json(item) for item in value]
    return value
