"""What `videomama_batch.py` does with the nodes of a script: which it takes, in which order, and what it answers."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from videomama_client.errors import BadInput, Cancelled, NotPermitted, ServerUnreachable


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def found(comp, *names: str) -> list[str]:
    from videomama_nuke import batch

    return [node.fullName() for node in batch.find(names)]


def test_those_upstream_come_first_whatever_they_are_called(comp):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="B")
    dot = comp.nuke.nodes.Dot(inputs=[second])
    comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead"), dot], name="A")
    assert found(comp) == ["VideoMaMa1", "B", "A"]
    assert found(comp, "A", "VideoMaMa1") == ["VideoMaMa1", "A"]


def test_nodes_side_by_side_come_by_name(comp):
    comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead")], name="B")
    comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead")], name="A")
    assert found(comp) == ["A", "B", "VideoMaMa1"]


@pytest.mark.parametrize("name", ["disable", "bypass"])
def test_a_node_that_does_nothing_is_left_out_unless_it_is_named(comp, name):
    comp.node()[name].setValue(True)
    assert found(comp) == []
    assert found(comp, "VideoMaMa1") == ["VideoMaMa1"]


@pytest.mark.parametrize("name", ["disable", "bypass"])
def test_a_node_that_does_nothing_at_this_frame_alone_is_taken(comp, name):
    comp.node()[name].setExpression("frame < 1010")
    assert comp.node()[name].value()
    assert found(comp) == ["VideoMaMa1"]


@pytest.mark.parametrize("names", [("Nothing",), ("PlateRead",), ("VideoMaMa1", "Nothing")])
def test_a_name_of_no_node_gives_none_at_all(comp, names):
    assert found(comp, *names) == []


def test_nodes_inside_groups_are_found(comp):
    with comp.nuke.nodes.Group(name="Group1"):
        comp.nuke.nodes.VideoMaMa(name="Inner")
    assert "Group1.Inner" in found(comp)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, 4), (errno.ESTALE, 4), (errno.EACCES, 1), (errno.EROFS, 1)]
)
def test_what_the_disk_says_decides(comp, number, code):
    from videomama_nuke import batch

    error = NotPermitted("cannot make a folder")
    error.__cause__ = OSError(number, os.strerror(number))
    assert batch.code_of(error, comp.node()) == code


def test_a_server_or_plates_that_are_away_are_worth_another_try(comp):
    from videomama_nuke import batch

    assert batch.code_of(ServerUnreachable("gone"), comp.node()) == 4
    assert batch.code_of(BadInput("wrong"), comp.node()) == 1
    comp.node("MaskRead")["file"].setValue("/unmounted/mask.%04d.exr")
    assert batch.code_of(BadInput("wrong"), comp.node()) == 4


def refined(comp, wanted: str = "") -> tuple[int, list[str]]:
    from videomama_nuke import batch
    from videomama_nuke.stopping import Stopping

    said: list[str] = []
    stopping = Stopping()
    code = batch.refine(comp.node(), wanted, "batch", stopping, said.append)
    assert stopping.job is None
    return code, said


def test_what_the_knobs_ask_for_wrongly_fails_for_good_and_is_said(comp):
    code, said = refined(comp, "1-5")
    assert code == 1
    assert said == [
        "VideoMaMa1: failed: frames 1-5 are wanted, the plate has 1001-1020. "
        "Choose frames of the plate, or give the plate a longer range."
    ]


def test_without_a_server_it_is_tried_again(comp):
    code, said = refined(comp, "1001-1004")
    assert code == 4
    assert said[:2] == ["VideoMaMa1: 4 frames of 1001-1020", "VideoMaMa1: looking for the server"]
    assert said[-1].startswith("VideoMaMa1: failed: ")


def rendered(comp, name: str = "Write1", wanted: str = "") -> tuple[int, list[str], list[str]]:
    from videomama_nuke import batch

    said: list[str] = []
    code = batch.render(name, wanted, said.append)
    return code, said, sorted(path.name for path in (comp.folder / "out").glob("*.exr"))


def test_a_write_renders_what_is_wanted_its_own_limit_or_the_project(comp):
    comp.show_alphas()
    assert rendered(comp, wanted="1001,1003") == (0, ["Write1: rendered"], ["comp.1001.exr", "comp.1003.exr"])
    write = comp.node("Write1")
    for knob, value in (("use_limit", True), ("first", 1004), ("last", 1005)):
        write[knob].setValue(value)
    assert [name[5:9] for name in rendered(comp)[2]] == ["1001", "1003", "1004", "1005"]
    write["use_limit"].setValue(False)
    comp.nuke.root()["first_frame"].setValue(1006)
    comp.nuke.root()["last_frame"].setValue(1007)
    assert [name[5:9] for name in rendered(comp)[2]] == ["1001", "1003", "1004", "1005", "1006", "1007"]


def test_a_render_that_is_refused_is_a_failure_with_its_reason(comp):
    code, said, files = rendered(comp, wanted="1001")
    assert code == 1
    assert said == ["Write1: failed: VideoMaMa1: not refined. Refine it, bypass it, or disable it."]
    assert files == []


@pytest.mark.parametrize("name", ["Nothing", "PlateRead"])
def test_what_is_no_write_is_a_failure(comp, name):
    assert rendered(comp, name) == (1, [f"{name}: there is no Write of this name"], [])


def test_a_render_whose_plates_or_alphas_are_on_a_disk_that_is_away_is_worth_another_try(comp):
    comp.show_alphas()
    (alphas,) = (comp.folder / "videomama").glob("*/*/main")
    shutil.move(alphas, comp.folder / "moved")
    assert rendered(comp, wanted="1001")[0] == 1  # these alphas are missing, their disk is there
    (comp.folder / "videomama").rename(comp.folder / "unmounted")
    assert rendered(comp, wanted="1001")[0] == 4
    (comp.folder / "unmounted").rename(comp.folder / "videomama")
    shutil.move(comp.folder / "moved", alphas)
    assert rendered(comp, wanted="1001")[0] == 0
    comp.node()["bypass"].setValue(True)
    comp.node("PlateRead")["file"].setValue("/unmounted/plate.%04d.exr")
    assert rendered(comp, wanted="1002")[0] == 4


@pytest.mark.parametrize(("folder", "code"), [("unmounted", 4), ("", 1)])
def test_a_render_into_a_folder_that_is_not_there_is_worth_another_try(comp, folder, code):
    comp.node()["bypass"].setValue(True)
    write = comp.node("Write1")
    write["create_directories"].setValue(False)
    (comp.folder / "comp.1001.exr").mkdir()  # a file cannot be written there, ever
    write["file"].setValue(str(comp.folder / folder / "comp.%04d.exr"))
    assert rendered(comp, wanted="1001")[0] == code


def test_a_copy_that_cannot_be_saved_is_said_in_a_sentence(comp):
    from videomama_nuke import batch

    said: list[str] = []
    assert batch.save(comp.folder / "unmounted" / "done.nk", said.append) == 4
    (comp.folder / "taken.nk").mkdir()
    assert batch.save(comp.folder / "taken.nk", said.append) == 1
    assert batch.save(comp.folder / "done.nk", said.append) == 0
    assert said[0].startswith(f"cannot save {comp.folder}/unmounted/done.nk: ")
    assert said[1].endswith("Is a directory. Check the folder of --save.")
    assert said[2] == f"saved {comp.folder}/done.nk"


@pytest.fixture
def ends(monkeypatch):
    """Let a refine end in this way, without a server: `ends(lambda refining: ...)`."""
    from videomama_nuke import job

    return lambda work: monkeypatch.setattr(job.Refine, "run", work)


def test_a_refine_that_went_well_says_what_came_of_it(offline_comp, ends):
    from videomama_client.messages import QcFlag

    def work(refining) -> None:
        refining.warnings.append("the mask is about 9 px too large")
        refining.flags.append(QcFlag("hole", [1003, 1004], 1003, "it closes a frame later"))
        refining.computed, refining.cached = 3, 17

    ends(work)
    code, said = refined(offline_comp)
    assert code == 0
    assert said[:3] == [
        "VideoMaMa1: 20 frames of 1001-1020",
        "VideoMaMa1: warning: the mask is about 9 px too large",
        "VideoMaMa1: QC: hole on 1003-1004: it closes a frame later",
    ]
    assert said[3].startswith(f"VideoMaMa1: done, 3 computed, 17 cached, {offline_comp.folder}/")
    assert said[3].endswith("/main/alpha.%04d.exr")
    assert len(said) == 4


def test_while_a_refine_runs_a_signal_finds_it_and_its_server(offline_comp, ends):
    from videomama_nuke import batch
    from videomama_nuke.stopping import Stopping

    stopping, seen, said = Stopping(), [], []

    def work(refining) -> None:
        seen.append((stopping.job is refining, stopping.connection_file))
        stopping.signal = 15

    ends(work)
    offline_comp.node()["connection_file"].setValue("/farm/connection.json")
    with pytest.raises(Cancelled):
        batch.refine(offline_comp.node(), "1001", "batch", stopping, said.append)
    assert seen == [(True, Path("/farm/connection.json"))]
    assert said == ["VideoMaMa1: 1 frame of 1001-1020", "VideoMaMa1: cancelled"]
    assert stopping.job is None
