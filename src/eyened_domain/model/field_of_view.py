"""The field of view of a colour fundus image: a circle, cut by the edges of the sensor.

Coordinates are (x, y) in pixels, whole numbers at the **centres** of pixels: pixel
[row, column] covers column - 0.5 to column + 0.5 and row - 0.5 to row + 0.5, so an image
of width w reaches from -0.5 to w - 0.5. This holds for the crop as well: the square
around the circle, [x - r, x + r], falls onto [-0.5, 1023.5], with the scale 1024 / 2r
both ways and without a turn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from eyened_domain.errors import BadInput
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CROP_SIZE = 1024
"""Rows and columns of the crop of a field of view."""

Point = tuple[float, float]
Line = tuple[Point, Point]

_LONGEST_SIDE = 2**15
_KEYPOINTS = ("fovea_xy", "disc_edge_xy")


@attrs.frozen(kw_only=True)
class FieldOfView:
    """What ImageInstance.CFROI holds; made by `from_json`.

    Attributes:
        center: (x, y) of the middle of the circle.
        radius: in pixels.
        hw: (height, width) of the image.
        lines: straight edges that cut the circle, by name (``top``, ``bottom``, ``left``,
            ``right``, or a number), each as two points; the side of the centre is seen.
    """

    center: Point
    radius: float
    hw: tuple[int, int]
    lines: Mapping[str, Line] = attrs.field(factory=dict)

    @classmethod
    def from_json(cls, value: Any) -> FieldOfView | None:
        """Read the form in which CFROI holds it.

        ``{"center": [x, y], "radius": r, "hw": [height, width], "lines": …}``. ``lines`` may
        be missing, or a mapping of names to ``[[x0, y0], [x1, y1]]``, or a list of such
        pairs; a line that is null is no line.

        Returns:
            None when detection failed: ``{"success": false}``.

        Raises:
            BadInput: it is something else.
        """
        if not isinstance(value, Mapping):
            raise _refused("must be an object with center, radius and hw", value)
        if value.get("success", True) is False:
            return None
        height, width = _pair(value, "hw")
        if not (height.is_integer() and width.is_integer()):
            raise _refused("hw must be whole numbers", value["hw"])
        if not (1 <= height <= _LONGEST_SIDE and 1 <= width <= _LONGEST_SIDE):
            raise _refused(f"hw must be from 1 to {_LONGEST_SIDE}", value["hw"])
        radius: Any = value.get("radius")
        if not _is_number(radius) or not 0 < radius < _LONGEST_SIDE:
            raise _refused(f"radius must be above 0 and below {_LONGEST_SIDE}", radius)
        center = _pair(value, "center")
        return cls(
            center=center,
            radius=float(radius),
            hw=(int(height), int(width)),
            lines=_lines(value.get("lines"), center),
        )

    def to_json(self) -> dict[str, Any]:
        """Give the form in which CFROI holds it."""
        return {
            "center": list(self.center),
            "radius": self.radius,
            "hw": list(self.hw),
            "lines": {name: [list(a), list(b)] for name, (a, b) in self.lines.items()},
            "success": True,
        }

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the image."""
        return CROP_SIZE / (2 * self.radius)

    @property
    def image_to_crop(self) -> npt.NDArray[np.float64]:
        """3 x 3 matrix from (x, y, 1) in the image to the crop."""
        import numpy as np  # noqa: PLC0415 - the model needs it for pixels only

        middle = (CROP_SIZE - 1) / 2
        x, y = (middle - self.scale * value for value in self.center)
        return np.array([[self.scale, 0, x], [0, self.scale, y], [0, 0, 1]])

    @property
    def crop_to_image(self) -> npt.NDArray[np.float64]:
        """3 x 3 matrix from (x, y, 1) in the crop to the image."""
        import numpy as np  # noqa: PLC0415

        pixel = 1 / self.scale
        x, y = (value - pixel * (CROP_SIZE - 1) / 2 for value in self.center)
        return np.array([[pixel, 0, x], [0, pixel, y], [0, 0, 1]])

    def to_crop(self, points: Any) -> npt.NDArray[np.float64]:
        """Map points of the image, (n, 2) or (2,) of x and y, to the crop."""
        return _mapped(self.image_to_crop, points)

    def to_image(self, points: Any) -> npt.NDArray[np.float64]:
        """Map points of the crop, (n, 2) or (2,) of x and y, to the image."""
        return _mapped(self.crop_to_image, points)

    def complete_keypoints(self, keypoints: Mapping[str, Any]) -> dict[str, Any]:
        """Add to CFKeypoints what is missing: the place in the crop, or that in the image.

        Args:
            keypoints: ``fovea_xy``, ``disc_edge_xy`` in image pixels, ``prep_fovea_xy``,
                ``prep_disc_edge_xy`` in the crop; further keys stay.
        """
        complete = dict(keypoints)
        for name in _KEYPOINTS:
            here, there = complete.get(name), complete.get(f"prep_{name}")
            if here is not None and there is None:
                complete[f"prep_{name}"] = self.to_crop(here).tolist()
            elif here is None and there is not None:
                complete[name] = self.to_image(there).tolist()
        return complete

    def mask(self) -> npt.NDArray[np.bool_]:
        """Return (height, width) of bool: the pixels whose centres the circle and lines show."""
        import numpy as np  # noqa: PLC0415

        height, width = self.hw
        y, x = np.ogrid[:height, :width]
        inside: npt.NDArray[np.bool_] = (
            (x - self.center[0]) ** 2 + (y - self.center[1]) ** 2
        ) <= self.radius**2
        for line in self.lines.values():
            inside &= _side(line, x, y) * _side(line, *self.center) >= 0
        return inside

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of what `mask` shows; right and bottom are one beyond."""
        import numpy as np  # noqa: PLC0415

        seen = self.mask()
        columns, rows = (np.flatnonzero(seen.any(axis=axis)) for axis in (0, 1))
        if rows.size == 0:
            return (0, 0, 0, 0)
        return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    def crop(self, pixels: Any, *, smooth: bool = True) -> npt.NDArray[Any]:
        """Cut the square around the circle out, as 1024 x 1024 pixels.

        What lies outside the image is 0; what lies outside the circle is left.

        Args:
            pixels: (height, width) or (height, width, samples), of the size `hw`.
            smooth: interpolate, and average when the image is the finer one; False takes
                the nearest pixel, as labels need it.

        Returns:
            (1024, 1024) or (1024, 1024, samples), of the same number type.

        Raises:
            BadInput: the pixels are of another size.
        """
        from eyened_domain.model.pixels.resampling import Window  # noqa: PLC0415 - numpy

        if tuple(pixels.shape[:2]) != self.hw or pixels.ndim not in (2, 3):
            raise _refused(
                f"is of an image of (height, width) {self.hw}, and cannot be cut out of pixels "
                f"of shape {tuple(pixels.shape)}",
                list(self.hw),
            )
        x, y = self.to_image((0, 0)).tolist()
        return Window(step=1 / self.scale, size=CROP_SIZE, x=x, y=y).of(pixels, smooth=smooth)


def _lines(value: Any, center: Point) -> dict[str, Line]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        given = {str(name): line for name, line in value.items() if line is not None}
    elif isinstance(value, list):
        given = {str(number): line for number, line in enumerate(value) if line is not None}
    else:
        raise _refused("lines must be an object or a list of [[x0, y0], [x1, y1]]", value)
    lines: dict[str, Line] = {}
    for name, line in given.items():
        if not isinstance(line, (list, tuple)) or len(line) != 2:
            raise _refused(f"lines: {name!r} must be [[x0, y0], [x1, y1]]", line)
        lines[name] = (_point(f"lines: {name!r}", line[0]), _point(f"lines: {name!r}", line[1]))
        if _side(lines[name], *center) == 0:
            raise _refused(f"lines: {name!r} goes through the centre, or is no line", line)
    return lines


def _side(line: Line, x: Any, y: Any) -> Any:
    """Tell by its sign on which side of a line points lie."""
    (x0, y0), (x1, y1) = line
    return (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)


def _mapped(matrix: npt.NDArray[np.float64], points: Any) -> npt.NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415

    given = np.asarray(points, dtype=np.float64)
    if given.shape[-1:] != (2,) or given.ndim not in (1, 2):
        raise BadInput(f"points must be (n, 2) of x and y, not of shape {given.shape}")
    return given @ matrix[:2, :2].T + matrix[:2, 2]


def _pair(value: Mapping[str, Any], field: str) -> Point:
    return _point(field, value.get(field))


def _point(field: str, value: Any) -> Point:
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value)):
        return (float(value[0]), float(value[1]))
    raise _refused(f"{field} must be two finite numbers", value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e9


def _refused(reason: str, value: Any) -> BadInput:
    return BadInput(
        f"ImageInstance.cf_roi {shown(value)}: {reason}",
        entity="ImageInstance",
        field="cf_roi",
        value=value,
    )
