from __future__ import annotations

import pytest
import torch

pytestmark = pytest.mark.usefixtures("inference")
TEMPORAL_BLOCKS = 14  # of the decoder: 2 in the middle and 3 in each of 4 levels


def apart(one, other):
    assert one.shape == other.shape
    return (one - other).abs().max().item()


def test_plates_are_encoded_as_published(stock, network, noise):
    plate = noise(3, 3, 64, 32)
    assert apart(network.encoder.plate(plate), stock.moments(plate)) <= 1e-5


def test_masks_are_encoded_as_plates_of_three_equal_channels(stock, network, noise):
    mask = noise(3, 1, 64, 32)
    assert apart(network.encoder.mask(mask), stock.moments(mask.expand(-1, 3, -1, -1))) <= 1e-5


@pytest.mark.parametrize("frames", [1, 3, 8])
@pytest.mark.parametrize("passes", [None, 1, 3])
def test_colour_is_decoded_as_published(stock, network, noise, frames, passes):
    z = noise(frames, 4, 8, 8)
    assert apart(network.decoder.rgb(z, passes), stock.pictures(z)) <= 1e-5


@pytest.mark.parametrize("frames", [1, 2, 8])
@pytest.mark.parametrize("passes", [None, 1, 3])
def test_grey_is_the_mean_of_colour(stock, network, noise, frames, passes):
    z = noise(frames, 4, 8, 8)
    assert apart(network.decoder.grey(z, passes, None), stock.pictures(z).mean(dim=1, keepdim=True)) <= 1e-5


@pytest.mark.parametrize("reach", [4, 9])
def test_a_reach_over_the_whole_group_is_as_published(network, noise, reach):
    z = noise(5, 4, 8, 8)
    assert apart(network.decoder.grey(z, 2, reach), network.decoder.grey(z, 2, None)) <= 1e-5


@pytest.mark.parametrize("passes", [None, 2])
def test_a_reach_is_the_same_however_many_frames_are_worked_on_at_once(network, noise, passes):
    z = noise(5, 4, 8, 8)
    assert apart(network.decoder.grey(z, passes, 1), network.decoder.grey(z, 1, 1)) <= 1e-5


def test_with_a_reach_a_frame_depends_on_near_frames_only(network, noise):
    """Each temporal block sees `reach` + 1 frames further, twice; the last convolution one more."""
    z = noise(40, 4, 2, 2)
    far = 2 * TEMPORAL_BLOCKS + 1
    changed = z.clone()
    changed[far + 1] += 1
    before, after = network.decoder.grey(z, 1, 0), network.decoder.grey(changed, 1, 0)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1:4], after[1:4])
    assert not torch.equal(network.decoder.grey(z, 1, None)[0], network.decoder.grey(changed, 1, None)[0])


def test_what_a_frame_sees_does_not_depend_on_where_the_group_begins(network, noise):
    z = noise(64, 4, 2, 2)
    whole, part = network.decoder.grey(z, 1, 0), network.decoder.grey(z[1:], 1, 0)
    assert apart(whole[32:], part[31:]) <= 1e-6


def test_a_reach_below_zero_is_refused(network, noise):
    with pytest.raises(ValueError, match="negative"):
        network.decoder.grey(noise(2, 4, 8, 8), None, -1)


def test_inputs_are_left_alone(network, noise):
    z, plate = noise(2, 4, 8, 8), noise(2, 3, 64, 64)
    before = z.clone(), plate.clone()
    network.decoder.rgb(z, 1)
    network.encoder.plate(plate)
    assert torch.equal(z, before[0])
    assert torch.equal(plate, before[1])


@pytest.mark.parametrize("layers", [1, 3])
def test_other_depths_are_as_published_too(make, noise, layers):
    """With one layer the decoder's attention is built and never used; with three, one of its blocks."""
    stock = make.stock(layers=layers, seed=3)
    network = make.network(stock)
    z, x = noise(2, 4, 8, 8), noise(2, 12, 16, 16)
    assert apart(network.decoder.rgb(z, 1), stock.pictures(z)) <= 1e-5
    assert apart(network.unet(x), stock.alpha_latents(x)) <= 1e-5
