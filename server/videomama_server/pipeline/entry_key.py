"""The keys of cache entries: what an alpha was made from, and nothing else, decides which entry it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from blake3 import blake3
from videomama_client.settings import Resolved

from videomama_server.pipeline.window_grid import Window

KEY_VERSION = 2


@dataclass(frozen=True)
class Identity:
    """What every entry of one job shares in its key.

    Attributes:
        engine: the engine's fingerprint.
        color: the colour transform's fingerprint.
        settings: of the job; nothing in them is `auto` or None.
    """

    engine: str
    color: str
    settings: Resolved

    def key(self, frame: int, windows: Sequence[tuple[Window, Sequence[str]]]) -> str:
        """Return the key of the alpha of `frame`.

        Args:
            frame: absolute frame number.
            windows: every window that contributes, with the digests of its frames in order; how many there are tells
                the step.
        """
        content = {
            "version": KEY_VERSION,
            "engine": self.engine,
            "color": self.color,
            "settings": self.settings.key_fields(),
            "frame": frame,
            "windows": [[window.first, window.last, list(digests)] for window, digests in windows],
        }
        return blake3(json.dumps(content, sort_keys=True).encode()).hexdigest(length=20)
