"""The network's commonest step outside its products, scale, shift and SiLU, as one kernel where that pays."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from videomama_client.errors import BadInput

log = logging.getLogger(__name__)

MODES = ("auto", "on", "off")
Lines = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def plain(x: Tensor, scale: Tensor, shift: Tensor, onto: Tensor) -> Tensor:
    """Write silu(x * scale + shift) to `onto` (x itself, perhaps) and return it; shapes as they broadcast to x's."""
    torch.addcmul(shift, x, scale, out=onto)
    return functional.silu(onto, inplace=True)


class Activation:
    """`plain`, compiled to a single kernel when asked to, and plain again for good when compiling fails."""

    def __init__(self) -> None:
        self._run: Lines = plain

    def choose(self, mode: str, device: torch.device) -> None:
        """Compile from the next call on, or not: `auto` does on a card, where each step is a kernel of its own.

        On a CPU it does not pay: there the steps work on parts that stay in the cache.

        Raises:
            BadInput: there is no such mode.
        """
        if mode not in MODES:
            raise BadInput(f"compile is set to {mode!r}, which is nothing", f"There are: {', '.join(MODES)}.")
        wanted = mode == "on" or (mode == "auto" and device.type == "cuda")
        self._run = torch.compile(_one_expression, dynamic=True) if wanted else plain

    @property
    def compiled(self) -> bool:
        """Whether calls go to the compiled kernel."""
        return self._run is not plain

    def __call__(self, x: Tensor, scale: Tensor, shift: Tensor, onto: Tensor) -> Tensor:
        """Return what `plain` returns; meta tensors, of which only the memory is followed, are not compiled for."""
        if self._run is plain or x.is_meta:
            return plain(x, scale, shift, onto)
        try:
            return self._run(x, scale, shift, onto)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ImportError, OSError) as error:  # no compiler, no Triton, a folder that cannot be written
            log.warning("compiling does not work here, so the network runs uncompiled: %s", str(error)[:300])
            self._run = plain
            return plain(x, scale, shift, onto)


def _one_expression(x: Tensor, scale: Tensor, shift: Tensor, onto: Tensor) -> Tensor:
    return onto.copy_(functional.silu(torch.addcmul(shift, x, scale)))


activation = Activation()  # one for the process, as is the engine
