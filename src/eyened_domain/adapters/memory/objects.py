"""All objects of one unit of work: one for each identity, new ones, and those to be deleted."""

from __future__ import annotations

from typing import Any

from eyened_domain.adapters.memory.flushing import flush
from eyened_domain.adapters.memory.held import Held, hanging_on
from eyened_domain.adapters.memory.pixels import MemoryPixels
from eyened_domain.adapters.memory.shape import Key, root_of
from eyened_domain.adapters.memory.store import MemoryStore, Row, View
from eyened_domain.errors import RuleBroken
from eyened_domain.model.annotation import AnnotationData, AnnotationFiles
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.links import HOLDER
from eyened_domain.model.stored_pixels import StoredPixels


class Objects:
    """What a unit of work holds, and the view of the store that it works on.

    Args:
        store: what is committed.
        image_store: where images find their files.
        annotation_files: where legacy annotations find theirs.
    """

    def __init__(
        self, store: MemoryStore, image_store: ImageStore, annotation_files: AnnotationFiles
    ) -> None:
        self.store = store
        self.known: dict[tuple[str, Key], Held] = {}
        """The objects that are stored, by table and primary key."""
        self.new: dict[int, Held] = {}
        self.deleted: dict[int, Held] = {}
        self.before: dict[Held, Row | None] = {}
        """What was committed of the objects that this transaction has stored or deleted."""
        self._image_store = image_store
        self._annotation_files = annotation_files
        self._pixels = MemoryPixels(self)
        self._view: View | None = None
        self._flushing = False

    @property
    def view(self) -> View:
        """The tables as this transaction sees them: what was committed when it first looked."""
        if self._view is None:
            self._view = self.store.view()
        return self._view

    def hold(self, entity: Entity) -> None:
        """Hold an object and everything that hangs on it; new ones are stored when flushing.

        Raises:
            RuleBroken: one of them belongs to another unit of work that is open, or another
                object stands for the same row here.
        """
        for one in hanging_on(entity, self._is_strange):
            self._take(one)

    def _is_strange(self, entity: Entity) -> bool:
        held = entity.__dict__.get(HOLDER)
        return held is None or held.objects is not self

    def _take(self, entity: Entity) -> None:
        held = entity.__dict__.get(HOLDER)
        if held is None:
            held = Held(entity, self)
        elif held.is_open:
            raise RuleBroken(
                f"this {held.shape.name} belongs to another unit of work that is still open",
                entity=held.shape.name,
            )
        if held.row is None:
            self.new[id(entity)] = held
        elif self.known.setdefault((held.shape.root, held.row.key), held) is not held:
            raise RuleBroken(
                f"another object stands for {held.shape.name} {held.row.key} in this unit of "
                "work already; use that one",
                entity=held.shape.name,
            )
        held.objects = self
        self._attach(entity)

    def _attach(self, entity: Entity) -> None:
        if isinstance(entity, ImageInstance):
            entity.attach(self._image_store)
        elif isinstance(entity, StoredPixels):
            entity.attach(self._pixels)
        elif isinstance(entity, AnnotationData):
            entity.attach(self._annotation_files)

    def loaded(self, row: Row) -> Any:
        """Return the object that stands for a row."""
        known = self.known.get((row.shape.root, row.key))
        if known is not None:
            return known.entity
        entity = row.entity.__new__(row.entity)
        held = Held(entity, self)
        held.read(row)
        self.known[row.shape.root, row.key] = held
        self._attach(entity)
        return entity

    def find(self, entity: type[Entity], key: Key) -> Any:
        """Return the object of that class with that primary key; None if there is none."""
        root = root_of(entity.__name__)
        known = self.known.get((root, key))
        if known is not None:
            return known.entity if isinstance(known.entity, entity) else None
        row = self.view.row(root, key)
        return self.loaded(row) if row is not None and issubclass(row.entity, entity) else None

    def linked(self, link: LinkInfo, identity: int | None) -> Any:
        """Return the object that a link to one leads to."""
        return None if identity is None else self.find(entity_class(link.target), (identity,))

    def linking(self, link: LinkInfo, held: Held) -> list[Entity]:
        """Return the objects that a link to many leads to, in the order of their keys."""
        self.flush()
        if held.row is None:
            return []
        (identity,) = held.row.key
        if link.through:
            return self._through(link.through, link, identity)
        target = entity_class(link.target)
        back = target.__entity__.links[str(link.back)]
        table = self.view.table(root_of(link.target))
        found = table.indexes[(str(back.via),)].find({str(back.via): identity})
        items: list[Entity] = [self.loaded(table.rows[key]) for key in sorted(found)]
        for item in items:
            item.__dict__[back.name] = item.__dict__[HOLDER].links[back.name] = held.entity
        return items

    def _through(
        self, through: tuple[str, str, str], link: LinkInfo, identity: int
    ) -> list[Entity]:
        name, mine, theirs = through
        table = self.view.table(root_of(name))
        keys = table.indexes[(mine,)].find({mine: identity})
        wanted = sorted(table.rows[key].values[theirs] for key in keys)
        return [self.linked(link, one) for one in wanted]

    def flush(self) -> None:
        """Store what has changed, in the view of this transaction."""
        if self._flushing:
            return
        self._flushing = True
        try:
            flush(self)
        finally:
            self._flushing = False

    def commit(self) -> None:
        """Make everything permanent; the next look sees what is committed then."""
        self.flush()
        if self._view is not None:
            self.store.commit(self._view)
        self.before.clear()
        self._view = None

    def rollback(self) -> None:
        """Take everything back; the objects hold again what is committed."""
        self._revert()
        for held in list(self.known.values()):
            row = self.view.row(held.shape.root, held.row.key) if held.row else None
            if row is None:
                self._release(held)
            else:
                held.read(row)

    def close(self) -> None:
        """Let all objects go; they stay readable."""
        self._revert()
        for held in self.known.values():
            held.objects = None

    def _revert(self) -> None:
        self._view = None
        self.deleted.clear()
        for held in self.new.values():
            held.objects = None
        self.new.clear()
        for held, row in self.before.items():
            if held.row is not None:
                self.known.pop((held.shape.root, held.row.key), None)
            held.row = row
            held.objects = None
        for held, row in self.before.items():
            if row is not None:
                held.objects = self
                self.known[row.shape.root, row.key] = held
        self.before.clear()

    def _release(self, held: Held) -> None:
        if held.row is not None:
            self.known.pop((held.shape.root, held.row.key), None)
        held.row = held.objects = None

    def stored(self, held: Held, row: Row) -> None:
        """Note that an object is stored as that row now."""
        self.before.setdefault(held, held.row)
        if held.row is not None and held.row.key != row.key:
            self.known.pop((held.shape.root, held.row.key), None)
        self.known[row.shape.root, row.key] = held
        self.new.pop(id(held.entity), None)
        held.row = row
        mine = held.entity.__dict__
        for column in held.shape.foreign_keys:  # a delete rule may have set it to NULL
            if mine[column.name] != row.values[column.name]:
                mine[column.name] = row.values[column.name]
                for link in held.shape.to_one:
                    if link.via == column.name:
                        mine.pop(link.name, None)
        held.settle()

    def removed(self, held: Held) -> None:
        """Note that an object is stored no more, and take it off the lists that it was in."""
        self.before.setdefault(held, held.row)
        if held.row is not None:
            self.known.pop((held.shape.root, held.row.key), None)
        mine = held.entity.__dict__
        for link in held.shape.to_one:
            other = mine.get(link.name)
            there = other.__dict__.get(link.back) if other is not None and link.back else None
            if there is not None:
                there.drop(held.entity)
        held.row = held.objects = None
