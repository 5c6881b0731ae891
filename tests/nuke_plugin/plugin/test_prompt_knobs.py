"""The tab Prompts: mask maker, clicks, boxes, words, painted frames, and several objects."""

import json

import comps
import numpy as np
import pytest
from videomama_client.client import Client
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.messages import EnginesReported, EngineState
from videomama_client.prompts import MASK, POINT, Prompt
from videomama_client.stages import MAKER, Stage

ALWAYS = {"maker", "objects"}
OF_MAKER = {"maker_settings", "object", "point", "prompt_box", "prompt_words", "add_painted", "prompts"}
TWO = "hero=hero.alpha\ndog=dog.alpha"


def read(comp):
    from videomama_nuke import prompt_knobs

    return prompt_knobs.read(comp.node())


def shown(comp) -> set[str]:
    return {name for name in (*ALWAYS, *OF_MAKER, "other_maker") if comp.node()[name].visible()}


def masks_of_two(comp) -> None:
    """Give the mask input two layers: hero is the disc, dog is what lies left of it."""
    for frame in range(comps.FIRST, comps.FIRST + comps.COUNT):
        hero = comps.pixels(frame)[1]
        dog = np.zeros_like(hero)
        dog[30:44, 4:14] = 1
        comps.write_exr(comp.folder / f"mask.{frame}.exr", np.dstack([hero, dog]), ("hero.A", "dog.A"))
    for name in ("hero", "dog"):
        comp.nuke.Layer(name, [f"{name}.alpha"])


def test_prompts_are_hidden_until_a_maker_is_chosen(offline_comp):
    offline_comp.node().showControlPanel()
    assert shown(offline_comp) == ALWAYS
    offline_comp.node()["maker"].setValue("sam2")
    assert shown(offline_comp) == ALWAYS | OF_MAKER
    offline_comp.node()["maker"].setValue("other")
    assert shown(offline_comp) == ALWAYS | OF_MAKER | {"other_maker"}
    offline_comp.nuke.scriptSave()
    offline_comp.nuke.scriptOpen(str(offline_comp.script))
    assert shown(offline_comp) == ALWAYS | OF_MAKER | {"other_maker"}


def test_the_buttons_add_lines_for_the_current_frame_and_the_named_object(offline_comp):
    node = offline_comp.node()
    node["maker"].setValue("sam2")
    offline_comp.nuke.root()["frame"].setValue(1003)
    node["object"].setValue("dog")
    node["point"].setValue([20.5, 10.25])
    offline_comp.press("add_point")
    node["point_is"].setValue("subtract")
    offline_comp.press("add_point")
    node["prompt_box"].setValue([1, 2, 30, 40])
    offline_comp.press("add_box")
    node["prompt_words"].setValue("the dog")
    offline_comp.press("add_words")
    offline_comp.press("add_painted")
    assert node["prompts"].value().splitlines() == [
        "dog: add 1003:20.5,10.25",
        "dog: subtract 1003:20.5,10.25",
        "dog: box 1003:1,2,30,40",
        "dog: say the dog",
        "dog: painted 1003",
    ]
    assert len(read(offline_comp).prompts) == 5


@pytest.mark.parametrize(
    ("button", "name", "said"),
    [
        ("add_box", "", "the box is empty. Draw it in the Viewer."),
        ("add_words", "", "there are no words to add. Write what the subject is, such as the dog."),
        ("add_point", "rgba", "an object cannot be called 'rgba'"),
    ],
)
def test_a_button_that_has_nothing_to_add_says_so(offline_comp, button, name, said):
    offline_comp.node()["object"].setValue(name)
    offline_comp.press(button)
    assert offline_comp.status().startswith(said)
    assert not offline_comp.node()["prompts"].value()


def test_what_is_hidden_counts_for_nothing(offline_comp):
    offline_comp.node()["prompts"].setValue("not a prompt")
    assert read(offline_comp).by_mask_input
    offline_comp.show_alphas()
    offline_comp.node()["prompts"].setValue("add 1001:1,1")
    assert offline_comp.status() == "refined 1001-1020"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"maker": "other"}, "the mask maker is set to other, and none is named"),
        ({"maker": "sam2", "maker_settings": "absnt=3"}, "mask maker sam2: the engine sam2 has no option 'absnt'"),
        ({"maker": "sam2", "maker_settings": "absent"}, "mask maker sam2: --maker-set 'sam2 absent': 'absent' has no"),
        ({"maker": "sam2", "prompts": "add 1:1,1\ndog: add 1:1,1"}, "some prompts are of an object, and others"),
        ({"objects": "hero"}, "the object mask 'hero' has no channel"),
        ({"objects": "a b=rgba.red"}, "'a b' is not a valid name of an object"),
        ({"objects": "a=rgba.red\nA=rgba.blue"}, "two objects have the same name"),
        ({"objects": "\n".join(f"{name}=rgba.red" for name in "abcde")}, "the node has 5 objects"),
    ],
)
def test_what_cannot_be_is_refused(offline_comp, values, message):
    for name, value in values.items():
        offline_comp.node()[name].setValue(value)
    with pytest.raises(BadInput, match=message):
        read(offline_comp)


def test_a_node_has_four_objects(offline_comp):
    offline_comp.node()["objects"].setValue("\n".join(f"{name}=rgba.red" for name in "abcd"))
    assert read(offline_comp).names == ("a", "b", "c", "d")


def test_a_channel_that_the_mask_input_lacks_is_named(offline_comp):
    offline_comp.node()["objects"].setValue("hero=hero.alpha")
    offline_comp.press("refine")
    assert "has no channel hero.alpha, which is an object mask of VideoMaMa1" in offline_comp.status()


def test_one_foreground_file_of_several_objects_is_refused_before_anything_is_exported(comp):
    masks_of_two(comp)
    comp.node()["objects"].setValue(TWO)
    comp.node()["foreground_file"].setValue(str(comp.folder / "fg.####.exr"))
    said = comp.refine()
    assert "would be the same file for all objects. Put {object} into its name" in said
    assert not list((comp.folder / "videomama").glob("*/export"))


def test_absent_frames_of_an_object_that_no_maker_makes_are_refused_by_the_knob(comp):
    masks_of_two(comp)
    comp.node()["maker"].setValue("held")
    comp.node()["objects"].setValue("hero=hero.alpha")
    comp.node()["prompts"].setValue("dog: painted 1001\nhero: absent 1003")
    comp.node()["mask_channel"].setValue("dog.alpha")
    assert "'prompts' is a setting of sam2 and sam3" in comp.refine()


def test_a_group_made_of_an_earlier_gizmo_has_a_mask_input_alone(offline_comp):
    node = offline_comp.node()
    for name in ("prompts", "objects", "maker", "other_maker", "maker_settings"):
        node.removeKnob(node[name])
    assert read(offline_comp).by_mask_input


def test_makers_of_the_server_are_offered(comp, monkeypatch):
    known = [EngineState("sam2", role=MAKER), EngineState("ours", role=MAKER), EngineState("wool")]
    monkeypatch.setattr(Client, "engines", lambda self: EnginesReported("", [], known))
    comp.node().showControlPanel()
    comp.node()["maker"].setValue("other")
    menu = comp.node()["makers_found"]
    comp.pump(lambda: menu.values() != ["asking the server"], "the server has answered")
    assert menu.values() == ["1 mask maker of the server", "ours"]
    menu.setValue("ours")
    assert comp.node()["other_maker"].value() == "ours"
    assert read(comp).maker == Stage("ours")


def test_settings_of_a_maker_that_only_the_server_knows_are_sent_as_it_reports_them(comp, monkeypatch):
    from videomama_client.setting_spec import NUMBER, SettingSpec

    own = EngineState("ours", [SettingSpec("reach", NUMBER, 0.5, "How far.", 0, 1)], role=MAKER)
    monkeypatch.setattr(Client, "engines", lambda self: EnginesReported("", [], [own]))
    sent = []

    def plan(self, settings, clip, wanted, then, prompts, objects):
        sent.append((settings.engine, settings.engine_options, [stage.engine for stage in then], prompts))
        raise BadInput("this is far enough", "")

    monkeypatch.setattr(Client, "plan_frames", plan)
    for name, value in {"maker": "other", "other_maker": "ours", "maker_settings": "reach=0.25"}.items():
        comp.node()[name].setValue(value)
    comp.node()["prompts"].setValue("add 1001:10.5,10.5")
    assert comp.refine() == "failed: this is far enough"
    click = Prompt(POINT, 1001, (10.0, comps.HEIGHT - 11.0))
    assert sent == [("ours", (EngineOption("reach", 0.25),), ["classic"], (click,))]


def test_painted_frames_are_held_and_refined_and_a_changed_prompt_is_stale(comp):
    comp.choose("1001-1004")
    comp.node()["maker"].setValue("held")
    comp.node()["prompts"].setValue("painted 1002")
    comp.node()["engine"].setValue("passthrough")
    assert comp.refine() == "refined 1001-1004"
    assert np.allclose(comp.alpha(1004)[..., 0], comps.pixels(1002)[1], atol=1e-3)
    record = json.loads(comp.node()["record"].value())
    assert record["subject"]["maker"]["engine"] == "held"
    assert [told["kind"] for told in record["subject"]["prompts"]] == [MASK]
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    comp.press("reload")
    assert comp.status() == "refined 1001-1004"
    comp.node().showControlPanel()
    comp.node()["prompts"].setValue("painted 1003")
    assert comp.status() == "stale: prompts changed"
    comp.node()["maker"].setValue("none")
    assert comp.status() == "stale: mask maker, prompts changed"
    comp.node()["maker"].setValue("held")
    assert comp.refine() == "refined 1001-1004"
    assert np.allclose(comp.alpha(1004)[..., 0], comps.pixels(1003)[1], atol=1e-3)


def test_a_job_that_gives_its_maker_nothing_to_go_by_says_which_buttons_do(comp):
    comp.node()["maker"].setValue("held")
    said = comp.refine()
    assert said.startswith("failed: ")
    assert "the job has no prompt and no mask. Give one of 'Add this frame's mask'." in said


def test_objects_come_back_as_layers_of_the_comp(comp):
    masks_of_two(comp)
    comp.choose("1001-1003")
    comp.node()["engine"].setValue("passthrough")
    comp.node()["objects"].setValue(TWO)
    assert comp.refine() == "refined 1001-1003"
    comp.node("Write1")["channels"].setValue("all")
    picture = comp.render(1002)
    names = channels(comp.folder / "out" / "comp.1002.exr")
    hero, dog = (picture[..., names.index(f"{name}.alpha")] for name in ("hero", "dog"))
    assert np.array_equal(hero, comps.pixels(1002)[1])
    assert (dog[30:44, 4:14] == 1).all()
    assert dog.sum() == 14 * 10
    assert np.array_equal(picture[..., names.index("A")], hero)  # the output channel has the first object
    assert comp.node()["mask_channel"].value() == "rgba.alpha"
    assert not comp.nuke.toNode("VideoMaMa1.vm_export")["file"].value()


def test_layers_are_kept_with_the_script_and_baked(comp):
    masks_of_two(comp)
    comp.choose("1001")
    comp.node()["engine"].setValue("passthrough")
    comp.node()["objects"].setValue(TWO)
    comp.refine()
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    comp.node("Write1")["channels"].setValue("all")
    before = comp.render(1001)
    comp.press("bake")
    comp.nuke.delete(comp.node())
    assert np.array_equal(comp.render(1001), before)


def test_a_render_of_an_objects_layer_needs_the_alphas(comp):
    masks_of_two(comp)
    comp.choose("1001")
    comp.node()["engine"].setValue("passthrough")
    comp.node()["objects"].setValue(TWO)
    comp.node()["output"].setValue("mask.a")
    comp.refine()
    from videomama_nuke import needs

    for layer, count in (("rgb", 0), ("dog", 1), ("hero.alpha", 1), ("all", 1)):
        comp.node("Write1")["channels"].setValue(layer)
        assert len(list(needs.Walk(1002).needed(comp.node("Write1")))) == count


def test_one_mask_after_objects_is_the_plain_alpha_again(comp):
    masks_of_two(comp)
    comp.choose("1001")
    comp.node()["engine"].setValue("passthrough")
    comp.node()["objects"].setValue(TWO)
    comp.refine()
    comp.node()["objects"].setValue("")
    comp.node()["mask_channel"].setValue("dog.alpha")
    assert comp.refine() == "refined 1001"
    assert comp.render(1001)[..., 3].sum() == 140
    assert [comp.node()[f"object_to{row}"].value() for row in range(4)] == ["none"] * 4


def test_objects_reach_a_server_that_does_not_see_the_files(open_nuke, start_server, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    apart = start_server("--roots", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(apart.connection_file))
    comps.write_clip(tmp_path)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path))
    masks_of_two(comp)
    comp.choose("1001-1002")
    comp.node()["engine"].setValue("passthrough")
    comp.node()["objects"].setValue("hero=hero.alpha")
    comp.node()["maker"].setValue("held")
    comp.node()["mask_channel"].setValue("dog.alpha")
    comp.node()["prompts"].setValue("dog: painted 1001")
    assert comp.refine() == "refined 1001-1002"
    assert channels(next((tmp_path / "videomama").glob("*/*/main/alpha.1002.exr"))) == ["dog.A", "hero.A"]


def channels(path) -> list[str]:
    import OpenImageIO as oiio

    return list(oiio.ImageBuf(str(path)).spec().channelnames)
