"""The records of engines: what each of them can be told, and how that is read."""

import pytest
from videomama_client.engine_settings import (
    AUTO,
    AUTO_MEANS,
    RECORDS,
    AdjustSettings,
    ClassicSettings,
    EngineSettings,
    VideoMaMaSettings,
    engines_with,
    explanation,
    own_specs,
    records_of,
)
from videomama_client.errors import BadInput
from videomama_client.setting_spec import check, specs_of
from videomama_client.settings import MatteSettings

SHARED = {spec.name for spec in specs_of(MatteSettings)}


def test_a_record_is_read_with_what_was_asked_for_and_else_its_defaults():
    settings = MatteSettings.of(engine="classic", mask_slack=3.0, quality="fast", seed=7)
    assert ClassicSettings.of(settings) == ClassicSettings(quality="fast", mask_slack=3.0)
    assert VideoMaMaSettings.of(settings) == VideoMaMaSettings(quality="fast", seed=7)
    assert EngineSettings.of(settings) == EngineSettings()


def test_the_defaults_can_be_used():
    for record in RECORDS.values():
        record().check()
        for spec in specs_of(record):
            check(spec, spec.default, spec.name)


def test_a_canvas_that_is_not_a_size_is_refused():
    VideoMaMaSettings(canvas="1024x576").check()
    for text in ("", "1024*576", "0x64", "wide"):
        with pytest.raises(BadInput, match="is not a valid size"):
            VideoMaMaSettings(canvas=text).check()


def test_one_name_means_one_thing_in_all_engines_and_in_no_other_record():
    for name, known in own_specs().items():
        assert {spec for record in RECORDS.values() for spec in specs_of(record) if spec.name == name} == {known}
        assert name not in SHARED


def test_each_setting_names_the_engines_that_have_it():
    assert engines_with("quality") == ("videomama", "classic")
    assert engines_with("mask_slack") == ("classic",)
    assert engines_with("exposure") == ()
    assert explanation(own_specs()["mask_threshold"]).endswith(" counts as subject. Engines: videomama, classic.")
    assert explanation(own_specs()["trimap_erode"]).endswith(" Unit: pixels of a plate 1920 wide. Engine: classic.")
    (exposure,) = (spec for spec in specs_of(MatteSettings) if spec.name == "exposure")
    assert explanation(exposure) == exposure.explanation


def test_auto_is_read_by_the_records_of_all_that_it_may_take():
    assert records_of(AUTO) == (VideoMaMaSettings, ClassicSettings)
    assert set(AUTO_MEANS) <= RECORDS.keys()
    assert records_of("passthrough") == (EngineSettings,)
    assert records_of("own") == ()


@pytest.mark.parametrize(("black", "white"), [(0.5, 0.5), (0.6, 0.2)])
def test_a_white_point_that_is_not_above_the_black_point_is_refused(black, white):
    with pytest.raises(BadInput, match=f"white point {white:g} must be above the black point {black:g}"):
        AdjustSettings(black=black, white=white).check()


def test_a_white_point_above_the_black_point_passes():
    AdjustSettings(black=0.5, white=0.501).check()


def test_every_adjustment_says_what_it_does_and_has_both_bounds():
    for spec in specs_of(AdjustSettings):
        assert spec.help.endswith(".")
        assert spec.low < spec.high
        assert spec.low <= spec.default <= spec.high


MATTING = {"quality": ("high", None, None), "mask_threshold": (0.5, 0.001, 1)}
KNOWN = {  # default, lowest and highest value of each setting: what scripts and saved comps rest on
    "videomama": {
        **MATTING,
        "soft_mask": (False, None, None),
        "mode": ("production", None, None),
        "canvas": ("auto", None, None),
        "seed": (42, 0, 2**63 - 1),
        "feedback": (0, 0, 4),
        "noise": ("host", None, None),
        "weights": ("", None, None),
    },
    "classic": {
        **MATTING,
        "mask_quality": ("auto", None, None),
        "mask_slack": (None, 0, 200),
        "trimap_erode": (None, 0, 500),
        "trimap_dilate": (None, 0, 500),
    },
    "adjust": {
        "grow": (0.0, -100, 100),
        "feather": (0.0, 0, 50),
        "offset_x": (0.0, -500, 500),
        "offset_y": (0.0, -500, 500),
        "black": (0.0, 0, 0.999),
        "white": (1.0, 0.001, 1),
        "despeckle": (0.0, 0, 100_000),
        "deflicker": (0.0, 0, 1),
        "deflicker_radius": (2, 1, 8),
    },
}


@pytest.mark.parametrize("engine", KNOWN)
def test_defaults_and_bounds_are_those_that_saved_comps_rest_on(engine):
    found = {spec.name: (spec.default, spec.low, spec.high) for spec in specs_of(RECORDS[engine])}
    assert {name: found[name] for name in KNOWN[engine]} == KNOWN[engine]
