"""The session: SQLAlchemy's own, with repositories and navigation by levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Select, event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    InstanceState,
    QueryContext,
    SessionTransaction,
    UOWTransaction,
)
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import has_identity

from eyened_domain.adapters.sql.changed_rows import (
    begin_writing,
    forget_compared,
    note_inserted,
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
from eyened_domain.adapters.sql.garbage import load_calmly
from eyened_domain.adapters.sql.generated_values import read_back_generated_values
from eyened_domain.adapters.sql.links_by_id import follow_ids, note_ids
from eyened_domain.adapters.sql.links_in_view import check_stored_parts, in_view, is_linked_anew
from eyened_domain.adapters.sql.list_changes import refuse_held, refuse_strange
from eyened_domain.adapters.sql.mapping import map_entities
from eyened_domain.adapters.sql.modalities import settle_modalities
from eyened_domain.adapters.sql.named_session import NamedSession
from eyened_domain.adapters.sql.names import entity_of
from eyened_domain.adapters.sql.navigation import load_siblings
from eyened_domain.adapters.sql.new_again import note_new, renew_after_rollback, renewing
from eyened_domain.adapters.sql.pixels.deletion import discard_deleted
from eyened_domain.adapters.sql.pixels.renaming import check_renaming
from eyened_domain.adapters.sql.pixels.session_pixels import PixelShelf, SessionPixels
from eyened_domain.adapters.sql.pixels.within import watch
from eyened_domain.adapters.sql.quiet_lists import read_lists_anew
from eyened_domain.adapters.sql.removal import (
    delete_along,
    follow_deletions,
    keep_links,
    keep_moved_by_id,
    refuse_links_to_deleted,
    refuse_same_key,
    take_back,
    take_places,
)
from eyened_domain.adapters.sql.repositories import SqlRepository, repository_for
from eyened_domain.adapters.sql.restoring import (
    discard_changes,
    fill_before_close,
    keep_for_rollback,
    read_anew,
    read_emptied,
    read_siblings_anew,
    restore_after_rollback,
)
from eyened_domain.adapters.sql.staleness import is_stale, watch_transactions
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.adapters.sql.true_changes import changed_objects, leave_lists
from eyened_domain.errors import EyenedError, RuleBroken, deleted
from eyened_domain.model.annotation import AnnotationData, AnnotationFiles
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.stored_pixels import StoredPixels
from eyened_domain.services.garbage import rarer_collections

E = TypeVar("E", bound=Entity)


class DomainSession(NamedSession):
    """A SQLAlchemy session that can give a repository, and whose objects know their files.

    Objects stay readable after commit, after a rollback and after the session has closed.
    What a new transaction loads replaces what they hold. A row that was changed by another
    transaction since it was read is not written over: `Conflict`.

    Args:
        image_store: the images of this database.
        shelf: where the pixels of its segmentations are.
        annotation_files: the files of its legacy annotations.
        options: of `sqlalchemy.orm.Session`.
    """

    def __init__(
        self,
        *,
        image_store: ImageStore | None = None,
        shelf: PixelShelf | None = None,
        annotation_files: AnnotationFiles | None = None,
        **options: Any,
    ) -> None:
        map_entities()
        super().__init__(expire_on_commit=False, **options)
        self.image_store = image_store
        self.annotation_files = annotation_files
        self.pixels = None if shelf is None else SessionPixels(self, shelf)

    def repository(self, entity: type[E], /) -> SqlRepository[E]:
        """Return the repository of an entity class."""
        entity_of(entity)
        return repository_for(self, entity)

    def frame(
        self, statement: Select[Any], *, backend: str = "pandas", database_names: bool = False
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
        if isinstance(instance, Entity) and instance_state(instance)._deleted:
            raise deleted(instance)
        if isinstance(instance, Entity):
            take_back(self, instance)
        try:
            super().add(instance, **options)
        except InvalidRequestError as error:  # something that hangs on it was deleted
            raise deleted(instance) from error

    def delete(self, instance: object) -> None:
        """Take an object out when the session is flushed.

        Raises:
            RuleBroken: it is not stored.
        """
        refuse_if_ended(self)
        entity_of(type(instance))
        if isinstance(instance, Entity) and (
            not has_identity(instance) or instance_state(instance)._deleted
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
        if self._is_clean():  # asked for before every query
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

    def _update_impl(self, state: InstanceState[Any], revert_deletion: bool = False) -> None:
        """Put a stored object in; one that is to be deleted is not kept for being linked to it."""
        if revert_deletion or state not in self._deleted:
            super()._update_impl(state, revert_deletion)

    def _before_attach(self, state: InstanceState[Any], obj: object) -> bool:
        """Refuse what another open session holds, by whatever way it comes in."""
        refuse_strange(self, state)
        return super()._before_attach(state, obj)

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
event.listen(DomainSession, "do_orm_execute", load_siblings)


@event.listens_for(DomainSession, "before_flush")
def _before_flush(session: DomainSession, _context: UOWTransaction, _instances: Any) -> None:
    note_new(session, session.new)
    read_emptied(session)
    if session.deleted:
        delete_along(session, unseen=True)
        keep_links(session)
        take_places(session)
    leave_lists(session)
    note_ids(session, [one for one in (*session.new, *session.dirty) if isinstance(one, Entity)])
    settle_modalities(session)
    changed = changed_objects(session)
    with in_view(session):
        check_stored_parts(session)
        for one in (*session.new, *changed):
            if isinstance(one, Entity):
                if not one.checked_when_linked or is_linked_anew(one):
                    one.check_rules()
                _check_references(session, one)
    for one in (*session.new, *changed):
        if isinstance(one, Entity):
            one.check_needed(_cleared(one), _untouched(one))
    for one in changed:
        if isinstance(one, SegmentationModel):
            check_renaming(session, one)
    if session.deleted:
        stored = [one for one in (*session.new, *changed) if one not in session.deleted]
        refuse_links_to_deleted(session, [one for one in stored if isinstance(one, Entity)])
    written = [*changed, *(one for one in session.deleted if isinstance(one, Entity))]
    keep_for_rollback(session, written)
    refuse_overwriting(session, written)
    refuse_same_key(session)


def _cleared(one: Entity) -> frozenset[str]:
    """Return the columns that the flush is going to empty, since they or their links were."""
    changed, held = instance_state(one).committed_state, one.__dict__
    return frozenset(
        column
        for column, link in one.__entity__.link_of.items()
        if (link in changed and held.get(link) is None)
        or (column in changed and link not in changed and held.get(column) is None)
    )


def _untouched(one: Entity) -> frozenset[str]:
    """Return the columns that are needed and stay as they were read."""
    state = instance_state(one)
    if state.key is None:
        return frozenset()
    return frozenset(one.__entity__.needed) - state.committed_state.keys()


def _check_references(session: DomainSession, one: Entity) -> None:
    """Raise where the segmentation that another refers to was set, and cannot be referred to."""
    if isinstance(one, StoredPixels) and session.pixels is not None:
        state: Any = instance_state(one)
        if one.reference_segmentation_id and state.attrs.reference_segmentation_id.history.added:
            one.references()


restore_after_rollback(DomainSession)
renew_after_rollback(DomainSession)
read_lists_anew(DomainSession)
event.listen(DomainSession, "after_flush", note_inserted)
event.listen(DomainSession, "after_flush", follow_deletions)
event.listen(DomainSession, "after_flush", follow_ids)
event.listen(DomainSession, "after_transaction_end", forget_compared)
event.listen(DomainSession, "after_transaction_end", go_on_after_savepoint)
event.listen(DomainSession, "after_soft_rollback", go_on_after_rollback)
event.listen(DomainSession, "after_flush", discard_deleted)
event.listen(DomainSession, "before_attach", refuse_held)
read_back_generated_values(DomainSession)


@event.listens_for(DomainSession, "after_attach")
def _attach_files(session: DomainSession, one: object) -> None:
    if isinstance(one, ImageInstance):
        one.attach(session.image_store)
    elif isinstance(one, StoredPixels):
        one.attach(session.pixels)
    elif isinstance(one, AnnotationData):
        one.attach(session.annotation_files)


@event.listens_for(ImageInstance, "load", raw=True)
@event.listens_for(AnnotationData, "load", raw=True)
@event.listens_for(StoredPixels, "load", raw=True, propagate=True)
def _attach_files_when_loaded(state: InstanceState[Any], context: QueryContext | None) -> None:
    if context is None:  # a copy of `merge(load=False)`, which has been attached
        return
    if state.obj() is not None and isinstance(context.session, DomainSession):
        _attach_files(context.session, state.obj())


watch(DomainSession)
