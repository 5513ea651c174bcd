"""The pixels of the segmentations in one session: the way of a mask to the store and back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.orm import object_session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlalchemy.pool import StaticPool

from eyened_domain.adapters.pixels.positions import within
from eyened_domain.adapters.pixels.positions.aside import aside
from eyened_domain.adapters.pixels.positions.digests import Digests, Record
from eyened_domain.adapters.pixels.positions.reservations import Reservations
from eyened_domain.adapters.pixels.positions.rows import (
    ReservedPosition,
    array_id_for,
    discard,
    point,
)
from eyened_domain.adapters.pixels.positions.standing import Standing
from eyened_domain.adapters.pixels.zarr.adopted import token_of
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, Stamp, StoredSlot
from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.history.bulk import note_altered
from eyened_domain.adapters.sql.restoring import keep_for_rollback
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import OWNERS
from eyened_domain.adapters.sql.sqlalchemy_internals import count_as_altered
from eyened_domain.errors import Conflict, NotLoaded, PixelsLost, StorageError
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance, shape_of
from eyened_domain.model.pixels.grid import Plane, Shape
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.pixels.stored import StoredPixels

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.adapters.sql.session import DomainSession
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

image_instance: Table = table_of(ImageInstance)

E = TypeVar("E", bound=Entity)
_SIZE = select(
    image_instance.c.nr_of_frames, image_instance.c.rows_y, image_instance.c.columns_x
).where(image_instance.c.image_instance_id == bindparam("b_identity"))
_TRIES = 6
"""At how many positions a slot is tried."""


@attrs.frozen
class ZarrShelf:
    """What all sessions of a database share for the pixels; a `PixelShelf`.

    Attributes:
        files: the store.
        reservations: gives positions.
        connect: opens a connection, for reading what a closed session cannot.
        digests: what is known of positions.
    """

    files: SlotFiles
    reservations: Reservations
    connect: Callable[[], Connection]
    digests: Digests = attrs.field(factory=Digests)

    def pixels_of(self, session: DomainSession) -> ZarrPixels:
        """See `PixelShelf`."""
        return ZarrPixels(session, self)


class ZarrPixels:
    """Writes and reads the pixels of the segmentations of a session; a `SessionPixels`.

    Args:
        session: whose segmentations they are.
        shelf: what all sessions of the database share.
    """

    def __init__(self, session: DomainSession, shelf: ZarrShelf) -> None:
        self._session = session
        self._shelf = shelf
        self._asked: set[int] = set()
        self.note: Callable[[Segmentation | ModelSegmentation], None] | None = None
        """Told of each segmentation whose pixels were stored; the unit of work sets it."""

    def put(
        self,
        grid: Segmentation | ModelSegmentation,
        prepared: PreparedPixels,
        scan_indices: list[int] | None,
    ) -> None:
        """See `model.pixels.store.PixelStore`."""
        from eyened_domain.adapters.pixels.zarr import slices  # noqa: PLC0415 - numpy

        if object_session(grid) is not self._session:
            raise _not_held(grid)
        key, before = ArrayKey.of(grid), grid.zarr_array_index
        plane, shelf = prepared.plane, self._shelf
        base = None if plane is None else self._standing(grid, key, before)

        def written(
            reserved: ReservedPosition, connection: Connection | None = None
        ) -> SlotContent:
            stamp = Stamp(reserved.position, reserved.token, grid._identity() or 0)
            files = shelf.files

            def content_on(stored: StoredSlot | None) -> SlotContent:
                return slices.content(files, key, prepared.pixels, plane, base=stored, stamp=stamp)

            try:
                content = content_on(None) if base is None else base.use(content_on)
            except SlotGone as error:
                raise _lost(grid, key, before) from error
            with self._given_up(reserved, is_written=False):
                files.put(key, reserved.position, content)
                shelf.reservations.check_length(reserved, connection)
            return content

        with aside(self._session) as others_may_write:
            if others_may_write:
                reserved, content = self._put_somewhere(key, written)
        if not others_may_write:  # nobody but this session can reserve a position
            reserved = within.take(self._session, shelf.reservations, key)
            content = written(reserved, self._session.connection())
        self._point(grid, reserved, content, before, scan_indices)
        if self.note is not None:
            self.note(grid)

    def _put_somewhere(
        self, key: ArrayKey, written: Callable[[ReservedPosition], SlotContent]
    ) -> tuple[ReservedPosition, SlotContent]:
        """Write a slot; at another position when somebody was faster, since no row knows of it."""
        for left in reversed(range(_TRIES)):
            try:
                reserved = self._shelf.reservations.take(key)
                return reserved, written(reserved)
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def read(self, grid: Segmentation | ModelSegmentation, plane: Plane | None) -> npt.NDArray[Any]:
        """See `model.pixels.store.PixelStore`."""
        key, position = ArrayKey.of(grid), grid.zarr_array_index
        if position is None:
            raise _lost(grid, key, position)
        try:
            return self._read(grid, key, position, plane)
        except SlotGone as error:
            newer = self._position_now(grid)
            if newer is None or newer == position:
                raise _lost(grid, key, position) from error
        try:
            return self._read(grid, key, newer, plane)
        except SlotGone as error:
            raise _lost(grid, key, newer) from error

    def find(self, entity: type[E], identity: int) -> E:
        """See `model.pixels.store.PixelStore`.

        Nothing is flushed for it unless that is what it takes: on SQLite, nobody else could
        reserve a position afterwards.
        """
        found: E | None
        with self._session.no_autoflush:
            found = self._session.get(entity, identity)
        return found if found is not None else self._session.repository(entity).get(identity)

    def image_shape(self, identity: int) -> Shape | None:
        """See `model.pixels.store.PixelStore`; three columns are asked for, not the image."""
        held = self._session.identity_map.get(identity_key(ImageInstance, identity))
        if held is None:
            row = self._session.connection().execute(_SIZE, {"b_identity": identity}).first()
            if row is not None:
                return shape_of(*row)
            held = self.find(ImageInstance, identity)
        shape: Shape | None = held.shape
        return shape

    def html_of(self, grid: Segmentation | ModelSegmentation) -> str:
        """See `model.pixels.store.PixelStore`."""
        from eyened_domain.adapters.notebook import (  # noqa: PLC0415 - loaded when shown
            segmentation_card,
        )

        is_open = object_session(grid) is self._session
        with self._session.no_autoflush:
            return segmentation_card(grid, self.find if is_open else None)

    def _point(
        self,
        grid: Segmentation | ModelSegmentation,
        reserved: ReservedPosition,
        content: SlotContent,
        before: int | None,
        scan_indices: list[int] | None,
    ) -> None:
        """Let the row point to the new pixels, and the object with it."""
        self._session.flush()
        values: dict[str, Any] = {} if scan_indices is None else {"scan_indices": scan_indices}
        connection = self._session.connection()
        kept = self._shelf.digests.kept
        files = self._shelf.files
        with ending_on(self._session, *DATABASE), self._given_up(reserved, is_written=True):
            token = token_of(files, reserved.key, reserved.position, content, reserved.token)
            point(
                connection,
                reserved,
                grid,
                before=before,
                before_is_known=before is not None and kept(reserved.key, before) is not None,
                digest=content.digest,
                size=content.size,
                token=token,
                values=values,
            )
        self._shelf.digests.keep(reserved.key, reserved.position, content.digest)
        note_altered(self._session, grid, {"zarr_array_index": reserved.position, **values})
        # as if it had been flushed: a savepoint that is rolled back then takes it from the object
        keep_for_rollback(self._session, [grid])
        count_as_altered(self._session, [instance_state(grid)])
        for name, value in {"zarr_array_index": reserved.position, **values}.items():
            set_committed_value(grid, name, value)

    def discard(self, grid: StoredPixels) -> None:
        """See `SessionPixels`."""
        key, position = ArrayKey.of(grid), grid.zarr_array_index
        if position is None:
            return
        with aside(self._session) as others_may_write:
            if others_may_write:  # or the new row would be locked until this unit ends
                array_id = self._shelf.reservations.array_id(key)
        connection = self._session.connection()
        if not others_may_write:
            array_id = array_id_for(connection, key)
        discard(connection, array_id, position, uuid.uuid4().hex)

    @contextmanager
    def _given_up(self, reserved: ReservedPosition, *, is_written: bool) -> Iterator[None]:
        """After a conflict, leave no file of ours where the collector may have been already.

        The other positions in hand may be as old, and are not handed out either.
        """
        try:
            yield
        except Conflict:
            self._shelf.reservations.forget(reserved.key)
            if is_written:
                with suppress(StorageError):
                    self._shelf.files.remove(reserved.key, reserved.position)
            raise

    def _read(
        self, grid: Any, key: ArrayKey, position: int, plane: Plane | None
    ) -> npt.NDArray[Any]:
        from eyened_domain.adapters.pixels.zarr import slices  # noqa: PLC0415 - numpy

        def pixels_of(stored: StoredSlot | None) -> npt.NDArray[Any]:
            if stored is None:
                return slices.zeros(key, plane)
            return slices.read(self._shelf.files, key, stored, plane)

        standing = self._standing(grid, key, position)
        if standing is None:
            raise _lost(grid, key, position)
        return standing.use(pixels_of)

    def _standing(self, grid: Any, key: ArrayKey, position: int | None) -> Standing | None:
        """Return what stands at a position, as far as the database knows; None for nowhere."""
        if position is None:
            return None
        shelf = self._shelf

        def ask_again() -> Record:
            with self._another_connection() as connection:
                return shelf.digests.ask(connection, key, position)

        record = self._record(grid, key, position)
        return Standing(shelf.files, shelf.digests, key, position, record, ask_again)

    def _record(self, grid: Any, key: ArrayKey, position: int) -> Record:
        """Return what the database knows of a position; ask for its siblings along with it."""
        digests = self._shelf.digests
        kept = digests.kept(key, position)
        if kept is not None:
            return kept
        with self._connection(grid) as connection:
            if grid._identity() not in self._asked:
                siblings = self._siblings(grid)
                self._asked |= siblings
                digests.ask_for(connection, type(grid), siblings)
            return digests.kept(key, position) or digests.ask(connection, key, position)

    def _siblings(self, grid: Any) -> set[int]:
        """Return the ids of the segmentations in the session that have not been asked for."""
        if object_session(grid) is not self._session:
            return {grid._identity()}
        ids = {
            one._identity()
            for one in self._session.identity_map.values()
            if isinstance(one, type(grid)) and one.__dict__.get("zarr_array_index") is not None
        }
        return (ids | {grid._identity()}) - self._asked

    def _position_now(self, grid: Any) -> int | None:
        """Return where the row points at this moment, whatever the session has read."""
        table, key = OWNERS[type(grid)]
        asked = select(table.c.zarr_array_index).where(table.c[key] == grid._identity())
        with self._shelf.connect() as connection:
            found: int | None = connection.execute(asked).scalar()
        return found

    @contextmanager
    def _another_connection(self) -> Iterator[Connection]:
        """Give a connection that sees what is committed at this moment."""
        bind: Any = self._session.get_bind()
        if isinstance(bind.pool, StaticPool):
            yield self._session.connection()  # a database in memory has no other
        else:
            with self._shelf.connect() as connection:
                yield connection

    @contextmanager
    def _connection(self, grid: Any) -> Iterator[Connection]:
        """Give the session's connection, or another one when it holds the object no more."""
        if object_session(grid) is self._session:
            yield self._session.connection()
        else:
            with self._shelf.connect() as connection:
                yield connection


def _not_held(grid: Any) -> NotLoaded:
    name = grid.__entity__.name
    return NotLoaded(
        f"this {name} is in no open session or unit of work: its pixels can be read, and written "
        "again when it is loaded in one",
        entity=name,
        field="zarr_array_index",
    )


def _lost(grid: Any, key: ArrayKey, position: int | None) -> PixelsLost:
    name = grid.__entity__.name
    return PixelsLost(
        f"the pixels of {name} {grid._identity()} are lost: there is no file at position "
        f"{position} of {key.path}; restore it from a backup, and run `eorm doctor` for a list of "
        "all such rows",
        entity=name,
        field="zarr_array_index",
        value=position,
    )
