"""The published networks' configs, and what config.json beside a file of weights says instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError

UNET_CLASS = "UNetSpatioTemporalConditionModel"
VAE_CLASS = "AutoencoderKLTemporalDecoder"
UNET_CHANNELS = 12  # noise, plate and mask latents
SCALING = 0.18215  # of latents
_AGAIN = "Copy it again from where the weights came from."

PUBLISHED_UNET: Mapping[str, Any] = {
    "sample_size": 96,
    "in_channels": UNET_CHANNELS,
    "out_channels": 4,
    "down_block_types": [*["CrossAttnDownBlockSpatioTemporal"] * 3, "DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal", *["CrossAttnUpBlockSpatioTemporal"] * 3],
    "block_out_channels": [320, 640, 1280, 1280],
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 768,
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "transformer_layers_per_block": 1,
    "num_attention_heads": [5, 10, 20, 20],
    "num_frames": 25,
}
PUBLISHED_VAE: Mapping[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 768,
    "scaling_factor": SCALING,
    "force_upcast": True,
}


def unet_config(path: Path) -> dict[str, Any]:
    """Return the config of the UNet at `path`: of config.json beside it, and as published where that says nothing.

    Raises:
        WeightsError: config.json is there and cannot be read.
    """
    return {**PUBLISHED_UNET, **_own(path, UNET_CLASS)}


def vae_config(path: Path) -> dict[str, Any]:
    """Return the same for the VAE at `path`."""
    return {**PUBLISHED_VAE, **_own(path, VAE_CLASS)}


def read(path: Path) -> dict[str, Any]:
    """Return config.json beside a file of weights, whichever network's it is; empty when there is none.

    Raises:
        WeightsError: it is there and cannot be read.
    """
    file = path.with_name("config.json")
    if not file.is_file():
        return {}
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"cannot read {file}: {error}", _AGAIN) from error
    if not isinstance(config, dict):
        raise WeightsError(f"{file} is not a network's config", _AGAIN)
    return config


def _own(path: Path, wanted: str) -> dict[str, Any]:
    config = read(path)
    return config if config.get("_class_name", wanted) == wanted else {}
