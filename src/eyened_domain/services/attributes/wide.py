"""Values as a wide table: a row for each owner, or for each owner and eye; no objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import BadInput, NotFound
from eyened_domain.model.attribute import VALUE_COLUMNS, AttributeDefinition, AttributeValue
from eyened_domain.model.computation import Model
from eyened_domain.model.entity import Entity
from eyened_domain.model.enums import AttributeDataType, Laterality
from eyened_domain.model.names import fold
from eyened_domain.model.project import Project
from eyened_domain.model.values import Choice, Integer, Kind, kind_of
from eyened_domain.services.attributes.hierarchy import (
    Reference,
    ids_in_project,
    read_up,
    reference,
)
from eyened_domain.services.attributes.owners import OwnerKind
from eyened_domain.services.attributes.rows_told import shortened
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.inactive import flags_of
from eyened_domain.services.unit_of_work import UnitOfWork

ModelChoice = Model | tuple[str, str] | str | None
"""A model; name and version of one; the name of all its versions; None for values without."""
_EYES = (None, Laterality.L, Laterality.R)
_MODEL = 3
"""Where in a row of values the model stands."""


@frozen(kw_only=True)
class WideQuery:
    """What is asked for; see `Attributes.frame`."""

    kind: OwnerKind
    attributes: Sequence[str] | None
    models: Sequence[ModelChoice] | None
    owners: Iterable[int] | None
    project: Project | str | None
    hierarchy: Sequence[str]
    per_eye: bool
    include_inactive: bool


@frozen
class _Attribute:
    identity: int
    name: str
    data_type: AttributeDataType


@define
class WideTable:
    """Columns of values by their label, and what kinds of values they hold."""

    columns: dict[str, list[Any]] = field(factory=dict)
    kinds: dict[str, Kind] = field(factory=dict)

    def put(self, label: str, cells: list[Any], kind: Kind) -> None:
        """Add a column; raise `BadInput` where there is one of that label."""
        if label in self.columns:
            raise BadInput(f"two columns would be called {label}; leave one of them out")
        self.columns[label], self.kinds[label] = cells, kind


def read_wide(uow: UnitOfWork, query: WideQuery) -> WideTable:
    """Read the table; the number of statements does not grow up to ten thousand owners."""
    kind = query.kind
    references = {name: reference(kind, name) for name in _listed(query.hierarchy, "hierarchy")}
    chosen = _attributes(uow, query.attributes)
    models = _models(uow, query.models)
    asked = _owners(uow, query)
    found = _values(uow, query, chosen, models, asked)
    attributes = chosen
    if query.attributes is None:
        seen = {row[1] for row in found.rows}
        attributes = {identity: one for identity, one in chosen.items() if identity in seen}
    names = models or _models_of(uow, {found.model_of(row) for row in found.rows})
    owners = sorted({row[0] for row in found.rows}) if asked is None else asked
    above = _read_above(uow, query, owners, list(references.values()))
    shown_owners = [one for one in owners if one in above]
    pivot = _Pivot(query.per_eye, found, attributes)
    table, rows = WideTable(), pivot.rows(shown_owners)
    table.put(kind.key, [owner for owner, _ in rows], Integer())
    if query.per_eye:
        table.put("laterality", [eye for _, eye in rows], Choice(Laterality))
    for place, (name, one) in enumerate(references.items()):
        table.put(name, [above[owner][place] for owner, _ in rows], one.info.kind)
    pivot.put_columns(table, rows, names)
    return table


@frozen
class _Values:
    """Rows of owner, attribute and eye, of the model where there are several, and of values."""

    rows: Sequence[tuple[Any, ...]]
    models: Sequence[int | None]
    """The one model of all values; empty where the rows tell it."""
    positions: Mapping[int, int]
    """Where in its row the value of an attribute stands."""

    def model_of(self, row: tuple[Any, ...]) -> int | None:
        """Return the id of the model of a value; None for none."""
        model: int | None = self.models[0] if self.models else row[_MODEL]
        return model


@define
class _Pivot:
    """Values, each put into its row and column."""

    per_eye: bool
    found: _Values
    attributes: Mapping[int, _Attribute]

    def rows(self, owners: Sequence[int]) -> list[tuple[int, Laterality | None]]:
        """Return the rows: owners in their order; with their eyes where that is asked for."""
        if not self.per_eye:
            return [(owner, None) for owner in owners]
        eyes: dict[int, set[Laterality | None]] = {}
        for row in self.found.rows:
            eyes.setdefault(row[0], set()).add(row[2])
        return [(owner, eye) for owner in owners for eye in _EYES if eye in eyes.get(owner, {None})]

    def put_columns(
        self,
        table: WideTable,
        rows: Sequence[tuple[int, Laterality | None]],
        models: Mapping[int | None, str],
    ) -> None:
        """Put a column into the table for each attribute, model and, where need be, eye."""
        columns = self._columns(rows)
        order = {model: number for number, model in enumerate(models)}
        several = len(models) > 1
        for attribute in self.attributes.values():
            kind = AttributeValue.__entity__.columns[VALUE_COLUMNS[attribute.data_type]].kind
            places = [place for place in columns if place[0] == attribute.identity]
            places.sort(key=lambda place: (order[place[1]], _EYES.index(place[2])))
            if not places:
                table.put(attribute.name, [None] * len(rows), kind)
            for place in places:
                label = attribute.name + (f" ({models[place[1]]})" if several else "")
                label += "" if place[2] is None else f" {place[2].name}"
                table.put(label, columns[place], kind)

    def _columns(
        self, rows: Sequence[tuple[int, Laterality | None]]
    ) -> dict[tuple[Any, ...], list[Any]]:
        """Return the cells of each attribute, model and eye."""
        at: dict[Any, int] = {
            row if self.per_eye else row[0]: number for number, row in enumerate(rows)
        }
        (only,) = self.found.models or (None,)
        tells, positions = not self.found.models, self.found.positions
        columns: dict[tuple[Any, ...], list[Any]] = {}
        for row in self.found.rows:  # as many as there are values: nothing here is called in vain
            eye = row[2]
            number = at.get((row[0], eye) if self.per_eye else row[0])
            if number is None:
                continue
            place = (row[1], row[_MODEL] if tells else only, None if self.per_eye else eye)
            cells = columns.get(place)
            if cells is None:
                cells = columns[place] = [None] * len(rows)
            cells[number] = row[positions[row[1]]]
        return columns


def _listed(many: Any, what: str) -> list[Any]:
    if isinstance(many, str) or not isinstance(many, Iterable):
        raise BadInput(f"{what}: a list is needed, not {kind_of(many)}")
    return list(many)


def _attributes(uow: UnitOfWork, names: Iterable[Any] | None) -> dict[int, _Attribute]:
    """Return the attributes of these names, in their order; all there are, by name, for None."""
    columns = ["attribute_id", "attribute_name", "attribute_data_type"]
    if names is None:
        rows = uow.rows.page(AttributeDefinition, columns, any_of=[{}])
        ordered = sorted((_Attribute(*row) for row in rows), key=lambda one: fold(one.name))
        return {one.identity: one for one in ordered}
    wanted = _listed(names, "attributes")
    rows = uow.rows.find(AttributeDefinition, "attribute_name", wanted, columns)
    there = {fold(row[1]): _Attribute(*row) for row in rows}
    missing = [name for name in wanted if fold(name) not in there]
    if missing:
        raise NotFound(
            f"there is no attribute {shortened(missing)}",
            entity="AttributeDefinition",
            field="attribute_name",
            value=missing,
        )
    return {there[fold(name)].identity: there[fold(name)] for name in wanted}


def _models(uow: UnitOfWork, choices: Sequence[ModelChoice] | None) -> dict[int | None, str] | None:
    """Return the models that are chosen: id and what they are called; None for all."""
    if choices is None:
        return None
    found: dict[int | None, str] = {}
    names = {
        choice if isinstance(choice, str) else choice[0]
        for choice in choices
        if isinstance(choice, str | tuple)
    }
    there = _named_models(uow, "model_name", names)
    for choice in _listed(choices, "models"):
        if choice is None:
            found[None] = "no model"
        elif isinstance(choice, Model):
            found[choice.model_id] = f"{choice.model_name} {choice.version}"
        else:
            found |= _versions(there, choice)
    return found


def _versions(
    there: Sequence[tuple[int, str, str]], choice: tuple[str, str] | str
) -> dict[int | None, str]:
    name, version = (choice, None) if isinstance(choice, str) else choice
    found: dict[int | None, str] = {
        identity: f"{known} {its}"
        for identity, known, its in there
        if fold(known) == fold(name) and (version is None or fold(its) == fold(version))
    }
    if not found:
        which = name if version is None else f"{name} {version}"
        raise NotFound(f"there is no model {which}", entity="Model", field="model_name", value=name)
    return found


def _named_models(uow: UnitOfWork, by: str, values: Iterable[Any]) -> list[tuple[int, str, str]]:
    rows = uow.rows.find(Model, by, list(values), ["model_id", "model_name", "version"])
    named = [(identity, name, version) for identity, name, version in rows]
    return sorted(named, key=lambda one: (fold(one[1]), one[0]))


def _models_of(uow: UnitOfWork, ids: set[int | None]) -> dict[int | None, str]:
    stored = [one for one in ids if one is not None]
    named = _named_models(uow, "model_id", stored) if stored else []
    found: dict[int | None, str] = {None: "no model"} if None in ids else {}
    return found | {identity: f"{name} {version}" for identity, name, version in named}


def _owners(uow: UnitOfWork, query: WideQuery) -> list[int] | None:
    """Return the ids of the owners that are asked for; None for all that have values."""
    if query.project is not None:
        if query.owners is not None:
            raise BadInput("owners are given by their ids or by their project, not by both")
        project = query.project
        if not isinstance(project, Project):
            project = uow.projects.by_name(project)
        return ids_in_project(uow, query.kind, project.project_id)
    if query.owners is None:
        return None
    return list(dict.fromkeys(_listed(query.owners, "owners")))


def _values(
    uow: UnitOfWork,
    query: WideQuery,
    attributes: Mapping[int, _Attribute],
    models: Mapping[int | None, str] | None,
    owners: Sequence[int] | None,
) -> _Values:
    """Read the values of all owners, or of those that are asked for.

    Values of all types are read at once: a server that goes by the model would read the rows of
    every type for each.
    """
    equals: dict[str, Any] = {}
    if models is not None and (None not in models or len(models) == 1):
        # no list of values has NULL: None beside others is told apart below
        equals["model_id"] = None if None in models else list(models)
    only = list(models) if models is not None and len(models) == 1 else []
    wanted = [query.kind.key, "attribute_id", "laterality", *([] if only else ["model_id"])]
    types = dict.fromkeys(one.data_type for one in attributes.values())
    at = {data_type: len(wanted) + number for number, data_type in enumerate(types)}
    wanted += [VALUE_COLUMNS[data_type] for data_type in at]
    by: str = "attribute_id"
    sought: Sequence[int] = list(attributes)
    if owners is not None:
        by, sought, equals = query.kind.key, owners, {**equals, "attribute_id": sought}
    rows = uow.rows.find(AttributeValue, by, sought, wanted, **equals) if attributes else []
    tells = not only and models is not None
    of_kind = [
        row
        for row in rows
        if row[0] is not None and not (tells and row[_MODEL] not in (models or ()))
    ]
    return _Values(of_kind, only, {one.identity: at[one.data_type] for one in attributes.values()})


def _read_above(
    uow: UnitOfWork, query: WideQuery, owners: Sequence[int], wanted: list[Reference]
) -> dict[int, tuple[Any, ...]]:
    """Return the chosen columns of each owner; without the inactive ones, unless asked for."""
    entity = query.kind.entity
    flags = () if query.include_inactive else flags_of(entity)
    further = [_flag_of(entity, flag) for flag in flags]
    found = read_up(uow, query.kind, owners, [*wanted, *further])
    missing = [one for one in owners if one not in found]
    if missing:
        raise NotFound(
            f"there is no {entity.__name__} with {query.kind.key} {shortened(missing)}",
            entity=entity.__name__,
            field=query.kind.key,
            value=missing,
        )
    return {owner: held for owner, held in found.items() if not any(held[len(held) - len(flags) :])}


def _flag_of(entity: type[Entity], flag: str) -> Reference:
    path = path_of(entity, flag)
    return Reference(path.owner, path.column)
