"""Lets the objects of a session reach their files: images, pixels, legacy annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.orm import InstanceState, QueryContext

from eyened_domain.model.annotation import AnnotationData
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.stored import StoredPixels

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession


def give_files(session_class: type[DomainSession]) -> None:
    """Attach what the sessions of a class hold of files to every object that comes in."""

    def attach_loaded(state: InstanceState[Any], context: QueryContext | None) -> None:
        if context is None:  # a copy of `merge(load=False)`, which has been attached
            return
        if state.obj() is not None and isinstance(context.session, session_class):
            _attach(context.session, state.obj())

    event.listen(session_class, "after_attach", _attach)
    for entity in (ImageInstance, AnnotationData, StoredPixels):
        event.listen(entity, "load", attach_loaded, raw=True, propagate=True)


def _attach(session: DomainSession, one: object) -> None:
    if isinstance(one, ImageInstance):
        one.attach(session.image_store)
    elif isinstance(one, StoredPixels):
        one.attach(session.pixels)
    elif isinstance(one, AnnotationData):
        one.attach(session.annotation_files)
