"""Undoing an import: exactly its rows go, unless something hangs on them since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from attrs import define, field

from eyened_domain.errors import NotFound, RuleBroken
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.services.import_journal import ChangedRow, MadeRows
from eyened_domain.services.importing.changes import changes
from eyened_domain.services.row_shapes import runs_of, within
from eyened_domain.services.unit_of_work import UnitOfWork

_FROM_BELOW = ("FormAnnotation", "ImageInstance", "Series", "Study", "Patient", "Project")
_SHARED = ("DeviceInstance", "DeviceModel", "ModalityTable", "Scan", "SourceInfo")
"""What several imports may use; it stays when somebody else uses it."""
_NAMED = 5
Runs = list[tuple[int, int]]


@define
class Undone:
    """What undoing an import did.

    Attributes:
        import_id: which import.
        deleted: how many rows of which entity were taken out.
        restored: how many rows of which entity hold again what they held before.
        kept: what the import made and others use since, such as a device.
    """

    import_id: int
    deleted: dict[str, int] = field(factory=dict)
    restored: dict[str, int] = field(factory=dict)
    kept: list[str] = field(factory=list)


class Undoing:
    """Undoes an import inside an open unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._rows = uow.rows
        self._journal = uow.imports

    def undo(self, import_id: int) -> Undone:
        """Take the rows of an import out; see `Importing.undo`."""
        run = self._journal.run(import_id, lock=True)
        if run is None:
            raise NotFound(f"there is no import {import_id}", entity="Import", value=import_id)
        if run.undone_at is not None:
            raise RuleBroken(f"import {import_id} was undone already, at {run.undone_at}")
        items = self._journal.items(import_id)
        made = _without(_made(items), _made(self._made_later(import_id)))
        changed = [item for item in items if isinstance(item, ChangedRow)]
        attached = self._attached(made) + self._changed_since(changed)
        if attached:
            raise RuleBroken(
                f"import {import_id} cannot be undone: {'; '.join(attached)}; take these out "
                "first. Nothing was undone"
            )
        undone = Undone(import_id)
        self._restore(changed, made, undone)
        for name in _FROM_BELOW:
            if made[name]:
                undone.deleted[name] = self._rows.delete(entity_class(name), made[name])
        self._delete_shared(made, undone)
        self._journal.mark_undone(import_id)
        return undone

    def _made_later(self, import_id: int) -> list[MadeRows | ChangedRow]:
        """Return what later imports made: SQLite gives ids again that have become free."""
        return [
            item
            for run in self._journal.runs()
            if run.import_id > import_id and run.undone_at is None
            for item in self._journal.items(run.import_id)
        ]

    def _attached(self, made: dict[str, Runs]) -> list[str]:
        """Say what refers to the import's rows and is not of the import itself."""
        found = []
        for name in _FROM_BELOW:
            for entity, column in _referring(name):
                strangers = self._strangers(entity, column, made[name], made)
                if strangers:
                    shown = ", ".join(map(str, strangers[:_NAMED]))
                    more = " and more" if len(strangers) > _NAMED else ""
                    found.append(f"{entity.__name__} {shown}{more} refer to {name} rows of it")
        return found

    def _strangers(
        self, entity: type[Entity], column: str, runs: Runs, made: dict[str, Runs]
    ) -> list[Any]:
        """Return ids of the rows that refer to the runs and were not made by the import."""
        if not runs:
            return []
        own = made[entity.__name__]
        most = _NAMED + 1 + sum(last - first + 1 for first, last in own)
        ids = self._rows.ids_in(entity, column, runs, most=most)
        return [one for one in ids if not within(one, own)]

    def _changed_since(self, changed: list[ChangedRow]) -> list[str]:
        """Say which rows that the import changed were changed again since."""
        found = []
        for name, items in _by_entity(changed).items():
            last: dict[int, dict[str, Any]] = {}
            for item in items:
                last.setdefault(item.row_id, {}).update(item.after)
            since = changes(self._rows, entity_class(name), last, lock=True)
            found += [f"{name} {row_id} was changed since" for row_id in since]
        return found[:_NAMED]

    def _restore(self, changed: list[ChangedRow], made: dict[str, Runs], undone: Undone) -> None:
        for name, items in _by_entity(changed).items():
            entity = entity_class(name)
            (key,) = entity.__entity__.primary_key
            restored: dict[int, dict[str, Any]] = {}
            for item in reversed(items):
                if not within(item.row_id, made[name]):
                    restored.setdefault(item.row_id, {key: item.row_id}).update(item.before)
            there = [row_id for (row_id,) in self._rows.find(entity, key, restored, (key,))]
            if there:
                self._rows.update(entity, [restored[row_id] for row_id in there])
                undone.restored[name] = len(there)

    def _delete_shared(self, made: dict[str, Runs], undone: Undone) -> None:
        for name in _SHARED:
            free: Runs = []
            for first, last in made[name]:
                for identity in range(first, last + 1):
                    if self._is_used(name, identity):
                        undone.kept.append(f"{name} {identity}")
                    else:
                        free.append((identity, identity))
            if free:
                undone.deleted[name] = self._rows.delete(entity_class(name), free)

    def _is_used(self, name: str, identity: int) -> bool:
        return any(
            self._rows.ids_in(entity, column, [(identity, identity)], most=1)
            for entity, column in _referring(name)
        )


def _made(items: Sequence[MadeRows | ChangedRow]) -> dict[str, Runs]:
    made: dict[str, Runs] = defaultdict(list)
    for item in items:
        if isinstance(item, MadeRows):
            made[item.entity].append((item.first_id, item.last_id))
    return defaultdict(list, {name: sorted(runs) for name, runs in made.items()})


def _without(made: dict[str, Runs], later: dict[str, Runs]) -> dict[str, Runs]:
    """Return the runs without the ids that were free again and given to a later import."""
    return defaultdict(
        list,
        {
            name: runs_of(
                identity
                for first, last in runs
                for identity in range(first, last + 1)
                if not within(identity, later[name])
            )
            if name in later
            else runs
            for name, runs in made.items()
        },
    )


def _by_entity(changed: list[ChangedRow]) -> dict[str, list[ChangedRow]]:
    found: dict[str, list[ChangedRow]] = defaultdict(list)
    for item in changed:
        found[item.entity].append(item)
    return found


def _referring(name: str) -> list[tuple[type[Entity], str]]:
    """Return the entities and columns that refer to an entity."""
    return [
        (entity, column.name)
        for entity in entity_classes()
        for column in entity.__entity__.columns.values()
        if column.references == name
    ]
