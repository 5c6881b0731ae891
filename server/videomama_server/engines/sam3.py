"""The engine `sam3`: makes a mask per frame of clicks, boxes, words or painted masks, with SAM 3."""

from __future__ import annotations

from videomama_client.prompts import BOX, MASK, POINT, TEXT

from videomama_server.engines.base import EngineConfig, Loaded
from videomama_server.engines.segment.families import SAM3
from videomama_server.engines.segment.kind import TrackingKind


class Sam3(TrackingKind):
    """The kind of the engine; see `EngineKind`."""

    name = "sam3"
    family = SAM3
    prompts = (POINT, BOX, TEXT, MASK)
    licence = "SAM License"

    @classmethod
    def load(cls, config: EngineConfig) -> Loaded:
        """Import torch and transformers, and load the network."""
        from videomama_server.engines.segment.words import WordMaskMaker

        return WordMaskMaker(cls, config)
