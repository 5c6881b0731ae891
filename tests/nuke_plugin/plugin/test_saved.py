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
_STALE = "stale: plate or mask changed"
_EARLIER = "not checked: all nodes, refined by an earlier version"
STATES = {
    "1": {
        "never_refined": ["not refined"],
        "refined": [f"refined 1001-1004; {_EARLIER}"],
        "some_frames": [f"refined 1001-1002; {_EARLIER}"],
        "stale": ["stale: mask grow changed"],
        "chain": [f"refined 1001-1004; {_EARLIER}"] * 2,
        "no_signature": [f"refined 1001-1004; {_EARLIER}"],
        "premultiplied_layer": [f"refined 1001-1004; {_EARLIER}"],
        "inside_group": [f"refined 1001-1004; {_EARLIER}", "not refined"],
    },
    "2": {
        "never_refined": ["not refined"],
        "refined": ["refined 1001-1004"],
        "some_frames": ["refined 1001-1002"],
        "stale": ["stale: mask grow changed"],
        "chain": ["refined 1001-1004"] * 2,
        "no_signature": ["refined 1001-1004"],
        "changed_above": [_STALE],
        "not_checked": ["refined 1001-1004; not checked: Tracker1"],
        "premultiplied_layer": ["refined 1001-1004"],
        "inside_group": ["refined 1001-1004", "not refined"],
    },
}
STATES["3"] = {
    **STATES["2"],
    "adjusted": ["refined 1001-1004"],
    "adjusted_since": ["stale: adjust feather changed"],
    "further_stages": ["refined 1001-1004"],
    "prompted": ["refined 1001-1004"],
}


def ours(comp) -> list:
    from videomama_nuke import knobs

    return sorted(
        (one for one in comp.nuke.allNodes(group=comp.nuke.root(), recurseGroups=True) if knobs.is_ours(one)),
        key=lambda one: one.fullName(),
    )


def open_saved(comp, version: str, name: str):
    """Open a saved script whose plates are there."""
    comps.write_clip(comp.folder, COUNT)
    comps.keep_marks(comp.folder)
    comp.open((SAVED / version / f"{name}.nk").read_text().replace("@FOLDER@", str(comp.folder)))
    return comp


@pytest.fixture(params=SCRIPTS, ids=[f"{path.parent.name}-{path.stem}" for path in SCRIPTS])
def saved(request, open_nuke):
    """Open a saved script whose plates and alphas are there; return it and the states that it should show."""
    version, name = request.param.parent.name, request.param.stem
    comp = open_saved(open_nuke(), version, name)
    for node in ours(comp):
        for frame in range(comps.FIRST, comps.FIRST + COUNT):
            out = node["result_file"].value()
            if out:
                comps.write_exr(Path(out % frame), np.full((comps.HEIGHT, comps.WIDTH), 0.25, np.float32), ("A",))
    return STATES[version][name], comp


def states(comp) -> list[str]:
    from videomama_nuke import node_state

    for node in ours(comp):
        node_state.refresh(node)
    return [comp.status(node.fullName()) for node in ours(comp)]


def test_it_shows_what_it_showed(saved):
    expected, comp = saved
    assert session.current().load_errors + session.current().load_notes == []
    assert states(comp) == expected


def test_it_renders_the_alphas_that_it_had_unless_they_were_stale(saved):
    expected, comp = saved
    if not expected[0].startswith("refined"):
        with pytest.raises(RuntimeError, match=r"not refined|stale, (mask grow|adjust feather|plate or mask) changed"):
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
        assert _EARLIER not in said
        assert json.loads(node["record"].value())["version"] == 3


def test_a_file_that_was_written_again_is_stale_where_the_record_can_be_compared(saved):
    expected, comp = saved
    comps.write_clip(comp.folder, COUNT)
    for then, now in zip(expected, states(comp), strict=True):
        if then.startswith("refined"):
            assert now == (then if _EARLIER in then else _STALE)


def test_every_state_has_a_script():
    assert [(path.parent.name, path.stem) for path in SCRIPTS] == sorted(
        (version, name) for version, names in STATES.items() for name in names
    )


def test_a_script_of_this_version_is_kept(bare_nuke):
    from videomama_nuke import knobs, record

    node = bare_nuke.nodes.VideoMaMa()
    assert f'\\"version\\": {record.VERSION}' in (SAVED / max(STATES) / "refined.nk").read_text()
    assert f'\\"gizmo\\": {int(node[knobs.VERSION_KNOB].value())}' in (SAVED / max(STATES) / "refined.nk").read_text()


def test_a_setting_that_is_new_in_this_version_makes_no_result_stale(open_nuke):
    comp = open_saved(open_nuke(), "1", "refined")
    kept = json.loads(comp.node()["record"].value())
    del kept["settings"]["mask_close_holes"]
    comp.node()["record"].setValue(json.dumps({**kept, "of_a_later_version": 1}))
    from videomama_nuke import freshness, record, walk

    judge = lambda: freshness.compare_node(comp.node(), record.read(comp.node()), walk.read(comp.node())).changes  # noqa: E731
    assert judge() == ()
    comp.node()["mask_close_holes"].setValue(31)
    assert judge() == ("mask close holes",)


def test_a_default_that_changed_is_pinned_for_nodes_that_were_refined_before(open_nuke):
    comp = open_saved(open_nuke(), "1", "refined")
    from videomama_nuke import freshness, record

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
