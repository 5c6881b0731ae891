"""Whose a node's folder is."""

import os
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
    assert (folder / "script.txt").read_text() == "../../comp.nk"


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


def test_a_script_without_a_file_owns_nothing_of_another_and_refines_under_another_id(comp, folder):
    from videomama_nuke import ownership

    before = identity(comp)
    comp.node()["cache_folder"].setValue(str(folder.parent))
    comp.nuke.root()["name"].setValue("")
    assert ownership.holders(comp.node()).whole == [comp.script]
    ownership.settle(comp.node())
    assert identity(comp) != before


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
    ownership.use(comp.node())
    assert ownership.holders(comp.node()) == ownership.Holders()
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


KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


def result_of(comp, folder: Path, key: str = KEY) -> Path:
    """Let the node show a result in a folder."""
    (folder / key / "main").mkdir(parents=True, exist_ok=True)
    comp.node()["result_file"].setValue(f"{folder}/{key}/main/alpha.%04d.exr")
    return folder / key


def claim_of(folder: Path, script: Path, key: str = KEY, age: float = 0) -> Path:
    """Let a script claim a result, some seconds before it was saved."""
    from videomama_nuke import ownership

    file = ownership._claim_file(folder / key, script)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(script))
    if age:
        saved = script.stat().st_mtime
        os.utime(file, (saved - age, saved - age))
    return file


def holders(comp) -> dict[str, tuple[Path, ...]]:
    from videomama_nuke import ownership

    found = ownership.holders(comp.node())
    return {part: of for part in (KEY, OTHER, "export") if (of := found.of(part))}


def test_other_scripts_show_keys_where_they_name_the_node(comp, folder):
    beside = comp.folder / "beside.nk"
    beside.write_text(f"{identity(comp)}/{KEY}/main and stranger/{OTHER}/main")
    comp.script.write_text(f"{identity(comp)}/{KEY}/main")  # the open one does not count
    assert holders(comp) == {KEY: (beside,)}


def test_the_owner_of_a_folder_holds_all_of_it(comp, folder, tmp_path):
    apart = tmp_path / "apart" / "apart.nk"
    apart.parent.mkdir()
    apart.touch()
    (folder / "script.txt").write_text(str(apart))
    assert holders(comp) == {KEY: (apart,), OTHER: (apart,), "export": (apart,)}
    apart.unlink()
    assert holders(comp) == {}
    apart.parent.rmdir()  # as of a disk that this machine does not see
    assert set(holders(comp)) == {KEY, OTHER, "export"}


def test_a_script_claims_what_it_shows_once_until_it_is_saved(comp, folder):
    from videomama_nuke import ownership

    result_of(comp, folder)
    ownership.use(comp.node())
    (file,) = (folder / "claims").iterdir()
    assert (file.name.partition("-")[0], file.read_text()) == (KEY, "../../comp.nk")
    assert holders(comp) == {}  # the own claim
    file.unlink()
    ownership.use(comp.node())
    assert not file.exists()
    comp.nuke.scriptSave()
    assert file.exists()


def test_a_claim_names_a_script_elsewhere_in_full_and_goes_to_the_folder_that_is_shown(comp, tmp_path):
    from videomama_nuke import ownership

    elsewhere = Path(str(tmp_path) + "-cache", "0" * 32)
    result_of(comp, elsewhere)
    ownership.use(comp.node())
    (file,) = (elsewhere / "claims").iterdir()
    assert file.read_text() == str(comp.script)


def test_what_is_not_there_or_not_shown_is_not_claimed(comp, folder):
    from videomama_nuke import ownership

    ownership.use(comp.node())
    comp.node()["result_file"].setValue(f"{folder}/{KEY}/main/alpha.%04d.exr")
    ownership.use(comp.node())
    assert not (folder / "claims").exists()


@pytest.mark.parametrize(("age", "held"), [(0, True), (500, True), (700, False)])
def test_another_scripts_claim_holds_while_it_may_show_the_result_unsaved(comp, folder, age, held):
    other = comp.folder / "other.nk"
    other.touch()
    claim_of(folder, other, age=age)
    assert holders(comp) == ({KEY: (other,)} if held else {})
    other.write_text(f"{identity(comp)}/{KEY}/main")
    assert holders(comp)[KEY][0] == other


def test_the_claim_of_a_script_that_is_gone_does_not_hold_and_that_of_one_out_of_sight_does(comp, folder, tmp_path):
    gone, unseen = comp.folder / "gone.nk", Path("/not/on/this/machine/comp.nk")
    claim_of(folder, gone)
    assert holders(comp) == {}
    file = claim_of(folder, unseen)
    assert holders(comp) == {KEY: (unseen,)}
    file.write_text("X:\\shots\\comp.nk")  # as another system wrote it
    assert list(holders(comp)) == [KEY]


def test_a_claim_under_another_path_of_the_same_script_is_the_own(comp, folder, tmp_path):
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(comp.folder)
    claim_of(folder, link / "comp.nk")
    (folder / "script.txt").write_text(str(link / "comp.nk"))
    assert holders(comp) == {}


def test_a_project_that_was_moved_takes_its_claims_along(comp, folder):
    from videomama_nuke import ownership

    moved = comp.folder / "moved"
    (moved / "videomama").mkdir(parents=True)
    folder.rename(moved / "videomama" / folder.name)
    assert ownership._owner(moved / "videomama" / folder.name) is None
    (moved / "comp.nk").touch()
    assert ownership._owner(moved / "videomama" / folder.name) == moved / "comp.nk"


def test_in_a_folder_that_nobody_owns_scripts_of_the_same_id_hold_what_this_one_does_not_claim(comp, folder):
    from videomama_nuke import ownership

    (folder / "script.txt").unlink()
    result_of(comp, folder)
    (folder / OTHER).mkdir()
    (folder / "export").mkdir()
    assert holders(comp) == {}
    sibling = comp.folder / "v002.nk"
    sibling.write_text(f"node_id {identity(comp)}")
    assert holders(comp) == {KEY: (sibling,), OTHER: (sibling,), "export": (sibling,)}
    ownership.use(comp.node())
    assert holders(comp) == {OTHER: (sibling,), "export": (sibling,)}


def test_claims_of_a_removed_result_go_and_may_be_made_again(comp, folder):
    from videomama_nuke import ownership

    shown = result_of(comp, folder)
    ownership.use(comp.node())
    kept = claim_of(folder, comp.folder / "other.nk", key=OTHER)
    ownership.forget([shown])
    assert list((folder / "claims").iterdir()) == [kept]
    ownership.use(comp.node())
    assert len(list((folder / "claims").iterdir())) == 2
    ownership.forget([shown, folder / OTHER])
    assert not (folder / "claims").exists()


def test_a_folder_is_claimed_again_and_again_wherever_it_lies(comp):
    from videomama_nuke import knobs, ownership

    comp.node()["cache_folder"].setValue(str(comp.folder / "a" / "b"))
    for _ in range(2):
        ownership.claim(comp.node())
        assert (knobs.folder_of(comp.node()) / "script.txt").read_text() == "../../../comp.nk"
