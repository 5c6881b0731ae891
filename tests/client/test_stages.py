from dataclasses import fields, replace

import pytest
from videomama_client import stages
from videomama_client.engine_options import EngineOption
from videomama_client.messages import KINDS, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, begun_with, label, place, settings_of, stage_of
from videomama_client.wire import decode, encode

SHARED = MatteSettings(
    engine="classic",
    window=8,
    overlap=2,
    roi="1,2,30,40",
    plate_layer="main",
    view="left",
    colorspace="sRGB",
    exposure=1.5,
    engine_options=(EngineOption("own", 1.0),),
)


def test_a_stage_takes_over_all_but_what_it_says_itself():
    options = (EngineOption("strength", 0.5),)
    settings = settings_of(SHARED, Stage("videomama", options, 12, 3))
    own = {"engine": "videomama", "engine_options": options, "window": 12, "overlap": 3}
    assert settings == replace(SHARED, **own)


def test_a_stage_has_the_windows_and_options_of_its_engine_where_it_says_nothing():
    settings = settings_of(SHARED, Stage("videomama"))
    assert (settings.window, settings.overlap, settings.engine_options) == (None, None, ())


@pytest.mark.parametrize("name", stages._OF_THE_FILE)
def test_what_shapes_the_mask_on_disk_is_nothing_to_a_later_stage(name):
    plain = getattr(MatteSettings(), name)
    other = {"mask_channel": "R", "mask_colour": "#ffffff"}.get(name, 0.25)
    assert other != plain
    assert getattr(settings_of(replace(SHARED, **{name: other}), Stage("classic")), name) == plain


def test_all_that_shapes_a_mask_is_known_here():
    about_masks = {known.name for known in fields(MatteSettings) if known.name.startswith("mask_")}
    assert about_masks == set(stages._OF_THE_FILE)


def test_stages_are_named_where_there_are_several():
    assert label(0, "classic", 2) == "stage 1, classic"
    assert label(1, "videomama", 2) == "stage 2, videomama"
    assert label(0, "classic", 1) == ""
    assert place(0, "classic", 2) == "1 of 2, classic"


def test_stages_travel():
    then = (Stage("videomama", (EngineOption("strength", 0.5),), 12, None), Stage("passthrough"))
    request = SubmitMatte("r", "p", "m", "o", SHARED, then=then)
    assert decode(encode(request), KINDS) == request


def test_a_stage_of_settings_begins_a_job_with_the_same_settings():
    own = MatteSettings("classic", 8, 2, roi="1,2,30,40", engine_options=(EngineOption("radius", 3),))
    other = MatteSettings("matanyone", roi="1,2,30,40")
    assert begun_with(other, stage_of(own)) == own
