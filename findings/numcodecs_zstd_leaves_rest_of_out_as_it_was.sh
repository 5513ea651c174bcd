#!/usr/bin/env bash
# numcodecs: a Zstandard frame that holds fewer bytes than `out` is decoded without an error.
#
# numcodecs 0.16.5, Zstd().decode(frame, out): where `out` is larger than what the frame holds,
# the beginning is written, the rest of `out` keeps what was in it, and nothing is raised. With
# an `out` that was just allocated (np.empty), the rest is whatever was in that memory, so a
# chunk of a zarr array whose frame is too short can be read as garbage that looks like pixels.
# A frame that holds more than `out` is refused (ValueError).
# The length that a frame says of itself has to be compared by the one who reads it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numcodecs==0.16.5 numpy==2.4.6 2>/dev/null
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from numcodecs import Zstd

frame = Zstd().encode(np.full(10, 7, np.uint8))
out = np.full(16, 99, np.uint8)
Zstd().decode(frame, out)
print("decoded into 16 bytes:", out.tolist())
assert out.tolist() == [7] * 10 + [99] * 6, "the rest is not left as it was any more"
try:
    Zstd().decode(frame, np.empty(5, np.uint8))
except (RuntimeError, ValueError) as error:
    print("decoded into 5 bytes:", type(error).__name__)
else:
    raise AssertionError("a frame that is too long is not refused any more")
PY
