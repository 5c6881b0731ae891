"""The keys of cache entries: what an alpha was made from, and nothing else, decides which entry it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from blake3 import blake3
from videomama_client.settings import MatteSettings

from videomama_server.pipeline.window_grid import Window

KEY_VERSION = 1


@dataclass(frozen=True)
class Identity:
    """What every entry of one job shares in its key.

    Attributes:
        engine: the engine's fingerprint.
        color: the colour transform's fingerprint.
        settings: fully resolved; nothing in it is `auto` or None.
    """

    engine: str
    color: str
    settings: MatteSettings

    def key(self, frame: int, windows: Sequence[tuple[Window, Sequence[str]]]) -> str:
        """Return the key of the alpha of `frame`.

        Args:
            frame: absolute frame number.
            windows: every window that contributes, with the digests of its frames in order; how many there are tells
                the step.
        """
        settings = asdict(self.settings)
        # Which file channels were read is in the digests of what was read, what the weights are in the fingerprint.
        for name in ("plate_layer", "mask_channel", "view", "mask_colour", "weights"):
            del settings[name]
        content = {
            "version": KEY_VERSION,
            "engine": self.engine,
            "color": self.color,
            "settings": settings,
            "frame": frame,
            "windows": [[window.first, window.last, list(digests)] for window, digests in windows],
        }
        return blake3(json.dumps(content, sort_keys=True).encode()).hexdigest(length=20)
