import cv2
import numpy as np
from videomama_server.engines.segment.lift import lifted


def test_what_is_certain_is_enlarged_as_it_is():
    alpha = np.zeros((16, 16), np.float32)
    alpha[:, :8] = 1
    plate = np.random.default_rng(0).random((48, 80, 3), np.float32)
    found = lifted(alpha, plate)
    assert found.shape == (48, 80)
    assert found.dtype == np.float32
    assert found[:, :32].min() == 1.0
    assert found[:, 48:].max() == 0.0


def test_soft_edges_follow_the_plate():
    y, x = np.mgrid[:240, :240].astype(np.float32)
    truth = np.clip(61 - np.hypot(x - 120, y - 120), 0, 1)
    plate = np.float32([0.9, 0.2, 0.1]) * truth[..., None] + np.float32([0.1, 0.3, 0.6]) * (1 - truth[..., None])
    small = cv2.resize(truth, (24, 24), interpolation=cv2.INTER_AREA)
    plain = cv2.resize(small, (240, 240), interpolation=cv2.INTER_LINEAR)
    assert np.abs(lifted(small, plate) - truth).mean() < 0.3 * np.abs(plain - truth).mean()
