"""The session: SQLAlchemy's own, with repositories and navigation by levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Select, event
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import has_identity

import eyened_domain.adapters.sql.mapping  # noqa: F401 - maps the classes of its objects
from eyened_domain.adapters.sql.bulk_in_hand import let_go_of_unmade
from eyened_domain.adapters.sql.changed_rows import (
    begin_writing,
    forget_compared,
    refuse_overwriting,
)
from eyened_domain.adapters.sql.ended import (
    DATABASE,
    FLUSH,
    end_whole,
    ending_on,
    go_on,
    go_on_after_rollback,
    go_on_after_savepoint,
    refuse_if_ended,
    refuse_statement,
)
from eyened_domain.adapters.sql.files_of_objects import give_files
from eyened_domain.adapters.sql.flushing import watch_flushes
from eyened_domain.adapters.sql.garbage import load_calmly
from eyened_domain.adapters.sql.generated_values import read_back_generated_values
from eyened_domain.adapters.sql.history.keeper import HistoryKeeper
from eyened_domain.adapters.sql.history.log import ChangeLog, watch_transactions_for_history
from eyened_domain.adapters.sql.inactive import (
    include_inactive,
    includes_inactive,
    leave_out_inactive,
)
from eyened_domain.adapters.sql.list_changes import refuse_own_links
from eyened_domain.adapters.sql.names import entity_of
from eyened_domain.adapters.sql.navigation import load_siblings
from eyened_domain.adapters.sql.new_again import renew_after_rollback, renewing
from eyened_domain.adapters.sql.pixels import PixelShelf, SessionPixels
from eyened_domain.adapters.sql.quiet_lists import read_lists_anew
from eyened_domain.adapters.sql.removal import (
    delete_along,
    keep_moved_by_id,
    take_back,
)
from eyened_domain.adapters.sql.repositories import repository_for
from eyened_domain.adapters.sql.restoring import (
    discard_changes,
    fill_before_close,
    read_anew,
    read_siblings_anew,
    restore_after_rollback,
)
from eyened_domain.adapters.sql.staleness import is_stale, watch_transactions
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.adapters.sql.whole_arrivals import WholeSession
from eyened_domain.errors import EyenedError, RuleBroken, deleted
from eyened_domain.model.annotation import AnnotationFiles
from eyened_domain.model.entity import Entity
from eyened_domain.model.image_store import ImageStore
from eyened_domain.services.changes.author import NOBODY, Author
from eyened_domain.services.garbage import rarer_collections
from eyened_domain.services.repository import Repository

E = TypeVar("E", bound=Entity)


class DomainSession(WholeSession):
    """A SQLAlchemy session that can give a repository, and whose objects know their files.

    Objects stay readable after commit, after a rollback and after the session has closed.
    What a new transaction loads replaces what they hold. A row that was changed by another
    transaction since it was read is not written over: `Conflict`.

    Args:
        image_store: the images of this database.
        shelf: where the pixels of its segmentations are.
        annotation_files: the files of its legacy annotations.
        include_inactive: let finders and lists be with what is inactive.
        history: keeps the history of this database; None where none is kept.
        author: who the session acts for.
        options: of `sqlalchemy.orm.Session`.
    """

    def __init__(
        self,
        *,
        image_store: ImageStore | None = None,
        shelf: PixelShelf | None = None,
        annotation_files: AnnotationFiles | None = None,
        include_inactive: bool = False,
        history: HistoryKeeper | None = None,
        author: Author = NOBODY,
        **options: Any,
    ) -> None:
        super().__init__(expire_on_commit=False, **options)
        self.include_inactive = include_inactive
        self.changes: ChangeLog = ChangeLog(self, history, author)
        self.image_store = image_store
        self.annotation_files = annotation_files
        self.pixels: SessionPixels | None = None if shelf is None else shelf.pixels_of(self)

    @property
    def include_inactive(self) -> bool:
        """Whether finders and lists are with what is inactive; see `services.inactive`."""
        return includes_inactive(self)

    @include_inactive.setter
    def include_inactive(self, value: bool) -> None:
        include_inactive(self, value)

    def repository(self, entity: type[E], /) -> Repository[E]:
        """Return the repository of an entity class."""
        entity_of(entity)
        return repository_for(self, entity)

    def frame(
        self,
        statement: Select[*tuple[Any, ...]],
        *,
        backend: str = "pandas",
        database_names: bool = False,
    ) -> Any:
        """Return the rows of a query as a DataFrame; see `eyened_domain.adapters.frames.frame`."""
        from eyened_domain.adapters.frames import frame  # noqa: PLC0415 - loaded when used

        return frame(self, statement, backend=backend, database_names=database_names)

    if not TYPE_CHECKING:  # SQLAlchemy's overloads say what these return

        def execute(self, *arguments: Any, **options: Any) -> Any:
            """Run a statement; many objects are loaded in half the time."""
            with ending_on(self, *DATABASE):
                return load_calmly(super().execute(*arguments, **options))

        def scalars(self, *arguments: Any, **options: Any) -> Any:
            """Run a statement, and give the first column; many objects in half the time."""
            with ending_on(self, *DATABASE):
                return load_calmly(super().scalars(*arguments, **options))

        def scalar(self, *arguments: Any, **options: Any) -> Any:
            """Run a statement, and give the first column of the first row."""
            with ending_on(self, *DATABASE):
                return super().scalar(*arguments, **options)

        def get(self, entity: Any, ident: Any, **options: Any) -> Any:
            """Return the object with that primary key, as it is in this transaction."""
            refuse_if_ended(self)
            found = super().get(entity, ident, **options)
            if found is not None and isinstance(found, Entity) and is_stale(self, found):
                found = super().get(entity, ident, **{**options, "populate_existing": True})
            return found

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection of the transaction."""
        refuse_if_ended(self)
        return super().connection(*arguments, **options)

    def add(self, instance: object, **options: Any) -> None:
        """Put an object in, with everything that hangs on it.

        One that is to be deleted is kept then, and what was to go along with it.
        """
        refuse_if_ended(self)
        entity_of(type(instance))
        if isinstance(instance, Entity) and instance_state(instance).was_deleted:
            raise deleted(instance)
        if isinstance(instance, Entity):
            take_back(self, instance)
            if instance in self and has_identity(instance):
                return  # what it is linked to came in when it was linked
        super().add(instance, **options)

    def delete(self, instance: object) -> None:
        """Take an object out when the session is flushed.

        Raises:
            RuleBroken: it is not stored.
        """
        refuse_if_ended(self)
        entity_of(type(instance))
        if isinstance(instance, Entity) and (
            not has_identity(instance) or instance_state(instance).was_deleted
        ):
            raise RuleBroken(
                f"this {type(instance).__name__} is not stored, so it cannot be deleted",
                entity=type(instance).__name__,
            )
        before = set(self.deleted)
        super().delete(instance)
        keep_moved_by_id(self, [one for one in self.deleted if one not in before | {instance}])
        delete_along(self)

    def begin_nested(self) -> SessionTransaction:
        """Set a savepoint; what has changed is sent before."""
        refuse_if_ended(self)
        with ending_on(self, *FLUSH):
            return super().begin_nested()

    def flush(self, objects: Any = None) -> None:
        """Send what has changed; an error ends the transaction, or the savepoint that it is in.

        Raises:
            Conflict: a row was changed by another transaction since it was read.
        """
        refuse_if_ended(self)
        if self.has_nothing_to_flush():  # asked for before every query
            return
        with ending_on(self, *FLUSH), rarer_collections():
            super().flush() if objects is None else super().flush(objects)

    def commit(self) -> None:
        """Make everything permanent; after an error the transaction is rolled back."""
        refuse_if_ended(self)
        try:
            with ending_on(self, *FLUSH):
                super().commit()
        except EyenedError as error:
            end_whole(self, error)
            raise

    def lock(self, one: Entity) -> None:
        """Keep others from changing an object's row until this transaction ends.

        Raises:
            Conflict: it was changed by another transaction since it was read.
        """
        self.flush()
        if one not in self or not has_identity(one):
            raise RuleBroken(
                f"this {type(one).__name__} is not stored by this unit of work, so it cannot be "
                "locked",
                entity=type(one).__name__,
            )
        begin_writing(self)
        refuse_overwriting(self, [one])

    def close(self) -> None:
        """Close the session; what is not committed is rolled back, by the server if it is gone."""
        go_on(self)
        fill_before_close(self)
        with renewing(self):
            try:
                super().close()
            except ConnectionLost:
                self.invalidate()

    def rollback(self) -> None:
        """Take back what is not committed; the server has done so if the connection is gone."""
        if not self.is_active:
            discard_changes(self)
        go_on(self)
        try:
            super().rollback()
        except ConnectionLost:
            super().rollback()
        read_anew(self)


event.listen(DomainSession, "do_orm_execute", refuse_statement)
event.listen(DomainSession, "do_orm_execute", read_siblings_anew)
watch_transactions(DomainSession)
event.listen(DomainSession, "do_orm_execute", leave_out_inactive)
event.listen(DomainSession, "do_orm_execute", load_siblings)
watch_flushes(DomainSession)
restore_after_rollback(DomainSession)
renew_after_rollback(DomainSession)
read_lists_anew(DomainSession)
let_go_of_unmade(DomainSession)
event.listen(DomainSession, "after_transaction_end", forget_compared)
event.listen(DomainSession, "after_transaction_end", go_on_after_savepoint)
event.listen(DomainSession, "after_soft_rollback", go_on_after_rollback)
event.listen(DomainSession, "before_attach", refuse_own_links)
read_back_generated_values(DomainSession)
watch_transactions_for_history(DomainSession)
give_files(DomainSession)
