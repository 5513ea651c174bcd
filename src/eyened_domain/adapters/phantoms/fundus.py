"""Colour fundus photographs, drawn.

Light is kept as the camera sees it: a colour of the background, dimmed by what absorbs
(pigment, blood) as exp(-absorbance), so that a vessel over the bright disc and one over the
dark macula both look right.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from eyened_domain.adapters.phantoms.canvas import Picture, Points, smooth_noise, stamp
from eyened_domain.adapters.phantoms.eye import (
    FIELD_RADIUS_MM,
    Eye,
    grow_eye,
    random_for,
    side_of,
    vessel_samples,
    visit_of,
)
from eyened_domain.errors import BadInput

FIELD_SHARE = 0.97
"""Diameter of the field of view by the side of the picture."""

_Rgb = tuple[float, float, float]
_VEIN: _Rgb = (0.32, 1.0, 0.86)
_ARTERY: _Rgb = (0.17, 0.76, 0.72)


def fundus_mm_per_pixel(size_px: int) -> float:
    """Millimetres on the retina per pixel of a drawn photograph of that size."""
    return 2 * FIELD_RADIUS_MM / (FIELD_SHARE * size_px)


def draw_fundus(
    seed: int, *, laterality: object, size_px: int = 768, visit: int = 0
) -> NDArray[np.uint8]:
    """Draw a macula-centred 45 degree colour fundus photograph.

    The disc is to the right in a right eye and to the left in a left eye. The same
    arguments give the same bytes; `fundus_mm_per_pixel` tells the scale.

    Args:
        seed: which person, from 0 up.
        laterality: ``"L"`` or ``"R"``, or an enum member of that name.
        size_px: side of the square picture, at least 32.
        visit: which visit, from 0 up: the same eye, in another pose and light.

    Returns:
        uint8 (size_px, size_px, 3), red, green, blue.

    Raises:
        BadInput: one of the arguments is not as told.
    """
    return photograph(grow_eye(seed, side_of(laterality)), visit, size_px)


def photograph(eye: Eye, visit: int = 0, size_px: int = 768) -> NDArray[np.uint8]:
    """Photograph an eye that was grown before; see `draw_fundus`."""
    if type(size_px) is not int or size_px < 32:
        shown = repr(size_px)[:80]
        raise BadInput(
            f"size_px must be a whole number from 32 up, not {shown}", field="size_px", value=shown
        )
    rng = random_for(eye.seed, 3, ord(eye.side), visit_of(visit))
    # both eyes of a visit meet the same camera
    cropped = bool(random_for(eye.seed, 5, visit).random() < 0.5)
    view = _View.take(rng, size_px, cropped=cropped)
    light = _background(eye, view, rng)
    _lay_disc(light, eye, view, rng)
    _lay_blood(light, eye, view)
    _lay_spots(light, eye, view, rng)
    _expose(light, view, rng)
    photo = np.clip(light, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(photo if eye.side == "R" else photo[:, ::-1])


@attrs.frozen(kw_only=True, eq=False)
class _View:
    """How the camera looks into the eye.

    Attributes:
        size: side of the picture in pixels.
        scale: pixels per mm.
        gaze: where the fovea lies, in mm from the middle of the picture.
        torsion: rotation of the eye about the middle, in radians.
        x, y: (H, W) the retina's coordinates at each pixel, in mm.
        cut: height at which top and bottom are cut off, as a share of the radius.
    """

    size: int
    scale: float
    gaze: tuple[float, float]
    torsion: float
    x: Picture
    y: Picture
    cut: float

    @classmethod
    def take(cls, rng: np.random.Generator, size: int, *, cropped: bool) -> _View:
        """Choose a pose of the eye and prepare the coordinates."""
        scale = 1 / fundus_mm_per_pixel(size)
        gaze = (float(rng.uniform(-0.35, 0.1)), float(rng.uniform(-0.2, 0.3)))
        torsion = float(rng.normal(0, 0.03))
        cut = 0.88 if cropped else 1.1
        steps = (np.arange(size, dtype=np.float32) - (size - 1) / 2) / np.float32(scale)
        dx, dy = steps[None, :] - np.float32(gaze[0]), steps[:, None] - np.float32(gaze[1])
        cos, sin = np.float32(math.cos(torsion)), np.float32(math.sin(torsion))
        x, y = cos * dx + sin * dy, cos * dy - sin * dx
        return cls(size=size, scale=scale, gaze=gaze, torsion=torsion, x=x, y=y, cut=cut)

    def pixels(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Columns and rows of points that are given in mm on the retina."""
        cos, sin = math.cos(self.torsion), math.sin(self.torsion)
        middle = (self.size - 1) / 2
        return (
            (cos * x - sin * y + self.gaze[0]) * self.scale + middle,
            (sin * x + cos * y + self.gaze[1]) * self.scale + middle,
        )

    def window(self, middle: tuple[float, float], reach_mm: float) -> tuple[slice, slice]:
        """Rows and columns of the square about a place on the retina, both in mm."""
        column, row = self.pixels(np.array([middle[0]]), np.array([middle[1]]))
        reach = reach_mm * self.scale + 1
        top, left = (max(0, int(v[0] - reach)) for v in (row, column))
        return slice(top, int(row[0] + reach) + 1), slice(left, int(column[0] + reach) + 1)

    def from_middle(self) -> Picture:
        """Distance of each pixel from the middle; 1 is the edge of the field of view."""
        steps = (np.arange(self.size, dtype=np.float32) - (self.size - 1) / 2) / np.float32(
            self.scale * FIELD_RADIUS_MM
        )
        return np.asarray(np.sqrt(steps[None, :] ** 2 + steps[:, None] ** 2))


def _background(eye: Eye, view: _View, rng: np.random.Generator) -> Picture:
    """Draw the retina without disc and vessels: (3, H, W), 0 to 255 and beyond."""
    shape = (view.size, view.size)
    fair, dark = np.array([236.0, 108.0, 64.0]), np.array([216.0, 74.0, 40.0])
    base = fair + (dark - fair) * eye.pigment
    rim = view.from_middle()
    patches = smooth_noise(rng, shape, (5, 5))
    # between the choroid's vessels lies pigment: ridges of noise, plainer in dark eyes
    ribbons = np.abs(smooth_noise(rng, shape, (22, 22)) + 0.6 * smooth_noise(rng, shape, (40, 40)))
    grain = smooth_noise(rng, shape, (110, 110))
    away = view.x**2 + view.y**2
    macula, fovea = np.exp(-away / 2.4), np.exp(-away / 0.22)
    tessellated = (0.075 - 0.045 * eye.pigment) * (ribbons - 0.9) * (0.35 + 0.9 * rim**2)
    tessellated = tessellated * (1 - 0.8 * macula)
    glare = np.float32(rng.uniform(-0.1, 0.1)) * view.x / 7 + np.float32(rng.uniform(-0.1, 0.1)) * (
        view.y / 7
    )
    dim = 0.32 * rim**2 + 0.28 * rim**6 + 0.035 * patches + 0.012 * grain + glare
    light = np.empty((3, *shape), dtype=np.float32)
    for c, (red_ness, yellow) in enumerate(((0.55, 0.10), (1.0, 0.34), (1.15, 0.55))):
        absorbed = (0.6 + 0.4 * red_ness) * dim + 1.4 * red_ness * tessellated
        absorbed += red_ness * (0.17 * macula + 0.40 * fovea) + yellow * 0.5 * macula
        light[c] = np.float32(base[c]) * np.exp(-absorbed)
    return light


def _lay_disc(light: Picture, eye: Eye, view: _View, rng: np.random.Generator) -> None:
    """Lay the optic disc over the background: rim, cup, and the glow around it."""
    near = view.window(eye.disc_xy, 3.5 * max(eye.disc_radii))
    if light[0][near].size == 0:
        return
    dx, dy = view.x[near] - np.float32(eye.disc_xy[0]), view.y[near] - np.float32(eye.disc_xy[1])
    angle = np.arctan2(dy, dx)
    wave = 1 + 0.018 * np.cos(3 * angle + rng.uniform(0, 6)) + 0.012 * np.cos(5 * angle)
    rho = np.sqrt((dx / eye.disc_radii[0]) ** 2 + (dy / eye.disc_radii[1]) ** 2) / wave
    # the sheen of the nerve fibres: streaks that leave the disc, strongest up and down
    streaks = smooth_noise(rng, (721, 1), (130, 1))[:, 0]
    streak = np.interp(angle, np.linspace(-np.pi, np.pi, 721), streaks).astype(np.float32)
    sheen = np.clip(1 - (rho - 1) / 2.4, 0, 1) ** 2 * (0.35 + 0.65 * np.abs(np.sin(angle)))
    light[:, *near] *= np.exp((0.10 + 0.022 * streak) * sheen)

    cup_rho = np.sqrt(((dx + 0.05) / eye.disc_radii[0]) ** 2 + (dy / eye.disc_radii[1]) ** 2)
    whole = 0.95 * _soft_step((1.0 - rho) / 0.09)
    cup = _soft_step((eye.cup_ratio - cup_rho) / 0.16)
    ring = np.exp(-(((rho - 1.0) / 0.06) ** 2)) * 0.13
    crescent = np.exp(-(((rho - 1.1) / 0.07) ** 2)) * _soft_step(-np.cos(angle) * 2 - 0.4)
    nasal = _soft_step(np.cos(angle) * 1.2) * np.minimum(rho, 1)
    mottle = 1 + 0.02 * smooth_noise(rng, rho.shape, (30, 30))
    rims, cups, pink = (250.0, 182.0, 118.0), (255.0, 228.0, 176.0), (4.0, 34.0, 26.0)
    for c in range(3):
        tissue = (rims[c] - pink[c] * nasal + (cups[c] - rims[c]) * cup) * mottle
        light[c][near] *= 1 + ring - 0.1 * (c + 1) * crescent
        light[c][near] += (tissue - light[c][near]) * whole


def _soft_step(t: NDArray[np.floating[Any]]) -> Picture:
    """0 below -0.5, 1 above 0.5, smooth between."""
    t = np.clip(t + np.float32(0.5), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def _lay_blood(light: Picture, eye: Eye, view: _View) -> None:
    """Dim the picture by what the blood in the vessels absorbs."""
    for artery, tint in ((False, _VEIN), (True, _ARTERY)):
        kind = [v for v in eye.vessels if v.artery is artery]
        every = vessel_samples(kind, 0.7 / view.scale)
        column, row = view.pixels(every[:, 0], every[:, 1])
        radius = every[:, 2] * view.scale
        depth = np.clip(every[:, 2] / 0.05, 0.0, 1.0) ** 0.55
        blood = np.zeros(view.x.shape, dtype=np.float32)
        stamp(blood, column, row, radius, depth)
        blood = _soften(blood)
        reflex = np.zeros_like(blood)
        wide = radius > 1.4
        if wide.any():
            stamp(reflex, column[wide], row[wide], radius[wide] * 0.3, depth[wide])
            blood = np.maximum(blood - (0.34 if artery else 0.14) * _soften(reflex), 0)
        for c in range(3):
            light[c] *= np.exp(-tint[c] * blood)


def _soften(picture: Picture) -> Picture:
    """Blur by about half a pixel, as a lens does."""
    picture = picture.copy()
    picture[1:-1] = 0.5 * picture[1:-1] + 0.25 * (picture[2:] + picture[:-2])
    picture[:, 1:-1] = 0.5 * picture[:, 1:-1] + 0.25 * (picture[:, 2:] + picture[:, :-2])
    return picture


def _lay_spots(light: Picture, eye: Eye, view: _View, rng: np.random.Generator) -> None:
    """Lay drusen or exudates (pale) and haemorrhages (dark), each of a few overlapping dots."""
    pale_change = 0.30 if eye.condition == "diabetic" else 0.2
    for spots, change in ((eye.pale, pale_change), (eye.dark, -0.55)):
        if not len(spots):
            continue
        lobes = np.repeat(spots, 4, axis=0)
        lobes[:, :2] += rng.normal(0, 0.36, (len(lobes), 2)) * lobes[:, 2:]
        lobes[:, 2] *= rng.uniform(0.5, 0.85, len(lobes))
        column, row = view.pixels(lobes[:, 0], lobes[:, 1])
        spot = np.zeros(view.x.shape, dtype=np.float32)
        stamp(spot, column, row, lobes[:, 2] * view.scale, np.ones(len(lobes)))
        spot = _soften(_soften(spot))
        gains = (0.35, 1.6, 1.1) if change > 0 else (0.75, 1.5, 1.0)
        for c in range(3):
            light[c] *= np.exp(change * gains[c] * spot)


def _expose(light: Picture, view: _View, rng: np.random.Generator) -> None:
    """Add the sensor's noise and black out what lies beyond the field of view."""
    noise = rng.standard_normal((2, *view.x.shape), dtype=np.float32)
    gain = np.float32(rng.uniform(0.94, 1.06))
    edge = view.scale * FIELD_RADIUS_MM
    seen = np.clip((1 - view.from_middle()) * np.float32(edge / 1.5), 0, 1)
    rows = np.abs(np.arange(view.size) - (view.size - 1) / 2) / edge
    seen = seen * (rows < view.cut)[:, None].astype(np.float32)
    for c, share in enumerate((1.0, 0.8, -0.6)):
        light[c] = (light[c] * gain + 1.6 * noise[0] + 1.0 * share * noise[1]) * seen + 2
