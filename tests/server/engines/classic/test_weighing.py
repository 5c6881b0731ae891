from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from videomama_server.engines.classic import matte, weighing
from videomama_server.engines.classic.grain import GrainyPlate
from videomama_server.engines.classic.matte import fine_matte
from videomama_server.engines.classic.trimap import Trimap, trimap_of
from videomama_server.engines.classic.weighing import Estimated, Known, Layers, clues, learned, weighed
from videomama_server.media.srgb import to_display
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.render import ClipSpec, render_frame

SIZE = (60, 80)


def flat(value):
    return np.full(SIZE, value, np.float32)


def known(slack=8.0, scale=0.5):
    mask = np.zeros(SIZE, np.float32)
    mask[:, :40] = 1
    plate = np.random.default_rng(1).random((*SIZE, 3), np.float32)
    return Known(plate, mask, trimap_of(mask > 0.5, 6, 10), flat(0.02), flat(0.8), flat(0.7), scale, slack)


def estimated(pooled=0.5):
    return Estimated(flat(0.4), flat(0.6), flat(0.5), flat(pooled))


def test_only_the_band_is_weighed():
    of, found = known(), estimated()
    alpha = weighed(of, found, flat(0.5), flat(1))
    band = of.trimap.unknown
    assert np.array_equal(alpha[~band], found.pooled[~band])
    assert not np.array_equal(alpha[band], found.pooled[band])
    assert np.all(found.pooled == 0.5)


def test_where_colours_do_not_tell_the_pool_stands():
    of, found, told = known(), estimated(), flat(1)
    told[:30] = 0
    alpha = weighed(of, found, flat(0.5), told)
    assert np.array_equal(alpha[:30], found.pooled[:30])
    assert not np.array_equal(alpha[30:], found.pooled[30:])


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_the_result_is_an_alpha_and_a_third_of_it_the_pool(value):
    of = known()
    alpha = weighed(of, Estimated(flat(value), flat(1 - value), flat(0.5), flat(value)), flat(0.5), flat(1))
    assert alpha.dtype == np.float32
    assert np.abs(alpha - value).max() <= 0.65 + 1e-6
    assert alpha.min() >= 0
    assert alpha.max() <= 1


def test_it_has_more_of_a_say_where_the_outline_is_hardly_off(monkeypatch):
    monkeypatch.setattr(weighing, "clues", lambda known, *_: np.zeros((22, known.trimap.unknown.sum()), np.float32))
    moved = {slack: weighed(known(slack), estimated(0.9), flat(0.5), flat(1)) - 0.9 for slack in (0.0, 8.0, 16.0, 32.0)}
    assert np.array_equal(moved[0.0], moved[8.0])
    assert np.array_equal(moved[16.0], moved[32.0])
    assert np.abs(moved[8.0]).max() > 0
    assert np.allclose(moved[8.0] / 0.65, moved[16.0] / 0.5, atol=1e-5)


def test_every_clue_is_finite_in_odd_frames():
    for of in (known(slack=0.0), known(scale=2.0), known(scale=0.1)):
        for found in (estimated(0.0), estimated(1.0)):
            given = clues(of, found, flat(0.5))
            assert given.shape == (len(learned().mean), of.trimap.unknown.sum())
            assert np.isfinite(given).all()


def test_a_mask_without_an_outline_gives_clues():
    trimap = Trimap(np.zeros(SIZE, bool), np.zeros(SIZE, bool))
    trimap.foreground[:5], trimap.background[-5:] = True, True
    of = Known(np.zeros((*SIZE, 3), np.float32), flat(1), trimap, flat(0), flat(0), flat(0), 0.5, 8.0)
    assert np.isfinite(weighed(of, estimated(), flat(0.5), flat(1))).all()


def test_layers_are_those_of_a_plain_network():
    rng = np.random.default_rng(3)
    sizes = (4, 3, 3, 2)
    weights = tuple(rng.normal(size=pair).astype(np.float32) for pair in pairwise(sizes))
    offsets = tuple(rng.normal(size=count).astype(np.float32) for count in sizes[1:])
    layers = Layers(rng.random(4, np.float32), rng.random(4, np.float32) + 1, weights, offsets)
    given = rng.normal(size=(4, 50)).astype(np.float32)
    values = ((given.T - layers.mean) / layers.spread).clip(-4, 4)
    for number, (weight, offset) in enumerate(zip(weights, offsets, strict=True)):
        values = (np.maximum(values, 0) if number else values) @ weight + offset
    assert np.allclose(layers.of(given), values.T, atol=1e-5)


def test_what_was_learned_is_small_and_whole():
    layers = learned()
    assert [weight.shape for weight in layers.weights] == [(len(layers.mean), 16), (16, 16), (16, 5)]
    assert all(np.isfinite(part).all() for part in (*layers.weights, *layers.offsets, layers.mean, layers.spread))
    assert (layers.spread > 0).all()


@pytest.mark.parametrize("kind", ["hair", "motion_blur", "defocus"])
def test_it_brings_the_alpha_of_an_unseen_clip_nearer_to_the_truth(kind, monkeypatch):
    shot = render_frame(ClipSpec(kind, "wall", 480, 270, 1, seed=7), 1001)
    mask = parse("network", 7).of(1).mask(0, shot.alpha)
    plate, trimap = GrainyPlate(to_display(np.clip(shot.plate, 0, 1))), trimap_of(mask > 0.5, 1.5, 5)
    alpha = fine_matte(plate, mask, trimap, 0.25, 8)
    monkeypatch.setattr(matte, "weighed", lambda known, found, *_: found.pooled)
    pool = fine_matte(plate, mask, trimap, 0.25, 8)
    error, before = (np.abs(one - shot.alpha)[trimap.unknown].mean() for one in (alpha, pool))
    assert error < 0.97 * before


def test_the_bits_do_not_depend_on_the_number_of_threads():
    program = (
        "import hashlib, numpy as np; from videomama_server.engines.classic.weighing import learned; "
        "given = np.random.default_rng(5).normal(size=(len(learned().mean), 20000)).astype(np.float32); "
        "print(hashlib.sha256(learned().of(given).tobytes()).hexdigest())"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for threads in ("1", "4")
    ]
    assert found[0] == found[1]
