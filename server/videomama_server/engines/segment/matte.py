"""SAM2-Matte: SAM 2 with alpha in place of a mask. Alpha is the sigmoid of its mask logits, lifted to the plate.

The paper of VideoMaMa trains SAM 2, unchanged, on mattes. No checkpoint is published, so any SAM 2 is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from videomama_client.engine_settings import SamMatteSettings
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import MATTING

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.segment.lift import lifted
from videomama_server.engines.segment.maker import MaskMaker, WalkState, check_prompts
from videomama_server.engines.segment.pictures import MASK_CUT
from videomama_server.engines.segment.tracker import Encoded, Track
from videomama_server.engines.sequential import Brief, FramePrompts

EVERY = "every"


@dataclass(frozen=True)
class EncodedForAlpha:
    """A frame for alpha.

    Attributes:
        encoded: what the image encoder says of it.
        plate: (H, W, 3), 0..1.
        mask: (H, W), 0..1, that may guide.
    """

    encoded: Encoded
    plate: FloatArray
    mask: FloatArray


class AlphaMaker(MaskMaker):
    """Makes alphas of one mask, of a mask per frame, or of prompts, with a network that has SAM 2's memory."""

    role = MATTING
    record = SamMatteSettings

    def licence(self, settings: MatteSettings) -> str:  # noqa: ARG002
        """Return nothing: no weights are published, and nothing is known of those that a person puts there."""
        return ""

    def absent(self, settings: Resolved) -> frozenset[int]:  # noqa: ARG002
        """Return no frame: it has no such setting."""
        return frozenset()

    def encode(self, frame: EngineFrame, settings: Resolved) -> EncodedForAlpha:  # type: ignore[override]  # noqa: ARG002
        """Return what the image encoder says of a frame, with its plate and mask."""
        return EncodedForAlpha(self.encoded(frame), frame.plate, frame.mask)

    def begin(self, brief: Brief, settings: Resolved) -> WalkState:  # noqa: ARG002
        """Return a walk that remembers the prompts of all frames; without any, masks guide it."""
        state = WalkState(Track(self.network), brief.backward)
        for prompts in brief.prompts:
            seen = self.seen(brief, prompts.frame)
            check_prompts(prompts)
            state.track.prompt(seen.encoded, prompts)
        return state

    def step(  # type: ignore[override]
        self, state: WalkState, number: int, encoded: EncodedForAlpha, settings: Resolved
    ) -> FloatArray:
        """Return the alpha (H, W), 0..1, of the next frame."""
        logits = self.logits(state, number, encoded, settings)
        if logits is None:
            return np.zeros(encoded.plate.shape[:2], np.float32)
        return lifted(torch.sigmoid(logits).numpy(), encoded.plate)

    def logits(self, state: WalkState, number: int, seen: EncodedForAlpha, settings: Resolved) -> Tensor | None:
        """Return the network's logits (h, w) of the next frame; None where nothing guides it yet."""
        guides = bool((seen.mask >= MASK_CUT).any())
        if SamMatteSettings.of(settings).guidance == EVERY and not state.track.is_prompted:
            return self.network.answer(seen.encoded, seen.mask) if guides else None
        if state.track.is_prompted:
            return state.track.follow(number, seen.encoded, state.backward).logits
        if not guides:
            return None
        state.track.prompt(seen.encoded, FramePrompts(number, load_mask=lambda: seen.mask))
        state.own.append(number)
        return self.network.answer(seen.encoded, seen.mask)

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings without the folder of the weights, for which the fingerprint stands."""
        return self.decided(settings, size)
