from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.classic.evidence import (
    Estimates,
    evidence,
    pull_of_mask,
    share_of_bending,
    share_of_mask,
    share_of_spread,
    unexplained,
)
from videomama_server.engines.classic.shared import SharedMatte
from videomama_server.media.srgb import to_display

BAND = np.ones((20, 30), bool)


def flat(value):
    return np.full((20, 30), value, np.float32)


def colour(rgb):
    return np.broadcast_to(np.float32(rgb), (20, 30, 3)).copy()


def share(left_over, sampled=0.5, spread=0.5, safe=0.5, clear=1.0):
    found = Estimates(flat(safe), flat(sampled), flat(spread))
    return share_of_spread(found, flat(left_over), flat(clear), 0.5)[10, 15]


def test_where_sampling_explains_the_plate_closed_form_does_not_count():
    assert share(0.001) == 0
    assert share(0.0) == 0


def test_closed_form_counts_more_the_more_sampling_leaves_over():
    assert share(0.01) < share(0.03) < share(0.1)
    assert share(10.0) <= 0.6


@pytest.mark.parametrize("safe", [0.0, 1.0])
def test_of_two_that_differ_the_one_nearer_the_bent_mask_counts_more(safe):
    astray = 1 - safe
    assert share(0.03, sampled=safe, spread=astray, safe=safe) < 0.05
    assert share(0.03, sampled=astray, spread=safe, safe=safe) > 0.4


def test_where_colours_are_alike_both_count_the_same():
    assert share(0.001, clear=0.0) == pytest.approx(0.5)
    assert share(0.05, sampled=0, spread=1, safe=0, clear=0.0) == pytest.approx(0.5)


def test_a_mix_that_makes_the_plate_leaves_nothing_over():
    front, back = colour((0.4, 0.1, 0.1)), colour((0.1, 0.1, 0.4))
    matte = SharedMatte(flat(0.25), front, back)
    plate = to_display(0.25 * front + 0.75 * back)
    assert unexplained(plate, matte, BAND, 0.5).max() < 1e-5
    assert unexplained(plate + np.float32(0.1), matte, BAND, 0.5).mean() == pytest.approx(0.1 * 3**0.5, rel=0.01)


def test_nothing_is_left_over_where_the_trimap_is_certain():
    matte = SharedMatte(flat(1.0), colour((0.4, 0.1, 0.1)), colour((0.1, 0.1, 0.4)))
    assert (unexplained(colour((0, 0, 0)), matte, ~BAND, 0.5) == 0).all()


def test_shares_are_what_they_always_were(scene, unchanged):
    rng = np.random.default_rng(2)
    found = Estimates(scene.mask, scene.alpha, np.clip(scene.alpha + rng.normal(0, 0.2, scene.alpha.shape), 0, 1))
    left_over, clear = (rng.random(scene.alpha.shape, np.float32) for _ in range(2))
    unchanged(share_of_spread(found, 0.12 * left_over**2, clear, 0.5), [683594], within=100)
    matte = SharedMatte(scene.alpha, scene.plate**2, scene.plate[::-1] ** 2)
    unchanged(unexplained(scene.plate, matte, (scene.alpha > 0) & (scene.alpha < 1), 0.5), [-67709], within=100)


def of_mask(told, slack, left_over=0.05):
    return share_of_mask(evidence(flat(told), flat(left_over), slack), slack)[0, 0]


def test_the_mask_counts_more_the_less_colours_tell():
    assert of_mask(0.0, 0) == 1
    assert of_mask(0.0, 0) > of_mask(0.6, 0) > of_mask(0.9, 0) > 0
    assert of_mask(0.9, 8) < of_mask(0.9, 0)


def test_the_mask_counts_less_the_further_it_may_be_off():
    assert of_mask(0.3, 0) > of_mask(0.3, 8) > of_mask(0.3, 16) == 0
    assert of_mask(0.0, 32) == 0


def test_without_texture_only_an_exact_mask_is_believed_against_the_solvers():
    assert of_mask(0.0, 0, left_over=0.001) == 1
    assert of_mask(0.0, 8, left_over=0.001) == pytest.approx(of_mask(1.0, 8))


def test_a_mask_is_bent_where_colours_tell_and_stands_where_they_do_not():
    assert share_of_bending(flat(0.1)).max() == 0
    assert share_of_bending(flat(0.9)).min() == 1


def test_a_good_mask_weighs_more_in_closed_form_the_smaller_the_plate_and_a_rough_one_always_the_same():
    good = [pull_of_mask(8, scale) for scale in (2.0, 1.0, 0.5, 0.25, 0.05)]
    assert good == pytest.approx([0.01, 0.01, 0.04, 0.15, 0.15])
    assert [pull_of_mask(32, scale) for scale in (1.0, 0.5, 0.05)] == pytest.approx([0.01] * 3)
    assert pull_of_mask(32, 0.25) < pull_of_mask(12, 0.25) < pull_of_mask(0, 0.25) == pull_of_mask(8, 0.25)


@pytest.mark.parametrize(
    ("told", "left_over", "slack", "enough"),
    [
        (0.3, 0.02, 0, 0.3),
        (0.3, 0.001, 0, 0.3),  # an exact mask is believed, with and without texture
        (0.3, 0.02, 5, 0.5),  # each pixel of slack stands for 0.04
        (0.1, 0.006, 5, 1.0),
        (0.1, 0.009, 5, 0.5),  # half way from flat to textured
        (0.1, 0.012, 5, 0.3),
    ],
)
def test_evidence_is_what_colours_tell_and_the_slack_or_the_want_of_texture(told, left_over, slack, enough):
    assert evidence(flat(told), flat(left_over), slack)[0, 0] == pytest.approx(enough, abs=1e-5)


@pytest.mark.parametrize(
    ("enough", "slack", "share"),
    [
        (1, 0, 0.25),
        (1, 5, 0.125),
        (1, 10, 0),
        (1, 12, 0),
        (0.68, 0, 0.25),
        (0.54, 0, 0.625),
        (0.54, 20, 0.5),
        (0.4, 20, 1),
    ],
)
def test_the_bent_mask_has_a_quarter_at_least_where_it_is_exact_and_less_with_slack(enough, slack, share):
    assert share_of_mask(flat(enough), slack)[0, 0] == pytest.approx(share, abs=1e-5)


def test_the_mask_is_bent_half_as_far_half_way_between_nothing_told_and_all():
    assert [share_of_bending(flat(told))[0, 0] for told in (0.4, 0.55, 0.7)] == pytest.approx([0, 0.5, 1], abs=1e-5)


def test_the_pull_of_a_mask_falls_from_eight_pixels_of_slack_to_sixteen():
    assert [pull_of_mask(slack, 0.25) for slack in (8, 10, 12, 16, 20)] == pytest.approx(
        [0.15, 0.115, 0.08, 0.01, 0.01]
    )


def test_an_alpha_that_agrees_to_two_hundredths_is_no_nearer_than_another():
    one = share(0.1, sampled=0.52, spread=0.5)
    assert one == pytest.approx(0.6)  # (0.02 + 0.02) / (0.02 + 0 + 0.02), and at most this
    assert share(0.1, sampled=0.5, spread=0.52) == pytest.approx(0.5, abs=1e-4)
    assert share(0.1, sampled=0.5, spread=0.54) == pytest.approx(1 / 3, abs=1e-4)


def test_a_mix_brighter_than_white_is_white():
    matte = SharedMatte(flat(1.0), colour((1.5, 1.5, 1.5)), colour((0, 0, 0)))
    assert unexplained(colour((1, 1, 1)), matte, BAND, 0.5).max() < 1e-5
