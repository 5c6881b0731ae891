"""Whose a node's folder is."""

from pathlib import Path

import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.fixture
def folder(comp):
    """The node's folder, which this script claims."""
    from videomama_nuke import knobs, ownership

    ownership.claim(comp.node())
    return knobs.folder_of(comp.node())


def identity(comp) -> str:
    return str(comp.node()["node_id"].value())


def claimed_by(comp, folder: Path, name: str) -> Path:
    """Let another script claim the folder."""
    other = comp.folder / name
    other.write_text("")
    (folder / "script.txt").write_text(str(other))
    return other


def test_a_claim_names_the_script(comp, folder):
    assert (folder / "script.txt").read_text() == str(comp.script)


def test_ones_own_folder_stays(comp, folder):
    from videomama_nuke import ownership

    before = identity(comp)
    ownership.settle(comp.node())
    assert identity(comp) == before


def test_a_folder_of_another_script_gets_the_node_another_id_and_no_step_to_undo(comp, folder):
    from nuke_standin import session
    from videomama_nuke import ownership

    before, depth = identity(comp), session.current().undo_depth()
    claimed_by(comp, folder, "other.nk")
    ownership.settle(comp.node())
    assert identity(comp) != before
    assert len(identity(comp)) == len(before)
    assert session.current().undo_depth() == depth


def test_a_script_that_is_gone_claims_nothing(comp, folder):
    from videomama_nuke import ownership

    before = identity(comp)
    claimed_by(comp, folder, "other.nk").unlink()
    ownership.settle(comp.node())
    assert identity(comp) == before


def test_a_folder_that_nobody_claims_is_free(comp, folder):
    from videomama_nuke import ownership

    before = identity(comp)
    (folder / "script.txt").unlink()
    ownership.settle(comp.node())
    assert identity(comp) == before


def test_a_script_without_a_file_has_no_name_and_claims_nothing(start_nuke, tmp_path):
    comp = start_nuke()
    comp.nuke.nodes.VideoMaMa(name="VideoMaMa1")["cache_folder"].setValue(str(tmp_path / "cache"))
    from videomama_nuke import ownership, precomp

    assert precomp.script_of(comp.node()) is None
    ownership.claim(comp.node())
    ownership.settle(comp.node())
    assert ownership.shown_elsewhere(comp.node()) == {}
    assert not (tmp_path / "cache").exists()


def test_without_a_window_nothing_is_claimed(comp, start_nuke):
    from videomama_nuke import knobs

    text = comp.script.read_text()
    terminal = start_nuke(gui=False)
    terminal.open(text)
    from videomama_nuke import ownership

    ownership.claim(terminal.node())
    assert not (knobs.folder_of(terminal.node()) / "script.txt").exists()


def test_a_folder_that_cannot_be_written_is_left_to_the_refine(comp, tmp_path):
    (tmp_path / "file").touch()
    comp.node()["cache_folder"].setValue(str(tmp_path / "file"))
    from videomama_nuke import ownership

    ownership.claim(comp.node())
    assert (tmp_path / "file").is_file()


def test_other_scripts_show_keys_where_they_name_the_node(comp, folder, tmp_path):
    from videomama_nuke import ownership

    key, other = "0123456789abcdef", "fedcba9876543210"
    beside, apart = comp.folder / "beside.nk", tmp_path / "apart" / "apart.nk"
    beside.write_text(f"{identity(comp)}/{key}/main and stranger/{other}/main")
    apart.parent.mkdir()
    apart.write_text(f"{identity(comp)}/{key}/main and {identity(comp)}/{other}/main")
    comp.script.write_text(f"{identity(comp)}/{key}/main")  # the open one does not count
    assert ownership.shown_elsewhere(comp.node()) == {key: [beside]}
    (folder / "script.txt").write_text(str(apart))
    assert ownership.shown_elsewhere(comp.node()) == {key: [beside, apart], other: [apart]}


def test_a_folder_is_claimed_again_and_again_wherever_it_lies(comp):
    from videomama_nuke import knobs, ownership

    comp.node()["cache_folder"].setValue(str(comp.folder / "a" / "b"))
    for _ in range(2):
        ownership.claim(comp.node())
        assert (knobs.folder_of(comp.node()) / "script.txt").read_text() == str(comp.script)
