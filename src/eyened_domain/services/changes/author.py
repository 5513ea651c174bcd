"""Who a unit of work acts for, and why."""

from __future__ import annotations

from attrs import frozen

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.values import Refused, Text, kind_of

Actor = Creator | str | int | None
"""A creator, or the name or the id of one; None where nobody is said."""
_REASON = Text(1000)


@frozen
class Author:
    """Who a unit of work acts for, and why, as it was said."""

    actor: Actor = None
    reason: str | None = None


NOBODY = Author()


def author_of(actor: Actor, reason: str | None) -> Author:
    """Return who a unit of work acts for.

    Args:
        actor: a stored creator, or the name or the id of one.
        reason: at most 1,000 characters; blank is none.

    Raises:
        BadInput: it is neither a creator nor a name or an id, or the reason is no text or too
            long.
        RuleBroken: the creator is not stored yet.
    """
    if actor is not None and (
        isinstance(actor, bool) or not isinstance(actor, Creator | str | int)
    ):
        raise BadInput(
            f"actor is a Creator, or the name or the id of one, not {kind_of(actor)}",
            field="actor",
        )
    if isinstance(actor, Creator) and actor.creator_id is None:
        raise RuleBroken(
            f"the creator {actor.creator_name!r} is not stored yet, and cannot act",
            entity="Creator",
            field="actor",
        )
    return Author(actor, _checked(reason))


def _checked(reason: str | None) -> str | None:
    if reason is None:
        return None
    try:
        return _REASON.convert(reason).strip() or None
    except Refused as refused:
        raise BadInput(f"reason: {refused}", field="reason") from None


def unknown_actor(actor: str | int) -> NotFound:
    """Return what is raised where there is no creator of that name or id."""
    called = f"with the id {actor}" if isinstance(actor, int) else f"called {actor!r}"
    return NotFound(
        f"there is no creator {called}, so nobody can act as that one; nothing was stored",
        entity="Creator",
        field="actor",
        value=actor,
    )
