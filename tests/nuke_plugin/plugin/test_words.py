"""What somebody in Nuke reads: knobs instead of options, and the frame to look at."""

import re
from pathlib import Path

import pytest
from videomama_client.engine_settings import RECORDS, own_specs
from videomama_client.errors import BadInput
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_nuke import words

GIZMO = Path(__file__).parents[3] / "gizmos" / "VideoMaMa.gizmo"
NO_KNOB = {"plate_layer", "view", "mask_colour"}  # Nuke exports one layer, view, mask
NO_KNOB |= {"mode", "noise"}  # these compare with the published inference
TYPED = ("vitmatte", "mematte", "sam2", "sam3", "sam2matte")  # engines that Nuke takes as text, with their settings
NO_KNOB |= {spec.name for engine in TYPED for spec in specs_of(RECORDS[engine])} - {"weights"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--mask-close-holes 500 is out of range", "'fill holes' 500 is out of range"),
        ("Choose a smaller --window or --roi.", "Choose a smaller 'window' or 'region of interest'."),
        ("Start it with --no-such-option.", "Start it with --no-such-option."),
        ("cannot read /shots/a--b/plate--v2.exr", "cannot read /shots/a--b/plate--v2.exr"),
        ("cannot read /shots/--clip/plate.exr", "cannot read /shots/--clip/plate.exr"),
        ("", ""),
    ],
)
def test_options_become_the_knobs_of_the_same_meaning(text, said):
    assert words.with_knobs(text) == said


def test_every_setting_that_has_a_knob_is_worded():
    named = {spec.name for spec in specs_of(MatteSettings)} | own_specs().keys()
    options = {f"--{name.replace('_', '-')}" for name in named - NO_KNOB}
    assert {option for option in options if words.with_knobs(option).startswith("--")} == set()


def test_the_labels_are_those_of_the_gizmo():
    labels = {first or second for first, second in re.findall(r' l (?:"([^"]+)"|(\S+))', GIZMO.read_text())}
    assert set(words._KNOBS.values()) - labels == set()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"role": "mask", "frame": 1003}, "broken. Render it again. Look at frame 1003 of the mask."),
        ({"frame": 0}, "broken. Render it again. Look at frame 0."),
        ({"role": "mask"}, "broken. Render it again."),
    ],
    ids=str,
)
def test_a_frame_that_is_known_is_named_last(place, said):
    assert words.said(BadInput("broken", "Render it again.", **place)) == said


def test_an_error_without_a_hint_is_its_message():
    assert words.said(BadInput("broken")) == "broken"


def test_where_no_frame_is_known_there_is_none_to_look_at():
    assert words.look_at("mask", None) == ""
    assert words.look_at("", 1003) == "Look at frame 1003."
