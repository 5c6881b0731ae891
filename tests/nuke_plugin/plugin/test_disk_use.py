"""What nodes take on disk is counted in a thread and shown on every node, with a total."""

import threading
from pathlib import Path

import comps


def shown(comp, name: str = "VideoMaMa1") -> list[str]:
    """Return the lines of a node's knob once nobody counts any more."""
    from videomama_nuke import disk_use

    comp.pump(
        lambda: not disk_use._counting.locked() and "counted" not in comp.node(name)["disk_use"].value(),
        "the sizes are counted",
    )
    return str(comp.node(name)["disk_use"].value()).split("\n")


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_after_a_refine_a_node_shows_its_results_its_exports_and_its_folder(comp):
    from videomama_nuke import cleaning, knobs

    comp.refine()
    folder = knobs.folder_of(comp.node())
    exports = bytes_of(folder / "export")
    (result,) = (found for found in folder.iterdir() if found.is_dir() and found.name not in ("export", "claims"))
    results = bytes_of(result)
    first, second = shown(comp)
    assert first == f"1 result, {cleaning.text_of(results)}; exports, {cleaning.text_of(exports)}"
    assert second == str(folder)


def test_a_node_shows_the_total_and_the_largest_others_when_its_panel_opens(comp):
    from videomama_nuke import cleaning, disk_use, knobs

    for number in range(2, 13):
        node = comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead")], name=f"VideoMaMa{number}")
        result = knobs.folder_of(node) / ("a" * 16)
        result.mkdir(parents=True)
        (result / "alpha.1001.exr").write_bytes(bytes(1000 * number))
    comp.node().showControlPanel()
    lines = shown(comp)
    assert lines[0] == "0 results, 0 B"
    assert lines[2] == f"all 12 VideoMaMa nodes of this script: {cleaning.text_of(sum(range(2, 13)) * 1000)}"
    assert lines[3] == "VideoMaMa12: 1 result, 12 kB"
    assert len(lines) == 3 + disk_use._OTHERS_SHOWN + 1
    assert lines[-1] == "3 more with less"
    assert shown(comp, "VideoMaMa5")[0] == "1 result, 5 kB"


def test_clones_share_a_folder_which_is_counted_once(comp):
    from videomama_nuke import disk_use

    comp.nuke.clone(comp.node())
    comp.refine()
    assert len(shown(comp)) == 2
    folders = {"A": Path("x"), "B": Path("x"), "C": Path("y")}
    uses = {Path("x"): disk_use.Use(1, 3000), Path("y"): disk_use.Use(1, 5000)}
    assert "all 3 VideoMaMa nodes of this script: 8 kB" in disk_use.text("A", folders, uses)


def test_after_clear_the_size_is_counted_again(comp):
    comp.refine()
    assert shown(comp)[0].startswith("1 result, ")
    comp.agree()
    comp.press("clear")
    comp.pump(lambda: shown(comp)[0] == "0 results, 0 B", "the new size is shown")


def test_the_main_thread_counts_nothing_and_a_request_meanwhile_is_not_lost(comp, monkeypatch):
    from videomama_nuke import disk_use

    counted_by, let_go = [], threading.Event()
    real = disk_use.count

    def count(folder):
        counted_by.append((threading.current_thread().name, threading.current_thread().daemon))
        let_go.wait(comps.WAIT_S)
        return real(folder)

    monkeypatch.setattr(disk_use, "count", count)
    comp.node().showControlPanel()
    disk_use.show()
    let_go.set()
    comp.pump(lambda: len(counted_by) == 2, "it was counted again")
    assert set(counted_by) == {("VideoMaMa sizes", True)}  # Nuke can end meanwhile
    shown(comp)


def test_without_a_window_nothing_is_counted(open_nuke, tmp_path, monkeypatch):
    comps.write_clip(tmp_path, 2)
    comp = open_nuke(gui=False)
    comp.open(comps.plain_script(tmp_path, count=2))
    from videomama_nuke import disk_use

    monkeypatch.setattr(disk_use, "_placed", lambda: 1 / 0)
    comp.press("refine")
    assert comp.node()["disk_use"].value() == "not counted"


def test_the_size_is_no_change_of_the_script_and_is_not_saved(comp):
    comp.refine()
    shown(comp)
    comp.nuke.scriptSave()
    comp.node().showControlPanel()
    shown(comp)
    assert not comp.nuke.modified()
    assert "disk_use" not in comp.script.read_text()


def test_a_group_of_an_earlier_gizmo_has_no_place_for_it_and_works(comp):
    group = comp.node().makeGroup()
    group.removeKnob(group["disk_use"])
    comp.node().showControlPanel()
    shown(comp)


def test_a_count_of_a_session_that_another_one_takes_over_waits_for_nobody(open_nuke, tmp_path):
    comps.write_clip(tmp_path, 2)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=2))
    comp.node().showControlPanel()
    counts = [thread for thread in threading.enumerate() if thread.name == "VideoMaMa sizes"]
    assert len(counts) == 1
    open_nuke()
    counts[0].join(comps.WAIT_S / 2)
    assert not counts[0].is_alive()


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import disk_use

    assert numbers_left_out(disk_use.Use) == {"results": 0, "size": 0, "exports": 0}
