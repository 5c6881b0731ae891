import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.engines.base import RegionRule
from videomama_server.media.geometry import EMPTY, Rect
from videomama_server.pipeline.region import LEAST, format_region, from_masks, leaving, parse

HD = Rect(0, 0, 1920, 1080)
RULE = RegionRule()
rects = st.builds(Rect, st.integers(-500, 2500), st.integers(-500, 1500), st.integers(1, 900), st.integers(1, 900))


@given(st.builds(Rect, st.integers(), st.integers(), st.integers(LEAST), st.integers(LEAST)))
def test_a_region_is_read_as_it_was_written(rect):
    assert parse(format_region(rect)) == rect


@pytest.mark.parametrize("text", ["auto", "off"])
def test_auto_and_off_name_no_rectangle(text):
    assert parse(text) is None


def test_spaces_do_not_matter():
    assert parse(" -8, 0, 64 ,32 ") == Rect(-8, 0, 64, 32)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,0,64,64", "AUTO"])
def test_what_is_no_region_is_an_error(text, raises_with_hint):
    with raises_with_hint(BadInput, repr(text)):
        parse(text)


@pytest.mark.parametrize("text", ["0,0,7,64", "0,0,64,0", "0,0,-64,-64"])
def test_a_region_that_is_too_small_is_an_error(text, raises_with_hint):
    with raises_with_hint(BadInput, "too small"):
        parse(text)


def test_the_region_grows_by_the_tenth_of_a_large_mask():
    region = from_masks([Rect(600, 300, 800, 640)], HD, 0, RULE)
    assert region == Rect(520, 232, 960, 776)


def test_the_region_grows_by_no_less_than_a_small_masks_transition_band():
    around = Rect(800, 400, 80, 80)
    assert from_masks([around], HD, 0, RULE) == around.grow(48, 48)
    assert from_masks([around], HD, 100, RULE) == around.grow(120, 120)


def test_the_padding_scales_with_the_plate():
    around = Rect(1600, 800, 160, 160)
    assert from_masks([around], Rect(0, 0, 3840, 2160), 0, RULE) == around.grow(96, 96)


@given(st.lists(rects, min_size=1, max_size=5), st.floats(0, 500))
def test_the_region_holds_every_mask_and_stays_on_the_plate(supports, dilate):
    region = from_masks(supports, HD, dilate, RULE)
    assert HD.holds(region) or region.empty
    for support in supports:
        assert support.intersect(HD).empty or region.holds(support.intersect(HD))


@given(st.lists(rects, min_size=1, max_size=5))
def test_the_region_lies_on_multiples_or_on_the_border(supports):
    region = from_masks(supports, HD, 40, RULE)
    for edge, border in ((region.x, 0), (region.right, 1920), (region.y, 0), (region.bottom, 1080)):
        assert edge % RULE.multiple == 0 or edge == border


def test_empty_masks_do_not_draw_the_region_to_the_corner():
    around = Rect(1000, 500, 200, 200)
    assert from_masks([EMPTY, around, EMPTY], HD, 0, RULE) == from_masks([around], HD, 0, RULE)


def test_the_region_may_reach_into_overscan():
    assert from_masks([Rect(-30, 100, 60, 400)], Rect(-64, 0, 2048, 1080), 0, RULE).x == -64


def test_a_region_that_spares_too_little_is_the_whole_plate():
    small, large = Rect(800, 400, 80, 80), Rect(100, 100, 1600, 900)
    rule = RegionRule(multiple=64, minimum_gain=0.3)
    assert from_masks([large], HD, 0, rule) == HD
    region = from_masks([small], HD, 0, rule)
    assert region.holds(small)
    assert (region.x % 64, region.right % 64) == (0, 0)
    assert from_masks([small], HD, 0, RegionRule(minimum_gain=1.0)) == HD


def test_masks_that_leave_the_region_are_named():
    region = Rect(0, 0, 64, 64)
    supports = {1001: Rect(0, 0, 64, 64), 1002: Rect(1, 1, 64, 8), 1003: EMPTY, 1004: Rect(-1, 0, 4, 4)}
    assert leaving(supports, region) == [1002, 1004]
