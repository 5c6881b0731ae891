"""Finds a subject by words with SAM 3, and follows it: its detector gives a mask, which its tracker takes as a prompt.

Both look at a frame through one image encoder, which runs once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import Resolved

from videomama_server.arrays import FloatArray
from videomama_server.engines.runtime.pretrained import reason_of
from videomama_server.engines.segment import loading
from videomama_server.engines.segment.families import NetworkFiles
from videomama_server.engines.segment.maker import Blank, MaskMaker, WalkState, probability
from videomama_server.engines.segment.pictures import Normalisation
from videomama_server.engines.segment.tracker import Encoded, Network, within_memory
from videomama_server.engines.sequential import Brief, FramePrompts, Kept

LEAST_SCORE = 0.5  # of a detection: what the published code starts new objects from
_FOUND = "found"


@dataclass(frozen=True)
class EncodedForWords(Encoded):
    """A frame as the tracker takes it, and as the detector does.

    Attributes:
        vision: what the image encoder and its neck say, for the detector.
    """

    vision: Any


@dataclass
class WordState(WalkState):
    """A walk that looks for its subject by words until it is found.

    Attributes:
        words: as the network takes them: ids and mask, (1, N); None once it follows.
    """

    words: tuple[Tensor, Tensor] | None = None


class WordNetwork(Network):
    """The whole of SAM 3: image encoder, detector and tracker.

    Args:
        load: returns `Sam3VideoModel`.
        normalisation, device: see `Network`.
        tokenizer: turns words into ids.
    """

    def __init__(self, load: Any, normalisation: Normalisation, device: torch.device, tokenizer: Any) -> None:
        self._load, self._tokenizer = load, tokenizer
        self._whole: Any = load()
        super().__init__(self._whole.tracker_model, normalisation, device)

    @property
    def whole(self) -> Any:
        """The model of transformers; loaded again where it was released."""
        if self._whole is None:
            self._whole = self._load()
        return self._whole

    @property
    def model(self) -> Any:
        """The tracker."""
        return self.whole.tracker_model

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._whole is not None

    def release(self) -> None:
        """Free the model."""
        self._whole = self._model = None

    def encode(self, plate: FloatArray) -> EncodedForWords:
        """Return what the image encoder says of a plate (H, W, 3), 0..1."""
        with torch.inference_mode(), within_memory():
            vision = self.whole.detector_model.get_vision_features(self.values(plate))
            levels, positions = self.whole.get_vision_features_for_tracker(vision)
            plain = self.encoded(plate.shape[:2], levels, positions)
            return EncodedForWords(plain.size, plain.levels, plain.positions, vision)

    def ids(self, text: str) -> tuple[Tensor, Tensor]:
        """Return words as ids and mask, (1, N); raises `BadInput` for more than the network can read."""
        longest = int(self.whole.config.detector_config.text_config.max_position_embeddings)
        told = self._tokenizer(text, return_tensors="pt", padding="max_length", max_length=longest)
        if told["input_ids"].shape[1] > longest:
            raise BadInput(f"the words {text[:80]!r} are too long for SAM 3", "Name the subject in a few words.")
        return told["input_ids"].to(self.device), told["attention_mask"].to(self.device)

    def detect(self, encoded: EncodedForWords, words: tuple[Tensor, Tensor]) -> Tensor | None:
        """Return the mask logits (h, w) of the best match in a frame; None where nothing matches."""
        ids, mask = words
        with torch.inference_mode(), within_memory():
            found = self.whole.detector_model(vision_embeds=encoded.vision, input_ids=ids, attention_mask=mask)
            scores = found.pred_logits[0].sigmoid()
            if found.presence_logits is not None:
                scores = scores * found.presence_logits[0].sigmoid()
            best = int(scores.argmax())
            return found.pred_masks[0, best].float().cpu() if float(scores[best]) >= LEAST_SCORE else None


class WordMaskMaker(MaskMaker):
    """Makes masks of prompts with SAM 3; words are looked for frame by frame until they are found."""

    network: WordNetwork

    def begin(self, brief: Brief, settings: Resolved) -> WordState:
        """Return a walk; see `MaskMaker.begin`. Words count where no frame has a prompt."""
        plain = super().begin(brief, settings)
        words = None if brief.prompts else self.network.ids(brief.text)
        return WordState(plain.track, plain.backward, words=words)

    def step(self, state: WalkState, number: int, encoded: Encoded | Blank, settings: Resolved) -> FloatArray:
        """Return the probability (H, W), 0..1, that a pixel is of the subject; 0 until the words are found."""
        assert isinstance(state, WordState)
        if state.words is None or isinstance(encoded, Blank):
            return super().step(state, number, encoded, settings)
        assert isinstance(encoded, EncodedForWords)
        found = self.network.detect(encoded, state.words)
        if found is None:
            return np.zeros(encoded.size, np.float32)
        mask = probability(found, encoded.size)
        state.track.prompt(encoded, FramePrompts(number, load_mask=lambda: mask))
        state.words, state.last, state.before = None, number, np.asarray(found.numpy() > 0)
        state.own.append(number)
        return mask

    def export(self, state: WalkState) -> Kept:
        """Return what the walk remembers, and whether its subject was found."""
        assert isinstance(state, WordState)
        return super().export(state) | {_FOUND: np.array([state.words is None])}

    def restore(self, kept: Mapping[str, NDArray[Any]], brief: Brief, settings: Resolved) -> WordState:
        """Return a walk with the prompts and what was exported of it."""
        state = super().restore(kept, brief, settings)
        assert isinstance(state, WordState)
        return replace(state, words=None) if kept[_FOUND][0] else state

    def _load(self) -> WordNetwork:
        files, config = self._files, self._config
        load = partial(loading.load_model, files, config, self.name, "Sam3VideoModel")
        normalisation = Normalisation.of(files.family, files.path)
        return WordNetwork(load, normalisation, loading.device_of(config), tokenizer_of(files))


def tokenizer_of(files: NetworkFiles) -> Any:
    """Return what turns words into ids; raises WeightsError where its files are missing or unreadable."""
    from transformers import CLIPTokenizer

    try:
        if not any((files.path / name).is_file() for name in ("tokenizer.json", "vocab.json")):
            raise FileNotFoundError("there is no tokenizer.json")  # transformers would make one without words
        return CLIPTokenizer.from_pretrained(files.path, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{files.path} has no tokenizer that can be read ({reason_of(error)})",
            "Put tokenizer.json, or vocab.json and merges.txt, of SAM 3 into the same folder.",
        ) from error
