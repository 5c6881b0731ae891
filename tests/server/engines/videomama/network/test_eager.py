"""Moments and lines by torch's own kernels."""

from __future__ import annotations

import pytest
import torch
from videomama_server.engines.videomama.network.eager import channel_moments, group_moments, pooled, spans

pytestmark = pytest.mark.usefixtures("inference")


def moments_of(x):
    """Return mean and variance (2, N, groups) of frames (N, h, w, C)."""
    flat = x.flatten(1, 2)
    return group_moments(channel_moments(flat), flat.shape[1])


@pytest.mark.parametrize(("size", "lengths"), [(None, [5]), (1, [1] * 5), (2, [2, 2, 1]), (9, [5])])
def test_spans_cover_all(size, lengths):
    parts = list(spans(5, size))
    assert [part.stop - part.start for part in parts] == lengths
    assert [index for part in parts for index in range(5)[part]] == list(range(5))


def test_moments_of_a_frame_far_from_zero(noise):
    """A mean a thousand times the deviation: squares summed in float32 would leave nothing of the variance."""
    x = noise(2, 96, 64, 64) + 1000
    mean, variance = moments_of(x)
    groups = x.double().view(2, -1, 32, 2)
    torch.testing.assert_close(mean.double(), groups.mean(dim=(1, 3)), rtol=5e-6, atol=0)
    torch.testing.assert_close(variance.double(), groups.var(dim=(1, 3), correction=0), rtol=1e-4, atol=0)


@pytest.mark.parametrize("reach", [None, 0, 1, 2, 7])
def test_pooled_moments_are_those_of_the_frames_together(noise, reach):
    x = noise(5, 4, 4, 64) + torch.arange(5)[:, None, None, None] * 10
    mean, variance = pooled(moments_of(x), reach)
    for frame in range(5):
        near = x if reach is None else x[max(frame - reach, 0) : frame + reach + 1]
        groups = near.double().view(-1, 32, 2)
        torch.testing.assert_close(mean[frame].double(), groups.mean(dim=(0, 2)), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(variance[frame].double(), groups.var(dim=(0, 2), correction=0), rtol=1e-5, atol=1e-5)


def test_moments_of_a_flat_picture_with_a_rim_are_exact():
    """A mask is flat: one number added up after the other would lose what the rim adds."""
    x = torch.full((1, 300, 400, 32), 3.0) + 1e-3 * torch.randn(32, generator=torch.Generator().manual_seed(0))
    x[:, 140:142] = -2.0
    grouped = x.double().view(1, -1, 32, 1)
    expected = torch.stack((grouped.mean(dim=(1, 3)), grouped.var(dim=(1, 3), correction=0)))
    torch.testing.assert_close(moments_of(x).double(), expected, rtol=6e-7, atol=0)
