"""Links between entities that no database knows yet: set one side and the other follows.

Once SQLAlchemy has mapped the classes, its own instrumentation takes over and does the
same; both are held to the same tests. Objects that a `Holder` holds (those of a unit of
work in memory) keep to the links of this module, mapped or not: `own_link` is all that a mapped
attribute knows of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex

from eyened_domain.model.fields import LinkInfo

if TYPE_CHECKING:
    from eyened_domain.model.entity import Entity

HOLDER = "_holder"
"""Where an object keeps its holder, in its `__dict__`."""


class Holder(Protocol):
    """What holds an object for a unit of work, and finds the links that are not loaded yet."""

    @property
    def is_open(self) -> bool:
        """Whether the unit of work is still at work."""

    @property
    def is_stored(self) -> bool:
        """Whether the storage knows the object, so that its links can be found there."""

    def load(self, owner: Entity, link: LinkInfo, *, flush: bool = True) -> Any:
        """Return what the link leads to: an entity or None, or a list.

        Args:
            owner: the object with the link.
            link: the link.
            flush: store first what has changed, where the storage is asked.

        Raises:
            NotLoaded: the unit of work has closed.
        """

    def hold(self, *entities: Entity) -> None:
        """Hold other objects as well, with everything that hangs on them, or none of them.

        Raises:
            RuleBroken: one of them was deleted, or belongs to another unit of work.
        """

    def refuse_deleted(self) -> None:
        """Raise `RuleBroken` where the object was deleted, or is to be."""


def holder_of(entity: Entity) -> Holder | None:
    """Return what holds an object, if anything does."""
    return entity.__dict__.get(HOLDER)


def join(one: Entity, *others: Entity) -> None:
    """Let objects that are being linked be held together, if any of them is held."""
    for entity in (one, *others):
        holder = holder_of(entity)
        if holder is not None:
            holder.refuse_deleted()
    mine = holder_of(one)
    if mine is not None and mine.is_open:
        mine.hold(*others)
        return
    for other in others:
        theirs = holder_of(other)
        if theirs is not None:
            theirs.hold(one)
        elif mine is not None:
            mine.hold(other)


def listed(owner: Entity, link: LinkInfo) -> LinkedList | None:
    """Return the list at the many end; None where it was not loaded (it is found when asked)."""
    found: LinkedList | None = owner.__dict__.get(link.name)
    holder = holder_of(owner)
    if found is None and not (holder is not None and holder.is_stored):
        found = owner.__dict__[link.name] = LinkedList(owner, link)
    return found


def point(owner: Entity, link: LinkInfo, value: Entity | None) -> bool:
    """Set a link to one, and take the owner off the list that it was in before.

    Returns:
        whether the link has changed.
    """
    before = _target(owner, link, flush=False)
    owner.__dict__[link.name] = value
    if before is value:
        return False
    if before is not None and link.back is not None:
        there = before.__dict__.get(link.back)
        if isinstance(there, LinkedList):
            there.drop(owner)
    return True


def _target(owner: Entity, link: LinkInfo, *, flush: bool) -> Any:
    """Return what a link to one leads to; it is found in the storage if need be."""
    if link.name in owner.__dict__:
        return owner.__dict__[link.name]
    holder = holder_of(owner)
    return None if holder is None else holder.load(owner, link, flush=flush)


class ToOne:
    """Descriptor of a link to one entity."""

    def __init__(self, link: LinkInfo) -> None:
        self.link = link

    def __get__(self, owner: Entity | None, _owner_type: type) -> Any:
        if owner is None:
            return self
        return _target(owner, self.link, flush=True)

    def __set__(self, owner: Entity, value: Entity | None) -> None:
        if value is not None:
            join(owner, value)
        is_new = point(owner, self.link, value)
        if value is not None and self.link.back is not None:
            there = listed(value, value.__entity__.links[self.link.back])
            if there is not None and is_new:
                list.append(there, owner)  # it pointed elsewhere, so it cannot be there yet
            elif there is not None:
                there.take(owner)  # it may have pointed there by its id alone
        if value is None:
            self._empty_id(owner)
        elif not is_new:
            self._let_id_follow(owner, value)

    def _empty_id(self, owner: Entity) -> None:
        """Empty the id of a new object, also where it led to nothing."""
        holder = holder_of(owner)
        if holder is not None and not holder.is_stored:
            owner.__dict__[str(self.link.via)] = None

    def _let_id_follow(self, owner: Entity, value: Entity) -> None:
        """Let the id lead where the link was set to lead last, also where it led before."""
        via, holder = str(self.link.via), holder_of(owner)
        own = value.__dict__.get(value.__entity__.primary_key[0])
        is_empty = owner.__dict__.get(via) is None
        if own is not None and not (is_empty and (holder is None or not holder.is_stored)):
            owner.__dict__[via] = own  # that of a new object is given when it is stored


class ToMany:
    """Descriptor of a link to many entities."""

    def __init__(self, link: LinkInfo) -> None:
        self.link = link

    def __get__(self, owner: Entity | None, _owner_type: type) -> Any:
        if owner is None:
            return self
        found = owner.__dict__.get(self.link.name)
        if found is None:
            holder = holder_of(owner)
            found = LinkedList(owner, self.link)
            if holder is not None:
                list.extend(found, holder.load(owner, self.link))
            owner.__dict__[self.link.name] = found
        return found

    def __set__(self, owner: Entity, value: Iterable[Entity]) -> None:
        linked: LinkedList = self.__get__(owner, type(owner))
        if value is not linked:
            linked[:] = list(value)


def keeps_own_links(entity: Entity) -> bool:
    """Whether an object keeps to the links of this module, in mapped classes as well."""
    return HOLDER in entity.__dict__


def own_link(owner: Entity, name: str, *coming: Entity | None) -> ToOne | ToMany | None:
    """Return the link of this module that a mapped attribute hands over to, if it is to do so.

    Args:
        owner: the object with the link.
        name: of the link.
        coming: what is being linked; if it keeps to the links of this module, so does the
            owner from now on.

    Returns:
        None where what has mapped the class has its own way with the owner.

    Raises:
        RuleBroken: what is being linked cannot be held together with the owner.
    """
    for other in coming:
        if other is not None and keeps_own_links(other):
            join(owner, other)
    if not keeps_own_links(owner):
        return None
    link = owner.__entity__.links[name]
    return ToMany(link) if link.many else ToOne(link)


class LinkedList(list[Any]):
    """The entities at the many end of a link; each holds the way back, none is in it twice."""

    def __init__(self, owner: Entity, link: LinkInfo) -> None:
        super().__init__()
        self._owner = owner
        self._link = link

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return (_linked_list, (self._owner, self._link, list(self)))

    def take(self, item: Entity) -> None:
        """Put the item in without telling it, unless it is there already."""
        if not self.holds(item):
            super().append(item)

    def drop(self, item: Entity) -> bool:
        """Take the item out without telling it; False if it was not there."""
        for index, one in enumerate(self):
            if one is item:
                super().__delitem__(index)
                return True
        return False

    def holds(self, item: Entity) -> bool:
        """Whether the item is in the list."""
        return any(one is item for one in self)

    def _tell(self, item: Entity) -> None:
        if self._link.back is None:
            return
        back = item.__entity__.links[self._link.back]
        if not back.many:
            point(item, back, self._owner)
            return
        theirs = listed(item, back)
        if theirs is not None:
            theirs.take(self._owner)

    def _forget(self, item: Entity) -> None:
        if self._link.back is None:
            return
        back = item.__entity__.links[self._link.back]
        if not back.many:
            if ToOne(back).__get__(item, type(item)) is self._owner:
                item.__dict__[back.name] = None
            return
        theirs = listed(item, back)
        if theirs is not None:
            theirs.drop(self._owner)

    def append(self, item: Any) -> None:
        """Link the item, unless it is linked already."""
        self.insert(len(self), item)

    def extend(self, items: Iterable[Any]) -> None:
        """Link each of the items; none if one of them may not be linked."""
        several = list(items)
        self._check(several)
        for item in several:
            self.append(item)

    def _check(self, items: list[Any]) -> None:
        """Let the items be held with the owner; raise where one may not be linked."""
        for item in items:
            self._owner.check_link(self._link, item)
        strange = [item for item in items if not self._is_linked(item)]
        if strange:
            join(self._owner, *strange)

    def __iadd__(self, items: Iterable[Any]) -> LinkedList:  # type: ignore[misc]
        self.extend(items)
        return self

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Link the item at a place of the list, unless it is linked already."""
        self._check([item])
        if not self._is_linked(item):
            super().insert(index, item)
            self._tell(item)

    def _is_linked(self, item: Entity) -> bool:
        """Whether the item is in the list; its way back saves the search where it leads away."""
        back = item.__entity__.links[self._link.back] if self._link.back else None
        if back is None or back.many:
            return self.holds(item)
        if back.name in item.__dict__:
            return item.__dict__[back.name] is self._owner and self.holds(item)
        holder = holder_of(item)
        return holder is not None and holder.is_stored and self.holds(item)

    def remove(self, item: Any) -> None:
        """Unlink the item; ValueError if it is not linked."""
        if not self.drop(item):
            raise ValueError(f"{item!r} is not in {self._link.name}")
        self._forget(item)

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Unlink the item at a place and return it."""
        item = super().pop(index)
        self._forget(item)
        return item

    def clear(self) -> None:
        """Unlink all."""
        self[:] = []

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        gone = self[index] if isinstance(index, slice) else [self[index]]
        super().__delitem__(index)
        for item in gone:
            self._forget(item)

    def __setitem__(self, index: Any, value: Any) -> None:
        after = list(self)
        after[index] = list(value) if isinstance(index, slice) else value
        distinct = list({id(item): item for item in after}.values())
        self._check(distinct)
        kept = {id(item) for item in distinct}
        before = {id(item) for item in self}
        gone = [item for item in self if id(item) not in kept]
        super().__setitem__(slice(None), distinct)
        for item in gone:
            self._forget(item)
        for item in distinct:
            if id(item) not in before:
                self._tell(item)


def _linked_list(owner: Entity, link: LinkInfo, items: list[Any]) -> LinkedList:
    made = LinkedList(owner, link)
    list.extend(made, items)
    return made
