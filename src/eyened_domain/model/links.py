"""Links between entities that no database knows yet: set one side and the other follows.

Once SQLAlchemy has mapped the classes, its own instrumentation takes over and does the
same; both are held to the same tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex

from eyened_domain.model.fields import LinkInfo

if TYPE_CHECKING:
    from eyened_domain.model.entity import Entity


class ToOne:
    """Descriptor of a link to one entity."""

    def __init__(self, link: LinkInfo) -> None:
        self.link = link

    def __get__(self, owner: Entity | None, _owner_type: type) -> Any:
        if owner is None:
            return self
        return owner.__dict__.get(self.link.name)

    def __set__(self, owner: Entity, value: Entity | None) -> None:
        before = owner.__dict__.get(self.link.name)
        owner.__dict__[self.link.name] = value
        if before is value or self.link.back is None:
            return
        if before is not None:
            getattr(before, self.link.back).drop(owner)
        if value is not None:
            getattr(value, self.link.back).take(owner)


class ToMany:
    """Descriptor of a link to many entities."""

    def __init__(self, link: LinkInfo) -> None:
        self.link = link

    def __get__(self, owner: Entity | None, _owner_type: type) -> Any:
        if owner is None:
            return self
        found = owner.__dict__.get(self.link.name)
        if found is None:
            found = owner.__dict__[self.link.name] = LinkedList(owner, self.link)
        return found

    def __set__(self, owner: Entity, value: Iterable[Entity]) -> None:
        linked: LinkedList = self.__get__(owner, type(owner))
        if value is not linked:
            linked[:] = list(value)


class LinkedList(list[Any]):
    """The entities at the many end of a link; each holds the way back, none is in it twice."""

    def __init__(self, owner: Entity, link: LinkInfo) -> None:
        super().__init__()
        self._owner = owner
        self._link = link

    def take(self, item: Entity) -> bool:
        """Put the item in without telling it; False if it was there."""
        if any(one is item for one in self):
            return False
        super().append(item)
        return True

    def drop(self, item: Entity) -> bool:
        """Take the item out without telling it; False if it was not there."""
        for index, one in enumerate(self):
            if one is item:
                super().__delitem__(index)
                return True
        return False

    def _tell(self, item: Entity) -> None:
        back = self._link.back
        if back is None:
            return
        theirs = getattr(item, back)
        if isinstance(theirs, LinkedList):
            theirs.take(self._owner)
        elif theirs is not self._owner:
            setattr(item, back, self._owner)

    def _forget(self, item: Entity) -> None:
        back = self._link.back
        if back is None:
            return
        theirs = getattr(item, back)
        if isinstance(theirs, LinkedList):
            theirs.drop(self._owner)
        elif theirs is self._owner:
            item.__dict__[back] = None

    def append(self, item: Any) -> None:
        """Link the item, unless it is linked already."""
        self._owner.check_link(self._link, item)
        if self.take(item):
            self._tell(item)

    def extend(self, items: Iterable[Any]) -> None:
        """Link each of the items."""
        for item in list(items):
            self.append(item)

    def __iadd__(self, items: Iterable[Any]) -> LinkedList:  # type: ignore[override, misc]
        self.extend(items)
        return self

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Link the item at a place of the list."""
        self._owner.check_link(self._link, item)
        if not any(one is item for one in self):
            super().insert(index, item)
            self._tell(item)

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
        for item in distinct:
            self._owner.check_link(self._link, item)
        kept = {id(item) for item in distinct}
        gone = [item for item in self if id(item) not in kept]
        super().__setitem__(slice(None), distinct)
        for item in gone:
            self._forget(item)
        for item in distinct:
            self._tell(item)
