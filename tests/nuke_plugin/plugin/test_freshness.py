"""Whether alphas still fit a node."""

from dataclasses import replace

import pytest


@pytest.fixture
def comp(offline_comp):
    offline_comp.show_alphas()
    return offline_comp


def judged(comp, **changes):
    """Compare the node with its record, of which something may be another."""
    from videomama_nuke import freshness, record, walk

    node = comp.node()
    return freshness.compare_node(node, replace(record.read(node), **changes), walk.read(node))


def test_right_after_a_refine_nothing_has_changed(comp):
    found = judged(comp)
    assert (found.changes, found.unchecked, found.some_frames) == ((), (), False)
    assert found.holds(1001)


def test_settings_are_named_before_plate_or_mask(comp):
    comp.node()["mask_grow"].setValue(2)
    comp.node()["exposure"].setValue(1)
    comp.node("MaskRead")["before"].setValue("black")
    assert judged(comp).changes == ("exposure", "mask grow", "plate or mask")


def test_another_mask_channel_is_a_change(comp):
    assert judged(comp, mask_channel="rgba.red").changes == ("mask channel",)


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("adjust_grow", 2, "adjust grow"),
        ("adjust_white", 0.5, "adjust white"),
        ("adjust_offset_x", 1, "adjust offset x"),
    ],
)
def test_a_changed_adjustment_is_named_and_forgotten_when_it_is_taken_back(comp, knob, value, said):
    before = comp.node()[knob].value()
    comp.node()[knob].setValue(value)
    assert judged(comp).changes == (said,)
    comp.node()[knob].setValue(before)
    assert judged(comp).changes == ()


def test_adjustments_of_the_refine_are_compared_one_by_one(comp):
    then = [{"engine": "adjust", "options": {"grow": 2.0, "feather": 1.0}, "window": None, "overlap": None}]
    comp.node()["adjust_grow"].setValue(2)
    assert judged(comp, then=then).changes == ("adjust feather",)
    comp.node()["adjust_feather"].setValue(1)
    assert judged(comp, then=then).changes == ()


@pytest.mark.parametrize(
    ("then", "now", "grow", "said"),
    [
        ("classic", "classic", 0, ()),
        ("classic", "\n classic \n", 0, ()),
        ("classic", "classic window=8", 0, ("further stages",)),
        ("classic\npassthrough", "passthrough\nclassic", 0, ("further stages",)),
        ("own strength=1", "own strength=2", 3, ("further stages", "adjust grow")),
        ("own strength=1", "own strength=1", 3, ("adjust grow",)),
        ("adjust grow=3", "", 3, ()),
        ("adjust grow=3 window=8", "", 3, ("further stages", "adjust grow")),
        ("", "adjust", 0, ()),
        ("own", "", 0, ("further stages",)),
    ],
)
def test_changed_lines_are_named_apart_from_adjustments(comp, then, now, grow, said):
    from videomama_nuke import knobs, record, stage_knobs

    comp.node()["then"].setValue(then)
    kept = record.kept_stages(stage_knobs.stages_of(comp.node(), knobs.settings_of(comp.node())))
    comp.node()["then"].setValue(now)
    comp.node()["adjust_grow"].setValue(grow)
    assert judged(comp, then=kept).changes == said


def test_a_setting_that_the_record_does_not_know_had_its_default(comp):
    from videomama_nuke import record

    settings = dict(record.read(comp.node()).settings)
    settings["engine_options"] = {"mask_slack": None}
    del settings["exposure"]
    assert judged(comp, settings=settings).changes == ("quality",)  # the comp's is fast, the default is high


@pytest.mark.parametrize(
    ("then", "now", "changed"),
    [
        ("", "", False),
        ("/studio/w", "/studio/w", False),
        ("/studio/w", "/farm/w", False),
        ("/studio/w", "/other/w", True),
        ("", "/studio/w", True),
        ("/studio/w", "", True),
    ],
)
def test_the_folder_of_weights_may_be_where_the_farm_sees_it(comp, then, now, changed):
    from videomama_nuke import record

    comp.nuke.addFilenameFilter(
        lambda path: path.replace("/studio/", "/farm/") if path.startswith("/studio/") else None
    )
    comp.node()["engine"].setValue("videomama")
    comp.node()["quality"].setValue("high")
    comp.node()["weights"].setValue(now)
    settings = {**record.read(comp.node()).settings, "engine": "videomama", "engine_options": {"weights": then}}
    assert judged(comp, settings=settings).changes == (("weights",) if changed else ())


def test_a_trimmed_read_leaves_some_frames(comp):
    comp.node("MaskRead")["last"].setValue(1018)
    found = judged(comp)
    assert (found.changes, found.some_frames) == ((), True)
    assert found.holds(1018)
    assert not found.holds(1019)
    comp.node("MaskRead")["last"].setValue(1020)
    comp.node("MaskRead")["first"].setValue(1003)
    assert judged(comp).some_frames
    assert not judged(comp).holds(1002)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [("", ""), ("a", "a"), ("abc", "a, b, c"), ("abcd", "a, b, c, 1 more"), ("abcdef", "a, b, c, 3 more")],
)
def test_three_nodes_are_named(comp, nodes, said):
    from videomama_nuke import freshness

    assert freshness.named(list(nodes)) == said
