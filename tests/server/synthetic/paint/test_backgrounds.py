"""The backgrounds of the suite."""

import numpy as np
import pytest
from videomama_server.synthetic.paint.backdrop import backdrop
from videomama_server.synthetic.paint.backgrounds import BACKGROUNDS, background

KNOWN = [
    ("studio", 0.0, [319826, 310231, 297438, -36914, -35807, -34330, -18296, -17747, -17015, 330874, 320948, 307713]),
    ("studio", 7.3, [322160, 312496, 299609, -34672, -33632, -32245, -18886, -18320, -17564, 332709, 322728, 309419]),
    ("sky", 0.0, [430208, 516452, 659879, -33877, -29006, -20747, -82101, -90484, -153551, 540530, 601684, 756128]),
    ("sky", 7.3, [429475, 515549, 657980, -31152, -26932, -20182, -82296, -90795, -154296, 539762, 600847, 754740]),
    ("shelf", 0.0, [161104, 152259, 147990, -4193, -4622, -1906, 3805, 2690, 2792, 254691, 251457, 252894]),
    ("shelf", 7.3, [162395, 153232, 148546, -2910, -2755, -156, 3499, 1992, 1917, 243340, 239877, 241269]),
    ("city", 0.0, [278162, 213061, 162966, 25682, 27491, 20708, 27938, 23590, 14258, 985578, 745240, 597013]),
    ("city", 7.3, [270719, 204766, 154385, 23679, 22641, 12196, 27110, 21953, 11699, 947997, 704398, 520701]),
    ("meadow", 0.0, [100126, 175779, 31827, 725, 935, 151, 16851, 29710, 4286, 111990, 194261, 34664]),
    ("meadow", 7.3, [100364, 176183, 31887, 703, 932, 161, 16701, 29529, 4251, 111648, 193844, 34581]),
]


@pytest.mark.parametrize(("name", "time", "known"), KNOWN)
def test_each_looks_as_it_always_did(stage, looks_like, name, time, known):
    looks_like(background(name, stage, time), known)


def test_all_that_may_be_asked_for_are_known_here_but_for_the_wall_of_the_demo(stage):
    assert set(BACKGROUNDS) == {name for name, _, _ in KNOWN} | {"wall"}
    assert (background("wall", stage, 5.0) == backdrop(stage, 5.0)).all()


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_backgrounds_fill_the_picture_and_move(stage, name):
    early, later = background(name, stage, 0.0), background(name, stage, 40.0)
    assert early.shape == (180, 320, 3)
    assert np.isfinite(early).all()
    assert early.min() >= 0
    assert (early.max(axis=2) > 0).all()
    assert np.abs(early - later).mean() > 1e-4
    assert (background(name, stage, 900.0).max(axis=2) > 0).all()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("studio", [83199, 80703, 77375]),
        ("sky", [113882, 132328, 143289]),
        ("shelf", [13629, 1019, 27632]),
        ("city", [64603, -30968, 7444]),
        ("meadow", [-7062, 20523, 14242]),
    ],
)
def test_their_details_are_what_they_always_were(large, unchanged, name, known):
    unchanged(background(name, large, 7.3), known)
