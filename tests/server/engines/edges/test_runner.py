from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from videomama_client.errors import BadInput, OutOfMemory
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.edges import runner as runners
from videomama_server.engines.edges.runner import Footprint, TileRunner

SIZE = (2000, 3000)


class Mean(torch.nn.Module):
    """Answers with the mean of the channels, a little out of range."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1.5))

    def forward(self, plate, trimap):
        return plate.mean(dim=1, keepdim=True) * self.scale


@pytest.fixture
def config(tmp_path):
    return EngineConfig(tmp_path, tmp_path, device="cpu")


@pytest.fixture
def free(monkeypatch):
    """Set the bytes that are free."""
    return lambda count: monkeypatch.setattr(runners.device, "free_bytes", lambda _: count)


def made(config, load=Mean):
    return TileRunner(config, load, Footprint(0, 1000.0, 0.0))


def test_an_alpha_comes_back_in_range_and_the_network_is_loaded_once(config):
    loads = []
    runner = made(config, lambda: loads.append(1) or Mean())
    assert runner.usage() is None
    plate = np.full((40, 50, 3), 0.9, np.float32)
    plate[:20] = 0.2
    for _ in range(2):
        alpha = runner.estimate(plate, np.full((40, 50), 128, np.uint8))
    assert alpha.dtype == np.float32
    np.testing.assert_allclose(alpha[0], 0.3, atol=1e-6)
    assert (alpha[20:] == 1).all()
    assert loads == [1]
    assert runner.usage().resident_bytes == 4
    assert runner.name == "cpu, float32"
    runner.release()
    assert runner.usage() is None


def test_the_largest_tile_that_fits_in_a_share_of_what_is_free_is_taken(config, free):
    runner, sides = made(config), (1024, 768, 512)
    for available, side in [(10**10, 1024), (8 * 10**8, 768), (4 * 10**8, 512)]:
        free(available)
        assert runner.side(sides, SIZE) == side
    free(4 * 10**8)
    assert runner.side(sides, (300, 400)) == 1024  # a tile is never larger than the region
    free(10**6)
    with pytest.raises(OutOfMemory, match=r"a tile of 512 pixels takes 0\.3 GB on cpu") as refused:
        runner.side(sides, SIZE)
    assert "--tile" in refused.value.hint


def test_other_engines_let_go_before_a_job_fails(config, free):
    asked = []

    def make_room():
        asked.append(1)
        free(10**10)
        return True

    runner = made(replace(config, make_room=make_room))
    free(10**6)
    assert runner.side((512,), SIZE) == 512
    free(5 * 10**8)
    assert runner.side((1024, 512), SIZE) == 1024  # a smaller tile would do, but the best is asked for
    assert len(asked) == 2
    assert runner.side((1024, 512), SIZE) == 1024
    assert len(asked) == 2


def test_a_tile_that_did_not_fit_is_not_tried_again(config, free):
    free(10**10)

    class Full(Mean):
        def forward(self, plate, trimap):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    runner = made(config, Full)
    with pytest.raises(OutOfMemory, match="a tile of 768 pixels does not fit"):
        runner.estimate(np.zeros((600, 768, 3), np.float32), np.zeros((600, 768), np.uint8))
    assert runner.side((1024, 768, 512), SIZE) == 512


def test_an_error_of_another_kind_stays_what_it_is(config):
    class Broken(Mean):
        def forward(self, plate, trimap):
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        made(config, Broken).estimate(np.zeros((32, 32, 3), np.float32), np.zeros((32, 32), np.uint8))


def test_a_device_that_is_not_there_is_refused(config):
    with pytest.raises(BadInput, match="there is no device"):
        made(replace(config, device="cuda:7"))


def test_pairs_of_tokens_count_by_the_square():
    footprint = Footprint(weights=100, per_pixel=0.0, per_pair=1.0)
    assert footprint.of(512, 512) == 100 + 1024**2
