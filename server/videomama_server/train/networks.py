"""The networks as diffusers builds them for training; the engine's own are folded, which only inference can be.

Facts of the published training: see `docs/training.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from torch import nn
from videomama_client.errors import WeightsError

from videomama_server.engines.runtime.pretrained import reason_of

Stage = Literal["spatial", "temporal"]
UNet = Any  # `UNetSpatioTemporalConditionModel`; diffusers says little of the types of its networks
Vae = Any  # `AutoencoderKLTemporalDecoder`

INPUTS = 12  # channels: noise, plate and mask latents
_PICTURE_INPUTS = 8  # of Stable Video Diffusion: noise and picture latents
# With one token of context that is always zero, attention is the bias of its last layer: these decide nothing.
_CONSTANT = ("attn2.to_q.", "attn2.to_k.", "attn2.to_v.", "attn2.to_out.0.weight", "_blocks.0.norm2.")


def load_unet(folder: Path) -> UNet:
    """Load a UNet to begin with, in float32: that of Stable Video Diffusion, widened, or one of this training.

    Args:
        folder: of the UNet (config.json and its safetensors), or one that has it as `unet`.

    Raises:
        WeightsError: there is none, or it takes neither 8 nor 12 channels.
    """
    unet = _load(UNetSpatioTemporalConditionModel, folder, "unet")
    channels = unet.config.in_channels
    if channels == _PICTURE_INPUTS:
        widen(unet)
    elif channels != INPUTS:
        raise WeightsError(
            f"the UNet in {folder} takes {channels} channels",
            "Name Stable Video Diffusion's, which takes 8, or VideoMaMa's, which takes 12.",
        )
    return unet


def load_vae(folder: Path) -> Vae:
    """Load the VAE, frozen, in float32; see `load_unet`."""
    vae = _load(AutoencoderKLTemporalDecoder, folder, "vae")
    return vae.requires_grad_(False).eval()


def widen(unet: UNet) -> None:
    """Give a UNet of 8 channels the four of the mask, with weights of zero: it begins as if there were no mask."""
    old = unet.conv_in
    new = nn.Conv2d(INPUTS, old.out_channels, old.kernel_size, old.stride, old.padding)
    assert new.bias is not None
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        new.bias.copy_(old.bias)
    unet.conv_in = new.to(old.weight.device, old.weight.dtype)
    unet.register_to_config(in_channels=INPUTS)


def trained_names(unet: nn.Module, stage: str) -> list[str]:
    """Return the names of the parameters that a stage trains.

    As published, those with `temporal` in their names belong to the second stage and all others to the first: so the
    mixers of the time layers and the embedding of the frame's index are trained in the first. Parameters that cannot
    change the result are left out.
    """
    wanted = stage == "temporal"
    return [
        name for name, _ in unet.named_parameters() if ("temporal" in name) == wanted and not _decides_nothing(name)
    ]


def choose_trained(unet: nn.Module, stage: Stage) -> list[str]:
    """Freeze all parameters of a UNet but those of `trained_names`, which it returns."""
    names = trained_names(unet, stage)
    chosen = set(names)
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(name in chosen)
    return names


def _decides_nothing(name: str) -> bool:
    return any(part in name for part in _CONSTANT)


def _load(kind: Any, folder: Path, name: str) -> Any:
    place = folder / name if (folder / name / "config.json").is_file() else folder
    if not (place / "config.json").is_file():
        raise WeightsError(f"there is no {name} in {folder}", f"Name a folder that holds {name}/config.json.")
    try:
        return kind.from_pretrained(
            place, local_files_only=True, torch_dtype=torch.float32, variant=_variant(place), use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"the {name} in {place} does not load: {reason_of(error)}", "Copy it again from where it came from."
        ) from error


def _variant(folder: Path) -> str | None:
    """Return which of the files is read: those in float32, or those in half precision where there are no others."""
    whole = any(path.name.count(".") == 1 for path in folder.glob("diffusion_pytorch_model*.safetensors"))
    return None if whole else "fp16"
