"""Level 1: what the contract forbids, and a database may hold all the same.

What is clearly in order is left out by the database; the rest goes through the rules of
the entities themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    String,
    Table,
    and_,
    case,
    false,
    func,
    not_,
    or_,
    select,
    type_coerce,
)

from eyened_domain.adapters.sql.doctor.graphs import in_circles
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import KINDS, table_and_key
from eyened_domain.errors import EyenedError
from eyened_domain.model.acquisition import ModalityTable
from eyened_domain.model.attribute import OWNERS, AttributeDefinition, AttributeValue
from eyened_domain.model.enums import AttributeDataType, DataRepresentation
from eyened_domain.model.feature import FeatureFeatureLink
from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.grid import LONGEST_SIDE, NUMBER_TYPES
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.model.study import Series, Study
from eyened_domain.services.doctor import Finding, Kind, Watch

attribute_definition: Table = table_of(AttributeDefinition)
form_annotation: Table = table_of(FormAnnotation)
image_instance: Table = table_of(ImageInstance)
modality_table: Table = table_of(ModalityTable)
segmentation: Table = table_of(Segmentation)
series: Table = table_of(Series)
study: Table = table_of(Study)

_PORTION = 1000
_IMAGE = ("rows_y", "columns_x", "nr_of_frames")
_GRID = (
    "zarr_array_index",
    "data_representation",
    "data_type",
    "depth",
    "height",
    "width",
    "sparse_axis",
    "image_projection_matrix",
    "scan_indices",
    "threshold",
    "reference_segmentation_id",
)
_VALUES = {
    AttributeDataType.String: "value_text",
    AttributeDataType.Float: "value_float",
    AttributeDataType.Int: "value_int",
    AttributeDataType.JSON: "value_json",
}


class Rules:
    """The rules of the contract; an `Examination`. What it finds needs a person."""

    title = "Rules of the contract"
    level = 1

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        rules = (_grids, _references, _values, _modalities, _features, _lineages)
        for done, rule in enumerate(rules):
            watch.tick(done, len(rules))
            with self._engine.connect() as connection:
                yield from rule(connection)
            self.looked_at += 1

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:  # noqa: ARG002 - it is cheap
        """See `Examination`."""
        self.looked_at = 0
        return list(self.look(Watch()))

    def fix(self, found: Sequence[Finding]) -> tuple[()]:  # noqa: ARG002
        """Change nothing: which of two values is right is not for a program to say."""
        return ()


def _grids(connection: Connection) -> Iterator[Finding]:
    """Shape, number type, ScanIndices, matrix, threshold, and whether they fit the image."""
    for kind in KINDS:
        table, key = table_and_key(kind)
        image = [image_instance.c[name] for name in _IMAGE]
        asked = (
            select(key, *(table.c[name] for name in _GRID), *image)
            .join(
                image_instance,
                image_instance.c.image_instance_id == table.c.image_instance_id,
            )
            .where(not_(_clearly_valid(table)))
        )
        result = connection.execution_options(yield_per=_PORTION).execute(asked)
        for identity, *values in result:
            grid = dict(zip(_GRID, values[: len(_GRID)], strict=True))
            size = dict(zip(_IMAGE, values[len(_GRID) :], strict=True))
            reason = _why_invalid(kind, key.key, identity, grid, size)
            if reason is not None:
                yield _of(kind.__entity__.name, identity, Kind.GRID, reason)


def _clearly_valid(table: Any) -> Any:
    """Return the SQL for the simple case: a mask of the size of its image, and no more to it."""
    grid, image = table.c, image_instance.c
    types = [
        and_(grid.data_representation == meaning, grid.data_type.in_(sorted(types, key=str)))
        for meaning, types in NUMBER_TYPES.items()
    ]
    absent = [grid[name].is_(None) for name in ("image_projection_matrix", "scan_indices")]
    threshold_fits = or_(
        grid.threshold.is_(None),
        grid.data_representation != DataRepresentation.Probability,
        grid.threshold.between(0, 1),
    )
    depth = func.coalesce(func.nullif(image.nr_of_frames, 0), 1)
    return func.coalesce(
        and_(
            *absent,
            threshold_fits,
            or_(*types),
            func.coalesce(grid.sparse_axis, 0) == 0,
            func.coalesce(grid.zarr_array_index, 0) >= 0,
            grid.depth == depth,
            grid.height == image.rows_y,
            grid.width == image.columns_x,
            *(grid[name].between(1, LONGEST_SIDE) for name in ("depth", "height", "width")),
            # a product of 64 bits, and no more than there may be
            (grid.depth * 1.0 * grid.height * grid.width) <= 4e9,
        ),
        false(),
    )


def _why_invalid(
    kind: type[Any], key: str, identity: int, grid: dict[str, Any], size: dict[str, Any]
) -> str | None:
    try:
        # made, not loaded: what was read from the storage is not judged
        one = kind(**{key: identity}, **grid)
        one.check_rules()
        image = _Size(**size)
        if image.shape is not None:
            one.check_fits(image)
    except EyenedError as error:
        return str(error)
    return None


class _Size:
    """What a grid asks of an image: its shape."""

    def __init__(self, rows_y: int | None, columns_x: int | None, nr_of_frames: int | None) -> None:
        known = rows_y is not None and columns_x is not None
        self.shape = (nr_of_frames or 1, rows_y, columns_x) if known else None


def _references(connection: Connection) -> Iterator[Finding]:
    """ReferenceSegmentationID: one that exists, of the same shape, and never round in a circle."""
    target = segmentation.alias()
    for kind in KINDS:
        table, key = table_and_key(kind)
        points = table.c.reference_segmentation_id
        differs = or_(*(target.c[n] != table.c[n] for n in ("depth", "height", "width")))
        asked = (
            select(key, points, target.c.segmentation_id)
            .select_from(table.join(target, target.c.segmentation_id == points, isouter=True))
            .where(points.is_not(None), or_(target.c.segmentation_id.is_(None), differs))
        )
        for identity, reference, there in connection.execute(asked):
            what = "does not exist" if there is None else "has another shape"
            said = f"its reference, Segmentation {reference}, {what}"
            yield _of(kind.__entity__.name, identity, Kind.REFERENCE, said)
    points = segmentation.c.reference_segmentation_id
    asked = select(segmentation.c.segmentation_id, points).where(points.is_not(None))
    links = {identity: (to,) for identity, to in connection.execute(asked)}
    for identity in sorted(in_circles(links)):
        said = "its references go round in a circle"
        yield _of("Segmentation", identity, Kind.REFERENCE, said)


def _values(connection: Connection) -> Iterator[Finding]:
    """Attribute values: exactly one owner, and a value of the type of their attribute."""
    values = table_of(AttributeValue).c
    owners = [values[f"{name}_id"] for name in OWNERS]
    given = sum(
        (_one_if(column.is_not(None)) for column in owners[1:]), _one_if(owners[0].is_not(None))
    )
    asked = select(values.attribute_value_id, given).where(given != 1)
    for identity, count in connection.execute(asked):
        said = f"it belongs to {count} of image, segmentation, patient and study, and not to one"
        yield _of("AttributeValue", identity, Kind.OWNERS_OF_VALUE, said)
    kind = attribute_definition.c.attribute_data_type
    wrong = [
        and_(kind == one, or_(*(values[c].is_not(None) for c in _VALUES.values() if c != column)))
        for one, column in _VALUES.items()
    ]
    typed = (
        select(values.attribute_value_id, type_coerce(kind, String))
        .join(attribute_definition, attribute_definition.c.attribute_id == values.attribute_id)
        .where(or_(*wrong))
    )
    for identity, name in connection.execute(typed):
        said = f"its attribute is of type {name}, and it holds a value of another"
        yield _of("AttributeValue", identity, Kind.VALUE_OF_ANOTHER_TYPE, said)


def _one_if(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def _modalities(connection: Connection) -> Iterator[Finding]:
    """ImageInstance.Modality and the tag that ModalityID leads to are the same word."""
    said = type_coerce(image_instance.c.modality, String)
    asked = (
        select(image_instance.c.image_instance_id, said, modality_table.c.modality_tag)
        .join(modality_table, modality_table.c.modality_id == image_instance.c.modality_id)
        .where(said.is_not(None), said != "", said != modality_table.c.modality_tag)
    )
    for identity, name, tag in connection.execute(asked):
        text = f"Modality is {name}, and ModalityID leads to {tag}"
        yield _of("ImageInstance", identity, Kind.MODALITY, text)


def _features(connection: Connection) -> Iterator[Finding]:
    """No feature is within itself, by however many steps."""
    columns = table_of(FeatureFeatureLink).c
    links: dict[int, list[int]] = {}
    asked = select(columns.parent_feature_id, columns.child_feature_id)
    for parent, child in connection.execute(asked):
        links.setdefault(parent, []).append(child)
    for identity in sorted(in_circles(links)):
        said = "it is within itself, through the features that it is made of"
        yield _of("Feature", identity, Kind.FEATURE_WITHIN_ITSELF, said)


def _lineages(connection: Connection) -> Iterator[Finding]:
    """The patient, study and image of a form belong together."""
    form = form_annotation.c
    of_image = study.alias()
    asked = (
        select(form.form_annotation_id)
        .select_from(
            form_annotation.join(study, study.c.study_id == form.study_id, isouter=True)
            .join(
                image_instance,
                image_instance.c.image_instance_id == form.image_instance_id,
                isouter=True,
            )
            .join(series, series.c.series_id == image_instance.c.series_id, isouter=True)
            .join(of_image, of_image.c.study_id == series.c.study_id, isouter=True)
        )
        .where(
            or_(
                study.c.patient_id != form.patient_id,
                of_image.c.patient_id != form.patient_id,
                of_image.c.study_id != form.study_id,
            )
        )
    )
    for identity in connection.scalars(asked):
        said = "its patient, study and image do not belong together"
        yield _of("FormAnnotation", identity, Kind.LINEAGE, said)


def _of(entity: str, identity: int, kind: Kind, reason: str) -> Finding:
    return Finding(kind, f"{entity} {identity}: {reason}", entity=entity, identity=identity)
