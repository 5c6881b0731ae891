"""The arrays of pixels that everything here hands around, and the plate that distances are given for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
REFERENCE_SIDE = 1920  # long side, in pixels, of the plate that distances in settings are given for
