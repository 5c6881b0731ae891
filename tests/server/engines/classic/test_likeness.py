from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_server.engines.classic.likeness import sufficient, told
from videomama_server.engines.classic.trimap import Trimap, trimap_of


def of(scene, plate, scale=0.25):
    trimap = trimap_of(scene.mask > 0.5, 3, 6)
    return told(plate.astype(np.float32), trimap, scale)[trimap.unknown]


def test_colours_of_their_own_tell_the_sides_apart(scene):
    assert np.median(of(scene, scene.plate)) > 0.6


def test_the_same_texture_on_both_sides_tells_nothing(gravel):
    assert np.median(of(gravel, gravel.plate)) < 0.15


def test_texture_of_two_colours_tells_them_apart(gravel):
    tinted = gravel.plate * np.where(gravel.mask[..., None] > 0, (1, 0.6, 0.5), 1)
    assert np.median(of(gravel, tinted)) > 2 * np.median(of(gravel, gravel.plate)) + 0.2


def test_one_part_may_be_told_apart_and_another_not(gravel):
    left = np.arange(gravel.mask.shape[1]) < 90
    tinted = gravel.plate * np.where((gravel.mask * left)[..., None] > 0, (1, 0.5, 0.4), 1)
    trimap = trimap_of(gravel.mask > 0.5, 3, 6)
    found = told(tinted.astype(np.float32), trimap, 0.25)
    assert found[81, 49] > found[81, 148] + 0.2


def test_a_large_plate_is_judged_by_the_same_texture(gravel):
    large = cv2.resize(gravel.plate, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    trimap = trimap_of(gravel.mask > 0.5, 3, 6)
    bigger = Trimap(*(np.kron(side, np.ones((3, 3))) > 0 for side in (trimap.foreground, trimap.background)))
    found = told(large, bigger, 0.75)
    assert found.shape == bigger.foreground.shape
    assert found[bigger.unknown].mean() == pytest.approx(of(gravel, gravel.plate).mean(), abs=0.05)


def test_without_a_band_nothing_is_in_doubt(scene):
    everything = np.ones(scene.mask.shape, bool)
    assert (told(scene.plate, Trimap(everything, ~everything), 0.25) == 1).all()


def test_with_one_side_alone_the_answer_is_neither(scene):
    nowhere = np.zeros(scene.mask.shape, bool)
    ring = cv2.dilate(scene.mask, np.ones((9, 9))) > 0
    found = told(scene.plate, Trimap(nowhere, ~ring), 0.25)
    assert np.isfinite(found).all()
    assert 0.2 < np.median(found[ring]) < 0.8


def test_a_worse_mask_needs_less_evidence():
    evidence = np.full((2, 2), 0.1, np.float32)
    assert (sufficient(evidence, 0) == evidence).all()
    assert (sufficient(evidence, 32) > sufficient(evidence, 8)).all()


@pytest.mark.parametrize(("scale", "known"), [(0.25, [131998]), (0.6, [454147])])
def test_what_colours_tell_is_what_they_always_told(gravel, unchanged, scale, known):
    tinted = (gravel.plate * np.where(gravel.mask[..., None] > 0, (1, 0.85, 0.8), 1)).astype(np.float32)
    found = told(tinted, trimap_of(gravel.mask > 0.5, 3, 6), scale)
    unchanged(found, known, within=500)


def test_a_mask_may_be_off_by_a_pixel_for_each_twenty_fifth_of_evidence():
    assert sufficient(np.zeros((1, 1), np.float32), 25.0)[0, 0] == pytest.approx(1.0)
