from urllib.parse import parse_qsl

import pytest
from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_server.media.geometry import Rect
from videomama_server.qc.files import Reading
from videomama_server.web.clip_files import Clip, Portion
from videomama_server.web.picture_query import address_of, at_of, clip_of, frame_of, wanted_of


def test_an_address_holds_a_clip_and_gives_it_back():
    how = Reading(plate_layer="beauty", alpha_channel="hero.A", colorspace="ACEScg", exposure=-1.5, view="left")
    clip = Clip(
        "/a b/plate.####.exr", "/m&m.exr", "/a.####.exr", "/fg.####.exr", "/o.exr", "/g.png", how, True, "hero.A"
    )
    assert clip_of(dict(parse_qsl(address_of(clip)))) == clip
    assert address_of(Clip(plate="/p.exr"), TrimapSettings()) == "plate=%2Fp.exr"


def test_an_address_holds_a_trimap_and_gives_it_back():
    trimap = TrimapSettings(trimap_mode="distance", trimap_inside=3.5)
    said = dict(parse_qsl(address_of(Clip(plate="/p.exr"), trimap)))
    assert wanted_of({**said, "frame": "1"}, "trimap").trimap == trimap


def test_an_address_says_how_a_frame_is_looked_at():
    said = {"frame": "-5", "size": "640", "stops": "-2.5", "gamma": "1.4", "of": "alpha", "colour": "foreground"}
    wanted = wanted_of({**said, "trimap_preset": "wide", "trimap_inside": "3"}, "trimap")
    assert (wanted.frame, wanted.portion, wanted.stops, wanted.gamma) == (-5, Portion(640), -2.5, 1.4)
    assert (wanted.trimap_of, wanted.comp_colour) == ("alpha", "foreground")
    assert (wanted.trimap.trimap_preset, wanted.trimap.trimap_inside) == ("wide", 3.0)


def test_a_region_is_of_full_pixels():
    assert wanted_of({"frame": "1", "region": "512,0,512,100"}, "plate").portion == Portion(
        region=Rect(512, 0, 512, 100)
    )


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"frame": ""},
        {"frame": "one"},
        {"frame": "9" * 5000},
        {"frame": "1", "size": "8"},
        {"frame": "1", "size": "99999"},
        {"frame": "1", "region": "1,2,3"},
        {"frame": "1", "region": "0,0,0,4"},
        {"frame": "1", "region": "0,0,9999,9999"},
        {"frame": "1", "stops": "nan"},
        {"frame": "1", "stops": "1e9"},
        {"frame": "1", "gamma": "0"},
        {"frame": "1", "of": "plate"},
        {"frame": "1", "trimap_preset": "widest"},
        {"frame": "1", "trimap_inside": "-1"},
        {"frame": "1", "trimap_inside": "inf"},
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_for_a_person(said):
    with pytest.raises(BadInput) as error:
        wanted_of(said, "plate")
    assert error.value.hint


def test_a_pixel_and_a_frame_are_whole_numbers():
    assert (at_of({"x": "3", "y": "0"}), frame_of({"frame": "1001"})) == ((3, 0), 1001)
    with pytest.raises(BadInput, match="y must be a whole number"):
        at_of({"x": "3", "y": "1.5"})
