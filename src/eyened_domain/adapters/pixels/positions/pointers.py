"""Which rows point to positions of an array: of people's segmentations, or of models'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from sqlalchemy import Connection, Table, select

from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.errors import StorageError
from eyened_domain.model.computation import Model
from eyened_domain.model.enums import DataRepresentation, Datatype, ModelKind
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

model: Table = table_of(Model)
model_segmentation: Table = table_of(ModelSegmentation)
segmentation: Table = table_of(Segmentation)

_PEOPLE = "DataRepresentation."
_MODEL = "model_"


@attrs.frozen
class Pointers:
    """The rows that may point to positions of one array.

    Attributes:
        table: Segmentation or ModelSegmentation.
        condition: which of its rows.
    """

    table: Table
    condition: Any

    @classmethod
    def to(cls, connection: Connection, key: ArrayKey) -> Pointers:
        """Find out which rows may point to an array.

        Raises:
            StorageError: its name is none that pixels are stored under.
        """
        if key.group.startswith(_PEOPLE):
            meaning = DataRepresentation.__members__.get(key.group.removeprefix(_PEOPLE))
            if meaning is not None:
                whose = segmentation.c.data_representation == meaning
                return cls(segmentation, whose & _grid(segmentation, key))
        elif key.group.startswith(_MODEL) and "/" not in key.group:
            whose = model_segmentation.c.model_id.in_(_models(connection, key.group))
            return cls(model_segmentation, whose & _grid(model_segmentation, key))
        raise StorageError(
            f"{key.path} is no array that pixels of segmentations are stored in; nothing is "
            "removed. Look at the rows of the table ZarrArray",
            entity="ZarrArray",
            field="group_name",
            value=key.group,
        )

    def among(self, connection: Connection, positions: Iterable[int]) -> set[int]:
        """Return those of the positions that a row points to."""
        index = self.table.c.zarr_array_index
        asked = select(index).where(self.condition, index.in_(list(positions)))
        return {int(found) for found in connection.scalars(asked)}


def _grid(table: Table, key: ArrayKey) -> Any:
    depth, height, width = key.shape
    types = [one for one in Datatype if one.numpy_name == key.dtype]
    columns = table.c
    return (
        columns.data_type.in_(types)
        & (columns.depth == depth)
        & (columns.height == height)
        & (columns.width == width)
    )


def _models(connection: Connection, group: str) -> list[int]:
    """Return the models whose group that is: names that differ may make the same one."""
    asked = select(model.c.model_id, model.c.model_name, model.c.version).where(
        model.c.model_type == ModelKind.Segmentation
    )
    return [
        identity
        for identity, name, version in connection.execute(asked)
        if f"{_MODEL}{name}_{version}" == group
    ]
