"""Pixels to measure with: layers of a retina, intensities of a real OCT, noise, and masks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain.adapters.phantoms.canvas import smooth_noise

Pixels = npt.NDArray[Any]
VOLUME = (128, 496, 512)
SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[2] / "shared"))
_THICKNESS = (25, 20, 18, 16, 17, 40, 12, 11, 15, 14)
"""Rows that each layer fills, from the inner limiting membrane down."""
LAYERS = len(_THICKNESS)


def layers(rng: np.random.Generator, shape: tuple[int, int, int] = VOLUME) -> Pixels:
    """Draw the layers of a retina, with a foveal pit: 0 outside, 1 to 10; uint8."""
    scans, depth, width = shape
    y, x = np.mgrid[-1 : 1 : scans * 1j, -1 : 1 : width * 1j]
    pit = 1 - 0.9 * np.exp(-(x**2 + y**2) / 0.05)
    scale = depth / 496
    border = scale * (150 + 12 * smooth_noise(rng, (scans, width), (3, 4)))
    volume = np.zeros(shape, dtype=np.uint8)
    rows = np.arange(depth)[None, :, None]
    for number, thickness in enumerate(_THICKNESS, start=1):
        wobble = 1 + 0.08 * smooth_noise(rng, (scans, width), (scans / 4, 20))
        below = border + scale * thickness * wobble * (pit if number < 6 else 1)
        volume[(rows >= border[:, None]) & (rows < below[:, None])] = number
        border = below
    return volume


def intensities(rng: np.random.Generator, shape: tuple[int, int, int] = VOLUME) -> Pixels:
    """Return the intensities of an OCT: of real B-scans where they are, or else drawn; uint8."""
    folder = SHARED / "data" / "oct" / "heidelberg_onh_OD_png"
    scans, depth, width = shape
    if not folder.is_dir() or depth > 496 or width > 768:
        from eyened_domain.adapters.phantoms.oct import draw_oct_volume

        return draw_oct_volume(int(rng.integers(2**31)), laterality="R", shape=shape)
    from PIL import Image

    real = [np.asarray(Image.open(folder / f"OCT-0_{n}.png"))[:depth] for n in range(27)]
    starts = rng.integers(0, 768 - width, scans, endpoint=True)
    return np.stack([real[n % 27][:, s : s + width] for n, s in enumerate(starts)])


def noise(rng: np.random.Generator, shape: tuple[int, int, int] = VOLUME) -> Pixels:
    """Return what cannot be compressed; uint8."""
    return rng.integers(0, 256, shape, dtype=np.uint8)


def mask(rng: np.random.Generator, shape: tuple[int, int, int] = (1, 1024, 1024)) -> Pixels:
    """Draw a mask as people draw them, some smooth areas; 0 and 1, uint8."""
    return np.stack([smooth_noise(rng, shape[1:], (6, 6)) > 1 for _ in range(shape[0])]).astype(
        np.uint8
    )
