"""Whether a checkpoint is what it should be, told from headers and configs alone, before anything is read or folded."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from videomama_client.errors import WeightsError

from videomama_server.engines.videomama.checkpoint import tensors
from videomama_server.engines.videomama.checkpoint.headers import TensorInfo
from videomama_server.engines.videomama.checkpoint.layouts import Checkpoint
from videomama_server.engines.videomama.checkpoint.published import SCALING, UNET_CHANNELS, UNET_CLASS, VAE_CLASS
from videomama_server.engines.videomama.checkpoint.tensors import Tensors
from videomama_server.engines.videomama.network.shape import shape_of

log = logging.getLogger(__name__)

ADDED_IDS_WIDTH = 768  # three ids (frame rate, motion, noise augmentation) of 256 each
_FLOATS = ("F32", "F16", "BF16")
_SHOWN = 3
_AGAIN = (
    "Take the file of SammyLim/VideoMaMa (UNet) or stabilityai/stable-video-diffusion-img2vid-xt (VAE) with the "
    "config.json that belongs to it; `videomama weights check` then looks at it."
)


def run(checkpoint: Checkpoint, full: bool = False) -> Iterator[str]:
    """Yield one line per check that was passed.

    Args:
        checkpoint: what to check.
        full: read all data too, which takes as long as reading the files does.

    Raises:
        WeightsError: the check that failed.
    """
    unet = tensors.tensor_infos(checkpoint.unet, "unet")
    yield f"UNet {checkpoint.unet}: {_counted(unet)}"
    yield _dtypes(checkpoint.unet, unet)
    yield _width(checkpoint.unet, unet, "conv_in.weight", UNET_CHANNELS)
    yield _width(checkpoint.unet, unet, "add_embedding.linear_1.weight", ADDED_IDS_WIDTH)
    yield _shapes(checkpoint.unet, unet, UNET_CLASS, checkpoint.unet_config)
    vae = tensors.tensor_infos(checkpoint.vae, "vae")
    yield f"VAE {checkpoint.vae}: {_counted(vae)}"
    yield _dtypes(checkpoint.vae, vae)
    yield _scaling(checkpoint)
    yield _shapes(checkpoint.vae, vae, VAE_CLASS, checkpoint.vae_config)
    yield _construction(checkpoint)
    if full:
        yield _data(checkpoint.unet, "unet")
        yield _data(checkpoint.vae, "vae")


def _construction(checkpoint: Checkpoint) -> str:
    try:
        shape_of(checkpoint.unet_config, checkpoint.vae_config)
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{checkpoint.unet} is built differently from VideoMaMa's UNet ({error})", _AGAIN) from error
    return "the networks are built as published"


def _counted(found: Mapping[str, TensorInfo]) -> str:
    return f"{len(found)} tensors, {sum(math.prod(info.shape) for info in found.values()):,} numbers"


def _dtypes(path: Path, found: Mapping[str, TensorInfo]) -> str:
    wrong = {name: info.dtype for name, info in found.items() if info.dtype not in _FLOATS}
    if wrong:
        name, dtype = next(iter(wrong.items()))
        raise WeightsError(
            f"{path} has {len(wrong)} tensors of a type that is not read: {name} is {dtype}",
            f"Only {', '.join(_FLOATS)} are: convert it to one of them, or download it again.",
        )
    return f"stored as {', '.join(sorted({info.dtype for info in found.values()}))}"


def _width(path: Path, found: Mapping[str, TensorInfo], name: str, wanted: int) -> str:
    """Check the number of channels that go into a layer."""
    shape = found[name].shape if name in found else ()
    width = shape[1] if len(shape) > 1 else 0
    if width == 8 and wanted == UNET_CHANNELS:
        raise WeightsError(f"{path} takes 8 channels: it is Stable Video Diffusion's own UNet, not VideoMaMa's", _AGAIN)
    if width != wanted:
        has = f"takes {width}" if width else "is not there"
        raise WeightsError(f"{path} is not VideoMaMa's UNet: {name} should take {wanted} channels and {has}", _AGAIN)
    return f"{name} takes {wanted} channels"


def _scaling(checkpoint: Checkpoint) -> str:
    value = checkpoint.vae_config.get("scaling_factor")
    if not isinstance(value, (int, float)) or not abs(value - SCALING) < 1e-9:  # NaN too
        raise WeightsError(
            f"the VAE {checkpoint.vae} scales its latents by {value}, and VideoMaMa was trained with {SCALING}", _AGAIN
        )
    return f"latents are scaled by {SCALING}"


def _shapes(path: Path, found: Mapping[str, TensorInfo], kind: str, config: Mapping[str, Any]) -> str:
    """Compare names and shapes with those of the network that the config describes."""
    wanted = _wanted(path, kind, config)
    _refuse(path, "misses", [name for name in wanted if name not in found])
    _refuse(path, "holds unexpected", [name for name in found if name not in wanted])
    other = [
        f"{name} {list(found[name].shape)} in place of {list(shape)}"
        for name, shape in wanted.items()
        if found[name].shape != shape
    ]
    _refuse(path, "has another shape than its config.json says for", other)
    return "all tensors are there, in their shapes"


def _refuse(path: Path, what: str, names: list[str]) -> None:
    if names:
        more = ", ..." if len(names) > _SHOWN else ""
        raise WeightsError(f"{path} {what} {len(names)} tensors: {', '.join(names[:_SHOWN])}{more}", _AGAIN)


def _wanted(path: Path, kind: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the network that `config` describes; no memory is taken for it.

    diffusers is imported here: it takes seconds, and weights that are ready for use do without.
    """
    build = getattr(import_module("diffusers"), kind)
    known = inspect.signature(build).parameters
    try:
        with torch.device("meta"):
            network = build(**{name: value for name, value in config.items() if name in known})
        return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"{path.with_name('config.json')} describes no network ({error})", _AGAIN) from error


def _data(path: Path, part: str) -> str:
    with Tensors(path, part) as read:
        for name in read:
            read[name]
    return f"all numbers in the {'UNet' if part == 'unet' else 'VAE'} are finite"
