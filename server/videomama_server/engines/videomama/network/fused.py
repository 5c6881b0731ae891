"""The network's steps between its products, each as one kernel: Triton's on a card where it is present, else torch's.

Group norm is two passes over the pixels, `channel_moments` and `apply_lines`, with `norm_lines` between them, which
looks at the moments alone. A frame's moments do not depend on the frames that it is worked on with.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec

import torch
from torch import Tensor
from videomama_client.errors import BadInput

from videomama_server.engines.videomama.network import eager

log = logging.getLogger(__name__)

MODES = ("auto", "on", "off")
TRITON, TORCH = "triton", "torch"
_MOST_SLICES = 64
_LEAST_PIXELS = 256  # of a slice


class Kernels:
    """Which kernels the process runs: one for the process, as is the engine."""

    def __init__(self) -> None:
        self.name = TORCH

    def choose(self, mode: str, device: torch.device) -> None:
        """Take Triton's kernels on a card where they work; `off` never does, `on` says where they do not.

        Raises:
            BadInput: unknown mode.
        """
        if mode not in MODES:
            raise BadInput(f"invalid value for compile: {mode!r}", f"Choose one of: {', '.join(MODES)}.")
        works = mode != "off" and device.type == "cuda" and _triton_works(device)
        self.name = TRITON if works else TORCH
        if mode == "on" and not works:
            log.warning("compiling does not work on %s, so the network runs with torch's own kernels", device)


kernels = Kernels()


def _triton_works(device: torch.device) -> bool:
    """Whether each kernel runs here; the first time it is compiled, which takes seconds."""
    if find_spec("triton") is None:
        return False
    try:
        from videomama_server.engines.videomama.network import triton_kernels

        x = torch.ones((2, 64, 64), device=device, dtype=torch.float16)
        scale = torch.ones(64, device=device, dtype=torch.float16)
        lines = triton_kernels.norm_lines(triton_kernels.channel_moments(x), 64, scale, scale, 1e-5, None)
        triton_kernels.apply_lines(x, lines, x, silu=True)
        triton_kernels.added_norm(x, triton_kernels.gated(torch.cat((x, x), dim=-1)), scale, scale)
        torch.cuda.synchronize(device)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ImportError, OSError, AttributeError) as error:  # no compiler, a folder that is read-only
        log.warning("Triton does not work here, so the network runs with torch's own kernels: %s", str(error)[:300])
        return False
    return True


def channel_moments(x: Tensor) -> Tensor:
    """Return mean and sum of squares around it (N, slices, 2, C), float32, of each channel of frames (N, P, C).

    A slice is a part of a frame's pixels, one after the other; see `slice_pixels`.
    """
    return _moments_op(x) if _fuses(x) else eager.channel_moments(x)


def norm_lines(moments: Tensor, pixels: int, weight: Tensor, bias: Tensor, eps: float, reach: int | None) -> Tensor:
    """Return scale and shift (2, N, C), float32, that normalise each frame with those up to `reach` frames away.

    Args:
        moments: from `channel_moments`.
        pixels: of a frame.
        weight: (C), of the norm.
        bias: (C).
        eps: added to variances.
        reach: in frames; 0 normalises each frame on its own, None all of them together.

    Raises:
        ValueError: reach is negative.
    """
    if reach is not None and reach < 0:
        raise ValueError(f"a reach of {reach} frames is negative")
    run = _lines_op if _fuses(moments) else eager.norm_lines
    return run(moments, pixels, weight, bias, eps, reach)


def apply_lines(x: Tensor, lines: Tensor, onto: Tensor, *, silu: bool) -> Tensor:
    """Write x * scale + shift, or silu of it, of frames (N, P, C) to `onto` (x itself, perhaps); return `onto`."""
    if _fuses(x):
        _apply_op(x, lines, onto, silu)
    else:
        eager.apply_lines(x, lines, onto, silu=silu)
    return onto


def gated(x: Tensor) -> Tensor:
    """Return kept * gelu(gate) (..., C) of kept and gate side by side (..., 2C)."""
    return _gated_op(x) if _fuses(x) else eager.gated(x)


def added_norm(x: Tensor, added: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Add to x (..., C) in place, and return its layer norm over channels."""
    run = _added_op if _fuses(x) else eager.added_norm
    return run(x, added, weight, bias)


def slice_pixels(pixels: int) -> int:
    """Return how many pixels of a frame a slice has on a card; the last has fewer. Depends on the frame's size only."""
    return max(_LEAST_PIXELS, -(-pixels // _MOST_SLICES))


def slice_count(pixels: int) -> int:
    """Return how many slices a frame has on a card."""
    return -(-pixels // slice_pixels(pixels))


def _fuses(x: Tensor) -> bool:
    """Whether Triton's kernels are run: on a card, or counted on meta tensors, which stand for one."""
    return kernels.name == TRITON and not x.is_cpu


def _run_moments(x: Tensor) -> Tensor:
    from videomama_server.engines.videomama.network import triton_kernels

    return triton_kernels.channel_moments(x)


def _run_lines(moments: Tensor, pixels: int, weight: Tensor, bias: Tensor, eps: float, reach: int | None) -> Tensor:
    from videomama_server.engines.videomama.network import triton_kernels

    return triton_kernels.norm_lines(moments, pixels, weight, bias, eps, reach)


def _run_apply(x: Tensor, lines: Tensor, onto: Tensor, silu: bool) -> None:
    from videomama_server.engines.videomama.network import triton_kernels

    triton_kernels.apply_lines(x, lines, onto, silu=silu)


def _run_gated(x: Tensor) -> Tensor:
    from videomama_server.engines.videomama.network import triton_kernels

    return triton_kernels.gated(x)


def _run_added(x: Tensor, added: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    from videomama_server.engines.videomama.network import triton_kernels

    return triton_kernels.added_norm(x, added, weight, bias)


_moments_op = torch.library.custom_op(
    "videomama::channel_moments", _run_moments, mutates_args=(), schema="(Tensor x) -> Tensor"
)
_lines_op = torch.library.custom_op(
    "videomama::norm_lines",
    _run_lines,
    mutates_args=(),
    schema="(Tensor moments, int pixels, Tensor weight, Tensor bias, float eps, int? reach) -> Tensor",
)
_apply_op = torch.library.custom_op(
    "videomama::apply_lines",
    _run_apply,
    mutates_args=("onto",),
    schema="(Tensor x, Tensor lines, Tensor(a!) onto, bool silu) -> ()",
)
_gated_op = torch.library.custom_op("videomama::gated", _run_gated, mutates_args=(), schema="(Tensor x) -> Tensor")
_added_op = torch.library.custom_op(
    "videomama::added_norm",
    _run_added,
    mutates_args=("x",),
    schema="(Tensor(a!) x, Tensor added, Tensor weight, Tensor bias) -> Tensor",
)
_moments_op.register_fake(lambda x: x.new_empty((len(x), slice_count(x.shape[1]), 2, x.shape[2]), dtype=torch.float32))
_lines_op.register_fake(
    lambda moments, _pixels, _weight, _bias, _eps, _reach: moments.new_empty((2, len(moments), moments.shape[3]))
)
_apply_op.register_fake(lambda _x, _lines, _onto, _silu: None)
_gated_op.register_fake(lambda x: x.new_empty((*x.shape[:-1], x.shape[-1] // 2)))
_added_op.register_fake(lambda x, _added, _weight, _bias: torch.empty_like(x))
