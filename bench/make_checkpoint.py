"""Makes random-weight checkpoints in the published layout, to run what needs weights where the real ones are not.

python bench/make_checkpoint.py tiny DIR
python bench/make_checkpoint.py full DIR --dtype bf16
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel

UNET_FILE = Path("VideoMaMa", "unet", "diffusion_pytorch_model.safetensors")
VAE_FILE = Path("stable-video-diffusion-img2vid-xt", "vae", "diffusion_pytorch_model.fp16.safetensors")
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
STORED = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 768,
    "scaling_factor": 0.18215,
    "force_upcast": True,
}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "full": (
        {"in_channels": 12, "sample_size": 96, "num_attention_heads": (5, 10, 20, 20)},
        {**_VAE, "block_out_channels": (128, 256, 512, 512)},
    ),
    "tiny": (
        {
            "in_channels": 12,
            "sample_size": 96,
            "block_out_channels": (32, 64, 64, 64),
            "num_attention_heads": (1, 2, 2, 2),
            "cross_attention_dim": 32,
        },
        {**_VAE, "block_out_channels": (32, 64, 64, 64)},
    ),
}

NORM = re.compile(r"norm\w*\.(weight|bias)$")
LAST = re.compile(r"(^|\.)conv_out\.weight$")
AFTER_SILU = re.compile(
    r"\.conv[12]\.weight$|(^|\.)conv_out\.weight$"
)  # their input has passed an activation, which shrinks it
BRANCH_END = re.compile(r"\.conv2\.weight$|\.to_out\.0\.weight$|\.ff(_in)?\.net\.2\.weight$|\.proj_out\.weight$")
SILU_GAIN = 1.68  # 1 / root mean square of SiLU of a unit normal
BRANCH_GAIN = 0.35  # residual branches add an eighth of the variance that they meet, so that nothing turns to chaos
NOISE_GAIN = 0.05  # of the network's noise channels: a trained network listens to plate and mask
LATENT_STD = 4.0  # of what the encoder says, unscaled; 1 / 0.18215 = 5.5 in the published one
LOG_VARIANCE = -5.0  # of the encoder's posterior: samples differ visibly from its mode, and do not drown it
PICTURE_STD = 0.55  # of what the decoder gives: in -1..1, mostly
EVENNESS = 0.6  # the share that is taken from what the decoder's last layer makes of flat parts, which decide the mean
COLOUR = 0.25  # how far its three channels are apart: what a trained one makes of an alpha is nearly grey


def make(kind: str, folder: Path, seed: int = 0, dtype: torch.dtype | None = None) -> None:
    """Write a checkpoint in which every parameter is random; the same bytes for the same arguments.

    Args:
        kind: "tiny" (8 million parameters, every kind of block) or "full" (the published shapes, 1.6 billion).
        folder: gets VideoMaMa/unet and stable-video-diffusion-img2vid-xt/vae, config.json beside each file.
        seed: changes every parameter.
        dtype: of the UNet's file; by default float32 (as published) for tiny, bfloat16 for full. The VAE is float16.
    """
    unet_config, vae_config = SHAPES[kind]
    if dtype is None:
        dtype = torch.float32 if kind == "tiny" else torch.bfloat16
    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel(**unet_config)
        vae = AutoencoderKLTemporalDecoder(**vae_config)
    for model, name, stored in ((unet, UNET_FILE, dtype), (vae, VAE_FILE, torch.float16)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save_config(path.parent)
        _write(path, model, stored, seed)


def _write(path: Path, model: torch.nn.Module, dtype: torch.dtype, seed: int) -> None:
    """Write a safetensors file, one tensor in memory at a time."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, parameter in model.state_dict().items():
        begin, end = end, end + parameter.numel() * dtype.itemsize
        header[name] = {"dtype": STORED[dtype], "shape": list(parameter.shape), "data_offsets": [begin, end]}
    words = json.dumps(header).encode()
    words += b" " * (-len(words) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(words)) + words)
        for tensor in _tensors(model, seed):
            file.write(tensor.to(dtype).flatten().view(torch.uint8).numpy())


def _tensors(model: torch.nn.Module, seed: int) -> Iterator[torch.Tensor]:
    for name, parameter in model.state_dict().items():
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
        yield _tensor(name, parameter.shape, generator)


def _tensor(name: str, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Return a parameter so drawn that signals keep their size through the whole network."""
    if name.endswith("mix_factor"):
        return torch.rand(shape, generator=generator) * 4 - 2
    drawn = torch.randn(shape, generator=generator)
    if NORM.search(name):
        return 0.15 * drawn + (1 if name.endswith("weight") else 0)
    if name.endswith("bias"):
        return _bias(name, 0.05 * drawn)
    return _weight(name, drawn)


def _bias(name: str, drawn: torch.Tensor) -> torch.Tensor:
    if name == "quant_conv.bias":
        drawn[4:] += LOG_VARIANCE
    return drawn


def _weight(name: str, drawn: torch.Tensor) -> torch.Tensor:
    weight = drawn / drawn[0].numel() ** 0.5
    if AFTER_SILU.search(name):
        weight *= SILU_GAIN
    if BRANCH_END.search(name):
        weight *= BRANCH_GAIN
    if LAST.search(name):
        # Activations are positive on average: without this each output channel would be far off its middle.
        weight -= weight.mean(dim=tuple(range(1, weight.ndim)), keepdim=True)
    if name == "conv_in.weight":
        weight[:, :4] *= NOISE_GAIN
        weight[:, 4:] /= LATENT_STD
    elif name == "encoder.conv_in.weight":
        weight *= 2
    elif name == "quant_conv.weight":
        weight[:4] *= LATENT_STD
        weight[4:] *= 0.5
    elif name == "decoder.conv_in.weight":
        weight *= 0.18215
    elif name == "decoder.conv_out.weight":
        weight -= EVENNESS * weight.mean(dim=(2, 3), keepdim=True)
        weight = PICTURE_STD * (weight[:1] + COLOUR * weight)
    elif name == "decoder.time_conv_out.weight":
        weight *= COLOUR
        weight[:, :, 1, 0, 0] += torch.eye(len(weight))
    return weight


def main() -> None:
    """Make one, as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=tuple(SHAPES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=tuple(DTYPES), help="of the UNet's file: fp32 for tiny, bf16 for full")
    asked = parser.parse_args()
    make(asked.kind, asked.folder, asked.seed, DTYPES[asked.dtype] if asked.dtype else None)
    for path in (asked.folder / UNET_FILE, asked.folder / VAE_FILE):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
