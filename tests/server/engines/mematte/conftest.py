"""MEMatte with random weights that leave nothing at rest: every norm, bias and router counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from videomama_server.engines.mematte.network import MEMatte

sys.path.append(str(Path(__file__).parent))  # for straight.py


def random_state(seed=0):
    """Return a state dict with the names and shapes of the published one, and values of a sane size."""
    draw = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in MEMatte().state_dict().items():
        if not tensor.is_floating_point():
            state[name] = tensor.clone()
        elif name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
            state[name] = 0.7 + 0.6 * torch.rand(tensor.shape, generator=draw)
        elif tensor.dim() == 1:
            state[name] = 0.1 * torch.randn(tensor.shape, generator=draw)
        else:
            spread = 1.2 / max(1, tensor[0].numel()) ** 0.5
            state[name] = spread * torch.randn(tensor.shape, generator=draw)
    for name in [name for name in state if "rel_pos" in name or "pos_embed" in name]:
        state[name] = 0.2 * torch.randn(state[name].shape, generator=draw)
    return state


@pytest.fixture(scope="session")
def mematte_state():
    return random_state()
