"""The unit of work in memory."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.memory.bulk import MemoryRows
from eyened_domain.adapters.memory.computation_record import MemoryComputationRecord
from eyened_domain.adapters.memory.conversion_record import MemoryConversionRecord
from eyened_domain.adapters.memory.history import MemoryChangeRecord
from eyened_domain.adapters.memory.images import MemoryImages
from eyened_domain.adapters.memory.import_journal import MemoryImportJournal
from eyened_domain.adapters.memory.objects import Objects
from eyened_domain.adapters.memory.repositories import MemoryRepository
from eyened_domain.adapters.memory.store import MemoryStore
from eyened_domain.adapters.memory.task_queue import MemoryTaskQueue
from eyened_domain.model.annotation import AnnotationFiles
from eyened_domain.model.entity import Entity
from eyened_domain.model.image_store import ImageStore
from eyened_domain.services.changes.author import Actor
from eyened_domain.services.events import Subscribers
from eyened_domain.services.finders import repository_class
from eyened_domain.services.repository import Repository
from eyened_domain.services.unit_of_work import UnitOfWork

E = TypeVar("E", bound=Entity)


class MemoryUnitOfWork(UnitOfWork):
    """One transaction on a store in memory: as the one on a database, without a database.

    It sees what was committed when it first looked, and its own changes. When somebody else
    has changed the same rows meanwhile, its commit raises `Conflict` and changes nothing.

    Args:
        store: what is committed; one of its own when none is given. Units of work on the
            same store see what the others have committed.
        subscribers: called with each recorded event, after commit.
        image_store: where images find their files and pixels; by default there are
            paths beneath ``/images``, where nothing needs to be, and no pixels.
        annotation_files: the files of legacy annotations; by default those beneath
            ``/annotations``.
        include_inactive: let finders, lists and frames be with what is inactive.
        actor: see `UnitOfWork`, and so of the reason.
        reason: as well.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        subscribers: Subscribers = (),
        *,
        image_store: ImageStore | None = None,
        annotation_files: AnnotationFiles | None = None,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(subscribers, include_inactive=include_inactive, actor=actor, reason=reason)
        self.store: MemoryStore = MemoryStore() if store is None else store
        self.image_store: ImageStore = image_store or MemoryImages()
        self.annotation_files: AnnotationFiles = annotation_files or StoredAnnotationFiles(
            Path("/annotations")
        )

    @property
    def rows(self) -> MemoryRows:
        """Set-based reading and writing in this unit's transaction."""
        self._check_open()
        return MemoryRows(self._objects)

    @property
    def imports(self) -> MemoryImportJournal:
        """The record of imports."""
        self._check_open()
        return MemoryImportJournal(self._objects)

    @property
    def conversions(self) -> MemoryConversionRecord:
        """The record of legacy annotations that were converted to segmentations."""
        self._check_open()
        return MemoryConversionRecord(self._objects)

    @property
    def computations(self) -> MemoryComputationRecord:
        """The record of what attribute values were computed from."""
        self._check_open()
        return MemoryComputationRecord(self._objects)

    @property
    def history(self) -> MemoryChangeRecord:
        """The record of who changed what."""
        self._check_open()
        return MemoryChangeRecord(self._objects)

    @property
    def task_queue(self) -> MemoryTaskQueue:
        """The order in which subtasks wait for graders."""
        self._check_open()
        return MemoryTaskQueue(self._objects)

    def _begin(self) -> None:
        self._objects = Objects(
            self.store,
            self.image_store,
            self.annotation_files,
            self._note_pixels,
            self._author,
            include_inactive=self.include_inactive,
        )

    def _commit(self) -> None:
        self._objects.commit()

    def _rollback(self) -> None:
        self._objects.rollback()

    def _flush(self) -> None:
        self._objects.flush()

    def _savepoint(self) -> AbstractContextManager[None]:
        return self._objects.savepoint()

    def _lock(self, one: Entity) -> None:
        self._objects.lock(one)

    def _close(self) -> None:
        self._objects.close()

    def _repository(self, entity: type[E]) -> Repository[E]:
        self._objects.refuse_if_ended()
        made: Repository[E] = repository_class(MemoryRepository, entity)(self._objects, entity)
        return made
