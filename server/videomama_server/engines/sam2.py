"""The engine `sam2`: makes a mask per frame of clicks, boxes or painted masks, with SAM 2 or 2.1."""

from __future__ import annotations

from videomama_client.prompts import BOX, MASK, POINT

from videomama_server.engines.base import EngineConfig, Loaded
from videomama_server.engines.segment.families import SAM2
from videomama_server.engines.segment.kind import TrackingKind


class Sam2(TrackingKind):
    """The kind of the engine; see `EngineKind`."""

    name = "sam2"
    family = SAM2
    prompts = (POINT, BOX, MASK)
    licence = "Apache-2.0"

    @classmethod
    def load(cls, config: EngineConfig) -> Loaded:
        """Import torch and transformers, and load the network."""
        from videomama_server.engines.segment.maker import MaskMaker

        return MaskMaker(cls, config)
