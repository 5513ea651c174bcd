"""Pixel arithmetic: from the values of a segmentation to named masks, and back.

The only module of the model that needs numpy; it is imported when pixels are worked on.
Arrays may have any shape, (depth, height, width) as a rule, and masks have the same one.
Labels are the subfeatures of a composite feature: FeatureIndex to name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain.errors import RuleBroken
from eyened_domain.model.enums import DataRepresentation
from eyened_domain.model.values import shown

Pixels = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Labels = Mapping[int, str]

MASK = "mask"
"""Name of the mask of a segmentation that has only one."""
QUESTIONABLE = "questionable"
"""Name of the second mask of DualBitMask: where the grader was in doubt."""
DEFAULT_THRESHOLD = 0.5
"""Above which a probability counts when a segmentation has no threshold of its own."""


def decode(
    pixels: Pixels,
    representation: DataRepresentation,
    *,
    labels: Labels | None = None,
    threshold: float | None = None,
    strict: bool = True,
) -> dict[str, Mask]:
    """Return what the pixels show, as one boolean array per name.

    Binary gives `mask` (any value above 0); DualBitMask `mask` (bit 0) and `questionable`
    (bit 1); Probability `mask` (above the threshold; uint8 is read as 0-1); MultiLabel the
    label of each bit; MultiClass the label v - 1 of each value v.

    Args:
        pixels: the stored values.
        representation: what they mean.
        labels: FeatureIndex to name, for MultiLabel and MultiClass.
        threshold: for Probability; 0.5 when not given.
        strict: refuse values that mean nothing, rather than leave them out.

    Raises:
        RuleBroken: a value has no meaning (see `check_values`).
    """
    pixels = np.asarray(pixels)
    if strict and representation is not DataRepresentation.Binary:
        check_values(pixels, representation, labels=labels)
    if representation is DataRepresentation.Probability:
        bound = DEFAULT_THRESHOLD if threshold is None else threshold
        return {MASK: _probabilities(pixels) > bound}
    pixels = _whole(pixels, representation)
    if representation is DataRepresentation.Binary:
        return {MASK: pixels > 0}
    if representation is DataRepresentation.DualBitMask:
        return {MASK: _bit(pixels, 0), QUESTIONABLE: _bit(pixels, 1)}
    named = _sorted(labels)
    if representation is DataRepresentation.MultiLabel:
        return {name: _bit(pixels, index) for index, name in named.items()}
    return {name: pixels == index + 1 for index, name in named.items()}


def encode(
    masks: Mapping[str, Any],
    representation: DataRepresentation,
    *,
    dtype: npt.DTypeLike,
    labels: Labels | None = None,
) -> Pixels:
    """Return the pixels that mean these masks: the way back of `decode`.

    Args:
        masks: boolean arrays of one shape by name; those not given are empty.
        representation: anything but Probability.
        dtype: the unsigned number type of the result.
        labels: FeatureIndex to name, for MultiLabel and MultiClass.

    Raises:
        RuleBroken: a name is unknown, shapes differ, a label does not fit in the type, or
            classes overlap where only one can be stored per pixel.
    """
    numbers = {name: index for index, name in _names(representation, labels).items()}
    arrays = {name: np.asarray(mask, dtype=bool) for name, mask in masks.items()}
    unknown = sorted(arrays.keys() - numbers.keys())
    if unknown or not arrays:
        raise RuleBroken(
            f"{representation.name} has no mask {shown(unknown)}; it has {shown([*numbers])}"
        )
    if len({mask.shape for mask in arrays.values()}) > 1:
        raise RuleBroken(
            f"the masks differ in shape: {shown({n: m.shape for n, m in masks.items()})}"
        )
    pixels = np.zeros(next(iter(arrays.values())).shape, dtype=np.dtype(dtype))
    exclusive = representation is DataRepresentation.MultiClass
    for name, mask in arrays.items():
        value = numbers[name] + 1 if exclusive else 1 << numbers[name]
        _check_room(value, name, pixels.dtype)
        if exclusive and bool(np.any(pixels[mask])):
            raise RuleBroken(f"{name!r} overlaps another class; MultiClass holds one per pixel")
        pixels[mask] |= pixels.dtype.type(value)
    return pixels


def check_values(
    pixels: Pixels, representation: DataRepresentation, *, labels: Labels | None = None
) -> None:
    """Raise unless every value means something.

    Binary 0 and 1; DualBitMask 0 to 3; Probability finite from 0 to 1, or uint8; MultiLabel
    the bits, and MultiClass the values, of known labels.

    Raises:
        RuleBroken: a value means nothing; `value` of the error holds the first such one.
    """
    pixels = np.asarray(pixels)
    if representation is DataRepresentation.Probability:
        _check_probabilities(pixels)
        return
    pixels = _whole(pixels, representation)
    if pixels.size == 0:
        return
    lowest = int(pixels.min()) if pixels.dtype.kind == "i" else 0
    highest = int(pixels.max())
    if lowest < 0:
        raise _meaningless(representation, lowest, "0 and more")
    if representation is DataRepresentation.Binary and highest > 1:
        raise _meaningless(representation, highest, "0 and 1; store pixels > 0")
    if representation is DataRepresentation.DualBitMask and highest > 3:
        raise _meaningless(representation, highest, "0 to 3: bit 0 mask, bit 1 questionable")
    if representation is DataRepresentation.MultiLabel:
        _check_bits(pixels, _sorted(labels))
    elif representation is DataRepresentation.MultiClass:
        _check_classes(pixels, highest, _sorted(labels))


def _check_probabilities(pixels: Pixels) -> None:
    if pixels.dtype == np.uint8 or pixels.size == 0:
        return  # each byte means something
    values = _probabilities(pixels)
    if values.min() >= 0 and values.max() <= 1:  # not so where one is NaN
        return
    wrong = ~((values >= 0) & (values <= 1))
    raise _meaningless(DataRepresentation.Probability, values[wrong].flat[0], "finite, from 0 to 1")


def _check_bits(pixels: Pixels, labels: Labels) -> None:
    used = int(np.bitwise_or.reduce(pixels, axis=None))
    unknown = [bit for bit in range(used.bit_length()) if used >> bit & 1 and bit not in labels]
    if unknown:
        raise _meaningless(
            DataRepresentation.MultiLabel, 1 << unknown[0], f"bits of the labels {shown([*labels])}"
        )


def _check_classes(pixels: Pixels, highest: int, labels: Labels) -> None:
    if highest <= len(labels) and all(index in labels for index in range(highest)):
        return  # spares sorting a whole volume
    for value in np.unique(pixels).tolist():
        if value and value - 1 not in labels:
            raise _meaningless(
                DataRepresentation.MultiClass, value, f"0, or 1 + a label of {shown([*labels])}"
            )


def _check_room(value: int, name: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind != "u" or value > np.iinfo(dtype).max:
        raise RuleBroken(f"{name!r} is stored as {value}, which {dtype} has no room for")


def mask_names(representation: DataRepresentation, labels: Labels | None = None) -> tuple[str, ...]:
    """Return the names of the masks that `decode` gives, in that order."""
    if representation is DataRepresentation.Probability:
        return (MASK,)
    return tuple(_names(representation, labels).values())


def _names(representation: DataRepresentation, labels: Labels | None) -> Labels:
    if representation is DataRepresentation.Probability:
        raise RuleBroken("probabilities cannot be made from masks")
    if representation is DataRepresentation.Binary:
        return {0: MASK}
    if representation is DataRepresentation.DualBitMask:
        return {0: MASK, 1: QUESTIONABLE}
    return _sorted(labels)


def _sorted(labels: Labels | None) -> dict[int, str]:
    if not labels:
        raise RuleBroken(
            "MultiLabel and MultiClass need a composite feature: add its subfeatures first",
            entity="Feature",
            field="feature_associations",
        )
    return dict(sorted(labels.items()))


def _probabilities(pixels: Pixels) -> Pixels:
    if pixels.dtype == np.uint8:
        return pixels / np.float32(255)  # R8: a byte that is read as 0-1
    if pixels.dtype.kind != "f":
        raise RuleBroken(f"Probability is stored as float32 or uint8, not {pixels.dtype}")
    return pixels


def _whole(pixels: Pixels, representation: DataRepresentation) -> Pixels:
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8)
    if pixels.dtype.kind not in "ui":
        raise RuleBroken(f"{representation.name} is stored in whole numbers, not {pixels.dtype}")
    return pixels


def _bit(pixels: Pixels, index: int) -> Mask:
    if index >= 8 * pixels.dtype.itemsize:
        return np.zeros(pixels.shape, dtype=bool)
    return (pixels >> index & 1).astype(bool)


def _meaningless(representation: DataRepresentation, value: Any, allowed: str) -> RuleBroken:
    plain = value.item() if isinstance(value, np.generic) else value
    return RuleBroken(
        f"the pixel value {plain!r} means nothing in {representation.name}; allowed: {allowed}",
        entity="Segmentation",
        field="data_representation",
        value=plain,
    )
