from __future__ import annotations

from itertools import product
from unittest.mock import patch

import pytest
import torch
from torch.nn import functional
from videomama_server.engines.videomama.network import fused, layers
from videomama_server.engines.videomama.network.eager import cached_pixels
from videomama_server.engines.videomama.network.layers import (
    Conv,
    Downsample,
    GroupNorm,
    TimeConv,
    Upsample,
    gathered,
)

pytestmark = pytest.mark.usefixtures("inference")


def filled(layer, noise):
    for seed, values in enumerate(layer.parameters()):
        values.copy_(noise(*values.shape, seed=seed) * 0.3)
    return layer


def pictures(x):
    return x.permute(0, 3, 1, 2)


def test_gathering_may_write_over_what_it_reads(noise):
    x = noise(5, 2, 2, 3)
    twice = x * 2
    assert gathered(lambda span: x[span] * 2, 5, 2, x) is x
    assert torch.equal(x, twice)


def test_what_is_gathered_at_once_is_written_where_it_is_asked_for_and_else_not_copied(noise):
    x, made = noise(5, 2, 2, 3), []
    onto = torch.zeros_like(x)
    assert gathered(lambda span: x[span] * 2, 5, None, onto) is onto
    assert torch.equal(onto, x * 2)
    assert gathered(lambda span: made.append(x[span] * 2) or made[0], 5, None) is made[0]


@pytest.mark.parametrize("size", [None, 1, 2, 4, 5, 9])
def test_what_is_gathered_in_parts_is_the_whole(noise, size):
    x = noise(5, 2, 2, 3)
    spans = []
    assert torch.equal(gathered(lambda span: spans.append(span) or x[span] * 2, 5, size), x * 2)
    assert len(spans) == -(-5 // (size or 5))


def test_gathering_nothing_is_refused():
    with pytest.raises(ValueError, match="no frames"):
        gathered(lambda span: torch.zeros(1), 0, 1)


def test_a_convolution_of_pictures(noise):
    conv = filled(Conv(5, 7, stride=2), noise)
    x = noise(2, 6, 4, 5)
    expected = functional.conv2d(pictures(x), pictures(conv.weight), conv.bias, stride=2, padding=1)
    torch.testing.assert_close(pictures(conv(x)), expected)
    assert conv(x).is_contiguous()


@pytest.mark.parametrize(("inside", "outside"), [(1, 8), (3, 16), (12, 4), (16, 16)])
def test_a_card_convolves_channels_in_eights(inside, outside):
    """Tensor cores read sixteen bits by the eight; a picture of one channel has no order of its own otherwise."""
    seen, real = [], functional.conv2d
    with torch.device("meta"):
        conv, x = Conv(inside, outside), torch.empty((2, 6, 4, inside), dtype=torch.float16)
        with patch.object(
            functional, "conv2d", lambda x, *rest, **named: seen.append(x.shape[1]) or real(x, *rest, **named)
        ):
            assert conv(x).shape == (2, 6, 4, outside)
            assert conv(x.float()).shape == (2, 6, 4, outside)
    assert seen == [-(-inside // 8) * 8, inside if inside > 1 else 8]


def test_a_mask_of_one_channel_comes_out_in_the_order_of_all_layers(noise):
    conv, orders, real = filled(Conv(1, 32), noise), [], functional.conv2d
    with patch.object(functional, "conv2d", lambda *of, **named: orders.append(real(*of, **named)) or orders[-1]):
        found = conv(noise(2, 6, 4, 1))
    assert orders[0].permute(0, 2, 3, 1).is_contiguous()
    expected = functional.conv2d(pictures(noise(2, 6, 4, 1)), pictures(conv.weight), conv.bias, padding=1)
    torch.testing.assert_close(pictures(found), expected)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_convolution_over_time(noise, frames):
    conv = filled(TimeConv(6), noise)
    x = noise(frames, 4, 6)
    weight = conv.weight.mT[..., None, None]
    expected = functional.conv3d(x.permute(2, 0, 1)[..., None], weight, conv.bias, padding=(1, 0, 0))
    torch.testing.assert_close(conv(x), expected[..., 0].permute(1, 2, 0))


def test_normalising_over_a_window(noise):
    norm = filled(GroupNorm(64, 1e-5), noise)
    x = noise(3, 4, 4, 64)
    films = functional.group_norm(x.permute(3, 0, 1, 2)[None], 32, norm.weight, norm.bias, 1e-5)[0]
    expected = functional.silu(films.permute(1, 2, 3, 0))
    flat = x.flatten(1, 2)
    found = fused.apply_lines(flat, norm.lines(flat, None), torch.empty_like(flat), silu=True)
    torch.testing.assert_close(found.view(x.shape), expected)


def test_normalising_a_frame_on_its_own(noise):
    norm = filled(GroupNorm(64, 1e-5), noise)
    x = noise(3, 4, 4, 64)
    expected = functional.silu(functional.group_norm(pictures(x), 32, norm.weight, norm.bias, 1e-5))
    torch.testing.assert_close(pictures(norm.activated(x)), expected)
    torch.testing.assert_close(functional.silu(norm(x)), norm.activated(x))


def test_normalising_in_place(noise):
    norm = filled(GroupNorm(64, 1e-5), noise)
    x = noise(3, 96, 64, 64)
    expected = norm.activated(x)
    assert norm.activated(x, onto=x) is x
    assert torch.equal(x, expected)


def test_channels_that_make_no_groups_are_refused():
    with pytest.raises(ValueError, match="no multiple of 32"):
        GroupNorm(48, 1e-5)


@pytest.mark.parametrize(
    ("passes", "most", "on_card"), [(None, 100, 100), (2, 100, 40), (1, 100, 20), (1, 3, 1), (2, 5000, 2000)]
)
def test_pixels_at_once_take_as_much_memory_as_so_many_frames(passes, most, on_card):
    shape = (5, most, 32)
    assert layers.pixels_at_once(torch.empty(shape, device="meta"), passes) == on_card
    cached = layers._CACHES * cached_pixels(32) // 5
    assert layers.pixels_at_once(torch.empty(shape), passes) == min(on_card, cached)


def test_a_cpu_always_works_on_a_pixel_at_least():
    assert layers.pixels_at_once(torch.empty((3, 4, 1 << 18)), None) == 1


def test_doubling_is_nearest_neighbour_and_the_convolution_that_was_folded_into_it(noise):
    """Along an axis pixel 2y sees the small pixels y-1 and twice y, pixel 2y+1 twice y and y+1."""
    x, kernel, bias = noise(2, 5, 7, 8), noise(8, 8, 3, 3, seed=1) * 0.3, noise(8, seed=2)
    layer = Upsample(8)
    quarters = torch.zeros(2, 2, 8, 2, 2, 8)
    for a, b, row, column in product(range(2), range(2), range(3), range(3)):
        quarters[a, b, :, (a + row + 1) // 2 - a, (b + column + 1) // 2 - b] += kernel[:, :, row, column]
    layer.weight.copy_(quarters.reshape(32, 2, 2, 8))
    layer.bias.copy_(bias.repeat(4))
    doubled = functional.interpolate(pictures(x), scale_factor=2, mode="nearest")
    expected = functional.conv2d(doubled, kernel, bias, padding=1).permute(0, 2, 3, 1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_halving_starts_on_the_first_pixel(noise):
    x, layer = noise(2, 6, 8, 8), filled(Downsample(8), noise)
    wide = functional.pad(pictures(x), (0, 1, 0, 1))
    expected = functional.conv2d(wide, pictures(layer.weight), layer.bias, stride=2)
    torch.testing.assert_close(layer(x), expected.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(layers.Dense) == {"biased": True}
    assert numbers_left_out(Conv) == {"size": 3, "stride": 1, "padding": 1}
