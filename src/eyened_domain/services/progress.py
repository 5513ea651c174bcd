"""How long work tells how it gets on."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called with how many are done, and of how many if that is known."""
