"""The stages that the knobs of the tab Adjust ask for."""

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import AdjustSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import specs_of
from videomama_client.stages import Stage

SPECS = {spec.name: spec for spec in specs_of(AdjustSettings)}


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def stages(comp):
    from videomama_nuke import knobs, stage_knobs

    return stage_knobs.stages_of(comp.node(), knobs.settings_of(comp.node()))


def test_a_node_at_its_defaults_asks_for_no_further_stage(comp):
    assert stages(comp) == ()


@pytest.mark.parametrize("name", SPECS)
def test_each_knob_is_the_setting_of_its_name(comp, name):
    value = 3 if name == "deflicker_radius" else 0.5
    comp.node()[f"adjust_{name}"].setValue(value)
    assert stages(comp) == (Stage("adjust", (EngineOption(name, value),)),)
    assert type(stages(comp)[0].options[0].value) is (int if name == "deflicker_radius" else float)


def test_several_knobs_are_one_stage(comp):
    comp.node()["adjust_grow"].setValue(-2)
    comp.node()["adjust_black"].setValue(0.1)
    assert stages(comp) == (Stage("adjust", (EngineOption("black", 0.1), EngineOption("grow", -2.0))),)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"adjust_grow": 200}, "stage 2, adjust: --grow 200 is out of range"),
        ({"adjust_black": 0.6, "adjust_white": 0.5}, "the white point 0.5 must be above the black point 0.6"),
    ],
)
def test_a_value_that_cannot_be_used_names_the_stage(comp, values, message):
    for name, value in values.items():
        comp.node()[name].setValue(value)
    with pytest.raises(BadInput, match=message):
        stages(comp)


def test_the_status_says_what_is_wrong_in_the_words_of_the_knobs(comp):
    comp.show_alphas()
    comp.node().showControlPanel()
    comp.node()["adjust_grow"].setValue(200)
    assert comp.status() == "stage 2, adjust: 'grow' 200 is out of range"


def test_a_group_made_of_an_earlier_gizmo_has_no_adjustments(comp):
    for name in SPECS:
        comp.node().removeKnob(comp.node()[f"adjust_{name}"])
    assert stages(comp) == ()


def test_clones_share_their_adjustments(comp):
    other = comp.nuke.clone(comp.node(), inpanel=False)
    comp.node()["adjust_grow"].setValue(2)
    assert other["adjust_grow"].value() == 2
