"""One frame of a clip: what is refused, and that the same words give the same pixels, alone or in any clip."""

from functools import cache

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec, comped, render_frame

WIDTH, HEIGHT = 320, 180


@cache
def render(kind, number=1008, behind=None, **options):
    """Render a small frame, once for all tests; they only look at it."""
    options = {"width": WIDTH, "height": HEIGHT, **options}
    return render_frame(ClipSpec(kind, behind or KINDS[kind].backgrounds[0], **options), number)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_every_time_whatever_the_length(kind):
    first, again = render(kind), render(kind, frames=64)
    for name in ("plate", "alpha", "foreground"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_another_seed_is_another_clip():
    one, other = render("fur"), render("fur", seed=2)
    assert not np.array_equal(one.alpha, other.alpha)
    assert not np.array_equal(one.behind, other.behind)


def test_comped_is_the_foreground_over_a_colour():
    frame = render("hair")
    comp = comped(frame.foreground, frame.alpha, np.float32([0.1, 0.4, 0.2]))
    clear, solid = frame.alpha == 0, frame.alpha == 1
    np.testing.assert_allclose(comp[clear], np.broadcast_to(np.float32([0.1, 0.4, 0.2]), comp.shape)[clear])
    np.testing.assert_allclose(comp[solid], frame.foreground[solid])


@pytest.mark.parametrize(
    "asked",
    [
        ("hare", "wall", 320, 180, 24),
        ("hair", "moon", 320, 180, 24),
        ("hair", "wall", 320, 8, 24),
        ("hair", "wall", 320, 180, 0),
    ],
)
def test_what_cannot_be_rendered_is_refused(asked):
    with pytest.raises(BadInput):
        ClipSpec(*asked)


def test_a_clip_looks_as_it_always_did():
    """What engines were measured on may not change unseen: mean and spread of plate, alpha, foreground and behind."""
    known = {
        "hair": [134911, 115998, 266914, 433935, 33205, 78067, 158905, 123728],
        "crossing": [150577, 135747, 74399, 248858, 15782, 81284, 146220, 131020],
        "dark_grain": [11281, 34602, 287422, 442507, 2632, 5898, 12575, 37356],
    }
    for kind, values in known.items():
        frame = render(kind, 1005)
        pictures = (frame.plate, frame.alpha, frame.foreground, frame.behind)
        found = [1e6 * value for picture in pictures for value in (picture.mean(), picture.std())]
        np.testing.assert_allclose(found, values, rtol=2e-4, err_msg=f"{kind} {[round(value) for value in found]}")


def test_grain_and_what_shows_between_are_what_they_always_were(unchanged):
    frame = render("crossing", 1005)
    unchanged(
        np.dstack([frame.plate, frame.behind, frame.alpha]), [305306, 94669, 321389, 351114, 35348, 300841, -1170173]
    )


@pytest.mark.parametrize(("width", "height", "frames"), [(64, 64, 1), (64, 65, 24)])
def test_the_smallest_clips_are_taken(width, height, frames):
    assert ClipSpec("hair", "wall", width, height, frames).numbers == range(1001, 1001 + frames)


@pytest.mark.parametrize(("width", "height"), [(63, 64), (64, 63)])
def test_a_picture_below_the_smallest_is_refused(width, height):
    with pytest.raises(BadInput, match="too small"):
        ClipSpec("hair", "wall", width, height)


def test_alpha_is_0_and_1_to_the_bit_where_it_should_be():
    alpha = render("motion_blur").alpha
    assert (alpha == 0).any()
    assert (alpha == 1).any()
    assert not ((alpha > 0) & (alpha < 1e-5) | (alpha < 1) & (alpha > 1 - 1e-5)).any()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(ClipSpec) == {"width": 960, "height": 540, "frames": 24, "first": 1001, "seed": 1}
