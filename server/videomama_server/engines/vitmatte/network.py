"""ViTMatte's network in transformers, with the preprocessing of its checkpoint, which needs no torchvision here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from videomama_client.errors import WeightsError

from videomama_server.engines.edges.runner import Footprint
from videomama_server.engines.runtime import pretrained

STEP = 32  # pixels, that pictures are padded to
_FLOAT32 = 4
_COPIES = 2.2  # of the attention among all tokens, at once
_PER_PIXEL = 700.0  # bytes of all that grows with the picture
_AGAIN = "Run `python install weights --with vitmatte --verify`, or copy the files again."


class ViTMatte(nn.Module):
    """The network with its preprocessing.

    Args:
        model: of transformers, `VitMatteForImageMatting`.
        mean, deviation: of red, green and blue, of pixels 0..1.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: nn.Module, mean: list[float], deviation: list[float]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, plate: Tensor, trimap: Tensor) -> Tensor:
        """Return the alpha (1, 1, H, W), 0..1, of one picture.

        Args:
            plate: (1, 3, H, W), 0..1, display-referred.
            trimap: (1, 1, H, W): 0, 128/255 or 1.
        """
        height, width = plate.shape[2:]
        seen = torch.cat(((plate - self.mean) / self.deviation, trimap), dim=1)
        padded = functional.pad(seen, (0, -width % STEP, 0, -height % STEP))
        found: Tensor = self.model(padded).alphas[..., :height, :width]
        return found


def load(config: Path, preprocessor: Path, tensors: Path) -> ViTMatte:
    """Load a network, on the processor, in float32.

    Raises:
        WeightsError: the files are not those of ViTMatte, or do not fit together.
    """
    mean, deviation = _normalisation(preprocessor)
    model, report = pretrained.load(
        "VitMatteForImageMatting",
        config.parent,
        lambda why: WeightsError(f"{config.parent} cannot be loaded as ViTMatte: {why}", _AGAIN),
    )
    wrong = sorted(
        {*report["missing_keys"], *report["unexpected_keys"], *(row[0] for row in report["mismatched_keys"])}
    )
    if wrong:
        named = ", ".join(wrong[:3])
        raise WeightsError(f"{tensors} does not fit ViTMatte: {len(wrong)} tensors differ, such as {named}", _AGAIN)
    return ViTMatte(model, mean, deviation)


def footprint(config: Path) -> Footprint:
    """Return what a network takes, by its config."""
    heads, width, layers = 6, 384, 12
    said = pretrained.read_config(config, _AGAIN).get("backbone_config")
    if isinstance(said, dict):
        heads, width = int(said.get("num_attention_heads", heads)), int(said.get("hidden_size", width))
        layers = int(said.get("num_hidden_layers", layers))
    parameters = layers * 12 * width * width + 5_000_000
    return Footprint(parameters * _FLOAT32, _PER_PIXEL * max(1.0, width / 384), _COPIES * heads * _FLOAT32)


def _normalisation(path: Path) -> tuple[list[float], list[float]]:
    said = pretrained.read_config(path, _AGAIN)
    mean, deviation = (_three(said.get(name)) for name in ("image_mean", "image_std"))
    if mean is None or deviation is None:
        raise WeightsError(f"{path} does not say how plates are normalised", _AGAIN)
    return mean, deviation


def _three(values: Any) -> list[float] | None:
    good = isinstance(values, list) and len(values) == 3 and all(isinstance(value, (int, float)) for value in values)
    return [float(value) for value in values] if good else None
