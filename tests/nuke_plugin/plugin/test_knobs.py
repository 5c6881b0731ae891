"""What the gizmo's knobs say."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import comps
import pytest
from videomama_client.engine_settings import RECORDS, engines_with, own_specs
from videomama_client.errors import BadInput
from videomama_client.setting_spec import specs_of

TYPED = ("vitmatte", "mematte", "sam2", "sam3", "sam2matte")  # engines that Nuke takes as text, with their settings
LATER = {spec.name for engine in ("adjust", *TYPED) for spec in specs_of(RECORDS[engine])} - {"weights"}
MATTING = own_specs().keys() - LATER - {"mode", "noise"}
GIZMO = comps.PLUGIN.parent / "gizmos" / "VideoMaMa.gizmo"


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.fixture
def knobs(comp):
    from videomama_nuke import knobs

    return knobs


def settings(comp):
    from videomama_nuke import knobs

    return knobs.settings_of(comp.node())


@pytest.mark.parametrize(
    ("knob", "value", "setting"),
    [
        ("engine", "passthrough", "passthrough"),
        ("quality", "fast", "fast"),
        ("canvas", "1024x576", "1024x576"),
        ("mask_threshold", 0.25, 0.25),
        ("soft_mask", True, True),
        ("mask_grow", -3, -3.0),
        ("mask_close_holes", 4, 4.0),
        ("mask_slack", 7, 7.0),
        ("trimap_erode", 3, 3.0),
        ("trimap_dilate", 9, 9.0),
        ("exposure", 1.5, 1.5),
        ("seed", 7, 7),
        ("feedback", 2, 2),
        ("window", 12, 12),
        ("window", 0, None),
        ("weights", "/w", "/w"),
        ("colorspace", "sRGB - Texture", "sRGB - Texture"),
    ],
)
def test_each_knob_is_the_setting_of_its_name(comp, knobs, knob, value, setting):
    comp.node()["engine"].setValue("auto")
    comp.node()[knob].setValue(value)
    asked = settings(comp)
    found = asked.option(knob) if knob in own_specs() else getattr(asked, knob)
    assert (found, type(found)) == (setting, type(setting))


@pytest.mark.parametrize(
    ("engine", "grey"),
    [
        ("auto", set()),
        ("classic", {"canvas", "soft_mask", "seed", "feedback", "weights"}),
        ("videomama", {"mask_quality", "mask_slack", "trimap_erode", "trimap_dilate"}),
        ("passthrough", MATTING),
        ("other", MATTING),
    ],
)
def test_a_knob_that_does_nothing_for_the_engine_is_grey_and_asks_for_nothing(comp, knobs, engine, grey):
    node = comp.node()
    node["other_engine"].setValue("grain")
    for name, value in (("seed", 7), ("mask_slack", 3), ("canvas", "64x64"), ("weights", "/w"), ("quality", "fast")):
        node[name].setValue(value)
    node.showControlPanel()
    node["engine"].setValue(engine)
    assert {name for name in knobs.OWN if not node[name].enabled()} == grey
    assert {option.name for option in settings(comp).engine_options} & grey == set()
    assert settings(comp).option("seed") == (None if "seed" in grey else 7)


def test_keyframes_of_a_knob_that_does_nothing_for_the_engine_do_no_harm(comp):
    comp.node()["seed"].setAnimated()
    comp.node()["engine"].setValue("classic")
    assert settings(comp).option("seed") is None
    comp.node()["engine"].setValue("auto")
    with pytest.raises(BadInput, match="seed has keyframes"):
        settings(comp)


def test_a_knob_at_its_default_asks_for_nothing(comp):
    comp.node()["quality"].setValue("high")
    for engine in ("auto", "classic", "videomama"):
        comp.node()["engine"].setValue(engine)
        assert settings(comp).engine_options == ()


def test_what_is_grey_follows_an_engine_that_was_set_while_no_panel_showed_it(comp):
    comp.node()["engine"].setValue("videomama")
    comp.node().showControlPanel()
    assert not comp.node()["mask_slack"].enabled()


def test_knobs_are_grey_when_a_script_is_opened(comp):
    comp.node()["engine"].setValue("videomama")
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert not comp.node()["mask_slack"].enabled()
    assert comp.node()["seed"].enabled()
    assert not comp.nuke.root().modified()


@pytest.mark.parametrize(("knob", "setting"), [(-1, None), (0, 0), (1, 1), (3, 3)])
def test_an_overlap_below_zero_is_the_engines_own(comp, knob, setting):
    comp.node()["window"].setValue(8)
    comp.node()["overlap"].setValue(knob)
    assert settings(comp).overlap == setting


def test_a_value_out_of_range_is_refused(comp):
    comp.node()["mask_threshold"].setValue(7)
    with pytest.raises(BadInput, match="--mask-threshold 7 is out of range"):
        settings(comp)


def test_the_mask_is_the_alpha_of_what_is_exported(comp):
    assert settings(comp).mask_channel == "A"


@pytest.mark.parametrize(
    ("box", "region"),
    [((10, 8, 40, 28), "10,20,30,20"), ((10.2, 8.7, 40.2, 27.5), "10,20,31,20"), ((0, 0, 64, 48), "0,0,64,48")],
)
def test_the_box_is_a_region_from_the_top_and_goes_back_to_the_same_box(comp, knobs, box, region):
    comp.node()["roi_mode"].setValue("box")
    comp.node()["roi_box"].setValue(list(box))
    assert settings(comp).roi == region
    comp.node()["roi_box"].setValue([1, 2, 3, 4])
    knobs.show_region(comp.node(), region)
    assert settings(comp).roi == region


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9)])
def test_an_empty_box_is_refused(comp, box):
    comp.node()["roi_mode"].setValue("box")
    comp.node()["roi_box"].setValue(list(box))
    with pytest.raises(BadInput, match="the region of interest is an empty box"):
        settings(comp)


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_other_modes_are_themselves(comp, mode):
    comp.node()["roi_mode"].setValue(mode)
    assert settings(comp).roi == mode


@pytest.mark.parametrize(
    ("named", "management", "space"),
    [("auto", "Nuke", "auto"), ("  ", "Nuke", "auto"), ("auto", "OCIO", "working"), ("ACEScg", "OCIO", "ACEScg")],
)
def test_the_space_is_the_projects_where_ocio_manages_it(comp, named, management, space):
    root = comp.nuke.root()
    root["colorManagement"].setValue(management)
    comp.node()["colorspace"].setValue(named)
    assert settings(comp).colorspace == (str(root["workingSpaceLUT"].value()) if space == "working" else space)


@pytest.mark.parametrize("name", ["mask_grow", "roi_mode", "exposure", "adjust_feather"])
def test_an_animated_knob_is_refused_by_its_name(comp, name):
    comp.node()[name].setAnimated()
    with pytest.raises(BadInput, match=rf"VideoMaMa1: {name} has keyframes"):
        settings(comp)
    comp.node()[name].clearAnimated()
    settings(comp)
    comp.node()[name].setExpression("frame")
    with pytest.raises(BadInput, match=rf"VideoMaMa1: {name} has an expression"):
        settings(comp)


def names_of_the_gizmo() -> list[str]:
    """Return the names of all knobs of the gizmo that hold a value, and of Nuke's own switch."""
    valueless = {"20", "22", "26"}  # tabs, buttons, texts
    found = re.findall(r"^ addUserKnob \{(\d+) (\w+) ", GIZMO.read_text(), re.MULTILINE)
    return [*(name for kind, name in found if kind not in valueless), "disable"]


def animations(knob) -> Iterator[str]:
    """Give a knob every animation that its kind can have, one after another, and yield what each is called."""
    if hasattr(knob, "setAnimated"):
        knob.setAnimated()
        yield "keyframes"
        knob.clearAnimated()
    if hasattr(knob, "setExpression"):
        knob.setExpression("frame > 1003")
        yield "an expression"
        knob.clearAnimated()


def test_every_knob_is_refused_by_its_name_where_it_is_animated_or_is_asked_at_each_frame(comp, knobs):
    """Some knobs show what the plug-in says, others hold a prompt until a button adds it; they change nothing."""
    names = names_of_the_gizmo()
    may_be_animated = {"premultiply", "bypass", "disable"}
    said = {"state", "engines_found", "makers_found"}
    to_be_added = {"object", "point", "point_is", "prompt_box", "prompt_words"}
    free = {*may_be_animated, *said, *to_be_added}
    assert set(names) == {*knobs._STEADY, *free}
    every = ((name, what) for name in names for what in animations(knobs.linked(comp.node(), name)))
    for name, what in every:
        for engine in engines_with(name)[:1]:  # a knob that does nothing for the engine may be animated
            comp.node()["engine"].setValue(engine)
        if name in free:
            knobs._check_steady(comp.node())
            continue
        with pytest.raises(BadInput, match=rf"VideoMaMa1: {name} has {what}"):
            settings(comp)


def test_a_group_made_of_an_earlier_gizmo_lacks_knobs_and_is_asked_for_the_others(comp, knobs):
    comp.node().removeKnob(comp.node()["unchecked"])
    settings(comp)
    comp.node()["engine"].setValue("auto")
    comp.node()["seed"].setAnimated()
    with pytest.raises(BadInput, match="seed has keyframes"):
        settings(comp)


@pytest.mark.parametrize("name", ["cache_folder", "weights", "connection_file"])
@pytest.mark.parametrize("text", ["/c/[frame]", "/c/[expr {[frame] / 10}]", "/c/[value root.frame]"])
def test_a_folder_of_each_frame_is_refused(comp, name, text):
    comp.node()["engine"].setValue("auto")
    comp.node()[name].setValue(text)
    with pytest.raises(BadInput, match=f"VideoMaMa1: {name} has the frame's number"):
        settings(comp)
    comp.node()[name].setValue("/frame/[value root.name]")
    settings(comp)


def test_which_nodes_are_ours(comp, knobs):
    assert knobs.is_ours(comp.node())
    assert knobs.is_whole(comp.node())
    assert not knobs.is_ours(comp.node("PlateRead"))
    group = comp.nuke.nodes.Group()
    group.addKnob(comp.nuke.Int_Knob("videomama"))
    assert not knobs.is_ours(group)
    group.addKnob(comp.nuke.String_Knob("node_id"))
    assert knobs.is_ours(group)
    assert not knobs.is_whole(group)


def test_files_lie_beside_the_script_or_where_the_knob_says(comp, knobs, tmp_path):
    own = comp.node()["node_id"].value()
    assert knobs.folder_of(comp.node()) == comp.folder / "videomama" / own
    comp.node()["cache_folder"].setValue(str(tmp_path / "cache"))
    assert knobs.folder_of(comp.node()) == tmp_path / "cache" / own


def test_a_script_without_a_place_is_asked_for_one(start_nuke, tmp_path):
    nuke = start_nuke().nuke
    from videomama_nuke import knobs

    made = nuke.nodes.VideoMaMa()
    with pytest.raises(BadInput, match="the script has not been saved yet"):
        knobs.folder_of(made)
    made["cache_folder"].setValue(str(tmp_path))
    assert knobs.folder_of(made).parent == tmp_path


def test_an_id_is_made_once(comp, knobs):
    comp.node()["node_id"].setValue("")
    comp.nuke.root().setModified(False)
    first = knobs.identity_of(comp.node())
    assert uuid.UUID(hex=first).hex == first
    assert knobs.identity_of(comp.node()) == comp.node()["node_id"].value() == first
    assert not comp.nuke.root().modified()


def test_the_connection_file_is_a_path_or_nothing(comp, knobs):
    assert knobs.connection_file_of(comp.node()) is None
    comp.node()["connection_file"].setValue("/x/connection.json")
    assert knobs.connection_file_of(comp.node()) == Path("/x/connection.json")


def test_a_link_is_followed_and_another_knob_is_itself(comp, knobs):
    node = comp.node()
    assert knobs.linked(node, "result_file").fullyQualifiedName().endswith("vm_result.file")
    assert knobs.linked(node, "seed").name() == "seed"
    node["mask_channel"].setValue("rgba.red")
    assert knobs.mask_channel_of(node) == "rgba.red"


def test_what_is_at_its_default_is_known_where_the_knob_can_tell(comp, knobs):
    assert not knobs.may_differ(comp.node()["seed"])
    comp.node()["seed"].setValue(7)
    assert knobs.may_differ(comp.node()["seed"])
    assert knobs.may_differ(object())


def test_a_node_without_its_inside_is_named(comp, knobs):
    comp.nuke.delete(comp.node().node("vm_export"))
    with pytest.raises(BadInput, match="VideoMaMa1 has no vm_export inside"):
        knobs.inner(comp.node(), "vm_export")


def test_the_plates_height_is_the_formats(comp, knobs):
    assert knobs.plate_height(comp.node()) == comps.HEIGHT
    comp.node().setInput(0, None)
    with pytest.raises(BadInput, match="VideoMaMa1 has no plate"):
        knobs.plate_height(comp.node())
