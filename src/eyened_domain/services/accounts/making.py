"""Makes creators: people and models."""

from __future__ import annotations

from typing import Any

from eyened_domain.errors import BadInput, Duplicate, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.values import shown
from eyened_domain.services.unit_of_work import UnitOfWork


def there(uow: UnitOfWork, name: object) -> Creator | None:
    """Return the creator of a name, if there is one.

    Raises:
        BadInput: it can be nobody's name.
    """
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise BadInput(
            f"Creator.creator_name: a name is a text without blanks around it, not {shown(name)}",
            entity="Creator",
            field="creator_name",
            value=shown(name),
        )
    return uow.creators.by_name(name, default=None)


def check_is_person(creator: Creator, what: str, *, field: str = "is_human") -> None:
    """Raise `RuleBroken` for a model.

    Args:
        creator: anyone.
        what: only people do: ``have passwords``.
        field: the field of the error.
    """
    if not creator.is_human:
        raise RuleBroken(
            f"Creator {creator.creator_name!r} is a model; only people {what}",
            entity="Creator",
            field=field,
        )


def refuse_taken(creator: Creator | None) -> None:
    """Raise `Duplicate` where a name is somebody's already."""
    if creator is not None:
        raise _taken(creator, "a person" if creator.is_human else "a model")


def made_model(uow: UnitOfWork, name: str, **said: Any) -> Creator:
    """Return the creator of a model: the one that is there, or a new one.

    Args:
        uow: an open unit of work.
        name: of the model.
        said: further columns; those that are not None must be as they are there.

    Raises:
        Duplicate: the name is a person's, or a model's of which something else is said.
        BadInput: it can be no creator's name.
    """
    given = {field: value for field, value in said.items() if value is not None}
    creator = there(uow, name)
    if creator is None:
        return uow.creators.add(Creator(creator_name=name, is_human=False, **given))
    if creator.is_human:
        raise _taken(creator, "a person")
    asked = Creator(creator_name=name, is_human=False, **given)
    for field in given:
        has, wanted = getattr(creator, field), getattr(asked, field)
        if has != wanted:
            raise _taken(creator, f"a model with {field} {shown(has)}, not {shown(wanted)}")
    return creator


def _taken(creator: Creator, what: str) -> Duplicate:
    return Duplicate(
        f"there is a Creator {creator.creator_name!r} already: {what}; choose another name",
        entity="Creator",
        field="creator_name",
        value=creator.creator_name,
    )
