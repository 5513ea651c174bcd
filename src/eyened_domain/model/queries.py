"""The questions that every entity class answers: `Patient.by_id(session, 5)` and the like.

They ask anything that can give a repository: a session, a unit of work of any adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, Self, TypeVar, overload

from eyened_domain.errors import BadInput

D = TypeVar("D")


class Raise:
    """Stands for "raise `NotFound`" where a default may be given."""


RAISE = Raise()


class GivesRepositories(Protocol):
    """Anything that can give a repository for an entity: a session, a unit of work."""

    def repository(self, entity: Any, /) -> Any:
        """Return the repository for that entity class."""


def _repository(source: GivesRepositories, entity: type[Any]) -> Any:
    give = getattr(source, "repository", None)
    if give is None:
        raise BadInput(
            f"{entity.__name__} cannot be looked up in a {type(source).__name__}; give a session "
            "of database.get_session() or a unit of work",
            entity=entity.__name__,
        )
    return give(entity)


class Queries:
    """Class methods that look an entity up through a repository."""

    @overload
    @classmethod
    def by_id(cls, source: GivesRepositories, identity: Any) -> Self: ...
    @overload
    @classmethod
    def by_id(cls, source: GivesRepositories, identity: Any, *, default: D) -> Self | D: ...
    @classmethod
    def by_id(cls, source: GivesRepositories, identity: Any, *, default: Any = RAISE) -> Any:
        """Return the one with that primary key.

        Args:
            source: a session or a unit of work.
            identity: the id; a tuple where the key has several columns.
            default: what to return when there is none.

        Raises:
            NotFound: there is none, and no default was given.
        """
        return _repository(source, cls).get(identity, default=default)

    @overload
    @classmethod
    def by_pk(cls, source: GivesRepositories, identity: Any) -> Self: ...
    @overload
    @classmethod
    def by_pk(cls, source: GivesRepositories, identity: Any, *, default: D) -> Self | D: ...
    @classmethod
    def by_pk(cls, source: GivesRepositories, identity: Any, *, default: Any = RAISE) -> Any:
        """Return the one with that primary key; the same as `by_id`."""
        return _repository(source, cls).get(identity, default=default)

    @classmethod
    def by_ids(cls, source: GivesRepositories, identities: Iterable[Any]) -> list[Self]:
        """Return those with these primary keys, in their order.

        Raises:
            NotFound: one of them is not there; the message names the missing ones.
        """
        return list(_repository(source, cls).by_ids(identities))

    @overload
    @classmethod
    def by_name(cls, source: GivesRepositories, name: str) -> Self: ...
    @overload
    @classmethod
    def by_name(cls, source: GivesRepositories, name: str, *, default: D) -> Self | D: ...
    @classmethod
    def by_name(cls, source: GivesRepositories, name: str, *, default: Any = RAISE) -> Any:
        """Return the one of that name.

        Raises:
            NotFound: there is none, and no default was given.
            Duplicate: there is more than one.
            BadInput: entities of this class have no name.
        """
        return _repository(source, cls).by_name(name, default=default)

    @classmethod
    def by_column(
        cls,
        source: GivesRepositories,
        column: str,
        value: Any,
        *,
        include_inactive: bool | None = None,
    ) -> list[Self]:
        """Return those whose column, named in either style, holds the value; see `where`."""
        return cls.by_columns(source, include_inactive=include_inactive, **{str(column): value})

    @classmethod
    def by_columns(
        cls, source: GivesRepositories, *, include_inactive: bool | None = None, **values: Any
    ) -> list[Self]:
        """Return those whose columns, named in either style, hold these values; see `where`."""
        return cls.where(source, include_inactive=include_inactive, **values)

    @classmethod
    def where(
        cls,
        source: GivesRepositories,
        *conditions: Any,
        include_inactive: bool | None = None,
        **values: Any,
    ) -> list[Self]:
        """Return those that meet all conditions, in the order of their primary keys.

        Args:
            source: a session or a unit of work.
            conditions: SQL expressions for a database, predicates (callables that take
                the object) for the memory adapter.
            include_inactive: with what is inactive; by default as the source says, which leaves
                it out unless it was made with ``include_inactive=True``.
            values: columns, named in either style, and what they must hold.
        """
        repository = _repository(source, cls)
        return list(repository.where(*conditions, include_inactive=include_inactive, **values))

    @classmethod
    def fetch_all(
        cls, source: GivesRepositories, *, include_inactive: bool | None = None
    ) -> list[Self]:
        """Return all there are, in the order of their primary keys; see `where`."""
        return cls.where(source, include_inactive=include_inactive)

    @classmethod
    def name_to_id(cls, source: GivesRepositories) -> dict[str, int]:
        """Return the id of each name.

        Raises:
            Duplicate: two have the same name.
        """
        found: Mapping[str, int] = _repository(source, cls).name_to_id()
        return dict(found)

    @classmethod
    def to_list(
        cls,
        source: GivesRepositories,
        *,
        database_names: Literal[True, False] = False,
        include_inactive: bool | None = None,
    ) -> list[dict[str, Any]]:
        """Return all there are as dicts; see `Entity.to_dict` and `where`."""
        found: list[Any] = cls.fetch_all(source, include_inactive=include_inactive)
        return [one.to_dict(database_names=database_names) for one in found]
