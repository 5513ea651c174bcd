"""All objects of one unit of work: one for each identity, new ones, and those to be deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from eyened_domain.adapters.memory.flushing import current, flush
from eyened_domain.adapters.memory.held import Held, hanging_on, held_of
from eyened_domain.adapters.memory.inactive import active_in
from eyened_domain.adapters.memory.pixels import MemoryPixels
from eyened_domain.adapters.memory.references import Key
from eyened_domain.adapters.memory.store import MemoryStore
from eyened_domain.adapters.memory.tables import Row, View
from eyened_domain.adapters.memory.undoing import return_to, revert
from eyened_domain.errors import RuleBroken, deleted, ended_by, not_open
from eyened_domain.model.annotation import AnnotationData, AnnotationFiles
from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.names import folded
from eyened_domain.model.pixels.stored import StoredPixels
from eyened_domain.model.references import referrers
from eyened_domain.services.changes.author import NOBODY, Author

Wanted = Sequence[tuple[str, Collection[Any]]]
"""What columns must hold: one of these values, as `folded` returns them."""


class Objects:
    """What a unit of work holds, and the view of the store that it works on.

    Args:
        store: what is committed.
        image_store: where images find their files.
        annotation_files: where legacy annotations find theirs.
        note_pixels: told of each segmentation whose pixels were stored.
        include_inactive: let finders and lists be with what is inactive.
        author: who the unit of work acts for.
    """

    def __init__(
        self,
        store: MemoryStore,
        image_store: ImageStore,
        annotation_files: AnnotationFiles,
        note_pixels: Callable[[Any], None],
        author: Author = NOBODY,
        *,
        include_inactive: bool = False,
    ) -> None:
        self.store = store
        self.include_inactive = include_inactive
        self.author: Author = author
        self.known: dict[tuple[str, Key], Held] = {}
        """The objects that are stored, by table and primary key."""
        self.new: dict[int, Held] = {}
        self.deleted: dict[int, Held] = {}
        self.before: dict[Held, Row | None] = {}
        """What was committed of the objects that this transaction has stored or deleted."""
        self.is_closed: bool = False
        self.debts: Counter[tuple[str, str, str]] = Counter()
        """How many loads of a link its siblings are not looked for; see `siblings`."""
        self._image_store = image_store
        self._annotation_files = annotation_files
        self._pixels = MemoryPixels(self, note_pixels)
        self._view: View | None = None
        self._flushing = False
        self.fresh_ones: set[Held] = set()
        """The objects that were read or stored in this transaction."""
        self.error: Exception | None = None
        """What has ended this transaction; it is to be rolled back."""

    @property
    def view(self) -> View:
        """The tables as this transaction sees them: what was committed when it first looked."""
        if self._view is None:
            self._view = self.store.view()
        return self._view

    def hold(self, *entities: Entity) -> None:
        """Hold objects and everything that hangs on them; new ones are stored when flushing.

        Raises:
            RuleBroken: one of them was deleted, or belongs to another unit of work that is open,
                or another object stands for the same row here. None of them is held then.
        """
        strange = list(hanging_on(entities, self._is_strange))
        coming: dict[tuple[str, Key], Held] = {}
        for one in strange:
            self._refuse(one, coming)
        for one in strange:
            self._take(one)

    def _is_strange(self, entity: Entity) -> bool:
        held = held_of(entity)
        return held is None or held.objects is not self

    def _refuse(self, entity: Entity, coming: dict[tuple[str, Key], Held]) -> None:
        held = held_of(entity)
        if held is None:
            return
        if held.deleted:
            raise deleted(entity)
        if held.is_open:
            raise RuleBroken(
                f"this {held.info.name} belongs to another unit of work that is still open",
                entity=held.info.name,
            )
        if held.row is None:
            return
        key = (held.info.root, held.row.key)
        if self.known.get(key, coming.setdefault(key, held)) is not held:
            raise RuleBroken(
                f"another object stands for {held.info.name} {held.row.key} in this unit of "
                "work already; use that one",
                entity=held.info.name,
            )

    def _take(self, entity: Entity) -> None:
        held = held_of(entity) or Held(entity, self)
        if held.row is None:
            self.new[id(entity)] = held
        else:
            self.known[held.info.root, held.row.key] = held
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
        return self.held_for(row).entity

    def held_for(self, row: Row) -> Held:
        """Return what is known of the object that stands for a row."""
        known = self.known.get((row.info.root, row.key))
        if known is not None:
            return self._fresh(known, row)
        entity = Entity.blank(row.entity)
        held = Held(entity, self)
        held.read(row)
        self.fresh_ones.add(held)
        self.known[row.info.root, row.key] = held
        self._attach(entity)
        return held

    def rows(self, entity: type[Entity], wanted: Wanted = ()) -> Iterator[Row]:
        """Return the rows of an entity whose columns hold what is wanted, after a flush."""
        self.flush()
        return (
            row
            for row in self._candidates(entity, wanted)
            if issubclass(row.entity, entity)
            and all(folded(row.values[name]) in values for name, values in wanted)
        )

    def _candidates(self, entity: type[Entity], wanted: Wanted) -> Iterable[Row]:
        """Return the rows that an index tells, or all."""
        table = self.view.table(entity.__entity__.root)
        exact = {name: next(iter(values)) for name, values in wanted if len(values) == 1}
        for columns, index in table.indexes.items():
            if all(exact.get(name) is not None for name in columns):
                return [table.rows[key] for key in index.find(exact)]
        return table.rows.values()

    def find(self, entity: type[Entity], key: Key) -> Any:
        """Return the object of that class with that primary key; None if there is none."""
        root = root_of(entity.__name__)
        row = self.view.row(root, key)
        return self.loaded(row) if row is not None and issubclass(row.entity, entity) else None

    def _fresh(self, known: Held, row: Row) -> Held:
        """Let an object of an earlier transaction hold what was committed since, if unchanged."""
        if known not in self.fresh_ones and not self._flushing:
            self.fresh_ones.add(known)
            if not known.is_touched():
                known.read(row)
        return known

    def in_hand(self, name: str, identity: Any) -> Held | None:
        """Return the object of an entity with that id, if it is here already."""
        return self.known.get((root_of(name), (identity,)))

    def linked(self, link: LinkInfo, identity: int | None, *, flush: bool) -> Any:
        """Return the object that a link to one leads to: the one in hand, if there is one."""
        if identity is None:
            return None
        known = self.in_hand(link.target, identity)
        if known is None and flush:
            self.flush()
        return (
            known.entity if known is not None else self.find(entity_class(link.target), (identity,))
        )

    def linking(self, link: LinkInfo, held: Held, *, flush: bool = True) -> list[Entity]:
        """Return the objects that a link to many leads to, in the order of their keys."""
        if flush:
            self.flush()
        if held.row is None:
            return []
        (identity,) = held.row.key
        if link.through:
            return self._through(link.through, link, identity)
        target = entity_class(link.target)
        back = target.__entity__.links[str(link.back)]
        rows = self.view.table(target.__entity__.root).holding(**{str(back.via): identity})
        if not self.include_inactive:
            rows = active_in(self.view, link, rows)
        items = [self.held_for(row) for row in sorted(rows, key=lambda row: row.key)]
        for item in items:
            item.found(back, held.entity)
        return [item.entity for item in items]

    def _through(
        self, through: tuple[str, str, str], link: LinkInfo, identity: int
    ) -> list[Entity]:
        name, mine, theirs = through
        rows = self.view.table(root_of(name)).holding(**{mine: identity})
        wanted = sorted(row.values[theirs] for row in rows)
        target = entity_class(link.target)
        return [self.find(target, (one,)) for one in wanted]

    def delete(self, held: Held) -> None:
        """Delete an object when flushing, and the objects in hand that go along with it."""
        self.deleted[id(held.entity)] = held
        for other in self._going_along(held):
            if id(other.entity) not in self.deleted:
                self.delete(other)

    def take_back(self, entity: Entity) -> None:
        """Keep an object that was to be deleted, and what was to go along with it."""
        held = self.deleted.pop(id(entity), None)
        for other in () if held is None else self._going_along(held):
            self.take_back(other.entity)

    def _going_along(self, held: Held) -> Iterator[Held]:
        """Yield the objects in hand that are deleted with another one."""
        if held.row is None or len(held.row.key) > 1:
            return
        for referrer in referrers(held.info.root):
            column = referrer.column
            for other in list(self.known.values()) if column.on_delete == "CASCADE" else ():
                if other.info.root == referrer.root and other.hangs_on(held, column.name):
                    yield other

    def flush(self) -> None:
        """Store what has changed, in the view of this transaction; an error ends it."""
        if self._flushing:
            return
        self.refuse_if_ended()
        self._flushing = True
        try:
            flush(self)
        except Exception as error:
            self.error = error
            self.deleted.clear()
            raise
        finally:
            self._flushing = False

    def refuse_if_ended(self) -> None:
        """Raise what an earlier error says of every further call, and what the end says."""
        if self.is_closed:
            raise not_open()
        if self.error is not None:
            raise ended_by(self.error) from self.error

    def commit(self) -> None:
        """Make everything permanent; the next look sees what is committed then."""
        self.flush()
        if self._view is not None:
            try:
                self.store.commit(self._view)
            except Exception as error:
                self.error = error
                raise
        self.before.clear()
        self.look_anew()

    def look_anew(self) -> None:
        """Let the next look see what is committed then."""
        self.fresh_ones.clear()
        self._view = None

    def rollback(self) -> None:
        """Take everything back; the objects hold again what is committed."""
        renewed = revert(self)
        for (root, key), held in self.known.items():
            row = self.view.row(root, key) or held.row  # what it held, if others have deleted it
            if row is not None:
                held.read(row)
        for held in renewed:
            held.drop_moved()

    def close(self) -> None:
        """Let all objects go; they stay readable."""
        revert(self)
        self.is_closed = True
        for held in self.known.values():
            held.objects = None

    def lock(self, entity: Entity) -> None:
        """Let the commit fail when somebody else has changed an object since it was read.

        Raises:
            Conflict: somebody else has.
            RuleBroken: the object is not stored, or not in this unit of work.
        """
        self.flush()
        held = held_of(entity)
        if held is None or held.objects is not self or held.row is None:
            name = type(entity).__name__
            raise RuleBroken(
                f"this {name} is not stored by this unit of work, so it cannot be locked",
                entity=name,
            )
        current(self, held)
        self.view.rely_on(held.row)
        self.store.check_unchanged(self.view, held.info.root, held.row.key)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back what happens in the block when an error leaves it."""
        self.flush()
        mark, before = self.view.mark(), dict(self.before)
        rows = {held: held.row for held in self.known.values()}
        try:
            yield
            self.flush()
        except BaseException:
            self.view.undo(mark)
            return_to(self, rows, before)
            raise

    def stored(self, held: Held, row: Row) -> None:
        """Note that an object is stored as that row now."""
        self.before.setdefault(held, held.row)
        self.fresh_ones.add(held)
        if held.row is not None and held.row.key != row.key:
            self.known.pop((held.info.root, held.row.key), None)
        replaced = self.known.get((row.info.root, row.key))
        if replaced is not None and replaced is not held:  # others have deleted its row
            self.removed(replaced)
        self.known[row.info.root, row.key] = held
        self.new.pop(id(held.entity), None)
        is_new = held.row is None
        held.row = row
        mine = held.entity.__dict__
        if is_new:
            for name in held.entity.__entity__.links:  # what was empty is looked up from now on
                if mine.get(name) == []:
                    del mine[name]
        for column in held.info.foreign_keys:  # a delete rule may have set it to NULL
            if mine[column.name] != row.values[column.name]:
                mine[column.name] = row.values[column.name]
                for link in held.info.to_one:
                    if link.via == column.name:
                        mine.pop(link.name, None)
        held.settle()

    def removed(self, held: Held) -> None:
        """Note that an object is stored no more, and take it off the lists that it was in."""
        self.before.setdefault(held, held.row)
        if held.row is not None:
            self.known.pop((held.info.root, held.row.key), None)
        mine = held.entity.__dict__
        for link in held.info.to_one:
            other = mine.get(link.name)
            there = other.__dict__.get(link.back) if other is not None and link.back else None
            if there is not None:
                there.drop(held.entity)
        held.left = self  # it stays readable
        held.row = held.objects = None
        held.deleted = True
