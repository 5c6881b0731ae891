"""Moments and lines by torch's own kernels."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from videomama_server.engines.videomama.network import eager
from videomama_server.engines.videomama.network.eager import (
    added_norm,
    apply_lines,
    channel_moments,
    gated,
    group_moments,
    pooled,
    spans,
)

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


@pytest.mark.parametrize("silu", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_lines_are_applied_in_every_format_to_every_frame_and_pixel(noise, dtype, silu, monkeypatch):
    monkeypatch.setattr(eager, "_CACHED_NUMBERS", 64)  # many parts
    x, lines = noise(3, 10, 32).to(dtype), noise(2, 3, 32, seed=2)
    onto = torch.full_like(x, 9.0)
    apply_lines(x, lines, onto, silu=silu)
    exact = x.float() * lines[0][:, None] + lines[1][:, None]
    torch.testing.assert_close(onto, (functional.silu(exact) if silu else exact).to(dtype))


def test_half_of_a_tensor_gates_the_other_and_what_is_added_is_normed(noise):
    x = noise(2, 3, 8)
    torch.testing.assert_close(gated(x), x[..., :4] * functional.gelu(x[..., 4:]))
    added, weight, bias = noise(2, 3, 8, seed=2), noise(8, seed=3), noise(8, seed=4)
    summed = x + added
    torch.testing.assert_close(added_norm(x, added, weight, bias), functional.layer_norm(summed, (8,), weight, bias))
    assert torch.equal(x, summed)


def test_what_is_copied_to_float32_is_bounded_and_the_bits_stay(noise, monkeypatch):
    x, copied, real = noise(3, 1000, 96).bfloat16(), [], eager._moments
    monkeypatch.setattr(eager, "_CACHED_NUMBERS", 1 << 28)  # as on a card: a frame is one slice
    whole = channel_moments(x)
    monkeypatch.setattr(eager, "_moments", lambda part: (copied.append(part.numel()), real(part))[1])
    monkeypatch.setattr(eager, "_frames_at_once", lambda *_: 1)
    monkeypatch.setattr(eager, "_channels_at_once", lambda _, pixels: 32_000 // pixels)
    assert torch.equal(channel_moments(x), whole)
    assert max(copied) <= 32_000


@pytest.mark.parametrize(("pixels", "channels"), [(1088 * 1856, 128), (2048 * 4096, 128), (576 * 1024, 256), (9, 512)])
def test_a_card_copies_no_more_numbers_at_once_than_the_bound(pixels, channels):
    x = torch.empty((16, pixels, channels), dtype=torch.float16, device="meta")
    wide, many = eager._channels_at_once(x, pixels), eager._frames_at_once(x, pixels)
    assert many * pixels * wide <= eager._CARD_NUMBERS
    assert wide == channels or many == 1
