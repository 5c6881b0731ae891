"""The engine that returns the mask as it is: what the system costs without a matting algorithm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from videomama_client.settings import Resolved

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import PROTOCOL, EngineFrame, PlainEngine, WindowShape


class PassthroughEngine(PlainEngine):
    """Alpha is the mask. Never looks at the plate."""

    name = "passthrough"
    protocol = PROTOCOL
    fingerprint = "passthrough-1"
    window = WindowShape(1, 0)

    def prepare(self, frame: EngineFrame, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return the mask (H, W)."""
        return frame.mask

    def refine(self, prepared: Sequence[FloatArray], settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return the masks (T, H, W); the mask of a window of one frame, as most are here, is not copied."""
        return prepared[0][None] if len(prepared) == 1 else np.stack(prepared)
