"""From the reflectivities that Heidelberg stores to the grey values that it shows.

Stored is a float in [0, 1] that spans five decades. Shown, in HEYEX and in the XML and
PNG files that it exports, are 8 bits on a logarithmic scale: those are what people
segment on and what `pixel_array` gives. The scale is that of eyepy
(`vol_intensity_transform`, fitted to such exports).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_OFFSET, _SHIFT, _RANGE = 2.44e-4, 8.3, 8.285
_MANTISSA_BITS, _EXPONENT_BIAS = 10, 63


def displayed(reflectivity: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Turn reflectivities into grey values, 0 to 255.

    A place without a value, which a ``.vol`` file marks by the largest float32, is 0.
    """
    # NaN and the mark for "no value" fail the comparison; both become black.
    valid = reflectivity < np.finfo(np.float32).max
    clipped = np.clip(np.where(valid, reflectivity, 0), 0, 1)
    shown = (np.log(clipped + _OFFSET) + _SHIFT) / _RANGE
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)


@functools.cache
def displayed_by_code() -> NDArray[np.uint8]:
    """Give the grey value of each 16-bit number of an ``.E2E`` file.

    These are floats without a sign, with 6 bits of exponent above 10 of mantissa.
    eyepy and oct-converter read the mantissa with its bits in reverse; that its high
    bit comes first is seen in real B-scans, whose neighbouring pixels then agree more.

    Returns:
        65,536 grey values; read-only, as all callers share them.
    """
    code = np.arange(1 << 16)
    mantissa = 1 + (code & ((1 << _MANTISSA_BITS) - 1)) / (1 << _MANTISSA_BITS)
    table = displayed(np.ldexp(mantissa, (code >> _MANTISSA_BITS) - _EXPONENT_BIAS))
    table.flags.writeable = False
    return table
