"""The unit of work in memory."""

from __future__ import annotations

from typing import TypeVar

from eyened_domain.adapters.memory.bulk import MemoryRows
from eyened_domain.adapters.memory.images import MemoryImages
from eyened_domain.adapters.memory.import_journal import MemoryImportJournal
from eyened_domain.adapters.memory.objects import Objects
from eyened_domain.adapters.memory.repositories import MemoryPatientRepository, MemoryRepository
from eyened_domain.adapters.memory.store import MemoryStore
from eyened_domain.model.entity import Entity
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.patient import Patient
from eyened_domain.services.ports import Subscribers
from eyened_domain.services.unit_of_work import BaseUnitOfWork

E = TypeVar("E", bound=Entity)


class MemoryUnitOfWork(BaseUnitOfWork):
    """One transaction on a store in memory: as the one on a database, without a database.

    It sees what was committed when it first looked, and its own changes. When somebody else
    has changed the same rows meanwhile, its commit raises `Conflict` and changes nothing.

    Args:
        store: what is committed; one of its own when none is given. Units of work on the
            same store see what the others have committed.
        subscribers: called with each recorded event, after commit.
        image_store: where images find their files and pixels; by default there are
            paths beneath ``/images``, where nothing needs to be, and no pixels.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        subscribers: Subscribers = (),
        *,
        image_store: ImageStore | None = None,
    ) -> None:
        super().__init__(subscribers)
        self.store = MemoryStore() if store is None else store
        self.image_store: ImageStore = image_store or MemoryImages()

    @property
    def rows(self) -> MemoryRows:
        """Set-based reading and writing in this unit's transaction."""
        self._check_open()
        return MemoryRows(self._objects)

    @property
    def imports(self) -> MemoryImportJournal:
        """The record of imports."""
        self._check_open()
        return self._imports

    def _begin(self) -> None:
        self._objects = Objects(self.store, self.image_store)
        self._imports = MemoryImportJournal(self.store.imports)

    def _commit(self) -> None:
        self._objects.commit()
        self._imports.commit()

    def _rollback(self) -> None:
        self._objects.rollback()
        self._imports = MemoryImportJournal(self.store.imports)

    def _flush(self) -> None:
        self._objects.flush()

    def _close(self) -> None:
        self._objects.close()

    def _repository(self, entity: type[E]) -> MemoryRepository[E]:
        if entity is Patient:
            return MemoryPatientRepository(self._objects, entity)  # type: ignore[return-value, arg-type]
        return MemoryRepository(self._objects, entity)
