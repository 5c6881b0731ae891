import json

import numpy as np
import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.segment.families import SAM2, SAM3
from videomama_server.engines.segment.pictures import Normalisation, mask_of, pixel_values, points_of, upsampled

PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def triangle(source, target):
    """Return the (target, source) matrix of the antialiased triangle filter, from its definition."""
    scale = source / target
    reach = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale
    distance = np.abs(np.arange(source)[None] + 0.5 - centres[:, None]) / reach
    weights = np.clip(1 - distance, 0, None)
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("size", [(16, 16), (40, 24), (64, 64)])
def test_a_plate_is_squeezed_by_the_antialiased_triangle_filter(size):
    plate = np.random.default_rng(0).random((48, 80, 3), np.float32)
    expected = np.einsum("yh,xw,hwc->cyx", triangle(48, size[0]), triangle(80, size[1]), plate)
    assert np.abs(pixel_values(plate, size, PLAIN).numpy() - expected).max() < 2e-6


def test_published_numbers_are_taken_where_the_network_says_none(tmp_path):
    grey = np.full((8, 8, 3), 0.5, np.float32)
    of_sam2 = pixel_values(grey, (4, 4), Normalisation.of(SAM2, tmp_path))
    expected = (0.5 - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    assert np.abs(of_sam2[:, 0, 0].numpy() - expected).max() < 1e-6
    assert float(pixel_values(grey, (4, 4), Normalisation.of(SAM3, tmp_path)).abs().max()) < 1e-6


@pytest.mark.parametrize("wrapped", [False, True], ids=["preprocessor", "processor"])
def test_the_networks_own_numbers_come_first(tmp_path, wrapped):
    said = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 4]}
    name = "processor_config.json" if wrapped else "preprocessor_config.json"
    (tmp_path / name).write_text(json.dumps({"image_processor": said} if wrapped else said))
    assert Normalisation.of(SAM2, tmp_path) == Normalisation((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))


@pytest.mark.parametrize(("model_type", "plain"), [("rt_detr", True), ("d_fine", True), ("detr", False)])
def test_detectors_take_the_values_that_they_were_trained_on(tmp_path, model_type, plain):
    assert (Normalisation.of_detector(model_type, tmp_path) == PLAIN) is plain
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False}))
    assert Normalisation.of_detector(model_type, tmp_path) == PLAIN


def test_numbers_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text("nonsense")
    with pytest.raises(WeightsError, match=r"cannot read .*preprocessor_config\.json"):
        Normalisation.of(SAM2, tmp_path)


def test_clicks_are_scaled_by_side():
    assert points_of(np.float32([(0, 0), (80, 48), (20, 12)]), (48, 80), 64).tolist() == [[0, 0], [64, 64], [16, 16]]


def test_a_painted_mask_becomes_hard_and_square():
    mask = np.zeros((48, 80), np.float32)
    mask[:24] = 0.6
    square = mask_of(mask, 64)
    assert square.shape == (1, 1, 64, 64)
    assert sorted(square.unique().tolist()) == [0.0, 1.0]
    assert float(square[..., :31, :].min()) == 1.0
    assert float(square[..., 33:, :].max()) == 0.0


def test_logits_come_back_at_the_plates_size_without_a_shift():
    ramp = torch.arange(16.0)[None].expand(16, 16).contiguous()
    large = upsampled(ramp, (48, 80))
    assert large.shape == (48, 80)
    assert torch.allclose(large[0, 40] + large[0, 39], torch.tensor(15.0))  # symmetric about the middle
