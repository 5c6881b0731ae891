from __future__ import annotations

import cv2
import numpy as np
from videomama_server.engines.classic import matte
from videomama_server.engines.classic.closed_form import closed_form
from videomama_server.engines.classic.grain import GrainyPlate
from videomama_server.engines.classic.matte import fast_lines, fine_matte, reduced
from videomama_server.engines.classic.shared import SharedMatte, shared_matte
from videomama_server.engines.classic.trimap import trimap_of
from videomama_server.engines.guided_filter import lift_lines
from videomama_server.media.srgb import to_display, to_light
from videomama_server.synthetic.render import ClipSpec, render_frame


def error(alpha, scene):
    return np.abs(alpha - scene.alpha).mean()


def test_fine_is_better_than_fast_and_fast_than_the_mask(scene):
    trimap = trimap_of(scene.mask > 0.5, 5, 20)
    fast = trimap.hold(fast_lines(scene.plate, scene.mask, 0.5).of(scene.plate))
    fine = fine_matte(GrainyPlate(scene.plate), scene.mask, trimap, 0.5, 8)
    assert error(fine, scene) < 0.8 * error(fast, scene)
    assert error(fast, scene) < 0.95 * error(scene.mask, scene)


def test_without_a_band_the_mask_stands(scene):
    trimap = trimap_of(scene.mask > 0.5, 0, 0)
    assert np.array_equal(fine_matte(GrainyPlate(scene.plate), scene.mask, trimap, 0.5, 8), scene.mask)


def test_a_plate_of_one_colour_leaves_a_softened_mask(scene):
    trimap = trimap_of(scene.mask > 0.5, 5, 20)
    alpha = fine_matte(GrainyPlate(np.full_like(scene.plate, 0.4)), scene.mask, trimap, 0.5, 8)
    assert np.isfinite(alpha).all()
    assert np.abs(alpha - scene.mask).mean() < 0.1


def test_reduced_averages_and_never_vanishes():
    assert reduced(np.ones((1, 3), np.float32), 0.1).shape == (1, 1)
    small = reduced(np.arange(16, dtype=np.float32).reshape(4, 4), 0.5)
    assert small.tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_lifting_an_alpha_beats_enlarging_it(scene):
    small = reduced(scene.alpha, 0.5)
    lifted = lift_lines(reduced(scene.plate, 0.5), small).resized(*scene.mask.shape).of(scene.plate)
    assert error(lifted, scene) < error(small.repeat(2, axis=0).repeat(2, axis=1), scene)


def test_heavy_grain_in_the_dark_is_smoothed_for_closed_form_alone(monkeypatch):
    shot = render_frame(ClipSpec("dark_grain", "city", 480, 270, 1, seed=7), 1001)
    plate = to_display(np.clip(shot.plate, 0, 1))
    mask = cv2.dilate((shot.alpha > 0.5).astype(np.float32), np.ones((5, 5)))
    trimap = trimap_of(mask > 0.5, 3, 8)
    spread, sampled = [], []
    monkeypatch.setattr(matte, "closed_form", lambda *given: spread.append(given[0]) or closed_form(*given))
    monkeypatch.setattr(matte, "shared_matte", lambda *given: sampled.append(given[0]) or shared_matte(*given))
    safe = fast_lines(plate, mask, 0.25).of(plate)
    fine_matte(GrainyPlate(plate), mask, trimap, 0.25, 32)
    assert np.array_equal(sampled[0], to_light(plate))
    of_smooth, of_grainy = (closed_form(light, trimap, safe, 0.01) for light in (spread[0], to_light(plate)))
    assert error(of_smooth, shot) < 0.95 * error(of_grainy, shot)


def test_a_blurred_edge_lies_where_light_mixes_evenly_not_the_values_of_pixels(monkeypatch):
    """A bright subject before the dark, whose edge would else lie further out, and the other way round."""
    truth = np.clip((np.arange(100, dtype=np.float32) - 40) / 20, 0, 1)[None].repeat(40, axis=0)
    monkeypatch.setattr(matte, "shared_matte", lambda light, trimap, prior, _: SharedMatte(prior, light, light))
    for front, back in ((0.8, 0.02), (0.02, 0.8)):
        colours = np.float32([1, 0.9, 0.8])
        plate = to_display((truth * front + (1 - truth) * back)[..., None] * colours)
        trimap = trimap_of(truth > 0.5, 14, 14)
        found = []
        monkeypatch.setattr(matte, "closed_form", lambda *given, to=found: to.append(closed_form(*given)) or to[0])
        fine_matte(GrainyPlate(plate), (truth > 0.5).astype(np.float32), trimap, 1.0, 8)
        assert np.abs(found[0] - truth).mean() < 0.01


def test_mattes_are_what_they_always_were(scene, unchanged):
    trimap = trimap_of(scene.mask >= 0.5, 5, 9)
    plate = GrainyPlate(scene.plate)
    for scale, known in ((0.1, [1574817]), (0.3, [1898427])):
        unchanged(fine_matte(plate, scene.mask, trimap, scale, 8.0), known, within=2000)
        lines = fast_lines(scene.plate, scene.mask, scale)
        unchanged(lines.offset / 10, [312547] if scale == 0.1 else [279085], within=500)


def test_where_the_subject_wears_its_background_an_exact_mask_stands_and_a_rough_one_does_not(gravel):
    trimap = trimap_of(gravel.mask > 0.5, 4, 12)
    alphas = [fine_matte(GrainyPlate(gravel.plate), gravel.mask, trimap, 0.5, slack) for slack in (0, 8, 32)]
    errors = [error(alpha, gravel) for alpha in alphas]
    assert errors[0] < 1.2 * error(gravel.mask, gravel)
    assert errors[0] < errors[1] < 0.2 * errors[2]


def test_a_believed_mask_has_the_edge_of_a_picture(gravel):
    alpha = fine_matte(GrainyPlate(gravel.plate), gravel.mask, trimap_of(gravel.mask > 0.5, 4, 12), 0.5, 0)
    beside = cv2.dilate(gravel.mask, np.ones((3, 3))) - cv2.erode(gravel.mask, np.ones((3, 3))) > 0
    assert ((alpha > 0.02) & (alpha < 0.98))[beside].mean() > 0.8
    assert np.abs(alpha - gravel.mask)[~cv2.dilate(beside.astype(np.uint8), np.ones((3, 3))).astype(bool)].max() < 0.1
