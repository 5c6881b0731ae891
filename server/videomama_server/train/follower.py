"""SAM 2 as the engine `sam2matte` runs it, with gradients: through its decoder, and through what it remembers.

The network stays in evaluation mode while it learns. Choices that transformers makes otherwise in training, such as
between the masks of the decoder, are then those of inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment import families, loading
from videomama_server.engines.segment.pictures import MASK_CUT, Normalisation, normalised, square_of
from videomama_server.engines.segment.tracker import Encoded, Network, Track

ENCODER = "vision_encoder."
_ABSENT = -1024.0  # the network's own logit where there is no object
# Clicks do not occur in this training. The two heads only decide by a threshold or a maximum: no gradient passes.
_STAYING = (
    "prompt_encoder.point_embed.",
    "no_memory_embedding",
    "no_memory_positional_encoding",
    "mask_decoder.pred_obj_score_head.",
    "mask_decoder.iou_prediction_head.",
)


class Follower(nn.Module):
    """A SAM 2 that makes the mask logits of clips.

    Attributes:
        model: transformers' `Sam2VideoModel`.
        normalisation: of its pictures.
        checkpointing: whether the image encoder's activations are computed twice rather than kept.
    """

    def __init__(self, model: Any, normalisation: Normalisation, checkpointing: bool = False) -> None:
        """Let those parameters of `model` learn that `trained_names` names."""
        super().__init__()
        self.model, self.normalisation, self.checkpointing = model, normalisation, checkpointing
        names = set(trained_names(model))
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in names)
        self.eval()

    @classmethod
    def load(cls, folder: Path, checkpointing: bool = False) -> Follower:
        """Load a SAM 2 or 2.1 to begin with, in float32.

        Args:
            folder: in the layout of the Hugging Face hub, or with a `.pt` file of the authors; or that file.
            checkpointing: see the class.

        Raises:
            WeightsError: there is none, or it is not whole.
        """
        files = families.find(folder, "sam2", families.SAM2)
        network = loading.load_tracker(files, EngineConfig(folder, Path(), device="cpu"), "sam2matte")
        return cls(network.model, network.normalisation, checkpointing)

    def train(self, mode: bool = True) -> Follower:  # noqa: ARG002
        """Stay in evaluation mode, see above."""
        return super().train(False)

    def forward(self, plates: Tensor, masks: Tensor, every: Sequence[bool]) -> Tensor:
        """Return mask logits (B, T, h, w), float32, at the network's own size.

        Args:
            plates: (B, T, 3, H, W), display-referred, 0..1.
            masks: (B, T, 1, H, W), 0..1.
            every: for each clip, whether each frame's mask guides that frame alone. Otherwise the first mask
                that is not empty guides, and memory does the rest.
        """
        logits = [self._one(*clip) for clip in zip(plates, masks, every, strict=True)]
        # A step may use only a part of the network: all parameters take part, with nothing, so that every process
        # has gradients of the same ones.
        nothing = torch.stack([values.sum() for values in self.parameters() if values.requires_grad]).sum() * 0
        return torch.stack(logits).float() + nothing

    def _one(self, plates: Tensor, masks: Tensor, every: bool) -> Tensor:
        network = _Learning(self.model, self.normalisation, plates.device)
        track = Track(network)
        logits = []
        for number, (plate, mask) in enumerate(zip(plates, masks, strict=True)):
            if track.is_prompted:
                logits.append(track.look(number, self._encoded(network, plate)).pred_masks[0, 0])
                continue
            if not _guides(mask):
                logits.append(mask.new_full(self.model.prompt_encoder.mask_input_size, _ABSENT))
                continue
            encoded, square = self._encoded(network, plate), square_of(mask[None], network.side)
            logits.append(network.decoded(encoded, square))
            if not every:
                track.remember(number, encoded, square)
        return torch.stack(logits)

    def _encoded(self, network: Network, plate: Tensor) -> Encoded:
        values = normalised(plate[None], (network.side,) * 2, self.normalisation)
        if self.checkpointing:
            levels, positions = checkpoint(self._features, values, use_reentrant=False)
        else:
            levels, positions = self._features(values)
        return network.encoded((plate.shape[-2], plate.shape[-1]), levels, positions)

    def _features(self, values: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        found = self.model.get_image_features(values, return_dict=True)
        return found.fpn_hidden_states, found.fpn_position_encoding


class _Learning(Network):
    """A network whose model computes gradients, which transformers' own way in forbids."""

    def look(self, session: Any, index: int, reverse: bool) -> Any:
        """See `Network.look`."""
        forward = type(self.model).forward.__wrapped__  # without its `torch.inference_mode`
        return forward(self.model, session, frame_idx=index, reverse=reverse)


def trained_names(model: nn.Module) -> list[str]:
    """Return the names of the parameters that learn: all that masks, pictures and memory pass through."""
    return [name for name, _ in model.named_parameters() if not name.startswith(_STAYING)]


def _guides(mask: Tensor) -> bool:
    """Whether anything is painted; a mask without values, of an estimate, counts as painted."""
    return mask.is_meta or bool((mask >= MASK_CUT).any())
