"""Pictures, clicks, boxes and masks of a plate as networks take them, and their masks at the plate's size again.

transformers' own processors need torchvision, and go through 8 bits. The sizes and numbers here are those of the
configs that come with the published networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from videomama_server.arrays import FloatArray
from videomama_server.engines.segment.families import DETECTOR, SAM3, config_at

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
MASK_CUT = 0.5  # a pixel of a painted mask that is reduced counts as painted from here on
_FILES = ("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json")


@dataclass(frozen=True)
class Normalisation:
    """How the values of a picture are changed before a network sees it: (value - mean) / std, by channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, family: str, folder: Path) -> Normalisation:
        """Return what the network's own files say; where they say nothing, what is published for its family."""
        for name in _FILES:
            said = _read(folder / name)
            if "image_mean" in said and "image_std" in said:
                return cls(_three(said["image_mean"]), _three(said["image_std"]))
        return cls(HALF, HALF) if family == SAM3 else cls(IMAGENET_MEAN, IMAGENET_STD)

    @classmethod
    def of_detector(cls, model_type: str, folder: Path) -> Normalisation:
        """Return the same for a detector: RT-DETR and D-FINE take values of 0..1 as they are."""
        said = _read(folder / _FILES[0])
        plain = model_type in ("rt_detr", "rt_detr_v2", "d_fine")
        if not said.get("do_normalize", not plain):
            return cls((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        return cls.of(DETECTOR, folder)


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a processor's file says of images; empty where there is no such file."""
    content = config_at(path)
    inner = content.get("image_processor", content)
    return inner if isinstance(inner, dict) else {}


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)


def pixel_values(plate: FloatArray, size: tuple[int, int], normalisation: Normalisation) -> Tensor:
    """Return a plate as a network's input (3, h, w), float32.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        size: (h, w) of the network, whatever the plate's aspect: SAM's pictures are squares.
        normalisation: of the network.
    """
    return normalised(torch.from_numpy(plate).permute(2, 0, 1)[None], size, normalisation)[0]


def normalised(plates: Tensor, size: tuple[int, int], normalisation: Normalisation) -> Tensor:
    """Return plates (N, 3, H, W), 0..1, as a network's input (N, 3, h, w); see `pixel_values`."""
    resized = _resized(plates, size)
    mean, std = (
        torch.tensor(values, device=plates.device)[:, None, None] for values in (normalisation.mean, normalisation.std)
    )
    return (resized - mean) / std


def points_of(points: FloatArray, plate: tuple[int, int], side: int) -> Tensor:
    """Return points (N, 2), x and y in pixels of the plate, in pixels of a network's square.

    Args:
        points: (N, 2), of the plate, from its upper left corner.
        plate: (height, width).
        side: of the square.
    """
    height, width = plate
    scaled = torch.tensor(points, dtype=torch.float32)
    scaled[:, 0] *= side / width
    scaled[:, 1] *= side / height
    return scaled


def mask_of(mask: FloatArray, side: int) -> Tensor:
    """Return a painted mask (H, W), 0..1, as a network's square (1, 1, side, side) of 0 and 1."""
    return square_of(torch.from_numpy(mask)[None, None], side)


def square_of(masks: Tensor, side: int) -> Tensor:
    """Return painted masks (N, 1, H, W), 0..1, as a network's squares (N, 1, side, side) of 0 and 1."""
    painted = (masks >= MASK_CUT).float()
    if painted.shape[-2:] == (side, side):
        return painted
    return (_resized(painted, (side, side)) >= MASK_CUT).float()


def upsampled(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a network's mask logits (h, w) at another size (H, W), float32."""
    return interpolate(logits[None, None].float(), size=size, mode="bilinear", align_corners=False)[0, 0]


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(picture, size=size, mode="bilinear", align_corners=False, antialias=True)
