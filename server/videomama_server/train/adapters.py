"""Low-rank adapters (LoRA): a few million weights beside the frozen ones, enough to fit a network to a studio's plates.

Hu et al., 2021. What was learnt is added to the weights when a UNet is exported, so that inference costs nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from videomama_client.errors import BadInput

from videomama_server.train.networks import UNet, trained_names

_LAYERS = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "ff.net.2")
_BASE, _DOWN, _UP = ".base_layer.", ".lora_A.default.", ".lora_B.default."


def adapt(unet: UNet, stage: str, rank: int) -> list[str]:
    """Freeze a UNet and give the attention of a stage adapters; return the names of their parameters.

    Args:
        unet: that takes 12 channels, and has learnt to use them.
        stage: see `networks.trained_names`.
        rank: of the adapters; each adds rank x (inputs + outputs) weights to a layer.

    Raises:
        BadInput: the UNet has not been trained on masks: adapters cannot teach it to see them.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if not unet.conv_in.weight[:, 8:].any():
        raise BadInput(
            "adapters need a UNet that was trained on masks", "Name VideoMaMa's with --unet, or train without --lora."
        )
    targets = [name.removesuffix(".weight") for name in trained_names(unet, stage) if _is_target(name)]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=targets), unet)
    learning = [name for name, _ in unet.named_parameters() if _DOWN in name or _UP in name]
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(name in learning)
    return learning


def merged(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a UNet's weights by their published names, with what adapters learnt added; others are as they are."""
    result = {}
    for name, values in weights.items():
        if _DOWN in name or _UP in name:
            continue
        if name.endswith(f"{_BASE}weight"):
            layer = name.removesuffix(f"{_BASE}weight")
            down, up = (weights[f"{layer}{part}weight"].double() for part in (_DOWN, _UP))
            values = torch.add(values.double(), up @ down).to(values.dtype)
        result[name.replace(_BASE, ".")] = values
    return result


def _is_target(name: str) -> bool:
    return any(name.endswith(f".{layer}.weight") for layer in _LAYERS)
