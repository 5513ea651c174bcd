"""A segmentation as a picture: laid over its image, in a program and in a notebook."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import attrs

from eyened_domain.model.entity import entity_class
from eyened_domain.model.html_table import html_table
from eyened_domain.model.pixels.named_masks import NamedMasks

if TYPE_CHECKING:
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.store import PixelStore


@attrs.frozen(kw_only=True)
class View:
    """What of a segmentation is shown, and how; see `PicturedPixels.overlay`."""

    alpha: float = 0.4
    names: tuple[str, ...] | None = None
    max_size_px: int | None = None
    scan: int | None = None
    en_face: bool = False


class PicturedPixels(NamedMasks):
    """Pixels that show themselves: a mixin for `Segmentation` and `ModelSegmentation`."""

    def overlay(
        self,
        *,
        masks: Iterable[str] | None = None,
        alpha: float = 0.4,
        max_size_px: int | None = None,
        scan: int | None = None,
        en_face: bool = False,
    ) -> Any:
        """Return a `PIL.Image.Image`: the image, with the masks over it.

        Each mask has an outline and a fill that lets the image through. A name has the same
        colour in every picture and process; `questionable` is hatched, in the colour of the
        feature. A 2-D image is shown as by `ImageInstance.picture`, upright; a volume by one
        B-scan; an en-face map over the volume as seen from the front.

        Args:
            masks: names of those to show (see `masks`); None for all.
            alpha: opacity of the fill, 0 (outlines only) to 1.
            max_size_px: the longest side that is wanted; the picture is only made smaller.
            scan: the B-scan of a volume to show, from 0; by default the middle one, or the
                middle one of ScanIndices.
            en_face: show a mask of a volume from the front: wherever it has any depth.

        Raises:
            BadInput: an argument is out of range, there is no such mask, or the file of the
                image is refused.
            NotFound: no pixels were written yet.
            PixelsLost, PixelsDamaged: the pixels are not there, or not what was stored.
            NotLoaded: it was never in a unit of work, or its image or feature was not
                loaded before that closed.
        """
        image = self._image()
        names = (masks,) if isinstance(masks, str) else masks
        view = View(
            alpha=self._opacity(alpha),
            names=None if names is None else tuple(names),
            max_size_px=self._positive(max_size_px),
            scan=self._scan_of(image, scan, en_face=en_face),
            en_face=en_face,
        )
        return image.files("overlay").overlay_of(image, self, view)

    @property
    def shown_name(self) -> str | None:
        """Name of the feature that it shows; None where none is known.

        Raises:
            NotLoaded: it was not loaded before the unit of work closed.
        """
        feature = self._shown_feature_in(self._store())
        return None if feature is None else feature.feature_name

    @property
    def mask_names(self) -> tuple[str, ...]:
        """The names of its masks, see `masks`; no pixels are read."""
        from eyened_domain.model.pixels.masks import mask_names  # noqa: PLC0415 - brings numpy

        feature = self._feature(self._store())
        labels = {} if feature is None else feature.subfeatures
        return mask_names(
            self.data_representation, {n: child.feature_name for n, child in labels.items()}
        )

    def _repr_html_(self) -> str:
        store: PixelStore | None = self.__dict__.get("_pixel_store")
        return html_table(self) if store is None else store.html_of(self)

    def _image(self) -> ImageInstance:
        store = self._store()
        image: ImageInstance | None = self.image_instance
        if image is not None:
            return image
        if self.image_instance_id is None:
            raise self._broken("is needed for a picture", "image_instance")
        image_class = cast("type[ImageInstance]", entity_class("ImageInstance"))
        return store.find(image_class, self.image_instance_id)

    def _opacity(self, alpha: Any) -> float:
        number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
        if not number or not (math.isfinite(alpha) and 0 <= alpha <= 1):
            raise self._refused("alpha is from 0 to 1", "alpha", alpha)
        return float(alpha)

    def _positive(self, size: Any) -> int | None:
        if size is None:
            return None
        try:
            pixels = operator.index(size)
        except TypeError:
            pixels = 0
        if pixels < 1 or isinstance(size, bool):
            raise self._refused("max_size_px is a number of pixels", "max_size_px", size)
        return pixels

    def _scan_of(self, image: ImageInstance, scan: Any, *, en_face: bool) -> int | None:
        if scan is None and not en_face:
            return None
        if image.is_2d:
            raise self._refused(
                "a 2-D image has no B-scans; leave scan and en_face out", "scan", scan
            )
        if scan is None:
            return None
        if en_face or self.is_en_face:
            raise self._refused(
                "seen from the front there is no B-scan; leave scan out", "scan", scan
            )
        plane = self._plane(0, scan)
        return None if plane is None else plane.slice_index
