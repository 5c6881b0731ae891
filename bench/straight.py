"""The published inference written straight down with stock diffusers modules: what our engine is checked against.

It shares no code with the server. Where the published program works on 8-bit pictures, this works on floats. The
published program leaves one freedom, sampling the encoder's posterior from an unseeded generator: here everything
random comes from generators on the CPU, in float32, so that a run can be repeated on any device:

* n, the UNet's noise: `torch.randn((T, 4, h, w))` from a generator seeded with `seed`;
* the posterior's noise: from a second generator, also seeded with `seed`, one `torch.randn((4, h, w))` per picture, the
  plate's frames 0 to T-1 first and then the mask's frames 0 to T-1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from PIL import Image
from safetensors import safe_open
from torch import Tensor

UNET = Path("VideoMaMa", "unet", "diffusion_pytorch_model.safetensors")
VAE = Path("stable-video-diffusion-img2vid-xt", "vae", "diffusion_pytorch_model.fp16.safetensors")
SCALING = 0.18215
TIMESTEP = 1
ADDED_IDS = (7, 127, 0.0)  # frames per second, motion bucket, noise augmentation


@dataclass(frozen=True)
class Models:
    """The two networks, in one dtype, on one device."""

    unet: UNetSpatioTemporalConditionModel
    vae: AutoencoderKLTemporalDecoder
    dtype: torch.dtype
    device: torch.device


@dataclass(frozen=True)
class Options:
    """What can be varied in a run.

    canvas: (height, width) of the work, multiples of 8.
    posterior: "sample" as published, or "mode".
    seed: of both generators.
    threshold: whether the resized mask is made binary (the folder script does it, the published demo does not).
    group: frames per decode; those of a group are decoded together, so it changes the result.
    batch: frames per encode; they are independent, so it changes memory only.
    """

    canvas: tuple[int, int] = (576, 1024)
    posterior: str = "sample"
    seed: int = 42
    threshold: bool = True
    group: int = 8
    batch: int = 8


def load(folder: Path, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Models:
    """Load a checkpoint in the published nested layout, each network whole and in `dtype`."""
    place = torch.device(device)
    unet = _filled(UNetSpatioTemporalConditionModel, folder / UNET, dtype, place)
    vae = _filled(AutoencoderKLTemporalDecoder, folder / VAE, dtype, place)
    return Models(unet, vae, dtype, place)


def _filled(kind: Any, path: Path, dtype: torch.dtype, device: torch.device) -> Any:
    config = json.loads((path.parent / "config.json").read_text())
    with torch.device("meta"):
        model = kind.from_config(config)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).to(device, dtype) for name in file.keys()}  # noqa: SIM118
    model.load_state_dict(tensors, assign=True, strict=True)
    return model.eval().requires_grad_(False)


def published(models: Models, plates: Sequence[np.ndarray], masks: Sequence[np.ndarray], **options: Any) -> np.ndarray:
    """Matte one window of T frames.

    Args:
        models: from `load`.
        plates: T pictures (H, W, 3), display-referred, 0..1.
        masks: T masks (H, W), 0..1.
        options: fields of `Options`.

    Returns:
        Alphas (T, canvas height, canvas width), float32, 0..1.
    """
    chosen = Options(**options)
    plate, mask = prepared(models, plates, masks, chosen)
    noise, plate_noise, mask_noise = drawn(len(plates), chosen)
    with torch.inference_mode():
        c = encoded(models, plate, plate_noise, chosen)
        k = encoded(models, mask, mask_noise, chosen)
        z = denoised(models, noise, c, k)
        return decoded(models, z, chosen).float().cpu().numpy()


def published_chunks(
    models: Models, plates: Sequence[np.ndarray], masks: Sequence[np.ndarray], window: int = 16, **options: Any
) -> np.ndarray:
    """Matte a long clip as users do: windows one after another without overlap, the noise the same in each."""
    starts = range(0, len(plates), window)
    parts = [published(models, plates[s : s + window], masks[s : s + window], **options) for s in starts]
    return np.concatenate(parts)


def prepared(
    models: Models, plates: Sequence[np.ndarray], masks: Sequence[np.ndarray], options: Options
) -> tuple[Tensor, Tensor]:
    """Return plate and mask as the encoder takes them: (T, 3, H, W) each, -1..1."""
    plate = np.stack([np.stack([resized(p[..., c], options.canvas) for c in range(3)]) for p in plates])
    grey = np.stack([resized(np.float32(255) * m, options.canvas) for m in masks])
    mask = (grey > 127).astype(np.float32) if options.threshold else grey / 255
    pair = torch.from_numpy(plate), torch.from_numpy(mask)[:, None].repeat(1, 3, 1, 1)
    return tuple((2 * picture - 1).to(models.device, models.dtype) for picture in pair)


def resized(channel: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """Return (H, W) stretched to `canvas` (height, width): bilinear, antialiased where it shrinks."""
    picture = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    return np.array(picture.resize((canvas[1], canvas[0]), Image.Resampling.BILINEAR))


def drawn(frames: int, options: Options) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the UNet's noise and the posterior's for plate and mask: (T, 4, h, w) each, or None for the mode."""
    h, w = options.canvas[0] // 8, options.canvas[1] // 8
    noise = torch.randn((frames, 4, h, w), generator=torch.Generator("cpu").manual_seed(options.seed))
    if options.posterior == "mode":
        return noise, None, None
    generator = torch.Generator("cpu").manual_seed(options.seed)
    plate, mask = (torch.stack([torch.randn((4, h, w), generator=generator) for _ in range(frames)]) for _ in "cm")
    return noise, plate, mask


def encoded(models: Models, pictures: Tensor, noise: Tensor | None, options: Options) -> Tensor:
    """Return latents (T, 4, h, w) of pictures (T, 3, H, W), not scaled: the posterior's mode, or a sample of it."""
    parts = [models.vae.encode(part).latent_dist for part in pictures.split(options.batch)]
    mean = torch.cat([part.mean for part in parts])
    if noise is None:
        return mean
    return mean + torch.cat([part.std for part in parts]) * noise.to(mean)


def denoised(models: Models, noise: Tensor, plate: Tensor, mask: Tensor) -> Tensor:
    """Return the alpha's latents (T, 4, h, w), scaled: one step, no scheduler."""
    x = torch.cat([noise.to(plate), plate, mask], dim=1)[None]
    nothing = torch.zeros((1, 1, models.unet.config.cross_attention_dim), dtype=x.dtype, device=x.device)
    timestep = torch.tensor([TIMESTEP], device=x.device)
    ids = torch.tensor([ADDED_IDS], dtype=x.dtype, device=x.device)
    return models.unet(x, timestep, nothing, ids).sample[0]


def decoded(models: Models, latents: Tensor, options: Options) -> Tensor:
    """Return alphas (T, H, W), 0..1, of scaled latents; every group of frames on its own."""
    groups = (latents / SCALING).split(options.group)
    y = torch.cat([models.vae.decode(group, num_frames=len(group)).sample for group in groups])
    return (y / 2 + 0.5).clamp(0, 1).mean(dim=1)
