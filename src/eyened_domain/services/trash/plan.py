"""What a deletion would take along, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from eyened_domain.errors import NeededBy, StillNeeded
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.references import Referrer, parts_of, referrers
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.services.trash.reach import Key, Reach, gather
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_NAMED = 10
_WITH_PIXELS: tuple[type[Entity], ...] = (Segmentation, ModelSegmentation)


@frozen(kw_only=True)
class DeletionPlan:
    """What goes when objects of a class are deleted; nothing is written."""

    entity: str
    ids: tuple[Any, ...]
    counts: Mapping[str, int]
    """How many go, by the names of their entities: the objects, and what is part of them."""
    pixels: int
    """How many of the segmentations among them have pixels."""
    loosened: Mapping[str, int]
    """How many links of what stays become empty, by column: ``"Segmentation.sub_task_id"``."""
    needed_by: tuple[NeededBy, ...]
    """What stands in the way."""

    @property
    def is_free(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.needed_by

    def check(self) -> None:
        """Raise `StillNeeded` where something stands in the way."""
        if self.is_free:
            return
        error = StillNeeded(
            f"{self.entity} {', '.join(map(str, self.ids[:_MOST_NAMED]))} cannot be deleted: "
            f"still needed by {'; '.join(map(str, self.needed_by))}; nothing was deleted",
            entity=self.entity,
            value=self.ids,
        )
        error.needed_by = self.needed_by
        raise error

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "entity": self.entity,
            "ids": list(self.ids),
            "counts": dict(self.counts),
            "pixels": self.pixels,
            "loosened": dict(self.loosened),
            "needed_by": [
                {"entity": one.entity, "count": one.count, "names": list(one.names)}
                for one in self.needed_by
            ],
        }


def planned(
    uow: UnitOfWork, entity: type[Entity], ids: Iterable[int], *, lock: bool = False
) -> tuple[DeletionPlan, Reach]:
    """Return what would go with objects of a class, and the keys of it.

    Args:
        uow: an open unit of work, flushed.
        entity: the class.
        ids: of the objects.
        lock: keep others from changing what is to go.
    """
    ids = tuple(ids)
    reach = gather(uow, {entity: ids}, lock=lock)
    loosened: dict[str, int] = {}
    needed_by: list[NeededBy] = []
    for parent, keys in reach.items():
        for referrer in _not_parts(parent):
            strangers = _strangers(uow, referrer, keys, reach)
            if not strangers:
                continue
            if referrer.column.on_delete == "SET NULL":
                loosened[f"{referrer.entity}.{referrer.column.name}"] = len(strangers)
            else:
                names = tuple(str(one[-1]) for one in strangers[:_MOST_NAMED])
                needed_by.append(NeededBy(referrer.entity, len(strangers), names))
    plan = DeletionPlan(
        entity=entity.__name__,
        ids=ids,
        counts={one.__name__: len(keys) for one, keys in reach.items()},
        pixels=sum(_pixels(uow, one, reach.get(one, ())) for one in _WITH_PIXELS),
        loosened=loosened,
        needed_by=tuple(needed_by),
    )
    return plan, reach


def _not_parts(entity: type[Entity]) -> list[Referrer]:
    """Return the columns that lead to a class from what is no part of its objects."""
    if len(entity.__entity__.primary_key) > 1:
        return []
    parts = parts_of(entity.__name__)
    return [one for one in referrers(entity.__name__) if one not in parts]


def _strangers(
    uow: UnitOfWork, referrer: Referrer, keys: Iterable[Key], reach: Reach
) -> list[tuple[Any, ...]]:
    """Return what points to rows that go and stays: key and name, in the order of the keys."""
    entity = entity_class(referrer.entity)
    info = entity.__entity__
    name = info.name_column or info.primary_key[-1]
    columns = [*info.primary_key, name]
    ids = sorted(key[0] for key in keys)
    found = uow.rows.find(entity, referrer.column.name, ids, columns)
    going = reach.get(entity_class(referrer.root), set())
    return sorted(row for row in found if row[: len(info.primary_key)] not in going)


def _pixels(uow: UnitOfWork, entity: type[Entity], keys: Iterable[Key]) -> int:
    """Return how many of these segmentations have pixels."""
    (key,) = entity.__entity__.primary_key
    ids = sorted(one[0] for one in keys)
    found = uow.rows.find(entity, key, ids, ["zarr_array_index"]) if ids else []
    return sum(index is not None for (index,) in found)
