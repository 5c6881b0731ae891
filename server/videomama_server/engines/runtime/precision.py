"""What a card's libraries may do to numbers: nothing that the number format does not say, and the same each time."""

from __future__ import annotations

import torch


def hold() -> None:
    """Have float32 mean float32 in products and convolutions, and equal jobs run equal kernels, in this process.

    TF32 keeps ten bits of a float32's 23. cuDNN's benchmark would choose kernels by how quick they were a moment ago.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
