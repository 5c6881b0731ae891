"""The keys of cache entries: what an entry was made from, and nothing else, decides which one it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blake3 import blake3
from videomama_client.settings import Resolved

from videomama_server.cache.layout import KEY_VERSION
from videomama_server.pipeline.window_grid import Window


@dataclass(frozen=True)
class Identity:
    """What every alpha of one job shares in its key.

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
        return _digest(content)


def side_key(kind: str, alpha: str, plate: str, dtype: str, made_by: Mapping[str, Any]) -> str:
    """Return the key of a side result's entry.

    Args:
        kind: of the side result.
        alpha: key of the alpha that it is made from.
        plate: digest of the frame's plate.
        dtype: pixel type of the entry.
        made_by: all else that it depends on, its version among them.
    """
    content = {
        "version": KEY_VERSION,
        "side": kind,
        "alpha": alpha,
        "plate": plate,
        "dtype": dtype,
        "made by": dict(made_by),
    }
    return _digest(content)


def _digest(content: dict[str, Any]) -> str:
    return blake3(json.dumps(content, sort_keys=True).encode()).hexdigest(length=20)
