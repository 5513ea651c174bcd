"""What is sought in the columns of an entity, as they hold it: one way for every adapter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import BadInput, EyenedError
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.values import Json, Kind, Refused, kind_of, members, plain, shown, sought

Key = tuple[Any, ...]
"""A primary key, as the columns hold it."""


def check_entity(entity: object) -> None:
    """Raise `BadInput` unless it is an entity class."""
    if not (isinstance(entity, type) and issubclass(entity, Entity) and entity is not Entity):
        raise BadInput(f"an entity class such as Project is needed, not {kind_of(entity)}")


def key_of(info: EntityInfo, identity: Any) -> Key:
    """Return the primary key as the columns hold it, so that "5" or 5.0 finds what 5 finds.

    Raises:
        BadInput: it has other parts than the key, or a column cannot hold one of them.
    """
    names = info.primary_key
    parts = identity if isinstance(identity, tuple) else (identity,)
    if len(parts) != len(names):
        raise BadInput(
            f"{info.name} is known by ({', '.join(names)}), not by {shown(identity)}",
            entity=info.name,
            field=", ".join(names),
            value=shown(identity),
        )
    return tuple(converted(info, name, part) for name, part in zip(names, parts, strict=True))


def converted(
    info: EntityInfo, name: str, value: Any, *, stored: bool = False, kind: Kind | None = None
) -> Any:
    """Return a value that is sought in a column as the column holds it.

    Args:
        info: of the entity.
        name: of the column.
        value: anything but None.
        stored: it is to be stored there, where "12" is no number.
        kind: what the column holds in this storage, where it is less than the model says.

    Raises:
        BadInput: the column cannot hold it.
    """
    column = info.columns[name]
    try:
        value = plain(value)
        if kind is not None:
            return kind.convert(value)
        return column.kind.convert(value) if stored else sought(column.kind, value)
    except Refused as refused:
        raise BadInput(
            f"{info.name}.{name}: {'refused' if column.private else refused}",
            entity=info.name,
            field=name,
            value=None if column.private else shown(value),
        ) from None


def accepted(info: EntityInfo, name: str, value: Any) -> list[Any]:
    """Return the values that a column may hold: those of a list, or the one; None for NULL.

    Raises:
        BadInput: the column cannot hold one of them, or holds JSON.
    """
    value = plain(value)
    if value is not None and isinstance(info.columns[name].kind, Json):
        raise BadInput(
            f"{info.name}.{name} holds JSON, which has no one text to compare: ask with a "
            "condition on its elements",
            entity=info.name,
            field=name,
        )
    several = None if value is None else members(value)
    return [
        None if one is None else converted(info, name, one)
        for one in ([value] if several is None else several)
    ]


def targets_of(info: EntityInfo, link: LinkInfo, value: Any) -> list[Entity | None]:
    """Return what a link may lead to: the objects of a list, or the one.

    Raises:
        BadInput: the link leads to many, or to another class than one of them is of.
    """
    name = f"{info.name}.{link.name}"
    if link.many:
        raise BadInput(f"{name} is a list; ask with a condition", entity=info.name, field=link.name)
    several = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    for one in several:
        if one is not None and not isinstance(one, entity_class(link.target)):
            raise BadInput(
                f"{name} leads to a {link.target}, not to {shown(one)}; an id is asked for with "
                f"{link.via}=…",
                entity=info.name,
                field=link.name,
                value=shown(one),
            )
    return several


def ids_of(targets: list[Entity | None]) -> list[Any]:
    """Return the ids of what links may lead to; one that is not stored has none."""
    found = []
    for one in targets:
        identity = None if one is None else getattr(one, one.__entity__.primary_key[0])
        if one is None or identity is not None:
            found.append(identity)
    return found


def listed(info: EntityInfo, many: Iterable[Any], what: str) -> list[Any]:
    """Return what was given as several, as a list.

    Raises:
        BadInput: it is one thing; a text is one as well.
    """
    if isinstance(many, Iterable) and not isinstance(many, str | bytes | Entity):
        return list(many)
    raise BadInput(
        f"{info.name}: a list of {what} is needed, not {kind_of(many)}; a single one is put in []",
        entity=info.name,
    )


def refused_object(info: EntityInfo, one: object) -> EyenedError:
    """Return what is raised for an object that a repository is not for."""
    hint = ""
    if isinstance(one, Entity) and one.__entity__.repository:
        hint = f"; it belongs in uow.{one.__entity__.repository}"
    return BadInput(
        f"an object of {info.name} is needed here, not {kind_of(one)}{hint}", entity=info.name
    )
