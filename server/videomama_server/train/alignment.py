"""Alignment of the UNet's features with those of DINOv3, which has seen many pictures and no matte.

The teacher is shown each plate once scaled to 0..1 and once normalised: the published training scales twice, and its
teacher sees frames that are nearly black.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from videomama_client.errors import WeightsError

from videomama_server.engines.runtime import pretrained
from videomama_server.engines.segment.pictures import IMAGENET_MEAN, IMAGENET_STD, Normalisation, normalised

SIDE = 224  # pixels of what the teacher sees, stretched
_AGAIN = "Copy the teacher again from where it was published."


class Teacher(nn.Module):
    """A frozen DINOv3 vision transformer, as transformers has it."""

    def __init__(self, network: Any, normalisation: Normalisation) -> None:
        """Freeze a network.

        Args:
            network: transformers' `DINOv3ViTModel`.
            normalisation: of its pictures.
        """
        super().__init__()
        self.network, self.normalisation = network.requires_grad_(False).eval(), normalisation

    @classmethod
    def load(cls, folder: Path) -> Teacher:
        """Load a teacher from a folder as published.

        Raises:
            WeightsError: it is not there, or is another kind of network.
        """
        if pretrained.read_config(folder / "config.json", _AGAIN).get("model_type") != "dinov3_vit":
            raise WeightsError(f"the network in {folder} is no DINOv3 vision transformer", _AGAIN)
        network, _ = pretrained.load("DINOv3ViTModel", folder, lambda why: WeightsError(f"{folder}: {why}", _AGAIN))
        file = folder / "preprocessor_config.json"
        colours = pretrained.read_config(file, _AGAIN) if file.is_file() else {}
        mean, std = colours.get("image_mean", IMAGENET_MEAN), colours.get("image_std", IMAGENET_STD)
        return cls(network, Normalisation(tuple(mean), tuple(std)))

    @property
    def width(self) -> int:
        """Number of its features."""
        return int(self.network.config.hidden_size)

    def train(self, mode: bool = True) -> Teacher:  # noqa: ARG002
        """Stay as it is: a teacher does not learn."""
        return self

    def seen(self, plates: Tensor) -> Tensor:
        """Return plates (N, 3, H, W), 0..1, as the network is shown them: resized and normalised, once."""
        return normalised(plates.float(), (SIDE, SIDE), self.normalisation)

    @torch.no_grad()
    def forward(self, plates: Tensor) -> Tensor:
        """Return the features (N, width, h, w) of the patches of plates (N, 3, H, W), 0..1."""
        tokens: Tensor = self.network(pixel_values=self.seen(plates)).last_hidden_state
        config = self.network.config
        patches = tokens[:, 1 + config.num_register_tokens :]
        side = SIDE // config.patch_size
        grid: Tensor = patches.transpose(1, 2).reshape(len(patches), -1, side, side)
        return grid.float()


class Alignment(nn.Module):
    """Holds features of the UNet, taken through a small network of their own, against the teacher's.

    Attributes:
        projection: trained beside the UNet; inference has no use for it.
    """

    def __init__(self, teacher: Teacher, channels: int) -> None:
        """Align features of `channels` channels."""
        super().__init__()
        self.teacher = teacher
        width = teacher.width
        self.projection = nn.Sequential(
            nn.Linear(channels, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, features: Tensor, plates: Tensor) -> Tensor:
        """Return minus the mean cosine between patches, a float32 scalar in -1..1.

        Args:
            features: (N, channels, h, w), of the UNet.
            plates: (N, 3, H, W), 0..1, what they are of.
        """
        wanted = functional.interpolate(self.teacher(plates), features.shape[-2:], mode="bilinear")
        projected = self.projection(features.movedim(1, -1)).float()
        return -functional.cosine_similarity(projected, wanted.movedim(1, -1), dim=-1).mean()
