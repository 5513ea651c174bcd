"""A text that must not be seen: a password, a key, a URL with a password in it."""

from __future__ import annotations

import hmac
from typing import Any, ClassVar, NoReturn, final

HIDDEN = "***"


@final
class Secret:
    """A text that shows itself only when asked with `reveal`.

    `repr`, `str` and any format give ``***``. It is not picklable and not
    JSON, it is no `str` and no attrs class (`attrs.asdict` keeps it closed),
    and it is compared in constant time. Copies are the object itself.

    Args:
        text: what is to be kept.

    Raises:
        TypeError: the text is not a `str`; the message names the type only.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"A Secret holds text, not {type(text).__name__}.")
        self.__text = text

    def reveal(self) -> str:
        """The text in clear: ask at the last moment, and keep it nowhere."""
        return self.__text

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, format_spec: str) -> str:
        return format(HIDDEN, format_spec)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self.__text), _bytes(other.__text))

    # A dictionary would compare by hash, which is not constant-time.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "A Secret is not pickled: let the other process load its own settings, "
            "or send what reveal() gives on purpose."
        )

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(2)


def as_secret(text: str | Secret) -> Secret:
    """The text as a `Secret`; a `Secret` as it is."""
    return text if isinstance(text, Secret) else Secret(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
