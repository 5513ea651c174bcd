"""The tags that a call means, and the person who calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.names import fold
from eyened_domain.model.tag import Tag
from eyened_domain.model.values import shown
from eyened_domain.services.sought_values import converted, listed
from eyened_domain.services.tagging.kinds import Taggable
from eyened_domain.services.unit_of_work import UnitOfWork

Names = str | Tag | Iterable[str | Tag]
"""One tag or several, by name or as objects."""
Wanted = Mapping[str, str]
"""Names of tags, by what they are told apart by (`model.names.fold`)."""


def creator_of(uow: UnitOfWork, by: Creator | str) -> Creator:
    """Return who is meant: one who is stored, or put in this unit. Nobody is made.

    Raises:
        NotFound: there is nobody of that name, or with that id; a name says who comes near.
        RuleBroken: it is an object that is not stored, and not put in this unit.
        BadInput: it is neither a name nor a creator.
    """
    if isinstance(by, str):
        return uow.creators.by_name(by)
    if not isinstance(by, Creator):
        raise BadInput(f"a Creator, or the name of one, is needed, not {shown(by)}", entity="Tag")
    uow.flush()
    if by.creator_id is None:
        raise RuleBroken(
            f"Creator {shown(by.creator_name)} is not stored: look it up with "
            "uow.creators.by_name, or add it first",
            entity="Creator",
            field="creator_name",
            value=by.creator_name,
        )
    stored = uow.creators.get(by.creator_id)
    if stored is not by and fold(stored.creator_name) != fold(by.creator_name):
        raise NotFound(
            f"Creator {by.creator_id} is {shown(stored.creator_name)}, not "
            f"{shown(by.creator_name)}",
            entity="Creator",
            field="creator_name",
            value=by.creator_name,
        )
    return stored


def wanted_names(names: Names, kinds: Iterable[Taggable]) -> Wanted:
    """Return the names that are meant, each once.

    Args:
        names: of tags, or tags.
        kinds: what they are to be put on, or taken off.

    Raises:
        BadInput: one is no name, or they are no list.
        RuleBroken: one is a tag for other things.
    """
    wanted: dict[str, str] = {}
    several = [names] if isinstance(names, str | Tag) else listed(Tag.__entity__, names, "names")
    for one in several:
        if isinstance(one, Tag):
            _check_type(one, kinds)
        given = one.tag_name if isinstance(one, Tag) else one
        name = converted(Tag.__entity__, "tag_name", given, stored=True)
        if not name.strip():
            raise BadInput("a tag needs a name", entity="Tag", field="tag_name", value=name)
        wanted.setdefault(fold(name), name)
    return wanted


def _check_type(tag: Tag, kinds: Iterable[Taggable]) -> None:
    for kind in kinds:
        if tag.tag_type is not kind.tag_type:
            raise RuleBroken(
                f"the tag {shown(tag.tag_name)} is for {tag.tag_type.name}, it cannot be put on "
                f"{kind.tag_type.name}",
                entity="Tag",
                field="tag_type",
                value=tag.tag_type,
            )


def tags_there(uow: UnitOfWork, kind: Taggable, wanted: Wanted) -> dict[str, Tag]:
    """Return the tags that are there, by folded name."""
    tags = uow.repository(Tag)
    found: dict[str, Tag] = {}
    if len(wanted) > 1:
        there = tags.where(tag_name=list(wanted.values()), tag_type=kind.tag_type)
        found = {fold(tag.tag_name): tag for tag in there}
        if found.keys() <= wanted.keys():
            return found
    # One at a time, too, where a collation has more letters alike than `fold` knows of.
    for folded in wanted.keys() - found.keys():
        tag = tags.one(tag_name=wanted[folded], tag_type=kind.tag_type, default=None)
        if tag is not None:
            found[folded] = tag
    return found


def tags_named(uow: UnitOfWork, kind: Taggable, wanted: Wanted) -> list[Tag]:
    """Return tags that must be there.

    Raises:
        NotFound: one is not; the message names all that are not.
    """
    found = tags_there(uow, kind, wanted)
    missing = [name for folded, name in wanted.items() if folded not in found]
    if missing:
        raise NotFound(
            f"there is no Tag for {kind.tag_type.name} with tag_name "
            f"{', '.join(map(shown, missing))}",
            entity="Tag",
            field="tag_name",
            value=missing,
        )
    return list(found.values())


def add_missing(
    uow: UnitOfWork, kind: Taggable, wanted: Wanted, there: Mapping[str, Tag], by: Creator
) -> dict[str, Tag]:
    """Return tags by folded name, made where they are not there; each says who made it."""
    made = {
        folded: Tag(tag_name=name, tag_type=kind.tag_type, creator=by)
        for folded, name in wanted.items()
        if folded not in there
    }
    uow.repository(Tag).add_all(made.values())
    return {folded: there.get(folded) or made[folded] for folded in wanted}
