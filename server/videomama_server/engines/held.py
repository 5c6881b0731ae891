"""The engine `held`: a painted mask that stands still, for a shot whose camera and subject do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from videomama_client.errors import BadInput
from videomama_client.prompts import MASK
from videomama_client.settings import Resolved

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import PROTOCOL, EngineFrame
from videomama_server.engines.sequential import Brief, Kept, PlainSequentialEngine


class HeldEngine(PlainSequentialEngine):
    """Every frame has the key mask; between two of them the pipeline dissolves. Never looks at the plate."""

    name = "held"
    protocol = PROTOCOL
    fingerprint = "held-1"
    prompts = (MASK,)
    remembers = False

    def encode(self, frame: EngineFrame, settings: Resolved) -> None:
        """Need nothing of a frame."""

    def begin(self, brief: Brief, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return the key mask of the frame that the walk begins on.

        Raises:
            BadInput: there is none.
        """
        for prompts in brief.prompts:
            if prompts.frame == brief.start and prompts.load_mask is not None:
                return prompts.load_mask()
        raise BadInput(f"the engine held has no key mask on frame {brief.start}", "Give it one with --key-mask.")

    def step(self, state: FloatArray, number: int, encoded: None, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return the key mask (H, W)."""
        return state

    def export(self, state: FloatArray) -> Kept:  # noqa: ARG002
        """Return nothing: what it holds follows from the prompts."""
        return {}

    def restore(self, kept: Mapping[str, NDArray[Any]], brief: Brief, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return what `begin` does."""
        return self.begin(brief, settings)
