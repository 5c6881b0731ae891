from types import SimpleNamespace

import pytest
from videomama_server.engines.base import RegionRule
from videomama_server.media.geometry import Rect
from videomama_server.pipeline.object_region import common

CANVAS = Rect(0, 0, 192, 128)


def look(region, rule=None, shows_nothing=False, roi="auto", makes_masks=False):
    """Return what `common` asks of a look at one object's masks."""
    engine = SimpleNamespace(rule=lambda _: rule or RegionRule(fixed=True))
    return SimpleNamespace(
        order=SimpleNamespace(engine=engine, makes_masks=makes_masks),
        choice=SimpleNamespace(settings=SimpleNamespace(roi=roi)),
        seen=SimpleNamespace(canvas=CANVAS),
        region=region,
        shows_nothing=shows_nothing,
    )


def test_one_region_holds_what_each_object_would_have_alone():
    assert common([look(Rect(8, 8, 16, 16)), look(Rect(48, 16, 32, 40))]) == [Rect(8, 8, 72, 48)] * 2


def test_equal_regions_stay_as_they_are():
    odd = Rect(3, 5, 17, 19)
    assert common([look(odd), look(odd)]) == [odd, odd]


def test_an_object_that_is_out_of_the_picture_does_not_count():
    away = look(Rect(0, 0, 8, 8), shows_nothing=True)
    assert common([look(Rect(64, 64, 16, 16)), away]) == [Rect(64, 64, 16, 16)] * 2
    named = look(Rect(0, 0, 8, 8), shows_nothing=True, roi="0,0,8,8")
    assert common([named, look(Rect(0, 0, 8, 8), roi="0,0,8,8")]) == [Rect(0, 0, 8, 8)] * 2


def test_it_is_rounded_to_what_each_engine_works_in():
    coarse = look(Rect(64, 0, 64, 64), RegionRule(multiple=64, fixed=True))
    assert common([look(Rect(72, 8, 80, 16)), coarse]) == [Rect(64, 0, 128, 64)] * 2


def test_where_it_spares_too_little_it_is_the_whole_plate():
    picky = look(Rect(0, 0, 96, 128), RegionRule(minimum_gain=0.5, fixed=True))
    assert common([picky, look(Rect(96, 0, 32, 128))]) == [CANVAS] * 2


def test_whole_canvases_of_one_object_are_those_of_all():
    assert common([look(None, RegionRule()), look(Rect(8, 8, 16, 16))]) == [None, CANVAS]


@pytest.mark.parametrize("own", [None, CANVAS])
def test_an_engine_of_whole_plates_has_its_own_and_disturbs_no_other(own):
    whole = look(own, RegionRule(whole=True))
    assert common([whole, look(Rect(8, 8, 16, 16))]) == [own, Rect(8, 8, 16, 16)]
    assert common([whole, look(Rect(0, 0, 8, 8), shows_nothing=True)]) == [own, CANVAS]


def test_an_object_whose_masks_are_made_first_disturbs_no_other():
    made = look(CANVAS, makes_masks=True)
    assert common([made, look(Rect(8, 8, 16, 16))]) == [CANVAS, Rect(8, 8, 16, 16)]
