"""`Database`: the way into a database, for notebooks, scripts and applications."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Engine

from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.adapters.pixels.positions.reservations import Reservations
from eyened_domain.adapters.pixels.session_pixels import ZarrShelf
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.sql.engine import engine_of
from eyened_domain.adapters.sql.history.keeper import HistoryKeeper
from eyened_domain.adapters.sql.made_once import made_once
from eyened_domain.adapters.sql.migrations import ensure_ready
from eyened_domain.adapters.sql.pixels import PixelShelf
from eyened_domain.adapters.sql.repeatable_unit import RepeatableUnitOfWork
from eyened_domain.adapters.sql.retry import run_unit
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.sqlite_names import follow_names
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.config import Settings
from eyened_domain.config.temporary import remove_folder
from eyened_domain.model.annotation import AnnotationFiles
from eyened_domain.model.image_store import ImageStore
from eyened_domain.services.changes.author import Actor, author_of
from eyened_domain.services.events import Subscribers

T = TypeVar("T")


class Stores(Protocol):
    """Where the entities of a database find their files; a `Database` is one itself."""

    @property
    def image_store(self) -> ImageStore:
        """The image files and thumbnails."""

    @property
    def pixel_shelf(self) -> PixelShelf:
        """Where the pixels of segmentations are."""

    @property
    def annotation_files(self) -> AnnotationFiles:
        """The files of legacy annotations."""


class Database:
    """A database and the files that belong to it.

    Nothing is opened until it is needed. Several may be open in one process, and one may
    be used by several threads, each with sessions of its own.

    Args:
        source: where the settings come from: None for the environment (with nothing set:
            an embedded SQLite database in EYENED_HOME, default ``./eyened-data``), the
            path of an env file, a flat or nested dict, a database URL, or `Settings`.
        subscribers: called with each event of a unit of work, after its commit.
        stores: where entities find their files, if not where the settings say; each session
            asks anew.

    Raises:
        ConfigurationError: something is missing or wrong; the message names all of it.
    """

    def __init__(
        self,
        source: object = None,
        *,
        subscribers: Subscribers = (),
        stores: Stores | None = None,
    ) -> None:
        self.settings: Settings = source if isinstance(source, Settings) else Settings.load(source)
        self._subscribers = subscribers
        self._stores: Stores = self if stores is None else stores
        self._lock = threading.RLock()
        self._history: HistoryKeeper | None = None

    def __repr__(self) -> str:
        return f"Database({self.settings.display_url!r})"

    @made_once
    def engine(self) -> Engine:
        """The SQLAlchemy engine; its database has been found to be ready for use."""
        self.settings = self.settings.prepare()
        engine = engine_of(self.settings)
        weakref.finalize(engine, remove_folder, self.settings.home)
        try:
            at_head = ensure_ready(engine, embedded=self.settings.is_embedded)
            is_kept = self.settings.history and at_head
            self._history = HistoryKeeper(self.settings.secret_key) if is_kept else None
            follow_names(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def init(self) -> None:
        """Make the tables in an empty database; one that is set up is left as it is.

        An embedded database, and one in memory, do this by themselves when they are first used.

        Raises:
            ConfigurationError: it holds tables of another program; the message says
                which command takes it over.
        """
        from eyened_domain.adapters.sql.migrations.upgrade import (  # noqa: PLC0415 - Alembic
            initialise,
        )

        self.settings = self.settings.prepare()
        engine = engine_of(self.settings)
        try:
            initialise(engine)
        finally:
            engine.dispose()

    @made_once
    def image_store(self) -> StoredImages:
        """The image files and thumbnails that the settings name."""
        return StoredImages(
            self.settings.images_basepath,
            self.settings.image_server_url,
            thumbnails=self.settings.thumbnails_path,
        )

    @made_once
    def pixel_shelf(self) -> ZarrShelf:
        """Where the pixels of segmentations are, as the settings say."""
        files = SlotFiles(self.settings.segmentations_zarr_store)
        return ZarrShelf(files, Reservations(self.engine, files), self.engine.connect)

    @made_once
    def annotation_files(self) -> StoredAnnotationFiles:
        """The files of legacy annotations that the settings name."""
        return StoredAnnotationFiles(self.settings.annotations_path)

    @contextmanager
    def get_session(
        self,
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> Iterator[DomainSession]:
        """Give a session for a `with` block; what is not committed in it is rolled back.

        Objects stay readable after the block.

        Args:
            include_inactive: let finders and lists be with what is inactive.
            actor: who acts in it; see `unit_of_work`, and so of the reason.
            reason: as well.
        """
        session = self.create_session(include_inactive=include_inactive, actor=actor, reason=reason)
        try:
            yield session
        finally:
            session.close()

    def create_session(
        self,
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> DomainSession:
        """Return a session that the caller closes; see `get_session`."""
        author = author_of(actor, reason)
        session = self._session_on(self.engine)
        session.include_inactive = include_inactive
        session.changes.author = author
        return session

    def unit_of_work(
        self,
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> SqlUnitOfWork:
        """Return a unit of work, to be used in a `with` block.

        Args:
            include_inactive: let finders, lists and frames be with what is inactive.
            actor: who acts in it, as the history says: a stored creator, or the name or the id
                of one, which is looked up when something is stored. There is `NotFound` where
                it is nobody's, and nothing is stored.
            reason: why, as the history says.
        """
        return SqlUnitOfWork(
            self._writing_session,
            self._subscribers,
            include_inactive=include_inactive,
            actor=actor,
            reason=reason,
        )

    def run(
        self,
        work: Callable[[SqlUnitOfWork], T],
        *,
        retries: int = 3,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> T:
        """Run work in a unit of work and commit it; all of it again on a deadlock or lost link.

        On SQLite, where one at a time may write, others may write while it only reads; when
        they have changed what it read, it is run again, and then keeps them from writing.

        Args:
            work: called with the open unit of work; called again, with a new one, when
                the database gave way. It happens once, also when the connection is lost
                in the middle of the commit.
            retries: how often it is run again at the most.
            include_inactive: let finders, lists and frames be with what is inactive.
            actor: who acts in it; see `unit_of_work`, and so of the reason.
            reason: as well.

        Returns:
            what the work returned.

        Raises:
            Conflict: it did not succeed after all retries.
        """
        make_unit = partial(
            self._repeatable_unit,
            include_inactive=include_inactive,
            actor=actor,
            reason=reason,
        )
        return run_unit(make_unit, self.create_session, work, retries=retries)

    def close(self) -> None:
        """Close all connections; the database can be used again afterwards.

        One in memory is gone then, with its stores (unless their places were set), and is
        empty when it is used again.
        """
        with self._lock:
            engine = self.__dict__.pop("engine", None)
            self.__dict__.pop("pixel_shelf", None)
            if engine is not None:
                engine.dispose()
                remove_folder(self.settings.home)

    def _repeatable_unit(
        self,
        may_give_way: bool,
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> RepeatableUnitOfWork:
        how = "LATE" if may_give_way else "IMMEDIATE"
        return RepeatableUnitOfWork(
            partial(self._writing_session, how),
            self._subscribers,
            include_inactive=include_inactive,
            actor=actor,
            reason=reason,
        )

    def _writing_session(self, how: str = "IMMEDIATE") -> DomainSession:
        return self._session_on(self.engine.execution_options(**{BEGIN: how}))

    def _session_on(self, bind: Engine) -> DomainSession:
        return DomainSession(
            bind=bind,
            image_store=self._stores.image_store,
            shelf=self._stores.pixel_shelf,
            annotation_files=self._stores.annotation_files,
            history=self._history,
        )
