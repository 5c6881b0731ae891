"""Every kind of clip shows what it is called, with an alpha and a foreground that are exact."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from videomama_server.synthetic import kinds
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.paint.backgrounds import BACKGROUNDS, background
from videomama_server.synthetic.render import ClipSpec, render_frame

WIDTH, HEIGHT = 320, 180


@cache
def render(kind, number=1008, behind=None, **options):
    """Render a small frame, once for all tests; they only look at it."""
    options = {"width": WIDTH, "height": HEIGHT, **options}
    return render_frame(ClipSpec(kind, behind or KINDS[kind].backgrounds[0], **options), number)


def softness(alpha):
    """Share of what is covered that is neither 0 nor 1."""
    return ((alpha > 0.02) & (alpha < 0.98)).sum() / (alpha > 0.02).sum()


KNOWN = {  # millionths: mean and spread of alpha, foreground and background, on two frames
    "hair": [266914, 433935, 33205, 78067, 158905, 123728, 270474, 435654, 33680, 78280, 156059, 125811],
    "fur": [177837, 375599, 52735, 132682, 106871, 83245, 178323, 376120, 53062, 133241, 107573, 82500],
    "motion_blur": [92347, 273707, 22237, 95180, 155245, 190406, 90064, 277879, 18697, 89890, 156516, 186792],
    "defocus": [170335, 360826, 50798, 139144, 210389, 673445, 169820, 355530, 54368, 142522, 210642, 669833],
    "glass_smoke": [72601, 210765, 124702, 254021, 201869, 713076, 73125, 210473, 128822, 258949, 194712, 692971],
    "fast_motion": [57580, 212822, 29332, 146324, 530454, 360092, 57580, 212822, 29332, 146324, 533458, 363041],
    "low_contrast": [92168, 283065, 34118, 100435, 311281, 82041, 92276, 283214, 34951, 102761, 315238, 78966],
    "lattice": [198889, 375137, 50076, 126369, 516787, 363712, 208619, 381562, 51395, 126170, 518666, 368097],
    "crossing": [74399, 248858, 15782, 81284, 146220, 131020, 85584, 270689, 17709, 88558, 152478, 132929],
    "dark_grain": [287422, 442507, 2632, 5898, 12575, 37356, 289967, 443993, 2621, 5862, 12292, 35940],
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_looks_as_it_always_did(kind):
    """What engines were measured on may not change unseen."""
    frames = [render(kind, number) for number in (1005, 1017)]
    pictures = [picture for frame in frames for picture in (frame.alpha, frame.foreground, frame.behind)]
    found = [1e6 * float(value) for picture in pictures for value in (picture.mean(), picture.std())]
    np.testing.assert_allclose(found, KNOWN[kind], rtol=2e-4, err_msg=str([round(value) for value in found]))


DETAILS = {  # alpha, the three channels of foreground x alpha, and those of what is behind
    "hair": [-72321, -32562, -22138, -13157, -19552, -78621, -64718],
    "fur": [-46749, -40948, -34136, -25784, 43047, 20569, 6921],
    "motion_blur": [29204, -26748, -19475, -17581, -3242, -17320, -73333],
    "defocus": [297762, 218346, 125652, 77886, 302760, 170680, 38743],
    "glass_smoke": [157612, 79759, 74376, 67545, 91390, -94261, 26388],
    "fast_motion": [-138712, -31108, -38109, -37921, 51208, 44166, 29085],
    "low_contrast": [57473, 17719, 17187, 16478, 72865, 70679, 67764],
    "lattice": [113586, 75288, 57022, 46886, -125262, -47787, 83358],
    "crossing": [103651, 67359, -2449, 1959, 262704, 175063, 117660],
    "dark_grain": [-42765, 3673, 1460, 679, -2301, -731, 5952],
}


@pytest.mark.parametrize("kind", KINDS)
def test_details_are_what_they_always_were(unchanged, kind):
    frame = render(kind, 1017, width=960, height=540)
    premultiplied = frame.foreground * frame.alpha[..., None]  # straight, what is nearly clear would amplify rounding
    unchanged(np.dstack([frame.alpha, premultiplied, frame.behind]), DETAILS[kind])


def test_there_are_ten_kinds_over_three_backgrounds_each():
    assert len(KINDS) == 10
    assert all(len(set(kind.backgrounds)) == 3 and set(kind.backgrounds) <= set(BACKGROUNDS) for kind in KINDS.values())
    assert {behind for kind in KINDS.values() for behind in kind.backgrounds[:2]} == set(BACKGROUNDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_plate_is_the_foreground_over_what_is_behind_plus_grain(kind):
    frame = render(kind)
    for pixels in (frame.plate, frame.alpha, frame.foreground, frame.behind):
        assert pixels.dtype == np.float32
        assert np.isfinite(pixels).all()
    assert frame.plate.shape == frame.foreground.shape == (HEIGHT, WIDTH, 3)
    assert frame.alpha.shape == (HEIGHT, WIDTH)
    assert frame.alpha.min() == 0
    assert 0.9 < frame.alpha.max() <= 1
    assert 0.02 < frame.alpha.mean() < 0.5
    assert frame.foreground.min() >= 0
    assert not frame.foreground[frame.alpha == 0].any()
    assert frame.foreground.max() < 60_000  # a half holds it
    cover = frame.alpha[..., None].astype(np.float64)
    np.testing.assert_allclose(frame.clean, frame.foreground * cover + frame.behind * (1 - cover), atol=1e-5)
    grain = frame.plate - frame.clean
    assert abs(grain.mean()) < 0.05 * grain.std()
    assert grain.std() > 1e-4


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "low_contrast"])  # it wears the background
def test_nothing_of_the_background_is_in_alpha_or_foreground(kind):
    one, other = (render(kind, behind=behind) for behind in ("studio", "sky"))
    np.testing.assert_array_equal(one.alpha, other.alpha)
    np.testing.assert_array_equal(one.foreground, other.foreground)
    assert np.abs(one.plate - other.plate)[one.alpha == 0].mean() > 0.1 * KINDS[kind].exposure


@pytest.mark.parametrize("kind", KINDS)
def test_the_subject_moves_and_stays_in_view(kind):
    alphas = [render(kind, number, width=160, height=90).alpha for number in range(1001, 1065, 5)]
    assert min(alpha.mean() for alpha in alphas) > 0.01
    steps = [np.abs(one - other).mean() for one, other in pairwise(alphas)]
    assert np.median(steps) > 1e-3


@pytest.mark.parametrize("size", [(64, 64), (151, 257)])
@pytest.mark.parametrize("kind", KINDS)
def test_odd_sizes_render(kind, size):
    frame = render(kind, width=size[0], height=size[1])
    assert frame.plate.shape == (size[1], size[0], 3)
    assert frame.alpha.mean() > 0.01


def test_motion_blur_and_defocus_are_softer_than_fast_motion_and_low_contrast():
    soft = {kind: softness(render(kind).alpha) for kind in ("motion_blur", "defocus", "fast_motion", "low_contrast")}
    assert min(soft["motion_blur"], soft["defocus"]) > 1.5 * soft["low_contrast"]
    assert soft["defocus"] > 0.25


def test_the_focus_is_pulled():
    shares = [softness(render("defocus", number).alpha) for number in (1001, 1008, 1014, 1026)]
    assert max(shares) > 1.4 * min(shares)


def test_fast_motion_leaves_its_own_place_within_a_frame_or_two():
    one, other = (render("fast_motion", number).alpha > 0.5 for number in (1008, 1010))
    assert (one & other).sum() / (one | other).sum() < 0.4


def test_glass_and_smoke_are_mostly_seen_through():
    alpha = render("glass_smoke").alpha
    assert softness(alpha) > 0.6
    smoke = alpha[: HEIGHT // 4, WIDTH // 2 :]
    assert 0.1 < smoke.max() < 0.95


def test_low_contrast_has_less_of_it_than_any_other():
    def contrast(kind):
        frame = render(kind, behind="wall")
        inside, outside = frame.alpha > 0.9, frame.alpha < 0.1
        near = np.abs(frame.foreground[inside].mean(axis=0) - frame.behind[outside].mean(axis=0)).mean()
        return near / frame.behind[outside].mean() + frame.foreground[inside].std() / frame.behind.mean()

    others = [contrast(kind) for kind in ("motion_blur", "crossing", "lattice")]
    assert contrast("low_contrast") < 0.5 * min(others)


def test_the_lattice_has_many_holes():
    alpha = render("lattice", width=640, height=360).alpha

    count, _ = cv2.connectedComponents((alpha < 0.3).astype(np.uint8), connectivity=4)
    assert count > 100


def test_two_subjects_cross_and_hide_each_other_in_turn():
    sizes = [render("crossing", number).alpha.sum() for number in range(1001, 1031, 2)]
    hidden, ahead = min(sizes[:7]), min(sizes[8:])
    assert hidden < 0.7 * max(sizes)
    assert ahead > 0.8 * max(sizes)


@pytest.mark.parametrize("time", [3.0, 18.0])
def test_whoever_is_in_front_lies_over_the_subject_and_that_over_the_rest(time):
    stage = ClipSpec("crossing", "wall", WIDTH, HEIGHT).stage
    view = KINDS["crossing"].paint(stage, time, background("wall", stage, time))
    assert (view.front is not None) == (time == 3.0)
    stacked = view.subject[..., :3] + view.behind * (1 - view.subject[..., 3:])
    if view.front is not None:
        stacked = view.front[..., :3] + stacked * (1 - view.front[..., 3:])
    np.testing.assert_allclose(render("crossing", 1001 + int(time), "wall").clean, stacked, atol=1e-4)


def test_dark_grain_is_dark_and_noisier_than_its_light():
    frame = render("dark_grain", behind="studio")
    assert frame.clean.mean() < 0.03
    assert (frame.plate - frame.clean).std() > 0.3 * frame.clean.mean()


def test_fur_and_hair_have_long_fine_edges():
    for kind in ("fur", "hair"):
        alpha = render(kind, width=640, height=360).alpha
        edge = (np.abs(np.diff(alpha > 0.5, axis=0)).sum() + np.abs(np.diff(alpha > 0.5, axis=1)).sum()) / alpha.shape[
            0
        ]
        assert edge > 4


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(kinds.ClipKind) == {"exposure": 1.0, "grain": 1.0}
    assert numbers_left_out(kinds._walk) == {"size": 1.0}
