"""The sizes of the network, read from the published configs; all that is needed to build it without its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

GROUPS = 32  # of every group norm of both networks
FRAMES = 25  # the frame indices that the published network was trained on


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the UNet and of the VAE; goes through JSON and back (`dataclasses.asdict`, `NetworkShape(**loaded)`).

    Attributes:
        channels: of the UNet's levels, finest first.
        layers: res-blocks per level on the way down; the way up has one more.
        heads: attention heads per level.
        down_attention: whether a level has transformers on the way down, finest first.
        up_attention: the same on the way up, coarsest first.
        inputs: channels in.
        outputs: channels out.
        vae_channels: of the VAE's levels, finest first.
        vae_layers: res-blocks per level of the encoder; the decoder has one more.
        latents: channels of a latent picture.
    """

    channels: tuple[int, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    down_attention: tuple[bool, ...]
    up_attention: tuple[bool, ...]
    inputs: int
    outputs: int
    vae_channels: tuple[int, ...]
    vae_layers: int
    latents: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # as JSON has it
                object.__setattr__(self, field.name, tuple(value))


def shape_of(unet_config: Mapping[str, Any], vae_config: Mapping[str, Any]) -> NetworkShape:
    """Read the sizes from the published configs.

    Raises:
        ValueError: for a network of another construction than the published one.
    """
    channels = tuple(unet_config["block_out_channels"])
    levels = len(channels)
    if set(_per_level(unet_config.get("transformer_layers_per_block", 1), levels)) != {1}:
        raise ValueError("transformer_layers_per_block is not 1")
    if int(vae_config.get("out_channels", 3)) != 3 or int(vae_config.get("in_channels", 3)) != 3:
        raise ValueError("the VAE is not for pictures of three channels")
    return NetworkShape(
        channels=channels,
        layers=_per_level(unet_config["layers_per_block"], levels),
        heads=_per_level(unet_config["num_attention_heads"], levels),
        down_attention=tuple("CrossAttn" in kind for kind in unet_config["down_block_types"]),
        up_attention=tuple("CrossAttn" in kind for kind in unet_config["up_block_types"]),
        inputs=int(unet_config["in_channels"]),
        outputs=int(unet_config["out_channels"]),
        vae_channels=tuple(vae_config["block_out_channels"]),
        vae_layers=int(vae_config["layers_per_block"]),
        latents=int(vae_config["latent_channels"]),
    )


def _per_level(value: int | Sequence[int], levels: int) -> tuple[int, ...]:
    return (int(value),) * levels if isinstance(value, int) else tuple(value)
