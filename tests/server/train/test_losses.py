import numpy as np
import pytest
import torch
from videomama_server.train import losses

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def blurred(picture):
    padded = np.pad(picture, 2, mode="reflect")
    height, width = picture.shape
    windows = [[padded[y : y + 5, x : x + 5] for x in range(width)] for y in range(height)]
    return np.array([[(window * KERNEL).sum() for window in row] for row in windows])


def by_hand(difference, levels):
    total, current = 0.0, difference
    for _ in range(levels):
        smaller = blurred(current)[::2, ::2]
        spread = np.zeros_like(current)
        spread[::2, ::2] = smaller
        total += np.abs(current - 4 * blurred(spread)).mean()
        current = smaller
    return total


def test_the_mean_difference_of_a_picture_of_four_by_four_by_hand():
    pred, truth = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    truth[0, 0, 1, 2], pred[0, 0, 3, 3] = 0.8, -0.4
    assert losses.l1(pred, truth).item() == pytest.approx(1.2 / 16)


def test_one_level_of_the_pyramid_of_a_picture_of_four_by_four_by_hand():
    pred, truth = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    truth[0, 0, 1, 2] = 1.0
    expected = by_hand(-truth[0, 0].double().numpy(), 1)
    assert 0 < expected < 1 / 16 * 4
    assert losses.laplacian(pred, truth, levels=1).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [(48, 64), (49, 67)])
def test_five_levels_weigh_the_same_and_the_rest_for_nothing(size):
    generator = torch.Generator().manual_seed(0)
    pred, truth = (torch.rand(1, 1, *size, generator=generator) for _ in range(2))
    expected = by_hand((pred - truth)[0, 0].double().numpy(), 5)
    assert losses.laplacian(pred, truth).item() == pytest.approx(expected, rel=1e-5)


def test_pictures_that_are_off_by_the_same_everywhere_differ_in_the_mean_alone():
    pred = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert losses.laplacian(pred, pred + 0.5).item() < 1e-5
    assert losses.l1(pred, pred + 0.5).item() == pytest.approx(0.5)


@pytest.mark.parametrize("loss", [losses.l1, losses.laplacian])
def test_sums_are_in_float32_under_autocast(loss):
    generator = torch.Generator().manual_seed(0)
    pred, truth = (torch.rand(2, 1, 64, 64, generator=generator).bfloat16() for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        low = loss(pred, truth)
    assert low.dtype == torch.float32
    assert low.item() == loss(pred.float(), truth.float()).item()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(losses.Weights) == {"l1": 1.0, "laplacian": 15.0, "alignment": 1.0}
