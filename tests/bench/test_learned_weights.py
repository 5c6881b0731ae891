from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from videomama_server.engines.classic import matte, weighing

torch = pytest.importorskip("torch", reason="learning needs torch")
pytest.importorskip("skimage", reason="the clips have photographs of scikit-image: pip install -e '.[bench]'")
BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def script(load_bench, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the command does; more wait for each other on small layers
    yield load_bench("learned_weights")
    torch.set_num_threads(threads)


@pytest.fixture
def sample(script):
    """Three estimates that are wrong, one of them where its clue says so, and the pool between them."""
    rng = np.random.default_rng(4)
    alpha = rng.random(3000, np.float32)
    clue = rng.normal(size=(3, 3000)).astype(np.float32)
    right = clue[0] > 0
    sampled, spread = np.where(right, alpha, 1 - alpha), np.where(right, 1 - alpha, alpha)
    estimates = np.stack([sampled, spread, np.full(3000, 0.5), np.full(3000, 0.5)]).astype(np.float32)
    return script.Sample("s1.network", clue, estimates, alpha, 1.0)


def test_a_network_learns_which_estimate_is_right_where(script, sample, monkeypatch):
    monkeypatch.setattr(script, "BATCH", 512)
    mad, mse = script.judged(script.learn([sample], 200), sample)
    assert mad[-1] < 0.2
    assert mse[-1] < 0.1
    assert mad[0] == pytest.approx(0.6, abs=0.1)  # a share of 0.4 beside the pool


def test_the_same_samples_teach_the_same(script, sample, tmp_path):
    for name in ("one.npz", "two.npz"):
        script.write(script.learn([sample], 8), tmp_path / name)
    one, two = (np.load(tmp_path / name) for name in ("one.npz", "two.npz"))
    assert all(np.array_equal(one[name], two[name]) for name in one.files)


def test_the_engine_reads_what_was_written_and_finds_the_same(script, sample, tmp_path, monkeypatch):
    learned = script.learn([sample], 30)
    script.write(learned, tmp_path / "weighing.npz")
    monkeypatch.setattr(weighing, "_FILE", tmp_path / "weighing.npz")
    layers = weighing.learned.__wrapped__()
    with torch.no_grad():
        theirs = learned.of(torch.tensor(sample.clues.T), torch.tensor(sample.estimates.T)).clamp(0, 1).numpy()
    ours = weighing._mix(layers.of(sample.clues), sample.estimates)
    assert np.allclose(ours, theirs, atol=1e-4)


def test_a_network_begins_near_the_pool(script, sample):
    with torch.no_grad():
        alpha = script.Net(3)(torch.tensor(sample.clues.T), torch.tensor(sample.estimates.T)).numpy()
    assert np.abs(alpha - 0.5).mean() < 0.2


@pytest.mark.parametrize(("kind", "seed"), [("shape", 5003), ("hair", 301)])
def test_clips_are_plates_and_alphas_and_always_the_same(script, kind, seed):
    plates, alphas = script.learned_clips.pictures(kind, seed)
    again = script.learned_clips.pictures(kind, seed)
    assert [plate.shape for plate in plates] == [(270, 480, 3)] * 3
    assert all(np.array_equal(one, other) for one, other in zip(plates + alphas, again[0] + again[1], strict=True))
    for picture in plates + alphas:
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert (alphas[1] == 1).sum() > 500
    assert (alphas[1] == 0).sum() > 500


def test_no_clip_has_a_seed_that_figures_are_measured_with(script):
    known = list(script.learned_clips.clips())
    assert len({script.learned_clips.name(kind, seed) for kind, seed in known}) == len(known)
    assert {seed for _, seed in known}.isdisjoint({1, 11, 23})
    used = {
        quality for kind, seed in known for quality in script.qualities(script.learned_clips.name(kind, seed), seed)
    }
    assert used == {"exact", "network", "large", "small", "rough"}


def test_what_is_kept_of_a_frame_gives_the_clues_of_the_engine(script, tmp_path):
    plates, alphas = script.learned_clips.pictures("shape", 5003)
    masks = [(alpha >= 0.5).astype(np.float32) for alpha in alphas]
    before = matte.weighed
    known, found, safe = script.seen(plates, masks)
    assert matte.weighed is before
    np.savez(tmp_path / "s3.exact.npz", **script.arrays(known, found, safe, masks[1], alphas[1]))
    sample = script.sampled(tmp_path / "s3.exact.npz")
    count = sample.alpha.size
    assert count == min(script.MOST_PIXELS, known.trimap.unknown.sum())
    whole = weighing.clues(known, found, safe)
    assert np.abs(sample.clues.mean(axis=1) - whole.mean(axis=1)).max() < 0.05
