"""Properties that are made when they are first read: once, however many threads read them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload

T = TypeVar("T")


class _Locked(Protocol):
    @property
    def _lock(self) -> threading.RLock: ...


class made_once(Generic[T]):  # noqa: N801 - is read as `property` and `cached_property` are
    """`functools.cached_property` for objects that threads share, which have a `_lock`.

    (That one makes a value for each thread that asks before the first is done, from Python
    3.12; before, it lets all objects of a class wait for each other.)
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, one: None, owner: type) -> made_once[T]: ...

    @overload
    def __get__(self, one: _Locked, owner: type) -> T: ...

    def __get__(self, one: _Locked | None, owner: type) -> made_once[T] | T:
        if one is None:
            return self
        with one._lock:
            if self._name not in one.__dict__:
                one.__dict__[self._name] = self._make(one)
            value: T = one.__dict__[self._name]
            return value
