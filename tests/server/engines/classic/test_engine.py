from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from videomama_client.engine_settings import ClassicSettings
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import Engine, EngineFrame
from videomama_server.engines.classic import engine
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.classic.trimap import trimap_of
from videomama_server.media.srgb import to_display
from videomama_server.metrics import dtssd, grad, mad
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.demo_clip import ClipShape, render_frame

ENGINE: Engine = ClassicEngine()


def run(plates, masks, full_size=None, **fields):
    chosen = MatteSettings.of(**fields)
    frames = [
        EngineFrame(1001 + n, mask, full_size or mask.shape, lambda plate=plate: plate)
        for n, (plate, mask) in enumerate(zip(plates, masks, strict=True))
    ]
    return completed([ENGINE.prepare(frame, chosen) for frame in frames], chosen)


def completed(prepared, chosen):
    estimates = list(ENGINE.refine(prepared, chosen))
    return np.stack(ENGINE.complete(estimates, prepared, range(len(prepared)), chosen))


def demo(seed, width, height, count=5):
    shape = ClipShape(width=width, height=height, frames=count, seed=seed)
    frames = [render_frame(shape, number) for number in shape.numbers]
    return [to_display(np.clip(f.plate, 0, 1)) for f in frames], [f.mask for f in frames], [f.alpha for f in frames]


def ratios(result, masks, truth):
    """MAD, GRAD and dtSSD, each as a share of what the masks have."""
    steps = range(1, len(truth))

    def measures(alphas):
        flicker = [dtssd(alphas[n], truth[n], alphas[n - 1], truth[n - 1]) for n in steps]
        pairs = list(zip(alphas, truth, strict=True))
        return [sum(measure(a, t) for a, t in pairs) for measure in (mad, grad)] + [sum(flicker)]

    return [ours / theirs for ours, theirs in zip(measures(result), measures(masks), strict=True)]


@pytest.mark.parametrize(("seed", "width", "height"), [(7, 480, 270), (3, 320, 180), (11, 200, 356)])
def test_the_demo_is_far_better_than_its_masks(seed, width, height):
    plates, masks, truth = demo(seed, width, height)
    error, edges, flicker = ratios(run(plates, masks), masks, truth)
    assert error < 0.75
    assert edges < 0.55
    assert flicker < 0.75


def test_fast_is_better_than_the_masks_too():
    plates, masks, truth = demo(7, 480, 270)
    assert max(ratios(run(plates, masks, quality="fast"), masks, truth)) < 0.95


def test_a_rough_mask_is_far_better_when_its_outline_may_move():
    shape = ClipShape(width=480, height=270, frames=5, seed=7)
    frames = [render_frame(shape, number) for number in shape.numbers]
    plates, truth = [to_display(np.clip(f.plate, 0, 1)) for f in frames], [f.alpha for f in frames]
    rough = parse("down16", seed=1).of(5)
    masks = [rough.mask(index, alpha) for index, alpha in enumerate(truth)]
    held = ratios(run(plates, masks, mask_slack=0.0), masks, truth)
    moved = ratios(run(plates, masks), masks, truth)
    assert moved[0] < 0.85 * held[0]  # the band that follows the plate helps the outline that is held, too
    assert moved[1] < 0.85 * held[1]


def test_a_mask_that_ends_two_rows_before_the_edge_loses_nothing_there():
    rng = np.random.default_rng(2)
    subject = np.zeros((135, 240), np.float32)
    subject[40:, 80:160] = 1
    plate = np.where(subject[..., None] > 0, np.array((0.2, 0.3, 0.5)), np.array((0.7, 0.5, 0.4)))
    plate = (plate + rng.normal(0, 0.01, plate.shape)).astype(np.float32)
    mask = subject.copy()
    mask[-2:] = 0
    alpha = run([plate], [mask], (540, 960), mask_quality="exact")[0]
    assert alpha[-2:, 84:156].min() > 0.9
    assert alpha[-2:, :70].max() < 0.05


def test_a_frame_is_solved_once_however_many_neighbours_ask(scene, monkeypatch):
    chosen, solved = MatteSettings.of(quality="fast"), []
    prepared = [ENGINE.prepare(EngineFrame(n, scene.mask, (540, 960), lambda: scene.plate), chosen) for n in range(6)]
    estimates = list(ENGINE.refine(prepared, chosen))
    fast = engine.fast_lines
    monkeypatch.setattr(engine, "fast_lines", lambda *given: solved.append(1) or fast(*given))
    whole = ENGINE.complete(estimates, prepared, range(6), chosen)
    again = ENGINE.complete(estimates[1:], prepared[1:], [2], chosen)
    assert len(solved) == 6
    assert np.array_equal(again[0], whole[3])


@pytest.mark.parametrize("quality", ["fast", "high"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_or_full_mask_is_its_own_alpha_and_needs_no_plate(quality, value):
    def forbidden():
        raise AssertionError("the plate was asked for")

    chosen = MatteSettings.of(quality=quality)
    frame = EngineFrame(1, np.full((20, 30), value, np.float32), (1080, 1920), forbidden)
    result = completed([ENGINE.prepare(frame, chosen)] * 2, chosen)
    assert (result == value).all()


def test_what_the_mask_is_sure_of_is_exact(scene):
    result = run([scene.plate] * 2, [scene.mask] * 2, (540, 960), mask_slack=0.0)[0]
    trimap = trimap_of(scene.mask >= 0.5, 5, 20)
    assert (result[trimap.foreground] == 1).all()
    assert (result[trimap.background] == 0).all()
    assert 0 < trimap.unknown.mean() < 0.6


def test_radii_scale_with_the_plate_and_not_with_the_crop(scene):
    part = np.s_[20:100, 30:130]
    chosen = MatteSettings.of(mask_slack=0, quality="fast")  # whose band does not follow the plate

    def unknown(mask, plate):
        prepared = ENGINE.prepare(EngineFrame(1, mask, (120, 160), lambda: plate), chosen)
        return prepared.solved(ENGINE.refine([prepared], chosen)[0], ClassicSettings.of(chosen)).trimap.unknown

    whole = unknown(scene.mask, scene.plate)
    assert np.array_equal(unknown(np.ascontiguousarray(scene.mask[part]), scene.plate[part]), whole[part])


@pytest.mark.parametrize(("long_side", "share"), [(480, 1), (960, 2), (1920, 2), (3840, 4)])
def test_fast_solves_large_plates_smaller(long_side, share, scene):
    chosen = MatteSettings.of(quality="fast")
    frame = EngineFrame(1, scene.mask, (long_side * 9 // 16, long_side), lambda: scene.plate)
    prepared = ENGINE.prepare(frame, chosen)
    solved = prepared.solved(ENGINE.refine([prepared], chosen)[0], ClassicSettings.of(chosen))
    assert solved.alpha.shape == (120 // share, 160 // share)
    assert completed([prepared], chosen)[0].shape == (120, 160)


def test_fast_keeps_a_subject_that_half_the_plate_would_lose(scene):
    mask = np.zeros_like(scene.mask)
    mask[61, 61] = 1
    result = run([scene.plate], [mask], (1080, 1920), quality="fast", mask_slack=0.0)[0]
    assert result.max() == 1


@pytest.mark.parametrize(("quality", "share"), [("fast", 1.0), ("high", 0.5)])
def test_a_plate_beyond_1920_is_solved_smaller_and_lifted(quality, share, scene_maker):
    scene = scene_maker(height=240, width=320)
    mask = np.roll(scene.mask, 8, axis=1)
    result = run([scene.plate], [mask], (2160, 3840), quality=quality)[0]
    assert result.shape == (240, 320)
    assert np.abs(result - scene.alpha).mean() < share * np.abs(mask - scene.alpha).mean()


@pytest.mark.parametrize(
    ("fields", "reach"),
    [
        ({"mask_slack": 0.0, "trimap_dilate": 0.0}, 40.0),  # room for the filters, at the least
        ({"mask_slack": 0.0, "trimap_dilate": 12.0}, 70.0),  # strands are followed so far
        ({"mask_slack": 0.0, "trimap_dilate": 100.0}, 100.0),
        ({"mask_slack": 30.0, "trimap_dilate": 100.0}, 130.0),
        ({"mask_slack": 30.0, "trimap_dilate": 100.0, "mask_grow": 20.0}, 150.0),
        ({"mask_slack": 30.0, "trimap_dilate": 100.0, "mask_grow": -20.0}, 130.0),
    ],
    ids=str,
)
def test_the_region_reaches_as_far_as_the_trimap_the_slack_and_the_grown_mask(fields, reach):
    rule = ClassicEngine().rule(MatteSettings.of(**fields))
    assert rule.padding_pixels == pytest.approx(1.2 * reach)
    assert rule.reach == fields["trimap_dilate"]


def test_a_soft_mask_is_cut_at_the_threshold(scene):
    soft = scene.mask * 0.4
    assert (run([scene.plate], [soft]) == 0).all()
    assert run([scene.plate], [soft], mask_threshold=0.3).max() == 1


def test_prepare_depends_on_its_frame_alone(scene, scene_maker):
    frame = EngineFrame(7, scene.mask, (540, 960), lambda: scene.plate)
    first = ENGINE.prepare(frame, MatteSettings())
    run([scene_maker(seed=3).plate], [scene.mask])
    again = ENGINE.prepare(EngineFrame(99, scene.mask, (540, 960), lambda: scene.plate), MatteSettings())
    assert np.array_equal(first.view.colour, again.view.colour)
    assert np.array_equal(first.plate, again.plate)


PLATES = {
    "black": lambda rng, shape: np.zeros((*shape, 3), np.float32),
    "white": lambda rng, shape: np.ones((*shape, 3), np.float32),
    "noise": lambda rng, shape: rng.random((*shape, 3)).astype(np.float32),
}
MASKS = {
    "pixel": lambda rng, shape: np.eye(1, shape[0] * shape[1], shape[0] * shape[1] // 2, dtype=np.float32).reshape(
        shape
    ),
    "hole": lambda rng, shape: 1 - MASKS["pixel"](rng, shape),
    "half": lambda rng, shape: np.broadcast_to(np.arange(shape[1]) < shape[1] / 2, shape).astype(np.float32),
    "specks": lambda rng, shape: (rng.random(shape) > 0.7).astype(np.float32),
    "soft": lambda rng, shape: rng.random(shape).astype(np.float32),
}


@settings(max_examples=60)
@given(
    shape=st.sampled_from([(16, 16), (1, 1), (1, 40), (40, 1), (17, 200), (64, 48)]),
    full_size=st.sampled_from([(64, 200), (1080, 1920), (4320, 7680)]),
    plate=st.sampled_from(sorted(PLATES)),
    mask=st.sampled_from(sorted(MASKS)),
    quality=st.sampled_from(["fast", "high"]),
    radii=st.sampled_from([(10.0, 40.0), (0.0, 0.0), (0.5, 0.25), (0.001, 499.5), (500.0, 500.0)]),
    slack=st.sampled_from([0.0, 0.01, 32.0, 200.0]),
)
def test_any_frame_gives_a_legal_alpha(shape, full_size, plate, mask, quality, radii, slack):
    rng = np.random.default_rng(0)
    plates = [PLATES[plate](rng, shape) for _ in range(3)]
    masks = [MASKS[mask](rng, shape) for _ in range(3)]
    chosen = {"quality": quality, "trimap_erode": radii[0], "trimap_dilate": radii[1], "mask_slack": slack}
    result = run(plates, masks, full_size, **chosen)
    assert result.shape == (3, *shape)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1


DIGEST = """
import hashlib, sys
import cv2
import numpy as np
from videomama_client.engine_settings import ClassicSettings
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.classic.engine import ClassicEngine
cv2.setNumThreads(int(sys.argv[1]))
assert "numba" not in sys.modules and "torch" not in sys.modules
rng, engine, digest = np.random.default_rng(1), ClassicEngine(), hashlib.blake2b()
plates = [cv2.GaussianBlur(rng.random((210, 270, 3)).astype(np.float32), (0, 0), 2) * 2 % 1 for _ in range(2)]
mask = (np.hypot(*np.mgrid[-105:105, -135:135]) < 60).astype(np.float32)
for quality in ("fast", "high"):
    for full_size in ((210, 270), (540, 960), (2160, 3840)):
        settings = MatteSettings.of(quality=quality)
        frames = [EngineFrame(n, mask, full_size, lambda n=n: plates[n]) for n in range(2)]
        prepared = [engine.prepare(frame, settings) for frame in frames]
        estimates = engine.refine(prepared, settings)
        for alpha in engine.complete(list(estimates), prepared, range(2), settings):
            digest.update(alpha.tobytes())
print(digest.hexdigest())
"""


def test_every_process_and_any_number_of_threads_gives_the_same_bits():
    """BLAS too splits long sums among its threads; the picture is large enough for it to do so."""
    digests = set()
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", DIGEST, threads]
        digests.add(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
    assert len(digests) == 1
