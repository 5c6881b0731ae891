"""Residual blocks, beside the same written out with torch's own layers; the whole is compared in test_unet.py."""

import pytest
import torch
from torch.nn import functional
from videomama_server.engines.videomama.network.blocks import SpatialBlock, SpatioTemporal, TemporalBlock

pytestmark = pytest.mark.usefixtures("inference")


def apart(one, other):
    assert one.shape == other.shape
    return (one - other).abs().max().item()


def filled(layer, noise):
    """Return a layer whose every parameter is noise; those of norms lie around 1, as trained ones do."""
    for seed, (name, values) in enumerate(layer.named_parameters()):
        values.copy_(noise(*values.shape, seed=seed) * 0.2 + ("norm" in name and name.endswith("weight")))
    return layer


def convolved(x, conv):
    return functional.conv2d(x, conv.weight.permute(0, 3, 1, 2), conv.bias, padding=1)


def activated(x, norm):
    return functional.silu(functional.group_norm(x, 32, norm.weight, norm.bias, norm.eps))


def spatial(block, x):
    """Return what a spatial block gives, by torch's own layers, of (T, h, w, in)."""
    picture = x.permute(0, 3, 1, 2)
    y = convolved(activated(convolved(activated(picture, block.norm1), block.conv1), block.norm2), block.conv2)
    short = picture if block.shortcut is None else torch.einsum("nchw,oc->nohw", picture, block.shortcut)
    return (y + short).permute(0, 2, 3, 1)


@pytest.mark.parametrize("outside", [32, 64])
@pytest.mark.parametrize("passes", [None, 1, 2])
def test_a_spatial_block_is_a_residual_block_of_each_frame(noise, outside, passes):
    block, x = filled(SpatialBlock(32, outside, 1e-5), noise), noise(3, 5, 4, 32)
    assert apart(block(x.__getitem__, 3, passes), spatial(block, x)) <= 1e-5


def test_a_spatial_block_asks_for_each_frame_once_and_may_write_over_it(noise):
    block, x = filled(SpatialBlock(32, 32, 1e-5), noise), noise(5, 4, 4, 32)
    expected, asked = spatial(block, x), []

    def feed(span):
        asked.append((span.start, span.stop))
        return x[span]

    assert block(feed, 5, 2, x) is x
    assert apart(x, expected) <= 1e-5
    assert asked == [(0, 2), (2, 4), (4, 5)]


@pytest.mark.parametrize("passes", [None, 1, 3])
@pytest.mark.parametrize("reach", [None, 0, 1])
def test_a_temporal_block_works_in_place_and_on_a_few_pixels_the_same(noise, passes, reach):
    block, x = filled(TemporalBlock(32, 1e-5), noise), noise(4, 3, 5, 32)
    whole, parts = x.clone(), x.clone()
    assert block(whole, None, reach) is whole
    block(parts, passes, reach)
    assert apart(whole, parts) <= 1e-5
    assert apart(whole, x) > 0.1


@pytest.mark.parametrize(("reach", "far_matters"), [(None, True), (1, False)])
def test_a_reach_keeps_the_statistics_of_far_frames_out(noise, reach, far_matters):
    block, x = filled(TemporalBlock(32, 1e-5), noise), noise(9, 3, 3, 32)
    other = x.clone()
    other[8] *= 5
    one, two = block(x.clone(), None, reach), block(other, None, reach)
    assert (apart(one[:3], two[:3]) > 1e-4) == far_matters


def test_the_two_together_leave_their_input_alone(noise):
    block, x = filled(SpatioTemporal(32, 64, 1e-6, 1e-5), noise), noise(3, 4, 4, 32)
    before = x.clone()
    found = block(x, 2)
    assert torch.equal(x, before)
    assert apart(found, block.temporal_res_block(spatial(block.spatial_res_block, x).contiguous(), None, None)) <= 1e-5
    assert block.spatial_res_block.norm1.eps == block.spatial_res_block.norm2.eps == 1e-6
    assert block.temporal_res_block.norm1.eps == 1e-5


@pytest.mark.parametrize(("outside", "kept"), [(32, True), (64, False)])
def test_a_block_keeps_its_size_when_as_many_channels_come_out(outside, kept):
    assert SpatioTemporal(32, outside, 1e-6).keeps_size == kept
    assert SpatioTemporal(32, outside, 1e-6).temporal_res_block.norm1.eps == 1e-6
