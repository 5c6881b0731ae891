"""The gizmo's knobs say what the settings say: names, defaults, ranges, choices and tooltips."""

import re
from pathlib import Path

import pytest
from videomama_client.engine_settings import RECORDS, AdjustSettings, EdgeSettings, explanation, own_specs
from videomama_client.setting_spec import CHOICE, NUMBER, TEXT, WHOLE_NUMBER, YES_NO, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import MAKER, MATTING, REFINER
from videomama_server import engines

GIZMO = (Path(__file__).parents[3] / "gizmos" / "VideoMaMa.gizmo").read_text()
SPECS = {spec.name: spec for spec in specs_of(MatteSettings)} | own_specs()
NO_KNOB = {"plate_layer", "view", "mask_colour"}  # Nuke exports one layer, view, mask
NO_KNOB |= {"mode", "noise"}  # these compare with the published inference
TYPED = ("vitmatte", "mematte", "sam2", "sam3", "sam2matte")  # engines that Nuke takes as text, with their settings
EDGE = {spec.name for spec in specs_of(EdgeSettings)}  # settings of another stage, whose knobs have a prefix
NO_KNOB |= {spec.name for engine in TYPED for spec in specs_of(RECORDS[engine])} - {"weights"} - EDGE
OTHER_KNOB = {"roi", "mask_channel"}  # roi_mode and roi_box; a link to the node inside
OWN_TOOLTIP = {"colorspace"}  # auto is the project's working space there
KNOB_OF_KIND = {TEXT: {1, 2}, WHOLE_NUMBER: {3}, CHOICE: {4}, YES_NO: {6}, NUMBER: {7}}
NO_VALUE = {  # a knob for numbers has no None
    "window": "0",
    "overlap": "-1",
    "mask_slack": "-1",
    "trimap_erode": "-1",
    "trimap_dilate": "-1",
    **{spec.name: "-1" for spec in specs_of(EdgeSettings) if spec.default is None},
}
ADJUST = {spec.name for spec in specs_of(AdjustSettings)}  # likewise
PREFIXES = {**dict.fromkeys(ADJUST, "adjust_"), **dict.fromkeys(EDGE, "edge_")}
NAMES = sorted(SPECS.keys() - NO_KNOB - OTHER_KNOB)


def knob(name: str) -> dict[str, str]:
    """The parts of a user knob's definition, and the value that the gizmo gives it."""
    name = f"{PREFIXES.get(name, '')}{name}"
    line = re.search(
        rf"^ addUserKnob \{{(?P<type>\d+) {name} l (?:\"[^\"]*\"|\S+)(?: t \"(?P<tip>[^\"]*)\")?"
        r"(?: R (?P<low>\S+) (?P<high>[^\s}]+))?(?: M \{(?P<menu>[^}]*)\})?[^}]*\}\n"
        rf"(?: {name} (?P<value>.*)\n)?",
        GIZMO,
        re.MULTILINE,
    )
    assert line, f"no knob {name}"
    return {part: text for part, text in line.groupdict().items() if text is not None}


def test_every_setting_has_a_knob_but_those_that_nuke_decides():
    assert all(knob(name) for name in NAMES)
    for name in NO_KNOB:
        assert not re.search(rf"addUserKnob \{{\d+ {name} ", GIZMO)


@pytest.mark.parametrize("name", NAMES)
def test_a_knob_is_of_its_settings_kind(name):
    kind = CHOICE if name == "engine" else SPECS[name].kind
    assert int(knob(name)["type"]) in KNOB_OF_KIND[kind]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_node_has_the_default_of_every_setting(name):
    spec, found = SPECS[name], knob(name)
    empty = found["menu"].split()[0] if "menu" in found else {TEXT: ""}.get(spec.kind, "0")
    value = found.get("value", empty)
    if name in NO_VALUE:
        assert (value, spec.default) == (NO_VALUE[name], None)
    elif spec.kind in (NUMBER, WHOLE_NUMBER, YES_NO):
        assert float(value) == spec.default
    else:
        assert value == spec.default


@pytest.mark.parametrize("name", [name for name in NAMES if SPECS[name].kind == NUMBER])
def test_a_slider_stays_within_the_bounds(name):
    found, spec = knob(name), SPECS[name]
    low, high = float(found["low"]), float(found["high"])
    lowest = 0 if name == "mask_threshold" else spec.low  # a slider from 0.001 would show odd steps
    default = float(found.get("value", 0)) if spec.default is None else spec.default
    assert min(lowest, default) <= low < high <= spec.high
    assert low <= default <= high


def test_a_menu_has_the_choices_of_its_setting():
    for name in ("quality", "mask_quality", "trimap_mode", "trimap_preset", "show"):
        assert tuple(knob(name)["menu"].split()) == SPECS[name].choices
    of_role = {role: [name for name in engines._BUILT_IN if engines.role(name) == role] for role in (MAKER, REFINER)}
    assert knob("edge_engine")["menu"].split() == ["none", *of_role[REFINER]]
    assert sorted(knob("maker")["menu"].split()) == sorted(["none", *of_role[MAKER], "other"])
    matting = [name for name in engines._BUILT_IN if engines.role(name) == MATTING and name not in TYPED]
    assert knob("engine")["menu"].split() == ["auto", *matting, "other"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OWN_TOOLTIP])
def test_a_tooltip_begins_with_the_help_of_its_setting(name):
    assert knob(name)["tip"].startswith(explanation(SPECS[name]))


@pytest.mark.parametrize("name", ["engine", "maker", "edge_engine"])
def test_the_tooltip_of_a_menu_of_engines_explains_every_choice(name):
    bold = re.findall(r"<b>(\w+)</b>", knob(name)["tip"])
    assert [*(["auto"] if name == "engine" else []), *bold] == knob(name)["menu"].split()
