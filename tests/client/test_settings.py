import json
import re
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest
from videomama_client.engine_options import EngineOption, specs_known
from videomama_client.engine_settings import explanation, own_specs
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, WHOLE_NUMBER, SettingSpec, specs_of
from videomama_client.settings import LONGEST_WINDOW, MatteSettings, parse_colours

DOCS = Path(__file__).parents[2] / "docs"
SPECS = specs_of(MatteSettings)


def test_the_defaults_make_sense():
    MatteSettings().check()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"exposure": 33.0}, "--exposure 33"),
        ({"exposure": float("nan")}, "exposure nan"),
        ({"exposure": float("-inf")}, "exposure -inf"),
        ({"mask_threshold": 0.0}, "--mask-threshold 0"),
        ({"mask_threshold": 1.01}, "--mask-threshold 1.01"),
        ({"mask_slack": -1.0}, "--mask-slack -1"),
        ({"trimap_erode": -1.0}, "--trimap-erode -1"),
        ({"trimap_dilate": 501.0}, "--trimap-dilate 501"),
        ({"quality": "best"}, "unknown quality 'best'"),
        ({"mode": "published"}, "unknown mode 'published'"),
        ({"seed": True}, "--seed must be a whole number, not True"),
        ({"window": 2.5}, "--window must be a whole number, not 2.5"),
        ({"exposure": "1"}, "--exposure must be a number, not '1'"),
        ({"roi": None}, "--roi must be text, not None"),
        ({"soft_mask": 1}, "--soft-mask must be yes or no, not 1"),
        ({"canvas": "1024*576"}, "--canvas '1024*576' is not a valid size"),
        ({"mask_colour": "red"}, "mask colour 'red'"),
        ({"mask_colour": "#80000"}, "mask colour '#80000'"),
        ({"mask_colour": "256,0,0"}, "mask colour '256,0,0'"),
        ({"mask_colour": "1,2"}, "mask colour '1,2'"),
        ({"mask_colour": "#800000 1,2,3,4"}, "mask colour '1,2,3,4'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_would(values, said):
    with pytest.raises(BadInput) as caught:
        MatteSettings.of(**values).check()
    assert said in caught.value.message
    assert caught.value.hint


BOUNDS = {
    "exposure": (-32, 32),
    "mask_threshold": (0.001, 1),
    "mask_slack": (0, 200),
    "trimap_erode": (0, 500),
    "trimap_dilate": (0, 500),
    "mask_grow": (-200, 200),
    "mask_close_holes": (0, 200),
    "window": (1, LONGEST_WINDOW),
    "overlap": (0, LONGEST_WINDOW // 2),
    "seed": (0, 2**63 - 1),
    "feedback": (0, 4),
}


def test_every_setting_that_is_a_number_has_bounds():
    specs = [*SPECS, *(specs_known("auto") or ())]
    numbers = {spec.name: (spec.low, spec.high) for spec in specs if spec.kind in (NUMBER, WHOLE_NUMBER)}
    assert numbers == BOUNDS


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_may_be_at_its_bounds_and_not_beyond(name):
    lowest, highest = BOUNDS[name]
    step = 0.001 if name == "mask_threshold" else 1
    for value in (lowest, highest):
        MatteSettings.of(**{name: value}).check()
    for value in (lowest - step, highest + step):
        with pytest.raises(BadInput) as caught:
            MatteSettings.of(**{name: value}).check()
        assert caught.value.message == f"--{name.replace('_', '-')} {value:g} is out of range"


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("", ()),
        ("#800000", ((128, 0, 0),)),
        ("#80fF00 #000001", ((128, 255, 0), (0, 0, 1))),
        ("#800000,#008000;#000080", ((128, 0, 0), (0, 128, 0), (0, 0, 128))),
        ("128,0,0", ((128, 0, 0),)),
        ("128, 0, 0; 0,128,0 7,8,9", ((128, 0, 0), (0, 128, 0), (7, 8, 9))),
    ],
)
def test_colours_are_read_as_people_write_them(text, colours):
    assert parse_colours(text) == colours


def test_settings_never_change():
    with pytest.raises(FrozenInstanceError):
        MatteSettings().engine = "classic"


def test_every_setting_says_what_it_is_for():
    for spec in (*SPECS, *own_specs().values()):
        assert spec.help.endswith("."), spec.name
        assert all(len(sentence.split()) <= 25 for sentence in re.split(r"[.;] ", explanation(spec))), spec.name


def test_what_chooses_the_pixels_that_are_read_is_not_in_the_key_itself():
    beside = {"plate_layer", "mask_channel", "view", "mask_colour"}
    settings = MatteSettings(exposure=7.0)
    beside.add("engine_options")
    assert settings.key_fields() == {name: value for name, value in vars(settings).items() if name not in beside}
    assert replace(settings, view="left", mask_channel="R").key_fields() == settings.key_fields()


def test_options_of_an_engine_are_written_down_only_where_there_are_some():
    assert list(MatteSettings().plain()) == [spec.name for spec in SPECS]
    asked = MatteSettings(engine_options=(EngineOption("strength", 0.25), EngineOption("look", "hard")))
    assert asked.plain() == {**MatteSettings().plain(), "engine_options": {"strength": 0.25, "look": "hard"}}
    assert asked.key_fields()["engine_options"] == asked.plain()["engine_options"]
    assert json.loads(json.dumps(asked.plain())) == asked.plain()


def test_the_protocols_page_lists_every_setting():
    listed = re.search(r"^`settings`: (.*?);", (DOCS / "protocol.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    assert re.findall(r"`(\w+)`", listed) == [known.name for known in fields(MatteSettings)]


def test_the_page_of_the_model_names_options_that_there_are():
    named = set(re.findall(r"`(--[a-z-]+)[^`]*`(?=.*\|)", (DOCS / "model.md").read_text()))
    assert named
    assert named - {spec.option for spec in (*SPECS, *own_specs().values())} == set()


def test_options_of_an_engine_are_what_was_asked_for_else_their_defaults():
    specs = [SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1), SettingSpec("rounds", NUMBER, 3.0, "How often.")]
    settings = MatteSettings(engine_options=[EngineOption("strength", 0.75)])
    assert settings.options_of(specs) == {"strength": 0.75, "rounds": 3.0}


def test_values_are_fields_by_name_and_else_options_of_the_engine():
    settings = MatteSettings.of(engine="own", exposure=1.0, strength=0.5, look=None)
    assert settings == MatteSettings("own", exposure=1.0, engine_options=(EngineOption("strength", 0.5),))
    assert MatteSettings.of(engine_options=(EngineOption("strength", 1),)).option("strength") == 1


def test_an_option_is_given_another_value_or_left_to_the_engine_and_the_others_stay():
    settings = MatteSettings.of(seed=7, canvas="64x64")
    assert settings.with_options(seed=8, feedback=1) == MatteSettings.of(canvas="64x64", feedback=1, seed=8)
    assert settings.with_options(seed=None) == MatteSettings.of(canvas="64x64")
    assert settings.with_options(seed=None).option("seed") is None


def test_options_at_their_defaults_are_left_out_for_an_engine_of_ours_alone():
    asked = MatteSettings.of(engine="classic", quality="high", mask_slack=3)
    assert asked.without_defaults() == MatteSettings.of(engine="classic", mask_slack=3.0)
    other = MatteSettings.of(engine="own", quality="high")
    assert other.without_defaults() is other


def test_the_options_of_an_engine_that_is_not_of_ours_are_not_judged_here():
    MatteSettings.of(engine="own", seed="perhaps", canvas=7).check()


def test_defaults_are_those_that_saved_comps_rest_on_and_files_channels_are_in_no_key():
    known = {
        "engine": "auto",
        "window": None,
        "overlap": None,
        "roi": "auto",
        "plate_layer": "",
        "mask_channel": "",
        "view": "",
        "mask_colour": "",
        "colorspace": "auto",
        "exposure": 0.0,
        "mask_grow": 0.0,
        "mask_close_holes": 0.0,
    }
    settings = MatteSettings()
    assert {name: settings.plain()[name] for name in known} == known
    beside = {"plate_layer", "mask_channel", "view", "mask_colour"}
    assert settings.plain().keys() - settings.key_fields().keys() == beside
