"""How many operations a window gives to a card; the figure that docs/performance.md has for the published sizes."""

import pytest
import torch
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.network.fused import TORCH, TRITON
from videomama_server.engines.videomama.network.shape import shape_of


@pytest.fixture(scope="module")
def operations(load_bench):
    return load_bench("operations")


@pytest.mark.slow
def test_a_window_of_the_published_network_is_few_operations(operations):
    with operations.kernels_of(TRITON):
        found = operations.counts(operations.calls_of(shape_of(PUBLISHED_UNET, PUBLISHED_VAE), 16, (576, 1024)))
    assert found["window"] <= 2200
    assert found["window"] == sum(count for part, count in found.items() if part != "window")


def test_a_fused_kernel_counts_as_one(operations):
    from videomama_server.engines.videomama.network import fused

    def call():
        fused.channel_moments(torch.empty((2, 9, 32)))

    with operations.kernels_of(TRITON):
        assert operations.counted(call).total() == 1
    with operations.kernels_of(TORCH):
        assert operations.counted(call).total() > 3
    assert fused.kernels.name == TORCH


def test_views_count_as_none_and_convolutions_as_one(operations):
    found = operations.counted(
        lambda: torch.conv2d(torch.empty((1, 8, 8, 3)).permute(0, 3, 1, 2), torch.empty((4, 3, 3, 3)))
    )
    assert dict(found) == {"conv2d": 1}
