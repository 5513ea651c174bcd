"""The session: SQLAlchemy's own, with repositories and navigation by levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, event
from sqlalchemy.orm import InstanceState, QueryContext, Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.garbage import load_calmly
from eyened_domain.adapters.sql.generated_values import read_back_generated_values
from eyened_domain.adapters.sql.links_in_view import check_stored_parts, put_in_view
from eyened_domain.adapters.sql.list_changes import refuse_held, refuse_strange
from eyened_domain.adapters.sql.mapping import map_entities
from eyened_domain.adapters.sql.modalities import settle_modalities
from eyened_domain.adapters.sql.navigation import load_siblings
from eyened_domain.adapters.sql.pixels.deletion import discard_deleted
from eyened_domain.adapters.sql.pixels.renaming import check_renaming
from eyened_domain.adapters.sql.pixels.session_pixels import PixelShelf, SessionPixels
from eyened_domain.adapters.sql.pixels.within import watch
from eyened_domain.adapters.sql.repositories import SqlRepository, repository_for
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.model.annotation import AnnotationData, AnnotationFiles
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.stored_pixels import StoredPixels

E = TypeVar("E", bound=Entity)


class DomainSession(Session):
    """A SQLAlchemy session that can give a repository, and whose objects know their files.

    Objects stay readable after commit and after the session has closed.

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
            return load_calmly(super().execute(*arguments, **options))

        def scalars(self, *arguments: Any, **options: Any) -> Any:
            """Run a statement, and give the first column; many objects in half the time."""
            return load_calmly(super().scalars(*arguments, **options))

    def _before_attach(self, state: InstanceState[Any], obj: object) -> bool:
        """Refuse what another open session holds, by whatever way it comes in."""
        refuse_strange(self, state)
        return super()._before_attach(state, obj)

    def close(self) -> None:
        """Close the session; what is not committed is rolled back, by the server if it is gone."""
        try:
            super().close()
        except ConnectionLost:
            self.invalidate()

    def rollback(self) -> None:
        """Take back what is not committed; the server has done so if the connection is gone."""
        try:
            super().rollback()
        except ConnectionLost:
            super().rollback()


event.listen(DomainSession, "do_orm_execute", load_siblings)


@event.listens_for(DomainSession, "before_flush")
def _check_rules(session: DomainSession, _context: UOWTransaction, _instances: Any) -> None:
    settle_modalities(session)
    put_in_view(session)
    check_stored_parts(session)
    for one in session.new:
        if isinstance(one, Entity):
            one.check_rules()
            _check_references(session, one)
    for one in session.dirty:
        if isinstance(one, Entity) and session.is_modified(one, include_collections=False):
            one.check_rules()
            _check_references(session, one)
            if isinstance(one, SegmentationModel):
                check_renaming(session, one)


def _check_references(session: DomainSession, one: Entity) -> None:
    """Raise where the segmentation that another refers to was set, and cannot be referred to."""
    if isinstance(one, StoredPixels) and session.pixels is not None:
        state: Any = instance_state(one)
        if one.reference_segmentation_id and state.attrs.reference_segmentation_id.history.added:
            one.references()


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
