"""An engine that follows a subject through the clip: prompts to what the network remembers, frames to masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from videomama_client.engine_settings import EngineSettings, TrackingSettings
from videomama_client.errors import BadInput
from videomama_client.prompts import TEXT
from videomama_client.settings import MatteSettings, Resolved

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.base import PROTOCOL, EngineConfig, EngineFrame, EngineUsage
from videomama_server.engines.runtime import device, file_digests
from videomama_server.engines.segment import loading
from videomama_server.engines.segment.drift import drifts
from videomama_server.engines.segment.kind import TrackingKind
from videomama_server.engines.segment.pictures import upsampled
from videomama_server.engines.segment.tracker import Encoded, Network, Sighting, Track
from videomama_server.engines.sequential import Brief, FramePrompts, Kept, PlainSequentialEngine
from videomama_server.media.sequences.ranges import parse_range

MOST_ANCHORS = 2  # of one walk
_MOST_PROMPTED = 4  # frames of prompts that are kept as the network sees them, some 17 MB each
_BEFORE, _OWN, _LAST = "before", "own", "last"


@dataclass(frozen=True)
class Blank:
    """A frame of this size, (height, width), in which the subject is not."""

    size: tuple[int, int]


@dataclass
class WalkState:
    """One walk from a frame with prompts.

    Attributes:
        track: what the network remembers.
        backward: whether the walk goes to lower numbers.
        last: the frame that was followed last; None before the first.
        before: (h, w), the network's mask there.
        own: frames that are remembered like prompts and follow from no prompt.
    """

    track: Track
    backward: bool
    last: int | None = None
    before: BoolArray | None = None
    own: list[int] = field(default_factory=list)


class MaskMaker(PlainSequentialEngine):
    """Makes masks of prompts with a network that has SAM 2's memory.

    Args:
        kind: of the engine.
        config: where the weights are and what may be used of the machine.

    Raises:
        WeightsError: there is no such network, or it is of another family or not whole.
        OutOfMemory: the device has no room for it.
        BadInput: the device is not there.
    """

    needs_device = True
    protocol = PROTOCOL
    record: ClassVar[type[EngineSettings]] = TrackingSettings

    def __init__(self, kind: type[TrackingKind], config: EngineConfig) -> None:
        self._files = kind.files(config)
        self.name, self.prompts = kind.name, kind.prompts  # type: ignore[misc]
        self._config, self._licence = config, kind.licence
        self._prompted: dict[str, Encoded] = {}  # by what the plate is known by, the least recently used first
        self._begins = False  # whether a walk asks for the frames of its prompts
        self.network = self._load()
        self.fingerprint = (
            f"{kind.name}-1 {file_digests.digest(self._files.files(), with_names=True)} {self.network.device.type}"
        )

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings; raises `BadInput` for absent frames that are not a range."""
        _absent(settings)
        return self.decided(settings, size)

    def decided(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings without the folder of the weights, for which the fingerprint stands."""
        return Resolved(super().resolve(settings, size).with_options(weights=None))

    def describe(self, settings: Resolved) -> str:  # noqa: ARG002
        """Say which network runs on what, how much memory that takes, and the licence of its weights."""
        needed = loading.needed_bytes(self._files) / 1e9
        return (
            f"{self._files.path.name} on {self.network.device}, fp32, about {needed:.1f} GB; "
            f"licence of the weights: {self._licence}"
        )

    def licence(self, settings: MatteSettings) -> str:  # noqa: ARG002
        """Return that of the published weights."""
        return self._licence

    def absent(self, settings: Resolved) -> frozenset[int]:
        """Return the frames that the setting `absent` names."""
        return _absent(settings)

    def encode(self, frame: EngineFrame, settings: Resolved) -> Encoded | Blank:
        """Return what the image encoder says of a frame; it is not asked where the subject is absent."""
        if frame.number in _absent(settings):
            return Blank(frame.mask.shape)
        return self.encoded(frame)

    def encoded(self, frame: EngineFrame) -> Encoded:
        """Return what the image encoder says of a frame; frames of prompts, which walks come back to, are kept."""
        key = frame.plate_key
        known = self._prompted.pop(key, None)
        found = known or self.network.encode(frame.plate)
        if key and (known or self._begins):
            self._prompted[key] = found
        while len(self._prompted) > _MOST_PROMPTED:
            del self._prompted[next(iter(self._prompted))]
        return found

    def seen(self, brief: Brief, frame: int) -> Any:
        """Return the frame of a prompt as `encode` gives it, and keep what is computed of it."""
        self._begins = True
        try:
            return brief.encoded(frame)
        finally:
            self._begins = False

    def begin(self, brief: Brief, settings: Resolved) -> WalkState:  # noqa: ARG002
        """Return a walk that remembers the prompts of all frames.

        Raises:
            BadInput: there are no prompts, or both a key mask and clicks on one frame, or the subject is absent there.
        """
        state = WalkState(Track(self.network), brief.backward)
        for prompts in brief.prompts:
            check_prompts(prompts)
            state.track.prompt(_present(prompts, self.seen(brief, prompts.frame)), prompts)
        if not brief.prompts and not (brief.text and TEXT in self.prompts):
            raise BadInput(
                f"the engine {self.name} has no prompt", "Give it a click, a box or a key mask on a frame of the clip."
            )
        return state

    def step(self, state: WalkState, number: int, encoded: Encoded | Blank, settings: Resolved) -> FloatArray:
        """Return the probability (H, W), 0..1, that a pixel is of the subject."""
        if isinstance(encoded, Blank):
            return np.zeros(encoded.size, np.float32)
        sighting = self.follow(state, number, encoded, settings)
        return probability(sighting.logits, encoded.size)

    def follow(self, state: WalkState, number: int, encoded: Encoded, settings: Resolved) -> Sighting:
        """Return what the network says of the next frame of a walk; where it drifts, after trusting the one before."""
        found = state.track.follow(number, encoded, state.backward)
        seen = _hard(found.logits)
        if self._trusts(state, seen, settings):
            found = state.track.follow(number, encoded, state.backward)
            seen = _hard(found.logits)
        state.last, state.before = number, seen
        return found

    def export(self, state: WalkState) -> Kept:
        """Return what the walk remembers beside the prompts."""
        kept = state.track.export(tuple(state.own))
        kept[_OWN] = np.array(state.own, np.int64)
        if state.last is not None and state.before is not None:
            kept[_LAST] = np.array([state.last], np.int64)
            kept[_BEFORE] = state.before.astype(np.uint8)
        return kept

    def restore(self, kept: Mapping[str, NDArray[Any]], brief: Brief, settings: Resolved) -> WalkState:
        """Return a walk with the prompts and what was exported of it."""
        state = self.begin(brief, settings)
        state.track.restore(kept)
        state.own = [int(number) for number in kept[_OWN]]
        if _LAST in kept:
            state.last, state.before = int(kept[_LAST][0]), kept[_BEFORE].astype(bool)
        return state

    def fits(self, settings: Resolved) -> bool:  # noqa: ARG002
        """Whether the network can work now, beside what other engines hold; see `base.fits`."""
        return loading.fits(self._files, self.network, self._config)

    def usage(self) -> EngineUsage | None:
        """Return what the network holds; None while it is not loaded."""
        if not self.network.is_loaded:
            return None
        held = device.resident_bytes(self.network.model)
        return EngineUsage(str(self.network.device), "fp32", held, device.peak_bytes(self.network.device))

    def give_back_memory(self) -> None:
        """Return memory of the device that no tensor is in to other programs."""
        device.give_back(self.network.device)

    def release(self) -> None:
        """Free the network; the next frame loads it again."""
        self.network.release()
        self._prompted.clear()
        device.give_back(self.network.device)

    def _load(self) -> Network:
        return loading.load_tracker(self._files, self._config, self.name)

    def _trusts(self, state: WalkState, seen: BoolArray, settings: Resolved) -> bool:
        """Where the mask drifts and that is asked for, remember the frame before as if it had been prompted."""
        if not TrackingSettings.of(settings).reanchor or len(state.own) >= MOST_ANCHORS:
            return False
        if state.last is None or state.before is None or not drifts(state.before, seen):
            return False
        state.track.trust(state.last)
        state.own.append(state.last)
        return True


def probability(logits: Tensor, size: tuple[int, int]) -> FloatArray:
    """Return the probabilities (H, W), 0..1, of a network's mask logits (h, w)."""
    return np.asarray(torch.sigmoid(upsampled(logits, size)).numpy(), np.float32)


def _hard(logits: Tensor) -> BoolArray:
    return np.asarray(logits.numpy() > 0)


def _absent(settings: MatteSettings) -> frozenset[int]:
    text = TrackingSettings.of(settings).absent
    return frozenset(parse_range(text)) if text.strip() else frozenset()


def check_prompts(prompts: FramePrompts) -> None:
    """Raise `BadInput` for prompts of one frame that contradict each other."""
    if prompts.load_mask is not None and (len(prompts.points) or prompts.box is not None):
        raise BadInput(
            f"frame {prompts.frame} has both a key mask and clicks or a box",
            "Give one of them: the network takes a mask as it is.",
            frame=prompts.frame,
        )


def _present(prompts: FramePrompts, encoded: Encoded | Blank) -> Encoded:
    """Return the frame of prompts; raises `BadInput` where the settings say that the subject is not there."""
    if isinstance(encoded, Blank):
        raise BadInput(
            f"frame {prompts.frame} has a prompt, and the setting absent says that the subject is not there",
            "Leave the frame out of absent, or remove its prompts.",
            frame=prompts.frame,
        )
    return encoded
