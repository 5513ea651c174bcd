"""What rows are linked to: looked up by natural keys, some statements for all rows together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import BadInput, Duplicate, NotFound
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.names import folded
from eyened_domain.model.values import Blob, Json, Real, shown
from eyened_domain.services.data_frames import Columns
from eyened_domain.services.many_rows.columns import Named, converted
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.rows import Rows

Ids = list[Any]
"""An id for each row, None where it is linked to nothing."""
_NONE: Ids = [None]


def ids_of_objects(info: EntityInfo, name: str, values: list[Any], faults: Faults) -> Ids:
    """Return the ids of objects that a link is given as."""
    target = entity_class(info.links[name].target)
    (key,) = target.__entity__.primary_key
    found: Ids = []
    for row, value in enumerate(values):
        identity = getattr(value, key) if isinstance(value, target) else None
        if value is not None and identity is None:
            faults.add(row, name, f"a stored {target.__name__} is needed", value)
        found.append(identity)
    return found


class Linking:
    """Finds what links lead to.

    Args:
        rows: the storage's set-based reading.
        columns: of the frame.
    """

    def __init__(self, rows: Rows, columns: Columns) -> None:
        self._rows = rows
        self._columns = columns

    def prepared(self, entity: str, named: Named, faults: Faults) -> Prepared:
        """Convert what a link of an entity is known by; what is refused is in the faults."""
        info = named.entity.__entity__
        parts: Columns = {}
        for name, label in named.columns.items():
            if isinstance(info.columns[name].kind, Json | Blob | Real):
                raise BadInput(
                    f"{entity}: {label} finds no {info.name}; it is not compared exactly",
                    entity=entity,
                    field=label,
                )
            parts[name] = converted(info, name, label, self._columns[label], faults)
        above = {
            str(info.links[name].via): self.prepared(entity, one, faults)
            for name, one in named.links.items()
        }
        for name, label in named.objects.items():
            values = ids_of_objects(info, name, self._columns[label], faults)
            parts[str(info.links[name].via)] = values
        return Prepared(named, parts, above)

    def ids(self, wanted: Prepared, missing: Faults, several: Faults) -> Ids:
        """Return the id that each row is linked to.

        Args:
            wanted: what the link is known by.
            missing: takes the rows for which there is nothing.
            several: takes the rows for which there is more than one.
        """
        known = [self.ids(one, missing, several) for one in wanted.above.values()]
        names = (*wanted.parts, *wanted.above)
        keys = list(zip(*wanted.parts.values(), *known, strict=True))
        there = self._look_up(wanted.named.entity, names, set(keys))
        ids = [there.get(key, _NONE)[0] for key in keys]
        if None in ids:
            self._note_lacking(wanted, keys, there, missing, several)
        return ids

    def _note_lacking(
        self,
        wanted: Prepared,
        keys: list[tuple[Any, ...]],
        there: dict[tuple[Any, ...], Ids],
        missing: Faults,
        several: Faults,
    ) -> None:
        for row, key in enumerate(keys):
            found = there.get(key, _NONE)
            if len(found) > 1:
                self._note(wanted, row, several, "there are several")
            elif found is _NONE and any(self._given(x, row) for x in wanted.named.labels()):
                self._note(wanted, row, missing, "there is no")

    def _given(self, label: str, row: int) -> bool:
        return self._columns[label][row] is not None

    def _note(self, wanted: Prepared, row: int, faults: Faults, what: str) -> None:
        labels = wanted.named.labels()
        said = ", ".join(f"{label} {shown(self._columns[label][row])}" for label in labels)
        name = wanted.named.entity.__name__
        value = self._columns[labels[0]][row]
        faults.add(row, wanted.named.told(), f"{what} {name} with {said}", value)

    def _look_up(
        self, entity: type[Entity], names: tuple[str, ...], keys: set[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], Ids]:
        """Return the id for each key that is there; for one that several have, None and these."""
        root = entity_class(entity.__entity__.root)
        (key,) = root.__entity__.primary_key
        whole = [one for one in keys if None not in one]
        found: dict[tuple[Any, ...], Ids] = {}
        for identity, *held in find_by(self._rows, root, names, whole, (key, *names)):
            found.setdefault(tuple(map(folded, held)), []).append(identity)
        by_key = {one: found.get(tuple(map(folded, one)), _NONE) for one in whole}
        return {
            one: ids if len(ids) == 1 else [None, *ids]
            for one, ids in by_key.items()
            if ids is not _NONE
        }


class Prepared:
    """What a link is known by, as the columns hold it.

    Args:
        named: which columns of the frame.
        parts: their values, by the columns of what the link leads to.
        above: what that is linked to itself, by its columns.
    """

    def __init__(self, named: Named, parts: Columns, above: dict[str, Prepared]) -> None:
        self.named = named
        self.parts = parts
        self.above = above


def find_by(
    rows: Rows,
    entity: type[Entity],
    names: tuple[str, ...],
    keys: list[tuple[Any, ...]],
    columns: Iterable[str],
    *,
    lock: bool = False,
) -> list[tuple[Any, ...]]:
    """Return columns of the rows that may hold one of the keys: also of some that do not.

    One statement for ten thousand values of the column that tells most apart.

    Args:
        rows: the storage's set-based reading.
        entity: whose rows.
        names: the columns that are looked in.
        keys: a value of each of them, none of them None.
        columns: what to return.
        lock: keep others from changing these rows until the transaction ends.
    """
    if not keys:
        return []
    values = {name: {key[at] for key in keys} for at, name in enumerate(names)}
    by = max(names, key=lambda name: len(values[name]))
    equals = {n: next(iter(some)) for n, some in values.items() if len(some) == 1 and n != by}
    ordered = sorted(values[by], key=str) if lock else list(values[by])
    return rows.find(entity, by, ordered, list(columns), lock=lock, **equals)


def raise_links(missing: Faults, several: Faults) -> None:
    """Raise what was wrong with links, if anything was.

    Raises:
        NotFound: some lead to nothing.
        Duplicate: some might lead to several.
    """
    missing.raise_as(NotFound)
    several.raise_as(Duplicate)
