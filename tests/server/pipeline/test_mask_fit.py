"""How far masks are off, measured on pictures whose outline is known."""

from dataclasses import astuple

import cv2
import numpy as np
import pytest
from videomama_client.mask_presets import EXACT, FAIR, GOOD, ROUGH
from videomama_server.pipeline import mask_fit
from videomama_server.pipeline.mask_fit import UNSURE, Fit, Verdict, fit_of, judged

WIDTH, HEIGHT = 960, 540  # half of the size that distances are stated at


def shape(grow=0.0, width=WIDTH, height=HEIGHT):
    """A head with a hole, larger by `grow` pixels at 1920 wide."""
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(WIDTH / width)
    head = np.hypot((x - 430) / 1.3, y - 260) - 150
    return np.maximum(head, 45 - np.hypot(x - 430, y - 250)) <= grow * WIDTH / 1920


def plate_of(subject, seed=0, contrast=0.5):
    """The shape in one colour over another, both with some texture, a soft edge between them."""
    rng = np.random.default_rng(seed)
    height, width = subject.shape
    texture = cv2.resize(rng.random((40, 70, 3), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    cover = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), 1.2)[..., None]
    plate = 0.25 + np.array([contrast, 0.1, 0.0], np.float32) * cover + 0.12 * (texture - 0.5)
    return np.clip(plate, 0, 1).astype(np.float32)


def verdict(mask, **options):
    fits = [fit_of(plate_of(shape(), seed, **options), mask) for seed in range(3)]
    return judged([fit for fit in fits if fit])


@pytest.mark.parametrize(
    ("grow", "quality"),
    [(0, EXACT), (5, GOOD), (-5, GOOD), (10, FAIR), (-10, FAIR), (20, ROUGH), (-20, ROUGH), (32, ROUGH), (-32, ROUGH)],
)
def test_the_quality_follows_how_far_the_outline_is_off(grow, quality):
    found = verdict(shape(grow))
    assert found.quality == quality
    assert found.offset == pytest.approx(grow, abs=2)


def test_an_outline_that_wobbles_is_off_to_neither_side():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wobble = np.sin(8 * np.arctan2(y - 260, x - 430))
    found = verdict(np.where(wobble > 0, shape(8), shape(-8)))
    assert found.quality in (GOOD, FAIR)
    assert abs(found.offset) < 6


@pytest.mark.parametrize("factor", [0.5, 2.5])
def test_the_size_of_the_picture_does_not_matter(factor):
    width, height = round(WIDTH * factor), round(HEIGHT * factor)
    fit = fit_of(plate_of(shape(0, width, height)), shape(16, width, height))
    assert judged([fit]).offset == pytest.approx(16, abs=3)


@pytest.mark.parametrize(("grow", "qualities"), [(0, {EXACT}), (14, {FAIR, ROUGH}), (-14, {FAIR, ROUGH})])
def test_in_texture_that_is_the_same_on_both_sides_all_lines_together_tell(grow, qualities):
    rng = np.random.default_rng(7)
    noise = (cv2.GaussianBlur(rng.random((HEIGHT, WIDTH), np.float32), (0, 0), 4) for _ in range(2))
    stones = np.where(shape(), *noise) > 0.5
    plate = np.repeat(np.where(stones, np.float32(0.7), np.float32(0.3))[..., None], 3, axis=2)
    fit = fit_of(plate, shape(grow))
    assert min(fit.edge_away, fit.change_away) > 14
    assert judged([fit]).quality in qualities


def test_a_small_plate_says_nothing():
    assert fit_of(plate_of(shape(0, 320, 180)), shape(0, 320, 180)) is not None
    assert fit_of(plate_of(shape(0, 318, 179)), shape(0, 318, 179)) is None


def test_a_plate_that_shows_no_edge_says_nothing():
    rng = np.random.default_rng(5)
    noise = rng.random((HEIGHT, WIDTH, 3)).astype(np.float32)
    assert judged([fit_of(noise, shape())]) == Verdict(UNSURE)


def test_without_an_outline_nobody_knows():
    plate = plate_of(shape())
    speck = np.zeros((HEIGHT, WIDTH), bool)
    speck[200:203, 200:203] = True
    assert fit_of(plate, speck) is None
    assert fit_of(plate, np.zeros_like(speck)) is None
    assert fit_of(plate, np.ones_like(speck)) is None  # the frame's edge is no outline
    half = np.zeros_like(speck)
    half[:2] = True
    assert fit_of(plate, half) is None  # all of it too near the frame's edge
    assert judged([]) == Verdict(UNSURE)


def test_a_clip_is_judged_by_the_median_of_its_frames():
    steady, wild = Fit(1, 2, 1.5, 2.5, 5, 30), Fit(-40, 44, -39, 45, 9, 30)
    assert judged([steady, wild, steady]) == Verdict(EXACT)
    assert judged([steady, wild, wild]) == Verdict(ROUGH, 39)


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        (Fit(0, 3, 0, 9, 5, 30), Verdict(EXACT)),
        (Fit(0, 3.5, 0, 9, 5, 30), Verdict(GOOD)),
        (Fit(0, 8, 0, 9, 5, 30), Verdict(GOOD)),
        (Fit(0, 8.5, 0, 9, 5, 30), Verdict(FAIR)),
        (Fit(0, 14, 0, 40, 5, 30), Verdict(FAIR)),
        (Fit(0, 15, 0, 14.5, 5, 30), Verdict(ROUGH)),
        (Fit(0, 1, 0, 1, 1.29, 30), Verdict(UNSURE)),
        (Fit(-9, 12, -7, 12, 5, 30), Verdict(FAIR, 7)),  # edges inside: the mask is too large
        (Fit(9, 12, 7, 12, 5, 30), Verdict(FAIR, -7)),
        (Fit(9, 12, -7, 12, 5, 30), Verdict(FAIR)),  # they do not agree on the side
        (Fit(3, 12, 9, 12, 5, 30), Verdict(FAIR)),
        # Single lines are scattered, and together they have one narrow peak at the outline.
        (Fit(11, 40, 9, 20, 1.5, 2), Verdict(EXACT)),
        (Fit(11, 40, 9, 20, 1.5, 6), Verdict(GOOD)),
        (Fit(11, 40, 9, 20, 1.5, 6.5), Verdict(ROUGH, -9)),
        (Fit(11, 40, 9, 20, 1.4, 0), Verdict(ROUGH, -9)),
        (Fit(0, 13, 0, 12, 1.5, 4), Verdict(GOOD)),
        (Fit(0, 13, 0, 12, 1.5, 4.5), Verdict(FAIR)),
        (Fit(0, 3, 0, 9, 5, 0), Verdict(EXACT)),
    ],
    ids=str,
)
def test_what_follows_from_the_figures(fit, expected):
    assert judged([fit]) == expected


def busy(width):
    """A subject with a part that the frame cuts, a speck, and two shapes beside each other."""
    height = width * 9 // 16
    y, x = np.mgrid[:height, :width] / width
    subject = shape(8, width, height) | (np.hypot(x - 0.9, y - 0.4) < 0.01) | (np.hypot(x - 0.72, y - 0.25) < 0.04)
    return subject | ((x < 0.08) & (y > 0.3)), plate_of(shape(0, width, height), contrast=0.3)


@pytest.mark.parametrize(
    ("width", "known"),
    [
        (320, [-226980, -1244635, -1586881, -527038, -1074618, -196978, 330261, 234315]),
        (700, [-1812505, -1723249, -4637096, 522715, -1916475, -648347, 645340, 189630]),
        (1280, [-1539847, -1316147, -3296203, -5057331, -708848, -11803, -483324, -240227]),
    ],
)
def test_what_is_measured_on_the_way_is_what_it_always_was(unchanged, width, known):
    """Fits are kept under a version: whoever changes these numbers raises it."""
    subject, plate = busy(width)
    points, normals = mask_fit._outline(subject, width / 1920)
    colours, valid = mask_fit._lines(plate, subject, points, normals, width / 1920)
    whole = np.concatenate([points / width, normals, valid.sum(axis=1)[:, None] / 97], axis=1)
    unchanged(np.concatenate([whole[:, None], (colours / 100 * valid[..., None]).mean(axis=1)[:, None]], axis=2), known)
    assert mask_fit.VERSION == 2


@pytest.mark.parametrize(
    ("width", "known"),
    [
        (320, [-10.0, 11.0, -8.5, 12.5, 2.4554, 11.0]),
        (480, [-9.0, 10.0, -8.5, 11.5, 3.2048, 10.0]),
        (960, [-9.0, 10.0, -8.5, 10.5, 5.2977, 9.0]),
        (2100, [-9.0, 10.0, -8.5, 10.5, 6.615, 8.0]),
    ],
)
def test_fits_are_what_they_always_were(width, known):
    found = astuple(fit_of(busy(width)[1], busy(width)[0]))
    np.testing.assert_allclose(found, known, rtol=1e-3, err_msg=str([float(f"{value:.5g}") for value in found]))


def test_of_lines_with_an_edge_only_the_clear_ones_count_if_there_are_enough():
    places = np.array([5] * 14 + [-9] * 20)
    assert mask_fit._middle(places, places == 5) == (-9, 9)
    assert mask_fit._middle(np.append(places, 5), np.append(places, 5) == 5) == (5, 5)
    assert mask_fit._middle(np.array([0, 1, 2, 3, 10]), np.zeros(5, bool)) == (2, 3)


def lines(*kinds):
    """Lines of one colour, and of another from a sample on: rows of (how many, the sample, the step of L)."""
    rows = [np.where(np.arange(97) >= sample, step, 0) for count, sample, step in kinds for _ in range(count)]
    colours = np.zeros((len(rows), 97, 3), np.float32)
    colours[..., 0] = rows
    return colours, np.ones(colours.shape[:2], bool)


@pytest.mark.parametrize(
    ("kinds", "edge", "change"),
    [
        ([(16, 60, 7.0), (20, 30, 3.9)], 11, 11.5),  # only the former are clear
        ([(16, 60, 5.9), (20, 30, 5.0)], -18, -18.5),  # none is
        ([(14, 60, 7.0), (20, 30, 5.0)], -18, -18.5),  # too few are
        # Pieces count from a step of about 4.2 on.
        ([(16, 60, 4.3), (20, 30, 4.2)], -18, 11.5),
    ],
)
def test_an_edge_is_clear_from_six_steps_on(kinds, edge, change):
    fit = mask_fit._fit(*lines(*kinds), 4)
    assert fit.edge == pytest.approx(edge, abs=1)
    assert fit.change == pytest.approx(change, abs=1)


def test_edges_are_of_means_on_both_sides_and_none_near_the_ends(unchanged):
    rng = np.random.default_rng(4)
    colours, valid = rng.random((6, 40, 3), np.float32), rng.random((6, 40)) > 0.2
    sums = np.concatenate([np.zeros((6, 1, 3), np.float32), np.cumsum(colours * valid[..., None], axis=1)], axis=1)
    counts = np.concatenate([np.zeros((6, 1), np.int64), np.cumsum(valid, axis=1)], axis=1)
    unchanged(mask_fit._edges(sums, counts, 3), [-8536240])
    unchanged(mask_fit._between_pieces(sums, counts), [-4800372], within=100)
    step, everywhere = lines((1, 40, 8.0))
    sums, counts = np.cumsum(np.pad(step, ((0, 0), (1, 0), (0, 0))), axis=1), np.arange(98)[None]
    found = mask_fit._edges(sums, counts, 5)[0]
    assert everywhere.all()
    assert np.flatnonzero(found > 7.9).tolist() == [39, 40]
    assert (
        mask_fit._edges(np.cumsum(np.pad(lines((1, 6, 8.0))[0], ((0, 0), (1, 0), (0, 0))), axis=1), counts, 3)[
            0, :4
        ].tolist()
        == [0] * 4
    )


@pytest.mark.parametrize(
    ("size", "scale", "counts"), [((9, 8), 0.5, True), ((8, 8), 0.5, False), ((4, 4), 0.1, True), ((4, 3), 0.1, False)]
)
def test_an_outline_counts_from_sixty_pixels_at_1920_on_and_never_below_twelve(size, scale, counts):
    subject = np.zeros((200, 300), bool)
    subject[100 : 100 + size[0], 150 : 150 + size[1]] = True  # 2 (h + w) - 4 pixels of outline
    assert bool(len(mask_fit._outline(subject, scale)[0])) == counts


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Verdict) == {"offset": 0.0}


@pytest.mark.parametrize(("cut", "looked_at"), [(2, 800), (1, 401)])
def test_of_an_outline_every_point_is_looked_at_up_to_eight_hundred(cut, looked_at):
    subject = np.zeros((400, 500), bool)
    subject[100:300, 100:303] = True  # 802 pixels of outline, one less for each corner that is cut
    subject[[100, 299][:cut], 100] = False
    assert len(mask_fit._outline(subject, 0.25)[0]) == looked_at


@pytest.mark.parametrize(("samples", "known"), [(24, True), (23, False)])
def test_a_line_counts_from_twenty_four_samples_on(monkeypatch, samples, known):
    real = mask_fit._lines

    def short(*asked):
        colours, valid = real(*asked)
        valid[:] = np.abs(np.arange(97) - 40) <= samples // 2
        valid[:, 40 + samples // 2] = samples % 2
        return colours, valid

    monkeypatch.setattr(mask_fit, "_lines", short)
    assert (fit_of(plate_of(shape()), shape()) is not None) == known
