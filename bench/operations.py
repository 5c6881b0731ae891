"""Counts the operations that a window gives to a card, part by part, on tensors without bytes; no card is needed.

python bench/operations.py --json

A fused kernel, a convolution and an attention count as one each; views and allocations count as none. `ours torch` is
where Triton is not present. `stock` is the published network as diffusers builds it, decoded in groups of 8.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.memory.footprint import stand_ins
from videomama_server.engines.videomama.network import fused
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of

FREE = ("aten::empty", "aten::new_empty", "aten::detach", "aten::_unsafe_view", "aten::_reshape_alias")
REACH = 4
StockCalls = Callable[[int, tuple[int, int]], dict[str, Callable[[], Any]]]
STOCK_GROUP = 8


class Counting(TorchDispatchMode):
    """Counts the operations that run inside, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if not func.is_view and not name.startswith(FREE):
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


class CountingStandIns(TorchFunctionMode):
    """Counts what `stand_ins` replaces before it is dispatched."""

    def __init__(self, found: Counter[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        replaced = (torch.conv2d, functional.scaled_dot_product_attention, functional.group_norm)
        if func in replaced:
            self.found[func.__name__] += 1
        return func(*args, **(kwargs or {}))


def counted(call: Callable[[], Any]) -> Counter[str]:
    """Return how often a call runs each operation; its tensors are stand-ins for a card's."""
    with stand_ins(card=True), torch.no_grad(), Counting() as counting, CountingStandIns(counting.found):
        call()
    return counting.found


@contextmanager
def kernels_of(name: str) -> Iterator[None]:
    """Have the network run the kernels of this name inside."""
    before, fused.kernels.name = fused.kernels.name, name
    try:
        yield
    finally:
        fused.kernels.name = before


def calls_of(shape: NetworkShape, frames: int, canvas: tuple[int, int]) -> dict[str, Callable[[], Any]]:
    """Return what production runs for a window of so many frames, by part."""
    with torch.device("meta"):
        network = Network(shape).to(torch.float16)
    height, width = canvas
    step = 2 ** (len(shape.vae_channels) - 1)

    def inputs(channels: int, shrunk: int) -> torch.Tensor:
        return torch.empty((frames, channels, height // shrunk, width // shrunk), dtype=torch.float16)

    return {
        "encode_plate": lambda: network.encoder.plate(inputs(3, 1)),
        "encode_mask": lambda: network.encoder.mask(inputs(1, 1)),
        "unet": lambda: network.unet(inputs(shape.inputs, step)),
        "decode": lambda: network.decoder.grey(inputs(shape.latents, step), None, REACH),
    }


def stock_modules(device: torch.device, dtype: torch.dtype, *, tiny: bool, last: bool) -> StockCalls:
    """Return what makes the published inference's calls, by part, for so many frames and a canvas (H, W).

    Args:
        device: meta where they are only counted.
        dtype: of weights and activations.
        tiny: whether the network is a small one of every kind of block.
        last: whether weights and pictures have their channels last.
    """
    import make_checkpoint
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel

    unet_config, vae_config = make_checkpoint.SHAPES["tiny" if tiny else "full"]
    with torch.device(device):
        unet = UNetSpatioTemporalConditionModel(**unet_config).to(device, dtype).requires_grad_(False).eval()
        vae = AutoencoderKLTemporalDecoder(**vae_config).to(device, dtype).requires_grad_(False).eval()
    order = torch.channels_last if last else torch.contiguous_format
    for module in (*unet.modules(), *vae.modules()):
        if isinstance(module, torch.nn.Conv2d):
            module.to(memory_format=order)
    context = unet.config.cross_attention_dim

    def calls(frames: int, canvas: tuple[int, int]) -> dict[str, Callable[[], Any]]:
        def inputs(channels: int, shrunk: int) -> torch.Tensor:
            made = torch.zeros((frames, channels, canvas[0] // shrunk, canvas[1] // shrunk), device=device, dtype=dtype)
            return made.contiguous(memory_format=order)

        step = torch.ones(1, device=device)
        nothing = torch.zeros((1, 1, context), device=device, dtype=dtype)
        ids = torch.zeros((1, 3), device=device, dtype=dtype)

        def decoded() -> list[Any]:
            return [vae.decode(group, num_frames=len(group)) for group in inputs(4, 8).split(STOCK_GROUP)]

        return {
            "encode_plate": lambda: vae.encode(inputs(3, 1)),
            "encode_mask": lambda: vae.encode(inputs(3, 1)),
            "unet": lambda: unet(inputs(12, 8)[None], step, nothing, ids),
            "decode": decoded,
        }

    return calls


def counts(calls: dict[str, Callable[[], Any]]) -> dict[str, int]:
    """Return the operations of each part and of all."""
    found = {part: counted(call).total() for part, call in calls.items()}
    return {**found, "window": sum(found.values())}


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canvas", default="1024x576", help="WIDTHxHEIGHT, multiples of 64")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    width, height = (int(part) for part in asked.canvas.split("x"))
    shape, report = shape_of(PUBLISHED_UNET, PUBLISHED_VAE), {}
    for name in (fused.TRITON, fused.TORCH):
        with kernels_of(name):
            report[f"ours {name}"] = counts(calls_of(shape, asked.frames, (height, width)))
    stock = stock_modules(torch.device("meta"), torch.float16, tiny=False, last=False)
    report["stock"] = counts(stock(asked.frames, (height, width)))
    report |= {"canvas": asked.canvas, "frames": asked.frames, "torch": torch.__version__}
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
