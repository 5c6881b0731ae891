from __future__ import annotations

import pytest
import torch

pytestmark = pytest.mark.usefixtures("inference")


SIZE = (16, 8)


def apart(one, other):
    assert one.shape == other.shape
    return (one - other).abs().max().item()


@pytest.mark.parametrize("frames", [1, 4, 16, 25])
def test_it_is_the_published_network(stock, network, noise, frames):
    x = noise(frames, 12, *SIZE)
    assert apart(network.unet(x), stock.alpha_latents(x)) <= 1e-5


@pytest.mark.parametrize("passes", [1, 3, 5, 100])
def test_working_on_a_few_frames_at_once_changes_nothing(network, noise, passes):
    x = noise(5, 12, *SIZE)
    assert apart(network.unet(x, passes=passes), network.unet(x)) <= 1e-5


def test_frames_are_in_time(network, noise):
    """Guards the other tests: neither the order of frames nor their company may be without effect."""
    x = noise(4, 12, *SIZE)
    assert apart(network.unet(x.flip(0)).flip(0), network.unet(x)) > 1e-2
    assert apart(network.unet(x[:3]), network.unet(x)[:3]) > 1e-2


def test_its_input_is_left_alone(network, noise):
    x = noise(2, 12, *SIZE)
    before = x.clone()
    network.unet(x, passes=1)
    assert torch.equal(x, before)


@pytest.mark.parametrize("frames", [0, 26])
def test_a_window_of_a_wrong_length_is_refused(network, noise, frames):
    with pytest.raises(ValueError, match=f"1 to 25 frames, not {frames}"):
        network.unet(noise(frames, 12, *SIZE))


@pytest.mark.parametrize("size", [(12, 8), (8, 20)])
def test_latents_of_a_wrong_size_are_refused(network, noise, size):
    with pytest.raises(ValueError, match="no multiple of 8"):
        network.unet(noise(1, 12, *size))


def test_no_frames_at_a_time_is_refused(network, noise):
    with pytest.raises(ValueError, match="0 frames at a time"):
        network.unet(noise(1, 12, *SIZE), passes=0)
