"""JSON values that notice when they are edited in place, at any depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, SupportsIndex
from weakref import ref

from sqlalchemy import event
from sqlalchemy.orm import InstanceState, InstrumentedAttribute
from sqlalchemy.orm.attributes import flag_modified, instance_state


class TrackedJson:
    """A dict or list of a JSON column, or within one, that tells its object of every edit."""

    owner: Any = None
    """The object that it was read from: kept from being collected while somebody edits it."""
    _container: ref[TrackedJson] | None = None
    _holder: ref[InstanceState[Any]] | None = None
    _field: str = ""

    def changing(self) -> None:
        """Tell the object that holds the outermost value that it is to be stored.

        What it held before the first edit is kept: it is compared with its row when it is
        stored, as a value that was assigned.
        """
        container = self._container() if self._container is not None else None
        state = self._holder() if self._holder is not None else None
        if container is not None:
            container.changing()
        elif state is not None:
            self._note_before(state)

    def _note_before(self, state: InstanceState[Any]) -> None:
        before = state.committed_state
        if self._field not in before:
            holder = state.obj()
            if holder is None or state.dict.get(self._field) is not self:
                return
            flag_modified(holder, self._field)
        elif before[self._field] is not self:  # another value was assigned, or it is noted already
            return
        before[self._field] = _plain(self)

    def is_held_by(self, state: InstanceState[Any]) -> bool:
        """Say whether it is the value of a column of that object."""
        return self._holder is not None and self._holder() is state

    def _keep(self, value: Any) -> Any:
        return _tracked(value, self)


def track_json(attribute: InstrumentedAttribute[Any]) -> None:
    """Make what is assigned to a mapped JSON column notice edits; plain values stay as they are."""
    key = attribute.key

    def replace(state: InstanceState[Any], value: Any, before: Any, _initiator: Any) -> Any:
        return value if value is before else _held(value, state, key)

    event.listen(attribute, "set", replace, raw=True, retval=True, propagate=True)


def tracked_for(entity: Any, key: str, value: Any) -> Any:
    """Make a value of a JSON column that somebody reads notice edits.

    Values are not tracked before they are read: of thousands of loaded objects, few are.

    Args:
        entity: the object that it is read from.
        key: the column.
        value: a dict or list, as it was loaded, or tracked before.

    Returns:
        the value that the object holds from now on.
    """
    state = instance_state(entity)
    if not isinstance(value, TrackedJson) or not value.is_held_by(state):
        value = entity.__dict__[key] = _held(value, state, key)
    value.owner = entity
    return value


def _held(value: Any, state: InstanceState[Any], key: str) -> Any:
    tracked = _tracked(value, None)
    if isinstance(tracked, TrackedJson):
        tracked._holder, tracked._field = ref(state), key
    return tracked


def _tracked(value: Any, container: TrackedJson | None) -> Any:
    if isinstance(value, dict):
        found: Any = TrackedDict()
        for key, item in value.items():
            dict.__setitem__(found, key, _tracked(item, found))
    elif isinstance(value, list | tuple):
        found = TrackedList()
        for item in value:
            list.append(found, _tracked(item, found))
    else:
        return value
    found._container = ref(container) if container is not None else None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


class TrackedDict(TrackedJson, dict[str, Any]):
    """A JSON object that notices edits."""

    def __setitem__(self, key: str, value: Any) -> None:
        self.changing()
        dict.__setitem__(self, key, self._keep(value))

    def __delitem__(self, key: str) -> None:
        self.changing()
        dict.__delitem__(self, key)

    def __ior__(self, other: Any) -> TrackedDict:  # type: ignore[override, misc]
        self.update(other)
        return self

    def update(self, *others: Mapping[str, Any] | Iterable[tuple[str, Any]], **values: Any) -> None:  # type: ignore[override]
        """As dict.update."""
        self.changing()
        for key, value in dict(*others, **values).items():
            dict.__setitem__(self, key, self._keep(value))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As dict.setdefault."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, *arguments: Any) -> Any:
        """As dict.pop."""
        self.changing()
        return dict.pop(self, *arguments)

    def popitem(self) -> tuple[str, Any]:
        """As dict.popitem."""
        self.changing()
        return dict.popitem(self)

    def clear(self) -> None:
        """As dict.clear."""
        self.changing()
        dict.clear(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return (dict, (_plain(self),))

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        copied: dict[str, Any] = _plain(self)
        return copied


class TrackedList(TrackedJson, list[Any]):
    """A JSON array that notices edits."""

    def __setitem__(self, index: Any, value: Any) -> None:
        self.changing()
        kept = [self._keep(v) for v in value] if isinstance(index, slice) else self._keep(value)
        list.__setitem__(self, index, kept)

    def __delitem__(self, index: Any) -> None:
        self.changing()
        list.__delitem__(self, index)

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> TrackedList:
        self[:] = _plain(self) * int(times)
        return self

    def append(self, value: Any) -> None:
        """As list.append."""
        self.changing()
        list.append(self, self._keep(value))

    def extend(self, values: Iterable[Any]) -> None:
        """As list.extend."""
        self.changing()
        list.extend(self, [self._keep(value) for value in values])

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """As list.insert."""
        self.changing()
        list.insert(self, index, self._keep(value))

    def pop(self, index: SupportsIndex = -1) -> Any:
        """As list.pop."""
        self.changing()
        return list.pop(self, index)

    def remove(self, value: Any) -> None:
        """As list.remove."""
        self.changing()
        list.remove(self, value)

    def clear(self) -> None:
        """As list.clear."""
        self.changing()
        list.clear(self)

    def sort(self, **options: Any) -> None:
        """As list.sort."""
        self.changing()
        list.sort(self, **options)

    def reverse(self) -> None:
        """As list.reverse."""
        self.changing()
        list.reverse(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return (list, (_plain(self),))

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        copied: list[Any] = _plain(self)
        return copied
