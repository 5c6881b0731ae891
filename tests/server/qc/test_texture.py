"""What is ragged inside or faint outside is told from soft edges, however wide."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from videomama_server.qc.regions import regions
from videomama_server.qc.texture import Texture, texture

SIZE = (270, 480)


def disc(x, y, radius, soft=1.0):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((radius - np.hypot(columns - x, rows - y)) / soft + 0.5, 0, 1).astype(np.float32)


MASK = disc(240, 135, 80) >= 0.5


def measured(alpha, mask=MASK):
    return texture(regions(mask, alpha), alpha)


@pytest.mark.parametrize("soft", [1, 12, 40])
def test_soft_edges_are_not_ragged(soft):
    found = measured(disc(240, 135, 80, soft))
    assert found.ragged < 0.005
    assert (found.strands, found.remains) == (0, 0)


def test_a_see_through_patch_is_ragged_wherever_it_lies():
    for x in (240, 300):
        found = measured(disc(240, 135, 80, 2) * (1 - 0.5 * disc(x, 135, 16, 6)))
        assert found.ragged > 0.1
        assert found.see_through > 0.03


def test_a_veil_is_even_and_strands_are_not():
    clean = disc(240, 135, 80, 2)
    veil = measured(np.maximum(clean, 0.1 * disc(240, 135, 96)))
    assert veil.veil > 0.5
    assert veil.strands == 0
    drawn = clean.copy()
    for angle in np.linspace(0, 2 * np.pi, 20):
        end = round(240 + 110 * np.cos(angle)), round(135 + 110 * np.sin(angle))
        drawn = np.maximum(drawn, cv2.line(np.zeros_like(clean), (240, 135), end, 0.4, 1))
    found = measured(drawn)
    assert found.strands > 0.02
    assert found.veil < 0.02
    assert found.remains == 0


@pytest.mark.parametrize(("x", "y", "radius"), [(240, 135, 60), (8, 250, 40), (470, 10, 90), (240, 135, 200)])
def test_the_ring_around_a_mask_is_measured_as_on_the_whole_frame(x, y, radius):
    mask = disc(x, y, radius) >= 0.5
    alpha = np.random.default_rng(radius).random(SIZE, dtype=np.float32) ** 6
    where = regions(mask, alpha)
    whole = replace(where, reach=(slice(None), slice(None)))
    assert texture(where, alpha) == texture(whole, alpha)
    assert texture(where, alpha).strands > 0


def test_around_a_mask_of_a_few_pixels_nothing_is_called_a_strand():
    small = cv2.resize(disc(240, 135, 80, 2), (64, 36), interpolation=cv2.INTER_AREA)
    small[18, 30:] = 0.6
    found = measured(small, small >= 0.5)
    assert (found.strands, found.veil) == (0, 0)


def test_remains_hang_together_with_no_subject():
    clean = disc(240, 135, 80, 2)
    assert measured(np.maximum(clean, 0.2 * disc(360, 135, 5))).remains > 0.003
    assert measured(np.maximum(clean, disc(360, 135, 5))).remains == 0  # a ball, say, that the mask lost


def test_of_almost_no_mask_nothing_is_said():
    assert measured(disc(240, 135, 80), disc(10, 10, 1) >= 0.5).see_through is None
    assert measured(np.zeros(SIZE, np.float32), np.zeros(SIZE, bool)).veil == 0


def test_the_scores_are_what_they_always_were(unchanged):
    """Reports hold them under a version: whoever changes these numbers raises it."""
    rng = np.random.default_rng(3)
    alpha = disc(240, 135, 80, 9) * (1 - 0.5 * disc(220, 130, 16, 6))
    alpha = np.maximum(alpha, 0.25 * disc(240, 135, 96, 30) * rng.random(SIZE, np.float32))
    alpha = np.maximum(alpha, 0.06 * (rng.random(SIZE, np.float32) > 0.97))
    alpha = np.maximum(alpha, 0.3 * disc(60, 60, 20, 8))
    alpha = np.maximum(alpha, 0.6 * disc(420, 220, 9, 4)).astype(np.float32)
    found = measured(alpha)
    unchanged([found.see_through, found.ragged, found.veil, found.strands, found.remains], [-1506145])


def flat(value, size=SIZE):
    return np.full(size, value, np.float32)


@pytest.mark.parametrize(("count", "said"), [(15, False), (16, True)])
def test_of_a_few_pixels_nothing_is_said(count, said):
    mask = np.zeros(SIZE, bool)
    mask[100, 100 : 100 + count] = True
    found = texture(regions(mask, flat(0.0)), np.where(mask, 1, flat(0.03)).astype(np.float32))
    assert (found.veil > 0) == said
    assert found.see_through is None
    assert texture(regions(np.zeros(SIZE, bool), flat(0.0)), flat(0.0)) == Texture()
    assert Texture() == Texture(None, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("level", "part"), [(0.89, 1), (0.91, 0)])
def test_below_nine_tenths_alpha_is_seen_through(level, part):
    assert measured(MASK * np.float32(level)).see_through == part


@pytest.mark.parametrize(("level", "part"), [(0.019, 0), (0.021, 1), (0.299, 1), (0.301, 0)])
def test_a_veil_is_brighter_than_a_trace_and_fainter_than_a_subject(level, part):
    assert measured(np.maximum(disc(240, 135, 80), np.float32(level))).veil == part


@pytest.mark.parametrize(("width", "said"), [(205, False), (206, True)])
def test_in_a_frame_so_small_that_the_ring_is_jagged_there_is_no_veil(width, said):
    mask = np.zeros((116, width), bool)
    mask[40:70, 80:110] = True
    alpha = np.where(mask, 1, flat(0.1, mask.shape)).astype(np.float32)
    assert (texture(regions(mask, alpha), alpha).veil > 0) == said


@pytest.mark.parametrize(("distance", "counted"), [(27, False), (29, True), (71, True), (73, False)])
def test_the_ring_lies_between_28_and_72_pixels_from_the_mask(distance, counted):
    mask = np.zeros((108, 1920), bool)
    mask[:, :600] = True
    alpha = mask.astype(np.float32)
    alpha[:, 599 + distance - 1 : 599 + distance + 2] = 0.1
    assert (texture(regions(mask, alpha), alpha).veil > 0.03) == counted


def test_what_hangs_together_with_the_subject_are_no_remains():
    mask = np.zeros(SIZE, bool)
    mask[100:150, 100:150] = True
    alpha = mask.astype(np.float32)
    alpha[120:130, 150:200] = 0.03  # joined to the mask
    alpha[20:30, 20:30] = 0.03
    alpha[20:30, 60:70], alpha[25, 65] = 0.03, 0.51  # a subject of its own
    alpha[60:70, 20:30] = 0.019
    assert measured(alpha, mask).remains == 100 / 2500


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Texture) == {"ragged": 0.0, "veil": 0.0, "strands": 0.0, "remains": 0.0}
