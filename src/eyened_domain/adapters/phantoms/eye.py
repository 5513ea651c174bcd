"""The anatomy behind the drawings: one eye, in millimetres on its retina.

A photograph and an OCT volume of the same seed and side are drawn from the same `Eye`, so
their vessels and lesions lie in the same places. Coordinates: the fovea is the origin, x
grows towards the nose, y grows downwards (inferior). A left eye is the same frame, drawn
mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import attrs
import numpy as np

from eyened_domain.adapters.phantoms.canvas import Points
from eyened_domain.errors import BadInput

Condition = Literal["healthy", "drusen", "diabetic"]
Side = Literal["L", "R"]

FIELD_RADIUS_MM = 6.75
"""Half of a 45 degree photograph: 22.5 degrees at 0.3 mm per degree."""

_STEP_MM = 0.06
_OUT_OF_SIGHT_MM = 8.3


@attrs.frozen(kw_only=True, eq=False)
class Vessel:
    """One unbranched piece of an artery or a vein.

    Attributes:
        points: (N, 3) float64: x, y and half the width, in mm.
        artery: True for an artery, False for a vein.
    """

    points: Points
    artery: bool


@attrs.frozen(kw_only=True, eq=False)
class Eye:
    """What a camera would find in one eye.

    Attributes:
        seed: which person it belongs to.
        side: ``"L"`` or ``"R"``.
        disc_xy: centre of the optic disc, in mm from the fovea.
        disc_radii: horizontal and vertical radius of the disc, in mm.
        cup_ratio: diameter of the cup by that of the disc.
        pigment: 0 (fair, the choroid shines through) to 1 (dark).
        condition: healthy, drusen, or diabetic (haemorrhages and exudates).
        vessels: the branches of arteries and veins.
        pale: (N, 3) drusen or exudates: x, y, radius in mm.
        dark: (N, 3) haemorrhages: x, y, radius in mm.
    """

    seed: int
    side: Side
    disc_xy: tuple[float, float]
    disc_radii: tuple[float, float]
    cup_ratio: float
    pigment: float
    condition: Condition
    vessels: tuple[Vessel, ...]
    pale: Points
    dark: Points


def side_of(laterality: object) -> Side:
    """Read a laterality.

    Args:
        laterality: ``"L"``, ``"R"``, or an enum member whose ``name`` is one of them.

    Raises:
        BadInput: it is neither.
    """
    name = getattr(laterality, "name", laterality)
    if name == "L":
        return "L"
    if name == "R":
        return "R"
    raise BadInput(
        f"laterality must be 'L' or 'R', not {repr(laterality)[:80]}",
        field="laterality",
        value=repr(laterality)[:80],
    )


def visit_of(visit: int) -> int:
    """Check the number of a visit.

    Raises:
        BadInput: it is not a whole number from 0 up.
    """
    return _counted(visit, "visit")


def random_for(seed: int, *purpose: int) -> np.random.Generator:
    """Make the random numbers of one purpose, independent of those of any other.

    Raises:
        BadInput: the seed is not a whole number from 0 up.
    """
    source = np.random.SeedSequence([_counted(seed, "seed"), *purpose])
    return np.random.Generator(np.random.PCG64(source))


def _counted(number: int, field: str) -> int:
    """Refuse what is not a whole number from 0 up."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
        shown = repr(number)[:80]
        raise BadInput(
            f"{field} must be a whole number from 0 up, not {shown}", field=field, value=shown
        )
    return int(number)


def grow_eye(seed: int, side: Side) -> Eye:
    """Grow one eye. Both eyes of a seed share pigment, disc size and condition, as people's do."""
    person, own = random_for(seed, 1), random_for(seed, 2, ord(side))
    conditions: tuple[Condition, ...] = ("healthy", "drusen", "diabetic")
    condition = conditions[int(person.integers(3))]
    pigment = float(person.uniform(0, 1))
    radius = float(person.uniform(0.82, 0.98))
    cup = float(person.uniform(0.28, 0.6))
    disc = (float(own.uniform(4.45, 4.8)), float(own.uniform(-0.55, -0.25)))
    pale, dark = _lesions(own, condition)
    return Eye(
        seed=int(seed),
        side=side,
        disc_xy=disc,
        disc_radii=(radius * float(own.uniform(0.9, 0.97)), radius * float(own.uniform(1, 1.06))),
        cup_ratio=cup + float(own.uniform(-0.04, 0.04)),
        pigment=pigment,
        condition=condition,
        vessels=tuple(_Growth(own, disc).tree()),
        pale=pale,
        dark=dark,
    )


def vessel_samples(vessels: Sequence[Vessel], spacing_mm: float) -> Points:
    """Put samples on the vessels, at most ``spacing_mm`` apart: (N, 3) x, y, half width in mm."""
    starts = np.concatenate([v.points[:-1] for v in vessels])
    legs = np.concatenate([np.diff(v.points, axis=0) for v in vessels])
    count = np.ceil(np.hypot(legs[:, 0], legs[:, 1]) / spacing_mm).astype(np.intp)
    leg = np.repeat(np.arange(len(legs)), count)
    within = np.arange(len(leg)) - np.repeat(np.cumsum(count) - count, count)
    return np.asarray(starts[leg] + legs[leg] * (within / count[leg])[:, None])


def _lesions(rng: np.random.Generator, condition: Condition) -> tuple[Points, Points]:
    """Scatter the lesions of a condition: (pale, dark), each (N, 3) in mm."""
    if condition == "drusen":
        return _scatter(rng, int(rng.integers(18, 45)), 1.1, (0.03, 0.085)), np.zeros((0, 3))
    if condition == "diabetic":
        middle = rng.normal((-1.2, 0.6), 0.9)
        pale = _scatter(rng, int(rng.integers(5, 16)), 0.45, (0.02, 0.06))
        pale[:, :2] += middle
        return pale, _scatter(rng, int(rng.integers(10, 26)), 2.6, (0.025, 0.11))
    return np.zeros((0, 3)), np.zeros((0, 3))


def _scatter(
    rng: np.random.Generator, count: int, spread_mm: float, radii_mm: tuple[float, float]
) -> Points:
    """Scatter spots about the fovea, small ones more often than large ones."""
    places = rng.normal(0, spread_mm, (count, 2))
    places[:, 0] -= 0.2 * spread_mm
    low, high = radii_mm
    return np.column_stack([places, low + (high - low) * rng.random(count) ** 2])


class _Growth:
    """Grows the vessels of one eye from its disc."""

    def __init__(self, rng: np.random.Generator, disc: tuple[float, float]) -> None:
        self.rng = rng
        self.disc = disc
        self.vessels: list[Vessel] = []

    def tree(self) -> list[Vessel]:
        """Grow four arcades of an artery and a vein each, and the small ones at the disc."""
        for artery in (False, True):
            for up in (-1, 1):
                self._temporal_arcade(artery=artery, up=up)
                self._nasal_branch(artery=artery, up=up)
        for spread in self.rng.permutation([-0.8, -0.25, 0.3, 0.85])[
            : int(self.rng.integers(2, 5))
        ]:
            self._macular_twig(math.pi + float(spread) + self.rng.uniform(-0.15, 0.15))
        return self.vessels

    def _temporal_arcade(self, *, artery: bool, up: int) -> None:
        """Bow one trunk about the macula: a quarter of an ellipse, then nearly straight."""
        rng = self.rng
        across = self.disc[0] + rng.uniform(-0.4, 1.2)
        height = rng.uniform(3.1, 3.7) + (0.45 if artery else 0.0) * rng.choice([-1, 1])
        phi = np.linspace(0.0, np.pi / 2, 150)
        tail = np.linspace(0.05, 6.5, 110)
        u = np.concatenate([across * (1 - np.cos(phi)), across + tail])
        sag = rng.uniform(-0.02, 0.035)
        v = np.concatenate([height * np.sin(phi), height - sag * tail**2])
        # the trunks leave the disc from its nasal half, side by side
        x = self.disc[0] + (0.12 if artery else 0.28) - u
        y = self.disc[1] * np.exp(-u / 3) + up * v
        x, y = self._wander(x, y, 0.16)
        self._trunk(x, y, rng.uniform(0.05, 0.056) if artery else rng.uniform(0.068, 0.078), artery)

    def _nasal_branch(self, *, artery: bool, up: int) -> None:
        """Send one thinner trunk up or down on the nasal side."""
        angle = up * self.rng.uniform(0.55, 1.15)
        s = np.linspace(0, 5, 120)
        x = self.disc[0] + 0.2 + s * math.cos(angle) + 0.03 * s**2
        y = self.disc[1] + s * math.sin(angle)
        x, y = self._wander(x, y, 0.1)
        self._trunk(x, y, self.rng.uniform(0.034, 0.05), artery)

    def _macular_twig(self, angle: float) -> None:
        """Send a fine vessel over the temporal rim of the disc to the macula."""
        start = (self.disc[0] + 0.15, self.disc[1] - 0.25 * math.sin(angle))
        half_width, artery = self.rng.uniform(0.015, 0.021), bool(self.rng.random() < 0.5)
        self._branch(start, angle, half_width, artery, 2)

    def _wander(self, x: Points, y: Points, amount: float) -> tuple[Points, Points]:
        """Let a smooth path wander by ``amount`` mm to its sides, not at its start."""
        length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        sway = np.zeros_like(length)
        for wave, share in ((3.1, 1.0), (1.5, 0.45), (0.7, 0.14)):
            phase = self.rng.uniform(0, 2 * np.pi)
            sway += share * np.sin(2 * np.pi * length / wave / self.rng.uniform(0.8, 1.2) + phase)
        sway *= amount * (1 - np.exp(-((length / 1.6) ** 2)))
        dx, dy = np.gradient(x), np.gradient(y)
        norm = np.hypot(dx, dy) + 1e-9
        return x - sway * dy / norm, y + sway * dx / norm

    def _trunk(self, x: Points, y: Points, half_width: float, artery: bool) -> None:
        """Lay a trunk and let branches leave it to alternating sides, thinning it each time."""
        rng = self.rng
        length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        widths = np.empty_like(length)
        filled, turn, due = 0, int(rng.choice([-1, 1])), 1.3 + rng.uniform(0, 0.8)
        while due < length[-1]:
            at = int(np.searchsorted(length, due))
            widths[filled:at] = half_width
            heading = math.atan2(y[at] - y[at - 1], x[at] - x[at - 1])
            share = rng.uniform(0.4, 0.72)
            angle = heading + turn * rng.uniform(0.5, 0.95)
            self._branch((float(x[at]), float(y[at])), angle, half_width * share, artery, 3)
            half_width *= 1 - 0.16 * share
            filled, turn, due = at, -turn, due + rng.uniform(0.8, 1.8)
        widths[filled:] = half_width
        fade = 1 - 0.45 * length / length[-1]
        soft = np.convolve(np.pad(widths, 6, mode="edge"), np.full(13, 1 / 13), mode="valid")
        self.vessels.append(Vessel(points=np.column_stack([x, y, soft * fade]), artery=artery))

    def _branch(
        self, start: tuple[float, float], angle: float, half_width: float, artery: bool, order: int
    ) -> None:
        """Grow a winding branch; it ends short of the fovea, out of sight, or when thin."""
        rng = self.rng
        inner_edge = rng.uniform(0.35, 0.6)
        inward = math.cos(angle) * -start[0] + math.sin(angle) * -start[1] > 0
        half_width = min(half_width, 0.02) if inward else half_width
        goal = (rng.uniform(-1.6, 0.5), math.copysign(rng.uniform(0.0, 1.1), start[1]))
        steps = int((rng.uniform(75, 120) * half_width + 0.8) / _STEP_MM)
        jolts = rng.standard_normal(steps).tolist()
        x, y, bend, path = start[0], start[1], 0.0, []
        due = rng.uniform(0.4, 1.1)
        for i in range(steps):
            if math.hypot(x, y) < inner_edge or math.hypot(x, y) > _OUT_OF_SIGHT_MM:
                break
            inward = inward and math.hypot(goal[0] - x, goal[1] - y) > 0.5
            wish = math.atan2(goal[1] - y, goal[0] - x) if inward else self._outward(x, y)
            turn = math.atan2(math.sin(wish - angle), math.cos(wish - angle))
            bend = 0.8 * bend + 0.032 * jolts[i]
            angle += 0.042 * turn + bend
            x += _STEP_MM * math.cos(angle)
            y += _STEP_MM * math.sin(angle)
            thin = half_width * (1 - 0.6 * i / steps)
            path.append((x, y, thin))
            due -= _STEP_MM
            if due < 0 and order > 1 and thin > 0.007:
                fork = angle + float(rng.choice([-1, 1])) * rng.uniform(0.35, 0.75)
                self._branch((x, y), fork, thin * rng.uniform(0.5, 0.8), artery, order - 1)
                due = rng.uniform(0.6, 1.7)
        if len(path) > 3:
            self.vessels.append(
                Vessel(points=np.array([(*start, path[0][2]), *path]), artery=artery)
            )

    def _outward(self, x: float, y: float) -> float:
        """The heading away from the fovea, drawn along by the flow away from the disc."""
        to_me, from_disc = math.hypot(x, y), math.hypot(x - self.disc[0], y - self.disc[1])
        return math.atan2(
            0.8 * y / to_me + 0.7 * (y - self.disc[1]) / (from_disc + 1e-6),
            0.8 * x / to_me + 0.7 * (x - self.disc[0]) / (from_disc + 1e-6),
        )
