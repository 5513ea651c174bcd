"""Phantoms: believable synthetic eyes, for `eorm demo` and for tests.

Nothing here shows a person. The pictures are drawn from a seed, and the same seed gives the
same bytes (with another version of numpy or Pillow, or another processor, a grey level may
differ here and there). Importing this package loads neither numpy nor Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyened_domain.adapters.phantoms.fundus import draw_fundus, fundus_mm_per_pixel
    from eyened_domain.adapters.phantoms.oct import draw_oct_volume, oct_resolution
    from eyened_domain.adapters.phantoms.study import write_demo_images

__all__ = [
    "draw_fundus",
    "draw_oct_volume",
    "fundus_mm_per_pixel",
    "oct_resolution",
    "write_demo_images",
]

_HOME = {
    "draw_fundus": "fundus",
    "fundus_mm_per_pixel": "fundus",
    "draw_oct_volume": "oct",
    "oct_resolution": "oct",
    "write_demo_images": "study",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
