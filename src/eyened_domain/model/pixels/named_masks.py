"""What a segmentation shows, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyened_domain.model.pixels.stored import StoredPixels

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class NamedMasks(StoredPixels):
    """Pixels that are told apart by name: a mixin for `Segmentation` and `ModelSegmentation`."""

    def masks(
        self, *, on_image: bool = True, scan: int | None = None
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Return what the segmentation shows, one boolean array per name.

        Binary and Probability (above its Threshold) give `mask`; DualBitMask `mask` and
        `questionable`; MultiLabel and MultiClass one mask per subfeature. Where there is a
        ReferenceSegmentationID, each is the AND with the mask of the referenced one.

        Args:
            on_image: with an ImageProjectionMatrix, return masks in the pixels of the
                image, shape (1, rows, columns); otherwise in those of the segmentation.
            scan: read this B-scan only, counted from 0.

        Returns:
            arrays of shape (depth, height, width); of one B-scan (height, width).

        Raises:
            RuleBroken: a value means nothing, references go round in a circle, or the
                size of the image is not known.
        """
        from eyened_domain.model.pixels.projection import on_image_grid  # noqa: PLC0415 - numpy

        masks = self._own_masks(scan)
        if self.reference_segmentation_id is not None:
            limits = [one.shown_area(scan) for one in self.references()]
            for name in masks:
                for limit in limits:
                    masks[name] &= limit
        if not on_image or self.image_projection_matrix is None:
            return masks
        shape = self._image_shape(self._store())
        if shape is None:
            raise self._broken("the image has no rows_y or columns_x", "image_instance")
        matrix, size = self.image_projection_matrix, shape[1:]
        flat = {name: mask.reshape(mask.shape[-2:]) for name, mask in masks.items()}
        there = {name: on_image_grid(mask, matrix, size) for name, mask in flat.items()}
        return there if scan is not None else {name: mask[None] for name, mask in there.items()}

    def shown_area(self, scan: int | None = None) -> npt.NDArray[np.bool_]:
        """Return where the segmentation shows anything, its own references left out.

        Args:
            scan: read this B-scan only, counted from 0.

        Returns:
            an array of shape (depth, height, width); of one B-scan (height, width).
        """
        masks = self._own_masks(scan)
        if "mask" in masks:
            return masks["mask"]
        first, *others = masks.values()
        for other in others:
            first |= other
        return first

    def _own_masks(self, scan: int | None) -> dict[str, npt.NDArray[np.bool_]]:
        from eyened_domain.model.pixels.masks import decode  # noqa: PLC0415 - brings numpy

        pixels = self.read_data() if scan is None else self.read_data(axis=0, slice_index=scan)
        feature = self._feature(self._store())
        if feature is not None:
            return feature.decode(pixels, self.data_representation, threshold=self.threshold)
        return decode(pixels, self.data_representation, threshold=self.threshold)
