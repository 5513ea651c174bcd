"""What the columns of a frame are to an entity: columns of its own, or what its links are known by.

Names are those of fields, in either style. Beside the columns of the entity there are:

- a link (``project``): the name of what it leads to, or the object;
- a dot (``project.project_name``, ``patient.project.project_name``): columns of what a link
  leads to; several columns of one link find it together;
- a name that is none of the entity's: a part of the natural key of what it links to. Where the
  whole key is there, the link is known: ``project_name`` and ``patient_identifier`` name the
  patient of a study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.values import Blob, Json, Refused
from eyened_domain.services.data_frames import Columns, read_frame
from eyened_domain.services.many_rows.faults import Faults

Labels = Mapping[str, str]
"""By the name of a field, or a path to one, the column of the frame."""


@frozen
class Named:
    """Which column of a frame says what of an entity."""

    entity: type[Entity]
    columns: dict[str, str] = field(factory=dict)
    """For its own columns, by field name, the column of the frame."""
    links: dict[str, Named] = field(factory=dict)
    """For its links to one, by their name, what they are known by."""
    objects: dict[str, str] = field(factory=dict)
    """For its links to one, the column of the frame with the objects."""

    def told(self) -> str:
        """Say which columns of the frame find it."""
        return ", ".join(self.labels())

    def labels(self) -> list[str]:
        """Return the columns of the frame that say something of it."""
        below = [label for one in self.links.values() for label in one.labels()]
        return [*self.columns.values(), *self.objects.values(), *below]


@define
class Batch:
    """Values of many rows, by field name, with the numbers of the rows in what was given."""

    numbers: list[int]
    values: Columns

    def __len__(self) -> int:
        return len(self.numbers)

    def taken(self, positions: list[int]) -> Batch:
        """Return some of the rows."""
        return Batch(
            [self.numbers[p] for p in positions],
            {name: [some[p] for p in positions] for name, some in self.values.items()},
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return them as rows."""
        names = tuple(self.values)
        values = zip(*self.values.values(), strict=True)
        return [dict(zip(names, row, strict=True)) for row in values]


def read_columns(given: Any) -> tuple[Columns, int]:
    """Return the columns of a frame, with the named levels of its index, and how many rows.

    Raises:
        BadInput: it is no frame, or a name stands there twice; see `read_frame`.
    """
    frame = read_frame(given)
    twice = frame.columns.keys() & frame.index.keys()
    if twice:
        raise BadInput(f"{', '.join(sorted(twice))}: a column and a level of the index as well")
    return frame.columns | frame.index, len(frame)


def named(entity: type[Entity], columns: Columns) -> Named:
    """Return what the columns of a frame say of an entity.

    Raises:
        UnknownName: of a column, nothing.
        BadInput: a column is private, a list, or says something that another one says, too.
    """
    info = entity.__entity__
    with_objects = {
        label
        for label, some in columns.items()
        if info.names.get(label) in info.links and any(isinstance(one, Entity) for one in some)
    }
    return _named(entity, {label: label for label in columns}, with_objects)


def _named(entity: type[Entity], labels: Labels, with_objects: set[str]) -> Named:
    info, made = entity.__entity__, Named(entity)
    below: dict[str, dict[str, str]] = {}
    loose: dict[str, str] = {}
    for name, label in labels.items():
        head, dot, rest = name.partition(".")
        known = info.names.get(head)
        if known is None and not dot:
            loose[name] = label
        elif known is None:
            raise UnknownName(info.unknown(head), entity=info.name, field=label)
        elif known in info.columns:
            _refuse(info, known, label, dot=dot)
            _put(made.columns, known, label, info)
        else:
            link = _to_one(info, known, label)
            if label in with_objects and not dot:
                _put(made.objects, known, label, info)
            else:
                _put(
                    below.setdefault(known, {}), rest if dot else _name_of(info, link), label, info
                )
    for name, parts in below.items():
        target = entity_class(info.links[name].target)
        made.links[name] = _named(target, parts, with_objects)
    _fill_by_natural_keys(made, loose)
    _refuse_twice(made)
    return made


def _put(into: dict[str, str], name: str, label: str, info: EntityInfo) -> None:
    if name in into:
        raise BadInput(
            f"{info.name}: {into[name]} and {label} are two names of {name}; give one of them",
            entity=info.name,
            field=name,
        )
    into[name] = label


def _refuse(info: EntityInfo, name: str, label: str, *, dot: str) -> None:
    if dot:
        raise UnknownName(
            f"{info.name}.{name} is a column; nothing hangs on it that {label} could mean",
            entity=info.name,
            field=label,
        )
    if info.columns[name].private:
        raise BadInput(
            f"{info.name}.{name} is private, and not written or looked up with many rows",
            entity=info.name,
            field=name,
        )


def _to_one(info: EntityInfo, name: str, label: str) -> LinkInfo:
    link = info.links[name]
    if link.many:
        raise BadInput(
            f"{info.name}.{name} is a list, which {label} cannot fill; write the rows of "
            f"{link.target}",
            entity=info.name,
            field=name,
        )
    return link


def _name_of(info: EntityInfo, link: LinkInfo) -> str:
    target = entity_class(link.target).__entity__
    name = target.name_column
    keys = [key for key in target.unique if name in key]
    if name is None or (target.unique and not keys):
        raise BadInput(
            f"{info.name}.{link.name}: a {link.target} has no name to be known by; say by what: "
            f"{link.name}.{(target.unique or (target.primary_key,))[0][0]}",
            entity=info.name,
            field=link.name,
        )
    return name


def _fill_by_natural_keys(made: Named, loose: dict[str, str]) -> None:
    """Let names that are none of the entity's find what it links to."""
    info = made.entity.__entity__
    used: dict[str, list[tuple[str, type[Entity]]]] = {}
    for link in info.to_one if loose else ():
        begun = made.links.get(link.name)
        if link.name in made.objects or link.via in made.columns or (begun and begun.links):
            continue
        target, columns = entity_class(link.target), {} if begun is None else begun.columns
        found = _natural(target, {**loose, **columns})
        if found is None or not found.columns.items() >= columns.items():
            continue
        for label in {*found.labels()} - {*columns.values()}:
            used.setdefault(label, []).append((link.name, target))
        made.links[link.name] = found
    for name, label in loose.items():
        if label not in used:
            raise UnknownName(
                f"{info.unknown(name)}; nor does it name, with the other columns, what a "
                f"{info.name} is linked to",
                entity=info.name,
                field=label,
            )
    for label, ways in used.items():
        targets = [target for _, target in ways]
        if len(set(targets)) < len(targets):
            either = " or ".join(f"{link}.{label}" for link, _ in ways)
            raise BadInput(
                f"{info.name}: {label} may mean {either}; say which", entity=info.name, field=label
            )


def _natural(target: type[Entity], loose: dict[str, str]) -> Named | None:
    """Return what one of the natural keys of an entity is known by, if all of it is there."""
    info = target.__entity__
    known = {info.names[name]: label for name, label in loose.items() if name in info.names}
    by_name = ((info.name_column,),) if info.name_column and not info.unique else ()
    for key in (*info.unique, *by_name):
        found = Named(target)
        for column in key:
            link = info.links.get(info.link_of.get(column, ""))
            if column in known and not info.columns[column].private:
                found.columns[column] = known[column]
            elif link is not None and link.target != info.name:
                above = _natural(entity_class(link.target), loose)
                if above is not None:
                    found.links[link.name] = above
        if len(found.columns) + len(found.links) == len(key):
            return found
    return None


def _refuse_twice(made: Named) -> None:
    """Raise where a link is given by its id and by something else as well."""
    info = made.entity.__entity__
    for name in (*made.links, *made.objects):
        via = str(info.links[name].via)
        if via in made.columns or (name in made.links and name in made.objects):
            raise BadInput(
                f"{info.name}.{name} is given twice; give its id, the object, or what it is "
                "known by",
                entity=info.name,
                field=name,
            )


def converted(
    info: EntityInfo, name: str, label: str, values: list[Any], faults: Faults
) -> list[Any]:
    """Return the values of a column as the entity holds them; None stays.

    Args:
        info: of the entity.
        name: of its column.
        label: what the column is called in the frame; faults name it.
        values: of one row each.
        faults: takes what is refused.
    """
    kind = info.columns[name].kind
    convert = kind.convert
    try:
        if isinstance(kind, Json | Blob):  # no two rows share what can be edited
            return [None if value is None else convert(value) for value in values]
        held = {value: None if value is None else convert(value) for value in set(values)}
        return [held[value] for value in values]
    except (Refused, TypeError):  # a list, for example, stands in no set
        return [_converted(convert, label, value, row, faults) for row, value in enumerate(values)]


def _converted(convert: Any, label: str, value: Any, row: int, faults: Faults) -> Any:
    try:
        return None if value is None else convert(value)
    except Refused as refused:
        faults.add(row, label, str(refused), value)
        return None
