from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.motion import REACH, Trust, chained, enlarged, flow_between, judged, motions, moved

TRUST = Trust(residual=0.03, round_trip=1.5)


def views(scene, step, count=3):
    wide = np.concatenate([scene.plate, scene.plate[:, ::-1]], axis=1)
    return {n: np.ascontiguousarray(wide[:, n * step : n * step + 160]) for n in range(count)}


def test_a_pan_is_followed_to_the_next_frame_and_the_one_after(scene):
    found = motions(views(scene, 3), TRUST)
    inner = np.s_[20:-20, 30:-30]
    assert abs(np.median(found[0, 1].flow[inner][..., 0]) + 3) < 0.3
    assert abs(np.median(found[0, 2].flow[inner][..., 0]) + 6) < 0.6
    assert abs(np.median(found[2, 0].flow[inner][..., 0]) - 6) < 0.6
    assert np.median(found[0, 1].trust[inner]) > 0.8


def test_frames_further_apart_or_with_one_missing_between_are_not_paired(scene):
    seen = views(scene, 2, 4)
    assert set(motions(seen, TRUST)) == {(a, b) for a in range(4) for b in range(4) if 0 < abs(a - b) <= REACH == 2}
    del seen[1]
    assert set(motions(seen, TRUST)) == {(2, 3), (3, 2)}


def test_a_cut_is_not_trusted_and_a_looser_measure_trusts_more(scene, scene_maker):
    cut = {0: scene.plate, 1: 1 - scene_maker(seed=5).plate}
    tight, loose = motions(cut, TRUST)[0, 1].trust, motions(cut, Trust(residual=0.3, round_trip=30.0))[0, 1].trust
    assert tight.mean() < 0.05
    assert (loose >= tight).all()
    assert loose.mean() > tight.mean()


def test_pixels_are_fetched_from_where_the_flow_leads():
    pixels = np.arange(20, dtype=np.float32).reshape(4, 5)
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, 2
    found = moved(pixels, flow)
    np.testing.assert_allclose(found[:2, :4], pixels[2:, 1:])
    np.testing.assert_allclose(found[3], pixels[3, [1, 2, 3, 4, 4]])  # past the rim there is the rim
    half = moved(pixels, np.full((4, 5, 2), 0.5, np.float32))
    assert half[0, 0] == 3  # the mean of 0, 1, 5 and 6


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_what_only_one_colour_shows_is_followed_too(scene, channel):
    seen = {}
    for number, view in views(scene, 3, 2).items():
        seen[number] = np.full_like(view, 0.5)
        seen[number][..., channel] = view.mean(axis=2)
    flow = motions(seen, TRUST)[0, 1].flow[20:-20, 30:-30]
    assert abs(np.median(flow[..., 0]) + 3) < 0.3


def test_motions_are_what_they_always_were(scene, unchanged):
    views = {time: np.roll(scene.plate, (time, 2 * time), axis=(0, 1)) for time in (1, 2, 3, 4)}
    del views[4]
    views[5] = views[3]
    found = motions(views, Trust(residual=0.05, round_trip=1.0))
    assert sorted(found) == [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)]
    parts = [part for pair in sorted(found) for part in (found[pair].flow / 10, found[pair].trust)]
    unchanged(
        np.dstack(parts),
        [
            27308,
            -14303,
            74008,
            70077,
            -2191,
            -90130,
            -25627,
            -8208,
            58667,
            46461,
            11076,
            16928,
            -76002,
            -44956,
            -130396,
            -53565,
            -36040,
            236351,
        ],
        within=2000,
    )


def test_trust_falls_to_its_e_th_part_with_what_is_left_over():
    grey = [np.full((20, 20, 3), value, np.float32) for value in (0.5, 0.53)]
    found = motions(dict(enumerate(grey)), TRUST)
    np.testing.assert_allclose(found[0, 1].trust, np.exp(-1), rtol=1e-3)
    assert not found[0, 1].flow.any()  # too small a picture to look in


def test_pixels_are_fetched_from_where_the_flow_leads_and_the_rim_runs_on():
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, -1
    np.testing.assert_allclose(moved(pixels, flow), [[1, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7]])


def test_a_flow_is_enlarged_with_its_picture():
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, -2
    larger = enlarged(flow, 12, 10)
    assert larger.shape == (12, 10, 2)
    np.testing.assert_allclose(larger, np.broadcast_to([2, -6], larger.shape))


def test_two_flows_are_chained_where_the_first_leads():
    first, second = np.zeros((3, 6, 2), np.float32), np.zeros((3, 6, 2), np.float32)
    first[..., 0] = 2
    second[..., 1] = np.arange(6)
    np.testing.assert_allclose(chained(first, second)[1], [[2, 2], [2, 3], [2, 4], [2, 5], [2, 5], [2, 5]])


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0, 4.0])
def test_trust_falls_with_the_square_of_what_a_round_trip_is_off(apart):
    views = (np.full((6, 8, 3), 0.5, np.float32),) * 2
    there, back = np.zeros((6, 8, 2), np.float32), np.zeros((6, 8, 2), np.float32)
    there[..., 0], back[..., 0] = 3, apart - 3
    found = judged(views, (there, back), Trust(residual=0.03, round_trip=2.0))
    np.testing.assert_allclose(found.trust, np.exp(-((apart / 2) ** 2)), rtol=1e-5)


@pytest.mark.parametrize(("size", "searched"), [((32, 32), True), ((31, 40), False), ((40, 31), False)])
def test_views_of_less_than_32_pixels_are_not_searched(scene, size, searched):
    one, other = (np.ascontiguousarray(scene.plate[40 : 40 + size[0], x : x + size[1]]) for x in (60, 62))
    flow = flow_between(one, other)
    assert flow.shape == (*size, 2)
    assert bool(flow.any()) == searched
