"""The unit of work that every adapter shares: named repositories, events, callbacks."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from eyened_domain import model
from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.services.finders import PatientRepository
from eyened_domain.services.ports import Event, Subscribers
from eyened_domain.services.repository import Repository

E = TypeVar("E", bound=Entity)
_log = logging.getLogger("eyened_domain")


class BaseUnitOfWork(ABC):
    """One transaction with a repository for every entity; rolled back unless committed.

    Args:
        subscribers: called with each recorded event, after commit.
    """

    def __init__(self, subscribers: Subscribers = ()) -> None:
        self._subscribers = tuple(subscribers)
        self._events: list[Event] = []
        self._callbacks: list[Callable[[], None]] = []
        self._open = False

    def __enter__(self) -> Self:
        if self._open:
            raise RuleBroken("this unit of work is open already; units are not nested")
        self._open = True
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
        self._forget()
        self._close()

    def record(self, event: Event) -> None:
        """Remember an event, to be published after commit."""
        self._events.append(event)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call a function of the host after commit; what it raises is logged, not raised."""
        self._callbacks.append(callback)

    def commit(self) -> None:
        """Make everything permanent, then publish the events and call the callbacks."""
        self._check_open()
        self._commit()
        events, callbacks = self._events, self._callbacks
        self._forget()
        for event in events:
            for subscriber in self._subscribers:
                _call(subscriber, event)
        for callback in callbacks:
            _call(callback)

    def rollback(self) -> None:
        """Take back everything since the last commit, and forget the events."""
        self._check_open()
        self._forget()
        self._rollback()

    def flush(self) -> None:
        """Send what has changed to the storage, so that new objects have ids."""
        self._check_open()
        self._flush()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back what happens in the block, and its events, when an error leaves the block.

        The error is raised again; who catches it outside the block can go on with the unit.
        """
        self._check_open()
        events, callbacks = len(self._events), len(self._callbacks)
        try:
            with self._savepoint():
                yield
        except BaseException:
            del self._events[events:], self._callbacks[callbacks:]
            raise

    def lock(self, one: Entity) -> None:
        """Keep others from changing an object until this unit ends, as when it was changed.

        For what a unit only reads, and relies on.

        Args:
            one: a stored object of this unit.

        Raises:
            Conflict: it was changed by somebody else since it was read. In memory, where
                nobody waits, the commit of the one who comes second raises it.
            RuleBroken: it is not stored, or not in this unit.
        """
        self._check_open()
        self._lock(one)

    def repository(self, entity: type[E], /) -> Repository[E]:
        """Return the repository of an entity class."""
        self._check_open()
        return self._repository(entity)

    def _check_open(self) -> None:
        if not self._open:
            raise RuleBroken("this unit of work is not open; use it in a `with` block")

    def _forget(self) -> None:
        self._events, self._callbacks = [], []

    @abstractmethod
    def _begin(self) -> None: ...
    @abstractmethod
    def _commit(self) -> None: ...
    @abstractmethod
    def _rollback(self) -> None: ...
    @abstractmethod
    def _flush(self) -> None: ...
    @abstractmethod
    def _savepoint(self) -> AbstractContextManager[Any]: ...
    @abstractmethod
    def _lock(self, one: Entity) -> None: ...
    @abstractmethod
    def _close(self) -> None: ...
    @abstractmethod
    def _repository(self, entity: type[E]) -> Repository[E]: ...

    @property
    def contacts(self) -> Repository[model.Contact]:
        """All contacts (`Contact`)."""
        return self.repository(model.Contact)

    @property
    def projects(self) -> Repository[model.Project]:
        """All projects (`Project`)."""
        return self.repository(model.Project)

    @property
    def patients(self) -> PatientRepository:
        """All patients."""
        patients: Any = self.repository(model.Patient)
        return cast("PatientRepository", patients)

    @property
    def studies(self) -> Repository[model.Study]:
        """All studies (`Study`)."""
        return self.repository(model.Study)

    @property
    def series(self) -> Repository[model.Series]:
        """All series (`Series`)."""
        return self.repository(model.Series)

    @property
    def images(self) -> Repository[model.ImageInstance]:
        """All images (`ImageInstance`)."""
        return self.repository(model.ImageInstance)

    @property
    def modalities(self) -> Repository[model.ModalityTable]:
        """All modalities (`ModalityTable`)."""
        return self.repository(model.ModalityTable)

    @property
    def scans(self) -> Repository[model.Scan]:
        """All scans (`Scan`)."""
        return self.repository(model.Scan)

    @property
    def sources(self) -> Repository[model.SourceInfo]:
        """All sources (`SourceInfo`)."""
        return self.repository(model.SourceInfo)

    @property
    def device_models(self) -> Repository[model.DeviceModel]:
        """All device models (`DeviceModel`)."""
        return self.repository(model.DeviceModel)

    @property
    def devices(self) -> Repository[model.DeviceInstance]:
        """All camera and scanner instances (`DeviceInstance`)."""
        return self.repository(model.DeviceInstance)

    @property
    def creators(self) -> Repository[model.Creator]:
        """All creators (`Creator`)."""
        return self.repository(model.Creator)

    @property
    def tags(self) -> Repository[model.Tag]:
        """All tags (`Tag`)."""
        return self.repository(model.Tag)

    @property
    def starred_tags(self) -> Repository[model.CreatorTagLink]:
        """All starred tags (`CreatorTagLink`)."""
        return self.repository(model.CreatorTagLink)

    @property
    def study_tags(self) -> Repository[model.StudyTagLink]:
        """All study tags (`StudyTagLink`)."""
        return self.repository(model.StudyTagLink)

    @property
    def image_tags(self) -> Repository[model.ImageInstanceTagLink]:
        """All image tags (`ImageInstanceTagLink`)."""
        return self.repository(model.ImageInstanceTagLink)

    @property
    def annotation_tags(self) -> Repository[model.AnnotationTagLink]:
        """All annotation tags (`AnnotationTagLink`)."""
        return self.repository(model.AnnotationTagLink)

    @property
    def segmentation_tags(self) -> Repository[model.SegmentationTagLink]:
        """All segmentation tags (`SegmentationTagLink`)."""
        return self.repository(model.SegmentationTagLink)

    @property
    def form_tags(self) -> Repository[model.FormAnnotationTagLink]:
        """All form tags (`FormAnnotationTagLink`)."""
        return self.repository(model.FormAnnotationTagLink)

    @property
    def features(self) -> Repository[model.Feature]:
        """All features (`Feature`)."""
        return self.repository(model.Feature)

    @property
    def feature_links(self) -> Repository[model.FeatureFeatureLink]:
        """All feature links (`FeatureFeatureLink`)."""
        return self.repository(model.FeatureFeatureLink)

    @property
    def models(self) -> Repository[model.Model]:
        """All models (`Model`)."""
        return self.repository(model.Model)

    @property
    def segmentation_models(self) -> Repository[model.SegmentationModel]:
        """All segmentation models (`SegmentationModel`)."""
        return self.repository(model.SegmentationModel)

    @property
    def attributes_models(self) -> Repository[model.AttributesModel]:
        """All attributes models (`AttributesModel`)."""
        return self.repository(model.AttributesModel)

    @property
    def model_inputs(self) -> Repository[model.ModelInput]:
        """All model inputs (`ModelInput`)."""
        return self.repository(model.ModelInput)

    @property
    def model_outputs(self) -> Repository[model.AttributesModelOutput]:
        """All model outputs (`AttributesModelOutput`)."""
        return self.repository(model.AttributesModelOutput)

    @property
    def segmentations(self) -> Repository[model.Segmentation]:
        """All segmentations (`Segmentation`)."""
        return self.repository(model.Segmentation)

    @property
    def model_segmentations(self) -> Repository[model.ModelSegmentation]:
        """All model segmentations (`ModelSegmentation`)."""
        return self.repository(model.ModelSegmentation)

    @property
    def attributes(self) -> Repository[model.AttributeDefinition]:
        """All attributes (`AttributeDefinition`)."""
        return self.repository(model.AttributeDefinition)

    @property
    def attribute_values(self) -> Repository[model.AttributeValue]:
        """All attribute values (`AttributeValue`)."""
        return self.repository(model.AttributeValue)

    @property
    def attribute_value_inputs(self) -> Repository[model.AttributeValueInput]:
        """All attribute value inputs (`AttributeValueInput`)."""
        return self.repository(model.AttributeValueInput)

    @property
    def annotation_types(self) -> Repository[model.AnnotationType]:
        """All annotation types (`AnnotationType`)."""
        return self.repository(model.AnnotationType)

    @property
    def annotations(self) -> Repository[model.Annotation]:
        """All annotations (`Annotation`)."""
        return self.repository(model.Annotation)

    @property
    def annotation_data(self) -> Repository[model.AnnotationData]:
        """All annotation data (`AnnotationData`)."""
        return self.repository(model.AnnotationData)

    @property
    def form_schemas(self) -> Repository[model.FormSchema]:
        """All form schemas (`FormSchema`)."""
        return self.repository(model.FormSchema)

    @property
    def forms(self) -> Repository[model.FormAnnotation]:
        """All filled-in forms (`FormAnnotation`)."""
        return self.repository(model.FormAnnotation)

    @property
    def task_definitions(self) -> Repository[model.TaskDefinition]:
        """All task definitions (`TaskDefinition`)."""
        return self.repository(model.TaskDefinition)

    @property
    def tasks(self) -> Repository[model.Task]:
        """All tasks (`Task`)."""
        return self.repository(model.Task)

    @property
    def sub_tasks(self) -> Repository[model.SubTask]:
        """All sub tasks (`SubTask`)."""
        return self.repository(model.SubTask)

    @property
    def sub_task_images(self) -> Repository[model.SubTaskImageLink]:
        """All sub task images (`SubTaskImageLink`)."""
        return self.repository(model.SubTaskImageLink)


def _call(function: Callable[..., Any], *arguments: Any) -> None:
    """Call what must not undo a commit that has happened: log what it raises."""
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 - a stranger's code, after the fact
        _log.exception("a callback after commit failed")
