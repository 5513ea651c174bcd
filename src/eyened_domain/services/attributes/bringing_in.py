"""Bringing a frame of attributes in: what is there is looked up as a set, and written as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import BadInput, NotFound
from eyened_domain.model.attribute import VALUE_COLUMNS, AttributeDefinition, AttributeValue
from eyened_domain.model.computation import AttributesModel, Model
from eyened_domain.model.enums import AttributeDataType, Laterality
from eyened_domain.model.values import is_same_json, kind_of
from eyened_domain.services.attributes.cells import checked_cells, infer_type
from eyened_domain.services.attributes.definitions import (
    declare_model,
    define_all,
    find_model,
)
from eyened_domain.services.attributes.placing import PlacedRows
from eyened_domain.services.attributes.plan import (
    AttributeColumn,
    AttributePlan,
    Counts,
    ModelNamed,
)
from eyened_domain.services.attributes.rows_told import shortened
from eyened_domain.services.row_shapes import Row, runs_of
from eyened_domain.services.unit_of_work import UnitOfWork

GivenModel = Model | tuple[str, str] | None
"""A model, or the name and version of an attributes model; None for values without a model."""
_Place = tuple[int, int, Laterality | None]
_KEY = "attribute_value_id"


def prepare(
    uow: UnitOfWork,
    placed: PlacedRows,
    *,
    model: GivenModel,
    clear: bool,
    define_missing: bool,
) -> AttributePlan:
    """Return the plan for rows whose owners are known; its cells are checked, and not counted."""
    if not placed.columns:
        raise BadInput("there is no column left that could be an attribute")
    known = uow.attributes.by_names(placed.columns)
    unknown = [name for name in placed.columns if name not in known]
    if unknown and not define_missing:
        raise NotFound(
            f"there is no attribute {shortened(unknown)}; define it first, or let it be defined "
            "with define_missing=True",
            entity="AttributeDefinition",
            field="attribute_name",
            value=unknown,
        )
    columns = []
    for name, cells in placed.columns.items():
        there = known.get(name)
        data_type = infer_type(name, cells) if there is None else there.attribute_data_type
        checked = checked_cells(name, cells, data_type)
        columns.append(AttributeColumn(name, data_type, there is None, cells=checked))
    named, is_new = _named(uow, model)
    return AttributePlan(
        kind=placed.kind,
        model=named,
        model_is_new=is_new,
        clear=clear,
        columns=columns,
        ids=placed.ids,
        eyes=placed.eyes,
    )


def _named(uow: UnitOfWork, given: GivenModel) -> tuple[ModelNamed | None, bool]:
    model: Any = given
    if model is None:
        return None, False
    if isinstance(given, Model):
        if model.model_id is None:
            uow.models.add(model)
            uow.flush()
        return ModelNamed(model.model_id, model.model_name, model.version), False
    if not isinstance(model, tuple) or len(model) != 2:
        raise BadInput(
            f"a model is a Model, its (name, version), or None, not {kind_of(model)}",
            entity="Model",
        )
    found = find_model(uow, *model)
    if found is not None:
        return ModelNamed(found.model_id, found.model_name, found.version), False
    return ModelNamed(None, *model), True


@define
class _Work:
    """What is to be written: rows by the column of their value."""

    new: defaultdict[str, list[Row]] = field(factory=lambda: defaultdict(list))
    changed: defaultdict[str, list[Row]] = field(factory=lambda: defaultdict(list))
    before: defaultdict[str, list[Row]] = field(factory=lambda: defaultdict(list))
    """What the rows that are changed hold."""
    cleared: list[int] = field(factory=list)


@frozen
class _Found:
    """What is there: the ids of the attributes and of the model, and the values of the owners."""

    attribute_ids: dict[str, int]
    model_id: int | None
    values: dict[_Place, tuple[int, tuple[Any, ...]]]


def count(uow: UnitOfWork, plan: AttributePlan) -> None:
    """Count what a plan would do, as things stand."""
    known = uow.attributes.by_names(column.name for column in plan.columns)
    ids = {name: one.attribute_id for name, one in known.items()}
    model_id = None if plan.model is None else plan.model.model_id
    is_there = plan.model is None or model_id is not None
    held = _held(uow, plan, ids.values(), model_id, lock=False) if is_there and ids else {}
    _compare(uow, plan, _Found(ids, model_id, held))


def write(uow: UnitOfWork, plan: AttributePlan) -> Counts:
    """Do what a plan says, by what is there now; the counts of its columns become what was done."""
    definitions = define_all(uow, {column.name: column.data_type for column in plan.columns})
    model_id = _model_id(uow, plan, definitions.values())
    uow.flush()
    ids = {name: one.attribute_id for name, one in definitions.items()}
    held = _held(uow, plan, ids.values(), model_id, lock=True)
    work = _compare(uow, plan, _Found(ids, model_id, held))
    told_by = [plan.kind.key, "attribute_id", "laterality"]
    for rows in work.new.values():
        uow.rows.insert(AttributeValue, rows, key=told_by)
    for name, rows in work.changed.items():
        uow.rows.update(AttributeValue, rows, before=work.before[name])
    if work.cleared:
        uow.rows.delete(AttributeValue, runs_of(work.cleared))
    return plan.total


def _model_id(
    uow: UnitOfWork, plan: AttributePlan, outputs: Iterable[AttributeDefinition]
) -> int | None:
    """Return the id of the plan's model, which is made if need be; they are its outputs."""
    named = plan.model
    if named is None:
        return None
    if named.model_id is not None:
        model = uow.models.get(named.model_id)
        if not isinstance(model, AttributesModel):
            return named.model_id
    model = declare_model(
        uow, named.name, named.version, description=None, inputs={}, outputs=outputs
    )
    uow.flush()
    return model.model_id


def _held(
    uow: UnitOfWork,
    plan: AttributePlan,
    attribute_ids: Iterable[int],
    model_id: int | None,
    *,
    lock: bool,
) -> dict[_Place, tuple[int, tuple[Any, ...]]]:
    """Return the values that the owners have, by owner, attribute and eye."""
    columns = _value_columns(plan)
    rows = uow.rows.find(
        AttributeValue,
        plan.kind.key,
        dict.fromkeys(plan.ids),
        [_KEY, plan.kind.key, "attribute_id", "laterality", *columns],
        lock=lock,
        model_id=model_id,
        attribute_id=list(attribute_ids),
    )
    return {(row[1], row[2], row[3]): (row[0], row[4:]) for row in rows}


def _value_columns(plan: AttributePlan) -> list[str]:
    return list(dict.fromkeys(VALUE_COLUMNS[column.data_type] for column in plan.columns))


def _compare(uow: UnitOfWork, plan: AttributePlan, found: _Found) -> _Work:
    """Return what is to be written, and count it in the columns of the plan."""
    work = _Work()
    columns = _value_columns(plan)
    for column in plan.columns:
        name = VALUE_COLUMNS[column.data_type]
        place = columns.index(name)
        attribute_id = found.attribute_ids.get(column.name, 0)
        is_same = is_same_json if column.data_type is AttributeDataType.JSON else _is_same
        counts = column.counts = Counts()
        new, changed, before = work.new[name], work.changed[name], work.before[name]
        shared = {"attribute_id": attribute_id, "model_id": found.model_id}
        cells = uow.rows.as_held(AttributeValue, name, column.cells)
        for owner, eye, cell in zip(plan.ids, plan.eyes, cells, strict=True):
            there = found.values.get((owner, attribute_id, eye))
            if cell is None:
                if there is not None and plan.clear:
                    work.cleared.append(there[0])
                    counts.cleared += 1
                else:
                    counts.empty += 1
            elif there is None:
                new.append({**shared, plan.kind.key: owner, "laterality": eye, name: cell})
                counts.new += 1
            elif is_same(there[1][place], cell):
                counts.same += 1
            else:
                changed.append({_KEY: there[0], name: cell})
                before.append({_KEY: there[0], name: there[1][place]})
                counts.changed += 1
    return work


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other)
