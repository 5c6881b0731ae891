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


def test_a_group_made_of_an_earlier_gizmo_has_no_further_stages(comp):
    for name in ("then", *(f"adjust_{name}" for name in SPECS)):
        comp.node().removeKnob(comp.node()[name])
    assert stages(comp) == ()


def test_clones_share_their_adjustments(comp):
    other = comp.nuke.clone(comp.node(), inpanel=False)
    comp.node()["adjust_grow"].setValue(2)
    assert other["adjust_grow"].value() == 2


def test_each_line_is_a_stage_and_the_adjustments_are_the_last(comp):
    comp.node()["then"].setValue("classic window=8 mask_slack=3\n\n  own strength=0.5 title='a b'  \n")
    comp.node()["adjust_grow"].setValue(2)
    assert stages(comp) == (
        Stage("classic", (EngineOption("mask_slack", 3.0),), 8),
        Stage("own", (EngineOption("strength", "0.5"), EngineOption("title", "a b"))),
        Stage("adjust", (EngineOption("grow", 2.0),)),
    )


def test_lines_are_kept_in_a_script(comp):
    comp.node()["then"].setValue("classic window=8\nown title='a [b] {c}'")
    before = comp.node()["then"].getText()
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert comp.node()["then"].getText() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("window=8", "--then 'window=8' names no engine"),
        ("classic\npassthrough seed=1", "stage 3, passthrough: --seed is a setting of videomama"),
        ("classic mask_slack=900", "stage 2, classic: --mask-slack 900 is out of range"),
        ("adjust black=0.6 white=0.5", "stage 2, adjust: engine adjust: the white point 0.5 must be above"),
        ("classic window=8 overlap=many", "stage 2, classic: overlap must be a whole number"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(comp, text, message):
    comp.node()["then"].setValue(text)
    with pytest.raises(BadInput) as refused:
        stages(comp)
    assert refused.value.message.startswith(message)


def test_a_refused_line_is_named_by_its_knob(comp):
    comp.node()["then"].setValue("window=8")
    comp.press("refine")
    assert comp.status().startswith("'further stages' 'window=8' names no engine. Write ENGINE NAME=VALUE")


def test_the_edge_refiner_comes_before_the_adjustments_with_its_trimap(comp):
    comp.node()["then"].setValue("passthrough")
    comp.node()["edge_engine"].setValue("vitmatte")
    comp.node()["edge_trimap_preset"].setValue("wide")
    comp.node()["edge_trimap_inside"].setValue(3)
    comp.node()["edge_show"].setValue("trimap")
    comp.node()["adjust_grow"].setValue(2)
    asked = (EngineOption("show", "trimap"), EngineOption("trimap_inside", 3.0), EngineOption("trimap_preset", "wide"))
    assert stages(comp) == (
        Stage("passthrough"),
        Stage("vitmatte", asked),
        Stage("adjust", (EngineOption("grow", 2.0),)),
    )


def test_an_edge_refiner_at_its_defaults_is_a_stage_without_options(comp):
    comp.node()["edge_engine"].setValue("mematte")
    assert stages(comp) == (Stage("mematte"),)


def test_the_trimaps_knobs_are_hidden_until_an_edge_refiner_is_chosen(comp):
    comp.node().showControlPanel()
    visible = lambda: {comp.node()[name].visible() for name in ("edge_trimap_preset", "edge_trimap_outside")}  # noqa: E731
    assert visible() == {False}
    comp.node()["edge_trimap_outside"].setValue(900)
    assert stages(comp) == ()
    comp.node()["edge_engine"].setValue("vitmatte")
    assert visible() == {True}
    with pytest.raises(BadInput, match="stage 2, vitmatte: --trimap-outside 900 is out of range"):
        stages(comp)


def test_a_changed_trimap_is_stale_by_its_name(comp):
    comp.node()["edge_engine"].setValue("vitmatte")
    comp.show_alphas()
    comp.node().showControlPanel()
    comp.node()["edge_trimap_preset"].setValue("maximum")
    assert comp.status() == "stale: vitmatte trimap preset changed"
    comp.node()["adjust_grow"].setValue(2)
    assert comp.status() == "stale: vitmatte trimap preset, adjust grow changed"
    comp.node()["edge_engine"].setValue("none")
    assert comp.status() == "stale: edge refiner, adjust grow changed"


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import stage_knobs

    assert numbers_left_out(stage_knobs.stages_of) == {"number": 2}
