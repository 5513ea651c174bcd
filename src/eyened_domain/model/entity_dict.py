"""What `vars(entity)` shows: the columns and links that the object holds, nothing else.

Web frameworks turn objects into answers by `vars`. An object's own dict also holds what is
private (password hashes), the state that SQLAlchemy keeps of it, and the ports by which it
reaches files. It must hold them there: SQLAlchemy reads and writes each by its name.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any, ClassVar


class EntityDict(dict[str, Any]):
    """The `__dict__` of an entity: shows, copies and lists nothing that is private.

    What is asked for by its name is there, and an iterator gives all names: by these
    SQLAlchemy finds what is loaded.
    """

    __slots__ = ()
    private: ClassVar[frozenset[str]] = frozenset()
    """The private columns."""

    # with it, dict() and ** ask keys() below, instead of copying all
    def __iter__(self) -> Any:
        return super().__iter__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Return the names that may be seen."""
        return self._public().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return the values that may be seen."""
        return self._public().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Return the names and values that may be seen."""
        return self._public().items()

    def copy(self) -> dict[str, Any]:
        """Return a dict of what may be seen."""
        return self._public()

    def __len__(self) -> int:
        return len(self._public())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return repr(self._public())

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        return dict, (self._public(),)

    def _public(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in dict.items(self)
            if not name.startswith("_") and name not in self.private
        }


def whole(state: dict[str, Any]) -> dict[str, Any]:
    """Return a plain dict of all that an entity's `__dict__` holds."""
    return dict(dict.items(state))
