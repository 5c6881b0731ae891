from __future__ import annotations

import cv2
import numpy as np
import pytest
from videomama_client.mask_presets import PRESETS, Outline
from videomama_server.engines.classic import band
from videomama_server.engines.classic.band import widened
from videomama_server.engines.classic.trimap import trimap_of

SIZE = (270, 480)
LONG = 960  # of the whole plate, so that lengths are half of those at 1920
EXACT = PRESETS["exact"]
SUBJECT_COLOUR, GROUND = (0.25, 0.15, 0.1), (0.55, 0.65, 0.8)


def body():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.hypot(x - 240, y - 135) < 60


def plate_of(alpha, behind=None):
    ground = np.full((*SIZE, 3), GROUND, np.float32) if behind is None else behind
    grain = np.random.default_rng(3).normal(0, 0.004, (*SIZE, 3))
    mixed = alpha[..., None] * np.array(SUBJECT_COLOUR) + (1 - alpha[..., None]) * ground
    return (mixed + grain).astype(np.float32)


def band_of(plate, subject, least=EXACT):
    trimap = trimap_of(subject, least.trimap_erode / 2, least.trimap_dilate / 2, 0.5)
    return widened(trimap, plate, subject, least, LONG).unknown, trimap.unknown


def strand(first=300, last=328):
    drawn = np.zeros(SIZE, np.float32)
    cv2.line(drawn, (first, 135), (last, 131), 0.8, 2, cv2.LINE_AA)
    return drawn


def writing():
    """Return a background whose bars have the subject's colour, all over the picture."""
    behind = np.full((*SIZE, 3), GROUND, np.float32)
    for row in range(5, SIZE[0], 24):
        behind[row : row + 4] = SUBJECT_COLOUR
    return behind


def test_the_band_follows_a_strand_that_leaves_the_outline():
    lost = strand()
    band, least = band_of(plate_of(np.maximum(body(), lost)), body())
    away = (lost > 0.5) & ~least
    assert away.sum() > 20
    assert band[away].mean() > 0.9
    beside = np.zeros(SIZE, bool)
    beside[:110], beside[160:] = True, True
    assert np.array_equal(band[beside], least[beside])


def test_a_strand_that_is_not_joined_to_the_outline_is_none_of_the_subject():
    band, least = band_of(plate_of(np.maximum(body(), strand(314, 330))), body())
    assert np.array_equal(band, least)


def test_a_clean_edge_keeps_the_least_band():
    band, least = band_of(plate_of(body().astype(np.float32)), body())
    assert np.array_equal(band, least)


def test_texture_that_runs_on_does_not_widen_the_band():
    band, least = band_of(plate_of(body().astype(np.float32), writing()), body())
    assert np.array_equal(band, least)


def test_the_band_reaches_into_gaps_of_a_mask_that_is_too_large():
    gap = np.zeros(SIZE, bool)
    gap[128:132, 290:300] = True
    band, least = band_of(plate_of((body() & ~gap).astype(np.float32)), body(), PRESETS["fair"])
    assert (gap & ~least).sum() > 10
    assert band[gap].all()


def test_light_on_the_subject_s_rim_is_not_a_gap():
    plate = plate_of(body().astype(np.float32))
    rim = np.zeros(SIZE, bool)
    rim[120:140, 288:299] = True
    plate[rim & body()] = (0.9, 0.5, 0.1)  # no mix of subject and background
    band, least = band_of(plate, body(), PRESETS["fair"])
    assert np.array_equal(band & body(), least & body())


def test_what_the_subject_wears_is_not_a_gap():
    plate = plate_of(body().astype(np.float32))
    for row in range(80, 190, 12):
        plate[row : row + 3][body()[row : row + 3]] = GROUND  # stripes that have the background's colour
    band, least = band_of(plate, body(), PRESETS["rough"])
    assert np.array_equal(band & body(), least & body())


def test_a_side_without_a_width_stays_without_one():
    lost, gap = strand(), np.zeros(SIZE, bool)
    gap[128:132, 290:300] = True
    plate = plate_of(np.maximum(body() & ~gap, lost))
    band, _ = band_of(plate, body(), Outline(0.0, 0.0, 40.0))
    assert not band[body()].any()
    band, _ = band_of(plate, body(), Outline(0.0, 8.0, 0.0))
    assert not band[~body()].any()


@pytest.mark.parametrize("left", ["nothing", "a speck"])
def test_a_mask_that_leaves_too_little_to_compare_with_keeps_its_band(left):
    subject = np.ones(SIZE, bool)
    subject[:4, :4] = False
    if left == "a speck":
        subject = ~subject
    plate = np.random.default_rng(1).random((*SIZE, 3)).astype(np.float32)
    trimap = trimap_of(subject, 2, 6, 0.5)
    assert (widened(trimap, plate, subject, EXACT, LONG).foreground <= trimap.foreground).all()


def test_a_larger_plate_has_the_same_band():
    lost = strand()
    plate, subject = plate_of(np.maximum(body(), lost)), body()
    band, _ = band_of(plate, subject)
    large, mask = (cv2.resize(of.astype(np.float32), None, fx=2, fy=2) for of in (plate, subject))
    trimap = trimap_of(mask >= 0.5, EXACT.trimap_erode, EXACT.trimap_dilate, 1.0)
    found = widened(trimap, large, mask >= 0.5, EXACT, 2 * LONG).unknown
    lost_there = cv2.resize(lost, None, fx=2, fy=2) > 0.5
    assert found[lost_there].mean() > 0.9
    assert abs(found.mean() - band.mean()) < 0.1 * band.mean()


@pytest.mark.parametrize(
    ("long_side", "known"),
    [
        (320, [98455, -290182, -379398, 9210, -56467, -826650, 399200, -2761, -93238, -274134]),
        (1500, [120780, 874683, 2492569, -141866, 62215, 159067, -251078, -8113, 191091, 715674]),
    ],
)
def test_what_it_finds_on_the_way_is_what_it_always_was(scene_maker, unchanged, long_side, known):
    scene = scene_maker(height=240, width=320, grain=0.01)
    view = band._view(scene.plate, scene.mask >= 0.5, 6.0, long_side)
    near = view.distance < 90
    shares = [np.zeros(view.distance.shape, np.float32) for _ in range(2)]
    shares[0][near], shares[1][near] = band._shares(view, near)
    certain = [view.distance / 1000, view.core, view.far, *band._strangers(view, 6.0)]
    unchanged(np.dstack([*certain, *shares, *(part / 100 for part in band._mixed(view))]), known, within=500)


@pytest.mark.parametrize(
    ("least", "known"),
    [((6.0, 20.0), [-434222, 378078]), ((0.0, 20.0), [30029, 378078]), ((6.0, 0.0), [-434222, -922692])],
)
def test_bands_are_what_they_always_were(scene_maker, unchanged, least, known):
    scene = scene_maker(height=240, width=320, grain=0.01)
    subject = scene.mask >= 0.5
    wide = widened(trimap_of(subject, *least), scene.plate, subject, Outline(0.0, *least), 1500)
    unchanged(np.dstack([wide.foreground, wide.background]), known)


def test_a_band_of_a_reduced_view_reaches_to_the_middle_between_its_pixels(scene_maker, unchanged):
    """Two thirds of the size: pixels of the plate lie just half way between two of the view."""
    scene = scene_maker(height=240, width=320, grain=0.01)
    subject = scene.mask >= 0.5
    wide = widened(trimap_of(subject, 6.0, 20.0), scene.plate, subject, Outline(0.0, 6.0, 20.0), 1440)
    unchanged(np.dstack([wide.foreground, wide.background]), [-434222, 390790])
