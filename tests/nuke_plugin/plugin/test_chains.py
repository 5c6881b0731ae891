"""A node with stages after the first, from the knob to the picture: jobs of several stages at a real server."""

import json
import re
from pathlib import Path

import comps
import numpy as np
import pytest
from videomama_client.client import Client
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.messages import EnginesReported, EngineState
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_client.stages import Stage


@pytest.fixture
def stages(monkeypatch):
    """Return what the stages of each refine came to: engine, computed and cached of each."""
    from videomama_nuke import job

    found, note = [], job.Refine._note

    def noting(refine, event):
        if type(event).__name__ == "MatteDone":
            found.append([(stage.engine, stage.computed, stage.cached) for stage in event.stages])
        note(refine, event)

    monkeypatch.setattr(job.Refine, "_note", noting)
    return found


def test_a_changed_adjustment_is_stale_and_its_refine_computes_it_alone(comp, stages):
    comp.refine()
    plain, first = comp.alpha(1005), comp.node()["result_file"].value()
    comp.node().showControlPanel()
    comp.node()["adjust_grow"].setValue(60)
    assert comp.status() == "stale: adjust grow changed"
    with pytest.raises(RuntimeError, match="stale, adjust grow changed"):
        comp.render(1005)
    assert comp.refine() == "refined 1001-1020"
    assert comp.node()["result_file"].value() != first
    assert comp.alpha(1005).sum() > plain.sum() * 1.1
    assert np.array_equal(comp.render(1005)[..., 3], comp.alpha(1005)[..., 0])
    comp.node()["adjust_grow"].setValue(30)
    assert comp.refine() == "refined 1001-1020"
    assert [name for name, *_ in stages[1]] == ["classic", "adjust"]
    assert [run[0][1] for run in stages[1:]] == [0, 0]
    assert [run[1][1] for run in stages[1:]] == [20, 20]


def test_a_node_without_adjustments_shows_its_alphas_again_without_a_refine(comp, stages):
    comp.refine()
    first = comp.node()["result_file"].value()
    comp.node()["adjust_feather"].setValue(3)
    comp.refine()
    comp.node()["adjust_feather"].setValue(0)
    comp.refine()
    assert comp.node()["result_file"].value() == first
    assert comp.status() == "refined 1001-1020"
    assert len(stages) == 2  # the third asked no server


def test_a_part_is_the_whole_to_the_bit_with_a_stage_that_looks_at_neighbours(comp):
    comp.node()["adjust_deflicker"].setValue(0.5)
    comp.node()["adjust_grow"].setValue(10)
    comp.refine()
    whole = comp.alpha(1010)
    Path(comp.node()["result_file"].value() % 1010).unlink()
    comp.nuke.root()["frame"].setValue(1010)
    comp.press("refine_frame")
    comp.finish()
    assert np.array_equal(comp.alpha(1010), whole)
    assert comp.status() == "refined 1001-1020"


def test_the_record_keeps_the_stages_in_the_script_and_beside_the_alphas(comp):
    comp.choose("1001-1002")
    comp.node()["adjust_offset_x"].setValue(4)
    comp.refine()
    kept = [{"engine": "adjust", "options": {"offset_x": 4.0}, "window": None, "overlap": None}]
    record = json.loads(comp.node()["record"].value())
    assert record["then"] == kept
    beside = comp.folder / "videomama" / comp.node()["node_id"].value() / record["key"] / "record.json"
    assert json.loads(beside.read_text())["then"] == kept
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    comp.press("reload")
    assert comp.status() == "refined 1001-1002"
    from videomama_nuke import result

    result.forget(comp.node())
    comp.press("take_from_disk")
    assert comp.status() == "refined 1001-1002"
    comp.node()["adjust_offset_x"].setValue(0)
    comp.press("take_from_disk")
    assert comp.status() == "there are no alphas on disk that fit VideoMaMa1. Press Refine."


def test_each_stage_is_named_while_it_works(comp, monkeypatch):
    from videomama_nuke import job, order

    monkeypatch.setattr(job, "_SHOW_EVERY_S", 0.0)
    comp.choose("1001-1002")
    comp.node()["adjust_grow"].setValue(2)
    said = []
    comp.nuke.GUI = False
    refine = job.Refine(comp.node(), order.read(comp.node()), tell=said.append)
    refine.run()
    assert refine.error is None
    assert any(line.startswith("refining, stage 1 of 2, classic: ") for line in said)
    assert said[-1] == "refining, stage 2 of 2, adjust: 2 of 2"


def test_lines_are_stages_before_the_adjustments_and_a_change_of_one_leaves_those_before_it(comp, stages):
    comp.choose("1001-1004")
    comp.node()["then"].setValue("passthrough\nadjust feather=4")
    comp.node()["adjust_grow"].setValue(5)
    assert comp.refine() == "refined 1001-1004"
    assert [name for name, *_ in stages[0]] == ["classic", "passthrough", "adjust", "adjust"]
    comp.node()["then"].setValue("passthrough\nadjust feather=8")
    comp.node().showControlPanel()
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "stale: further stages changed"
    assert comp.refine() == "refined 1001-1004"
    assert [computed for _, computed, _ in stages[1]] == [0, 0, 4, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adjust grow=2\nclassic", "failed: .*classic.*adjust"),
        ("nobody", "failed: .*unknown engine 'nobody'"),
        ("nobody strength=1", "failed: stage 2, nobody: unknown engine 'nobody'"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_in_the_status(comp, text, said):
    comp.node()["then"].setValue(text)
    assert re.match(said, comp.refine()), comp.status()


def test_options_of_an_engine_that_only_the_server_knows_are_sent_as_it_reports_them(comp, monkeypatch):
    own = EngineState("own", [SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1)])
    monkeypatch.setattr(Client, "engines", lambda self: EnginesReported("", [], [own]))
    sent = []

    def plan(self, settings, clip, wanted, then, *more):
        sent.append(then)
        raise BadInput("this is far enough", "")

    monkeypatch.setattr(Client, "plan_frames", plan)
    comp.node()["then"].setValue("own strength=0.25 window=8")
    assert comp.refine() == "failed: this is far enough"
    assert sent == [(Stage("own", (EngineOption("strength", 0.25),), 8),)]
    comp.node()["then"].setValue("own strength=7")
    assert comp.refine().startswith("failed: stage 2, own: engine own: strength 7 is out of range. Choose 0 to 1.")


def test_a_task_without_a_window_refines_and_renders_the_chain(comp, server):
    comp.node()["adjust_grow"].setValue(6)
    comp.nuke.scriptSave()
    said = comps.in_terminal(
        comp.folder,
        *("-t", comps.PLUGIN / "videomama_batch.py", comp.script, "--frames=1001-1003", "--write=Write1"),
        VIDEOMAMA_CONNECTION_FILE=str(server.connection_file),
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "computing 1001-1008" in said.stdout
    assert "refining, stage 2 of 2, adjust: 3 of 3" in said.stdout
    assert "done, 3 computed, 0 cached" in said.stdout
    comp.choose("1001-1003")
    comp.press("take_from_disk")
    assert comp.status() == "refined 1001-1003"
    assert comp.refine() == "refined 1001-1003"


def test_a_part_that_comes_first_exports_the_frames_that_the_whole_chain_reads(comp):
    comp.node()["engine"].setValue("passthrough")  # which reads no neighbours itself
    comp.node()["roi_mode"].setValue("off")
    comp.node()["adjust_deflicker"].setValue(1)
    comp.node()["adjust_deflicker_radius"].setValue(1)
    comp.node()["then"].setValue("adjust deflicker=1 deflicker_radius=3")
    comp.nuke.root()["frame"].setValue(1010)
    comp.press("refine_frame")
    comp.finish()
    exported = {path.name for path in (comp.folder / "videomama").glob("*/export/*/main/source.*.exr")}
    assert exported == {f"source.{frame}.exr" for frame in range(1006, 1015)}
    part = comp.alpha(1010)
    Path(comp.node()["result_file"].value() % 1010).unlink()
    assert comp.refine() == "refined 1001-1020"
    assert np.array_equal(comp.alpha(1010), part)
