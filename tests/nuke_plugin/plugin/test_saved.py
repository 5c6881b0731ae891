"""Scripts that earlier versions saved open, show, render and refine in this one."""

import json
from pathlib import Path

import comps
import numpy as np
import pytest
from nuke_standin import session

COUNT = 4
SAVED = Path(comps.__file__).parent / "saved"
SCRIPTS = sorted(SAVED.glob("*/*.nk"))
STATES = {
    "never_refined": ["not refined"],
    "refined": ["refined 1001-1004; not checked: all nodes, refined by an earlier version"],
    "some_frames": ["refined 1001-1002; not checked: all nodes, refined by an earlier version"],
    "stale": ["stale: mask grow changed"],
    "chain": ["refined 1001-1004; not checked: all nodes, refined by an earlier version"] * 2,
    "no_signature": ["refined 1001-1004; not checked: all nodes, refined by an earlier version"],
    "premultiplied_layer": ["refined 1001-1004; not checked: all nodes, refined by an earlier version"],
    "inside_group": ["refined 1001-1004; not checked: all nodes, refined by an earlier version", "not refined"],
}


def ours(comp) -> list:
    from videomama_nuke import knobs

    return sorted(
        (one for one in comp.nuke.allNodes(group=comp.nuke.root(), recurseGroups=True) if knobs.is_ours(one)),
        key=lambda one: one.fullName(),
    )


@pytest.fixture(params=SCRIPTS, ids=[path.stem for path in SCRIPTS])
def saved(request, open_nuke, tmp_path):
    """Open a saved script whose plates and alphas are there."""
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(request.param.read_text().replace("@FOLDER@", str(tmp_path)))
    for node in ours(comp):
        for frame in range(comps.FIRST, comps.FIRST + COUNT):
            out = node["result_file"].value()
            if out:
                comps.write_exr(Path(out % frame), np.full((comps.HEIGHT, comps.WIDTH), 0.25, np.float32), ("A",))
    return request.param.stem, comp


def test_it_shows_what_it_showed(saved):
    from videomama_nuke import node_state

    name, comp = saved
    assert session.current().load_errors + session.current().load_notes == []
    for node in ours(comp):
        node_state.refresh(node)
    assert [comp.status(node.fullName()) for node in ours(comp)] == STATES[name]


def test_it_renders_the_alphas_that_it_had_unless_they_were_stale(saved):
    name, comp = saved
    if name in ("never_refined", "stale"):
        with pytest.raises(RuntimeError, match=r"not refined|stale, mask grow changed"):
            comp.render(1001)
        return
    comp.node("Write1")["channels"].setValue("all")
    comp.render(1001)
    assert (comp.folder / "out" / "comp.1001.exr").is_file()


def test_it_is_refined_again_and_has_a_record_of_this_version(saved):
    _, comp = saved
    for node in ours(comp):
        said = comp.refine(node.fullName())
        assert said.startswith("refined 1001-100"), said
        assert "not checked" not in said
        assert json.loads(node["record"].value())["version"] == 2


def test_every_state_has_a_script():
    assert {path.stem for path in SCRIPTS} == set(STATES)


def test_a_setting_that_is_new_in_this_version_makes_no_result_stale(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open((SAVED / "1" / "refined.nk").read_text().replace("@FOLDER@", str(tmp_path)))
    kept = json.loads(comp.node()["record"].value())
    del kept["settings"]["mask_close_holes"]
    comp.node()["record"].setValue(json.dumps({**kept, "of_a_later_version": 1}))
    from videomama_nuke import freshness, record, walk

    judge = lambda: freshness.compare_node(comp.node(), record.read(comp.node()), walk.read(comp.node())).changes  # noqa: E731
    assert judge() == ()
    comp.node()["mask_close_holes"].setValue(31)
    assert judge() == ("mask close holes",)


def test_a_default_that_changed_is_pinned_for_nodes_that_were_refined_before(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    from videomama_nuke import freshness, record

    comp.open((SAVED / "1" / "refined.nk").read_text().replace("@FOLDER@", str(tmp_path)))
    node = comp.node()
    before = {"mask_slack": 32, "trimap_erode": 10, "trimap_dilate": 40}
    assert node["videomama"].value() == 2
    assert {name: node[name].value() for name in before} == before
    assert freshness.settings_changed(node, record.read(node)) == []
    fresh = comp.nuke.nodes.VideoMaMa()
    assert {fresh[name].value() for name in before} == {-1}
    comp.nuke.delete(fresh)
    comp.nuke.scriptSave()
    assert "mask_slack 32" in comp.script.read_text()
    comp.refine()
    node["mask_slack"].setValue(-1)
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert comp.node()["mask_slack"].value() == -1
