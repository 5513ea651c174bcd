"""OCT volumes of the macula, drawn.

Every A-scan is a stack of layers, each with a thickness and a brightness that depend on
where it lies on the retina; speckle, the shadows of vessels, and the choroid come on top.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from eyened_domain.adapters.phantoms.canvas import Picture, smooth_noise, stamp
from eyened_domain.adapters.phantoms.eye import (
    Eye,
    grow_eye,
    random_for,
    side_of,
    vessel_samples,
    visit_of,
)
from eyened_domain.errors import BadInput

FIELD_MM = 6.0
"""Width and height of the scanned square, centred on the fovea."""
DEPTH_MM = 0.97
"""How deep the volume reaches."""


@attrs.frozen
class Resolution:
    """Millimetres per voxel.

    Attributes:
        vertical: between neighbouring B-scans (axis 0).
        axial: in depth (axis 1).
        horizontal: along a B-scan (axis 2).
    """

    vertical: float
    axial: float
    horizontal: float


def oct_resolution(shape: tuple[int, int, int]) -> Resolution:
    """The scale of a drawn volume of that shape (B-scans, depth, lateral)."""
    return Resolution(FIELD_MM / shape[0], DEPTH_MM / shape[1], FIELD_MM / shape[2])


def draw_oct_volume(
    seed: int,
    *,
    laterality: object,
    shape: tuple[int, int, int] = (25, 248, 384),
    visit: int = 0,
) -> NDArray[np.uint8]:
    """Draw a 6 by 6 mm OCT volume centred on the fovea.

    The first B-scan is the superior one; nasal is to the right in a right eye. Vessels and
    drusen lie where `draw_fundus` shows them. The same arguments give the same bytes.

    Args:
        seed: which person, from 0 up.
        laterality: ``"L"`` or ``"R"``, or an enum member of that name.
        shape: number of B-scans (at least 1), rows in depth and columns (at least 16).
        visit: which visit, from 0 up: the same eye, scanned anew.

    Returns:
        uint8 of ``shape``: B-scans, depth into the retina, lateral.

    Raises:
        BadInput: one of the arguments is not as told.
    """
    return scan(grow_eye(seed, side_of(laterality)), visit, shape)


def scan(
    eye: Eye, visit: int = 0, shape: tuple[int, int, int] = (25, 248, 384)
) -> NDArray[np.uint8]:
    """Scan an eye that was grown before; see `draw_oct_volume`."""
    whole = isinstance(shape, tuple | list) and all(type(n) is int for n in shape)
    if not whole or len(shape) != 3 or shape[0] < 1 or min(shape[1:]) < 16:
        shown = repr(shape)[:80]
        raise BadInput(
            f"shape must be (B-scans, depth, lateral) of at least (1, 16, 16), not {shown}",
            field="shape",
            value=shown,
        )
    rng = random_for(eye.seed, 4, ord(eye.side), visit_of(visit))
    ground = _Ground.survey(eye, rng, shape)
    borders, values = _layers(ground, rng)
    volume = _fill(borders, values, shape)
    _lay_choroid(volume, borders[-1], rng)
    volume[:, 1:-1] = 0.5 * volume[:, 1:-1] + 0.25 * (volume[:, :-2] + volume[:, 2:])
    _speckle(volume, rng)
    taken = np.clip(volume, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(taken if eye.side == "R" else taken[:, :, ::-1])


@attrs.frozen(kw_only=True, eq=False)
class _Ground:
    """The scanned square, seen from above: every field is float32 (B-scans, lateral).

    Attributes:
        x: mm from the fovea, towards the nose.
        y: mm from the fovea, downwards.
        r: distance from the fovea in mm.
        blood: 0 to 1, where a retinal vessel lies.
        drusen: height of the RPE's elevation in mm.
        exudates: 0 to 1, where a bright deposit lies in the retina.
        signal: brightness of each A-scan, about 1.
    """

    x: Picture
    y: Picture
    r: Picture
    blood: Picture
    drusen: Picture
    exudates: Picture
    signal: Picture

    @classmethod
    def survey(cls, eye: Eye, rng: np.random.Generator, shape: tuple[int, int, int]) -> _Ground:
        """Look at the eye from above, with a small error of fixation."""
        scans, _, width = shape
        off_x, off_y = float(rng.normal(0, 0.05)), float(rng.normal(0, 0.03))
        x = (np.arange(width, dtype=np.float32) + 0.5) * (FIELD_MM / width) - FIELD_MM / 2 - off_x
        y = (np.arange(scans, dtype=np.float32) + 0.5) * (FIELD_MM / scans) - FIELD_MM / 2 - off_y
        xx, yy = np.broadcast_to(x, (scans, width)), np.broadcast_to(y[:, None], (scans, width))
        lump = np.zeros((scans, width), dtype=np.float32)
        for px, py, size in eye.pale:
            # a deposit's foot is wider than what a photograph shows of it
            spread = (2.2 * size) ** 2
            away = ((xx - np.float32(px)) ** 2 + (yy - np.float32(py)) ** 2) / spread
            bump = np.exp(-(away**1.5))
            lump = np.maximum(lump, bump * np.float32(min(1.0, size / 0.05)))
        none = np.zeros_like(lump)
        dim = smooth_noise(rng, (scans, width), (scans / 3, width / 60))
        streak = rng.standard_normal((scans, width), dtype=np.float32)
        return cls(
            x=xx,
            y=yy,
            r=np.sqrt(xx**2 + yy**2),
            blood=_blood_from_above(eye, shape, off_x, off_y),
            drusen=0.055 * lump if eye.condition == "drusen" else none,
            exudates=lump if eye.condition == "diabetic" else none,
            signal=1 + 0.04 * dim + 0.02 * streak,
        )


def _blood_from_above(eye: Eye, shape: tuple[int, int, int], off_x: float, off_y: float) -> Picture:
    """Where vessels cross the B-scans: 0 to 1, float32 (B-scans, lateral)."""
    scans, _, width = shape
    scale = width / FIELD_MM
    every = vessel_samples(eye.vessels, 0.7 / scale)
    plan = np.zeros((width, width), dtype=np.float32)
    column, row = ((every[:, i] + off + 3) * scale - 0.5 for i, off in ((0, off_x), (1, off_y)))
    deep = np.clip(every[:, 2] / 0.03, 0, 1)
    stamp(plan, column, row, np.maximum(every[:, 2] * 1.25 * scale, 0.6), deep)
    return np.asarray(plan[((np.arange(scans) + 0.5) * (width / scans)).astype(np.intp)])


def _layers(ground: _Ground, rng: np.random.Generator) -> tuple[list[Picture], list[Picture]]:
    """Lay out the retina.

    Returns:
        The borders from the inner limiting membrane down to Bruch's membrane, in mm from the
        top, and the brightness below each border; each (B-scans, lateral).
    """
    g, r = ground, ground.r
    slope = 1 - np.exp(-((r / 0.52) ** 2.3))  # what the foveal pit leaves of the inner layers
    hill = slope * 1.12 / (1 + (r / 2.9) ** 2)
    nasal = 1 / (1 + np.exp(-(g.x - 1.3) / 0.7))
    arcuate = np.exp(-(((np.abs(g.y) - 2.2) / 1.1) ** 2))
    fibres = slope * (0.007 + 0.003 * r + nasal * (0.018 + 0.022 * arcuate) + 0.008 * arcuate)
    fovea = np.exp(-((r / 0.4) ** 2))
    shade = 1 - 0.55 * g.blood
    dark = shade * (1 - 0.5 * g.exudates)
    one = np.ones_like(r)
    inner = (  # thickness in mm, brightness: nerve fibres, ganglion cells, plexiform, nuclear
        (fibres + 0.012 * g.blood, (125 + 1300 * np.minimum(fibres, 0.05)) * one),
        (0.052 * hill, 84 + 70 * g.blood),
        (0.042 * hill, 106 * shade),
        (0.003 + 0.036 * slope, 60 * shade),
        (0.008 + 0.020 * slope, 104 * shade + 110 * g.exudates),
        (0.070 + 0.030 * fovea - 0.004 * r, 47 * dark),
    )
    outer = (  # limiting membrane, inner segments, ellipsoid zone, outer segments, IZ, RPE
        (0.006 * one, 84 * dark),
        (0.020 + 0.004 * fovea, 60 * dark),
        (0.011 * one, 180 * dark),
        (0.017 + 0.014 * fovea, 88 * dark),
        (0.008 * one, 130 * dark),
        (0.017 * one, 205 * dark),
    )
    wobble = 0.003 * smooth_noise(rng, (r.shape[0], r.shape[1]), (r.shape[0], 8))
    bruch = _bruch(ground, rng)
    tops: list[Picture] = []
    at = bruch - g.drusen
    for thickness, _ in reversed(outer):
        at = at - thickness
        tops.insert(0, at)
    # a druse thins the nuclear layer above it and hardly lifts the surface
    at = at + 0.85 * g.drusen + wobble
    for thickness, _ in reversed(inner):
        at = at - thickness
        tops.insert(0, at)
    values = [value * g.signal for _, value in (*inner, *outer)]
    # under a druse the membrane lets grey material show; elsewhere the two borders coincide
    borders = [*tops, bruch - g.drusen, bruch]
    return borders, [*values, 110 * dark, 118 * shade * g.signal]


def _bruch(ground: _Ground, rng: np.random.Generator) -> Picture:
    """Depth of Bruch's membrane in mm: a bowl, tilted, with the patient's movement."""
    scans = ground.r.shape[0]
    tilt_x, tilt_y = rng.normal(0, 0.012), rng.normal(0, 0.006)
    drift = np.cumsum(rng.normal(0, 0.004, scans))
    drift = (drift - drift.mean()).astype(np.float32)
    bowl = np.float32(rng.uniform(0.006, 0.010)) * ground.r**2
    level = np.float32(rng.uniform(0.60, 0.64))
    tilted = np.float32(tilt_x) * ground.x + np.float32(tilt_y) * ground.y
    return np.asarray(level - bowl + tilted + drift[:, None], dtype=np.float32)


def _fill(borders: list[Picture], values: list[Picture], shape: tuple[int, int, int]) -> Picture:
    """Turn borders and brightnesses into voxels.

    Only the steps of brightness are written, each shared by two rows after its fraction,
    and summed along depth: the cost does not grow with the number of layers.
    """
    scans, depth, width = shape
    steps = np.zeros((scans, depth + 2, width), dtype=np.float32)
    scan_at, column_at = np.ogrid[:scans, :width]
    before = np.full((scans, width), 9.0, dtype=np.float32)
    steps[:, 0] = before
    top = np.zeros((scans, width), dtype=np.float32)
    for border, value in zip(borders, values, strict=True):
        top = np.maximum(top, np.clip(border * (depth / DEPTH_MM), 0, depth))
        row = top.astype(np.intp)
        part = top - row
        change = value.astype(np.float32) - before
        steps[scan_at, row, column_at] += change * (1 - part)
        steps[scan_at, row + 1, column_at] += change * part
        before = value
    return np.asarray(np.cumsum(steps, axis=1, dtype=np.float32)[:, :depth])


def _lay_choroid(volume: Picture, bruch: Picture, rng: np.random.Generator) -> None:
    """Let the light fade below Bruch's membrane, with the dark lumens of choroidal vessels."""
    _, depth, width = volume.shape
    mm = DEPTH_MM / depth
    first = int(np.clip(bruch.min() / mm, 0, depth - 1))
    rows = (np.arange(first, depth, dtype=np.float32) + 0.5) * np.float32(mm)
    thick = float(rng.uniform(0.17, 0.26))
    for scan_picture, membrane in zip(volume, bruch, strict=True):
        below = rows[:, None] - membrane[None, :]
        high = len(rows) * mm
        large = smooth_noise(rng, below.shape, (high / 0.05, width / 17))
        small = smooth_noise(rng, below.shape, (high / 0.018, width / 6))
        # small vessels lie near the retina, large ones deeper
        depth_share = np.clip(below / 0.12, 0, 1)
        lumen = 0.55 * ((0.3 + 0.8 * depth_share) * large + (1.0 - 0.6 * depth_share) * small) + 0.3
        lumen = np.clip(lumen, 0, 1) * np.clip((below - 0.01) / 0.02, 0, 1)
        lumen *= np.clip((thick - below) / 0.03, 0, 1)
        fade = np.exp(-np.maximum(below, 0) / 0.15) * (1 - 0.55 * lumen)
        fade *= 0.55 + 0.45 * np.clip((thick + 0.02 - below) / 0.04, 0, 1)
        part = scan_picture[first:]
        np.copyto(part, part * fade, where=below > 0)


def _speckle(volume: Picture, rng: np.random.Generator) -> None:
    """Multiply by speckle and add the detector's noise, in place."""
    grain = rng.standard_normal(volume.shape, dtype=np.float32)
    grain[:, :, 1:] = 0.8 * grain[:, :, 1:] + 0.6 * grain[:, :, :-1]
    volume *= 1 + np.float32(0.15) * grain
    volume += np.float32(2.2) * grain[:, ::-1]
