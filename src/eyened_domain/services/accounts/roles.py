"""Who may do what: roles over the number that `Creator.Role` holds."""

from __future__ import annotations

from collections.abc import Mapping

from eyened_domain.errors import BadInput, NotAllowed
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import Role
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.accounts.making import check_is_person

ROLES: Mapping[int, Role] = {role.value: role for role in Role}
"""Which role each number stands for, unless a deployment says otherwise."""


class Roles:
    """Reads, gives and requires roles.

    Args:
        numbers: which role each number in `Creator.Role` stands for.

    Raises:
        BadInput: a number stands for something else than a role.
    """

    def __init__(self, numbers: Mapping[int, Role] = ROLES) -> None:
        for number, role in numbers.items():
            if not isinstance(role, Role) or not isinstance(number, int):
                raise BadInput(
                    f"roles: a number stands for a Role, not {shown(number)} for {shown(role)}"
                )
        self._numbers = dict(numbers)

    def of(self, creator: Creator) -> Role | None:
        """Return the role of a person; None for a model, and for a number that means nothing."""
        if not creator.is_human or creator.role is None:
            return None
        return self._numbers.get(creator.role)

    def require(self, creator: Creator | None, role: Role) -> Creator:
        """Return the person, who has that role or a higher one.

        Raises:
            NotAllowed: it is nobody, a model, or a person with a lower role or none.
            BadInput: what is required is no role.
        """
        _check(role)
        if creator is None:
            raise NotAllowed(f"nobody is logged in; this needs the role {role.name}")
        has = self.of(creator)
        if has is None or has < role:
            name = creator.creator_name
            what = "is a model" if not creator.is_human else f"has the role {_told(has)}"
            raise NotAllowed(
                f"Creator {name!r} {what}; this needs {role.name}",
                entity="Creator",
                field="role",
                value=None if has is None else has.name,
            )
        return creator

    def give(self, creator: Creator, role: Role | None) -> None:
        """Give a person a role, or take it away.

        Raises:
            BadInput: it is no role, or one that this deployment has no number for.
            RuleBroken: the creator is a model.
        """
        if role is None:
            creator.role = None
            return
        _check(role)
        check_is_person(creator, "have roles", field="role")
        number = next((n for n, known in self._numbers.items() if known is role), None)
        if number is None:
            raise BadInput(
                f"Creator.role: no number stands for {role.name} here",
                entity="Creator",
                field="role",
                value=role.name,
            )
        creator.role = number


def _check(role: object) -> None:
    if not isinstance(role, Role):
        names = ", ".join(f"Role.{one}" for one in Role.__members__)
        raise BadInput(f"a role is one of {names}, not {kind_of(role)}", field="role")


def _told(role: Role | None) -> str:
    return "none" if role is None else role.name
