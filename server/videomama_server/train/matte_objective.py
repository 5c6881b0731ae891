"""What SAM2-Matte is trained to do: mask logits whose sigmoid is the alpha, judged at the network's own size."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import interpolate

from videomama_server.engines.segment.lift import lifted
from videomama_server.train import losses
from videomama_server.train.follower import ENCODER, Follower
from videomama_server.train.losses import Weights
from videomama_server.train.recipe import Recipe
from videomama_server.train.samples import Batch, chance_of
from videomama_server.train.trainer import Trained

FILE = "model.safetensors"
_PROMPTS = 3  # purpose of draws


class MatteObjective(Trained):
    """A SAM 2, and what its alphas are judged by.

    Attributes:
        follower: what learns.
        every: share of the samples in which each frame has a mask of its own; in the others, the first guides.
    """

    part = "follower.model."
    kept_as = "sam2matte"
    measures = (*Trained.measures, "mad_t", "j", "f")

    def __init__(self, follower: Follower, weights: Weights, every: float) -> None:
        """Train `follower`; the alignment's weight counts for nothing here."""
        super().__init__()
        self.follower, self.weights, self.every = follower, weights, every
        self.learners = [follower]

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """Return two groups: the image encoder with a learning rate of its own, and all else."""
        encoder: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for name, values in self.follower.model.named_parameters():
            if values.requires_grad:
                (encoder if name.startswith(ENCODER) else rest).append(values)
        return [
            {"params": encoder, "lr": recipe.encoder_learning_rate},
            {"params": rest, "lr": recipe.learning_rate},
        ]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of a batch by name, float32 scalars; `total` is the weighted sum."""
        every = [chance < self.every for chance in chance_of(batch.seeds, _PROMPTS)]
        pred = self.alphas(batch, every).flatten(0, 1)
        truth = reduced(batch.alpha.flatten(0, 1), pred.shape[-2:])
        levels = min(losses.LEVELS, 1 + int(math.log2(min(pred.shape[-2:]) / 3)))
        parts = {"l1": losses.l1(pred, truth), "laplacian": losses.laplacian(pred, truth, levels)}
        return {**parts, "total": self.weights.total(parts)}

    def alphas(self, batch: Batch, every: list[bool]) -> Tensor:
        """Return alphas (B, T, 1, h, w), -1..1, float32, at the network's size; see `Follower.forward`."""
        logits = self.follower(batch.plate / 2 + 0.5, batch.mask / 2 + 0.5, every)
        return torch.sigmoid(logits)[:, :, None] * 2 - 1

    def predict(self, batch: Batch) -> Tensor:
        """Return alphas (B, T, 1, H, W), -1..1, of the first mask alone, lifted to the plates as the engine does."""
        alphas = self.alphas(batch, [False] * len(batch.names)) / 2 + 0.5
        plates = (batch.plate / 2 + 0.5).movedim(2, -1).cpu().numpy()
        pairs = zip(alphas.flatten(0, 2).cpu().numpy(), plates.reshape(-1, *plates.shape[2:]), strict=True)
        whole = np.stack([lifted(alpha, plate) for alpha, plate in pairs])
        return torch.from_numpy(whole).reshape(batch.mask.shape) * 2 - 1

    def export(self, weights: dict[str, Tensor], folder: Path) -> None:
        """Write a SAM 2 in the layout of the Hugging Face hub, float32, with the normalisation of its pictures."""
        folder.mkdir(parents=True, exist_ok=True)
        self.follower.model.config.save_pretrained(folder)
        save_file({name: values.contiguous() for name, values in weights.items()}, folder / FILE, {"format": "pt"})
        colours = self.follower.normalisation
        said = {"image_mean": colours.mean, "image_std": colours.std}
        (folder / "preprocessor_config.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def reduced(alphas: Tensor, size: torch.Size) -> Tensor:
    """Return alphas (N, 1, H, W) at another size, float32; each pixel is the mean of what it covers."""
    return interpolate(alphas.float(), size=tuple(size), mode="bilinear", antialias=True)
