"""Level 3: every slot that a row points to is read and compared with its checksum."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import attrs
from sqlalchemy import Engine

from eyened_domain.adapters.pixels.examinations.damage import damage_in, what_is_wrong
from eyened_domain.adapters.pixels.examinations.quarantine import YOUNG_S, damaged, quarantine
from eyened_domain.adapters.pixels.examinations.taking_over import take_over
from eyened_domain.adapters.pixels.positions.mounted import check_store
from eyened_domain.adapters.pixels.positions.ownership import check_owner
from eyened_domain.adapters.pixels.positions.pointing import (
    Pointing,
    SlotRow,
    pointing_again,
    pointing_rows,
    row_and_position,
    slot_row,
    slot_rows,
)
from eyened_domain.adapters.pixels.positions.rows import QUARANTINE, has_pixels
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.survey import (
    MetadataState,
    metadata_state,
    opened_slots,
)
from eyened_domain.errors import EyenedError, StorageError
from eyened_domain.services.doctor import Finding, Kind, OutOfTime, Repair, Watch

STATE_FILE = ".eyened-doctor.json"
"""In the store: up to where the pixels were checked when the time was over."""
_CHUNK = 50
Names = tuple[str, str]
"""Group and array."""
_Suspects = list[tuple[int, Kind, str]]


@attrs.frozen
class _Task:
    """Some slots of one array: positions with what the database knows of them."""

    key: ArrayKey
    slots: list[tuple[int, SlotRow | None]]


class SlotPixels:
    """The pixels of all segmentations; an `Examination`.

    Args:
        engine: of the database.
        files: the store.
        threads: how many read and decode at a time.
        resume: go on where the last check-up ran out of time.
        adopt: take over what another program has written when things are fixed.
        young_s: how old in seconds a damaged file of others must be to be put aside.
    """

    title = "Pixels"
    level = 3

    def __init__(
        self,
        engine: Engine,
        files: SlotFiles,
        *,
        threads: int = 2,
        resume: bool = False,
        adopt: bool = False,
        young_s: float = YOUNG_S,
    ) -> None:
        self._engine = engine
        self._files = files
        self._threads = threads
        self._resume = resume
        self._adopt = adopt
        self._young_s = young_s
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        with self._engine.connect() as connection:
            if not self._files.root.exists() and not has_pixels(connection):
                return
            check_store(connection, self._files.root)
            rows, slots = pointing_rows(connection), slot_rows(connection)
        after = self._state() if self._resume else None
        tasks = [
            task for names in sorted(rows) for task in _tasks(names, rows[names], slots, after)
        ]
        total = sum(len(task.slots) for task in tasks)
        pointing = {(names, one.position): one for names, ones in rows.items() for one in ones}
        for task, suspects in self._checked(tasks):
            for position, kind, words in suspects:
                one = pointing[(task.key.group, task.key.name), position]
                yield self._finding(one, task.key, kind, words)
            self.looked_at += len(task.slots)
            try:
                watch.tick(self.looked_at, total)
            except OutOfTime:
                self._remember(task)
                raise
        self._forget()

    def look_again(self, found: Sequence[Finding]) -> Iterator[Finding]:
        """See `Examination`: each by the row and the checksum as they are now."""
        for one in found:
            entity, identity, position = row_and_position(one)
            with self._engine.connect() as connection:
                now_at = pointing_again(connection, entity, [identity])
                if now_at.get(identity, ())[2:] != (position,):
                    continue
                slot = slot_row(connection, one.detail, position)
            if slot is not None and slot.state == QUARANTINE:
                continue
            wrong = what_is_wrong(self._files, one.detail, position, slot)
            if wrong is not None:
                yield self._finding(Pointing(entity, identity, position), one.detail, *wrong)

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Put damaged slots aside, and take over those of another program."""
        check_owner(self._engine, self._files)
        for one in found:
            try:
                done = self._mend(one)
            except EyenedError as error:
                yield Repair(one, None, str(error))
            else:
                if done is not None:
                    yield Repair(one, done)

    def _mend(self, one: Finding) -> str | None:
        if one.kind is Kind.PIXELS_DAMAGED:
            return quarantine(self._engine, self._files, one, young_s=self._young_s)
        return take_over(self._engine, self._files, one)

    def _finding(self, one: Pointing, key: ArrayKey, kind: Kind, words: str) -> Finding:
        common: dict[str, Any] = {
            "entity": one.entity,
            "identity": one.identity,
            "path": key.path,
            "position": one.position,
            "detail": key,
        }
        return damaged(one, (kind, words), common, adopt=self._adopt)

    def _checked(self, tasks: list[_Task]) -> Iterator[tuple[_Task, _Suspects]]:
        """Yield the tasks in their order, with what seems wrong."""
        running: deque[tuple[_Task, Future[_Suspects]]] = deque()
        waiting = iter(tasks)
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for task in waiting:
                    running.append((task, pool.submit(self._check, task)))
                    if len(running) > 2 * self._threads:
                        done, future = running.popleft()
                        yield done, future.result()
                while running:
                    done, future = running.popleft()
                    yield done, future.result()
            finally:
                for _, future in running:
                    future.cancel()

    def _check(self, task: _Task) -> _Suspects:
        try:
            codec = self._files.codec(task.key)
            with opened_slots(self._files, task.key) as open_slot:
                return list(_suspects(task, codec, open_slot))
        except (FileNotFoundError, SlotGone):
            return []  # level 2 tells of arrays that are not there
        except StorageError:
            if metadata_state(self._files, task.key)[0] is not MetadataState.SOUND:
                return []  # level 2 tells of it
            raise
        except OSError as error:
            raise StorageError(f"{task.key.path} cannot be read: {error.strerror}") from error

    def _state(self) -> tuple[Names, int] | None:
        try:
            with self._files.open_root() as root:
                found: Any = json.loads(root.read(STATE_FILE))
            return (found["group"], found["array"]), int(found["position"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _remember(self, task: _Task) -> None:
        state = {"group": task.key.group, "array": task.key.name, "position": task.slots[-1][0]}
        try:
            with self._files.open_root() as root:
                root.replace(STATE_FILE, json.dumps(state).encode())
        except OSError as error:
            raise StorageError(f"{STATE_FILE} cannot be written: {error.strerror}") from error

    def _forget(self) -> None:
        with self._files.open_root() as root:
            if root.holds(STATE_FILE):
                root.remove(STATE_FILE)


def _tasks(
    names: Names,
    rows: list[Pointing],
    slots: dict[Names, dict[int, SlotRow]],
    after: tuple[Names, int] | None,
) -> Iterator[_Task]:
    key = ArrayKey.parse(*names)
    if key is None:
        return
    known = slots.get(names, {})
    wanted: list[tuple[int, SlotRow | None]] = []
    for position in sorted({one.position for one in rows}):
        slot = known.get(position)
        if after is not None and (names, position) <= after:
            continue
        if slot is None or slot.state != QUARANTINE:
            wanted.append((position, slot))
    for start in range(0, len(wanted), _CHUNK):
        yield _Task(key, wanted[start : start + _CHUNK])


def _suspects(
    task: _Task, codec: Any, open_slot: Callable[[int, bytes | None], Any]
) -> Iterator[tuple[int, Kind, str]]:
    for position, slot in task.slots:
        try:
            with open_slot(position, None if slot is None else slot.digest) as file:
                wrong = damage_in(file, codec, position, slot)
        except SlotGone:
            continue  # level 2 tells of files that are not there
        if wrong is not None:
            yield (position, *wrong)
