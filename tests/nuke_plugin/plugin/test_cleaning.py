"""Clear says what it removes and asks; what another script shows stays; copies of a script get folders of their own."""

from pathlib import Path

import comps
import pytest


def results(comp) -> list[Path]:
    return sorted(path.parent for path in (comp.folder / "videomama").glob("*/*/record.json"))


def refined_twice(comp) -> tuple[Path, Path]:
    """Refine, change a setting and refine again; return the older result's folder and the one that is shown."""
    comp.show_alphas()
    (older,) = results(comp)
    (older.parent / "export" / "main").mkdir(parents=True)
    (older.parent / "export" / "main" / "source.1001.exr").write_bytes(b"x" * 1500)
    comp.node()["mask_grow"].setValue(2)
    comp.show_alphas()
    (shown,) = set(results(comp)) - {older}
    return older, shown


def asked(comp, monkeypatch, answer: bool) -> list[str]:
    """Answer every question so, and return them as they come."""
    questions: list[str] = []
    monkeypatch.setattr(comp.nuke, "ask", lambda text: questions.append(text) or answer)
    return questions


def test_the_question_names_folders_frames_and_sizes_and_no_leaves_all(offline_comp, monkeypatch):
    older, shown = refined_twice(offline_comp)
    questions = asked(offline_comp, monkeypatch, answer=False)
    offline_comp.press("clear")
    (text,) = questions
    assert "of VideoMaMa1 in comp.nk?" in text
    assert str(shown.parent) in text
    assert f"{shown.name}: frames 1001-1020, classic, " in text
    assert "kB, shown now" in text
    assert older.name in text
    assert "export: exported plates and masks" in text
    assert results(offline_comp) == sorted((older, shown))
    assert offline_comp.status() == "refined 1001-1020"


def test_old_results_alone_are_removed(offline_comp, monkeypatch):
    _, shown = refined_twice(offline_comp)
    questions = asked(offline_comp, monkeypatch, answer=True)
    offline_comp.press("clear_old")
    assert "export: exported plates and masks, " in questions[0].partition("This stays:")[2]
    assert results(offline_comp) == [shown]
    assert offline_comp.status().startswith("refined 1001-1020; 21 files removed, ")
    offline_comp.render(1001)


def test_nothing_to_remove_asks_nothing(offline_comp, monkeypatch):
    offline_comp.show_alphas()
    questions = asked(offline_comp, monkeypatch, answer=True)
    offline_comp.press("clear_old")
    assert questions == []
    assert offline_comp.status() == "refined 1001-1020; 0 files removed, 0 B"


def test_what_another_version_of_the_script_shows_stays(offline_comp, monkeypatch):
    _, shown = refined_twice(offline_comp)
    offline_comp.nuke.scriptSave()
    (offline_comp.folder / "comp_v002.nk").write_bytes(offline_comp.script.read_bytes())
    offline_comp.node()["mask_grow"].setValue(3)
    offline_comp.show_alphas()
    questions = asked(offline_comp, monkeypatch, answer=True)
    offline_comp.press("clear")
    assert f"{shown.name}: frames 1001-1020, classic, " in questions[0].partition("This stays:")[2]
    assert "used by comp_v002.nk" in questions[0]
    assert results(offline_comp) == [shown]
    assert offline_comp.status().startswith("not refined; ")


def test_a_version_saved_under_another_name_refines_into_a_folder_of_its_own(comp):
    comp.refine()
    first = comp.node()["node_id"].value()
    comp.nuke.scriptSave()
    comp.nuke.scriptSaveAs(str(comp.folder / "comp_v002.nk"), 1)
    comp.node()["mask_grow"].setValue(2)
    comp.refine()
    assert comp.node()["node_id"].value() != first
    comp.agree()
    comp.press("clear")
    comp.nuke.scriptOpen(str(comp.script))
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "refined 1001-1020"


def test_a_script_that_was_only_moved_keeps_its_folder(comp):
    comp.refine()
    first = comp.node()["node_id"].value()
    comp.nuke.scriptSaveAs(str(comp.folder / "moved.nk"), 1)
    comp.script.unlink()
    comp.refine()
    assert comp.node()["node_id"].value() == first


def test_a_farm_renews_no_id(open_nuke, comp):
    comp.refine()
    first = comp.node()["node_id"].value()
    comp.nuke.scriptSaveAs(str(comp.folder / "copy.nk"), 1)
    text = (comp.folder / "copy.nk").read_text()
    terminal = open_nuke(gui=False)
    terminal.open(text)
    from videomama_nuke import ownership

    (comp.folder / "elsewhere.nk").write_text(text)
    terminal.nuke.scriptOpen(str(comp.folder / "elsewhere.nk"))
    ownership.settle(terminal.node())
    assert terminal.node()["node_id"].value() == first


def test_a_node_without_an_id_gets_one_before_it_has_a_folder(comp):
    comp.node()["node_id"].setValue("")
    from videomama_nuke import knobs

    folder = knobs.folder_of(comp.node())
    assert folder.parent == comp.folder / "videomama"
    assert folder.name == comp.node()["node_id"].value()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (2.5e9, "2.5 GB"),
        (3e13, "30 TB"),
        (2e15, "2e+03 TB"),
    ],
)
def test_sizes_are_written_for_people(bare_nuke, size, text):
    from videomama_nuke import cleaning

    assert cleaning.text_of(size) == text


def test_only_folders_of_results_and_exports_are_listed(offline_comp):
    from videomama_nuke import cleaning

    older, shown = refined_twice(offline_comp)
    for name in ("notes", "0123456789abcdef0", "0123456789ABCDEF"):
        (older.parent / name).mkdir()
    (older.parent / "fedcba9876543210").write_text("a file, no folder")
    items = {item.folder.name: item for item in cleaning.listed(offline_comp.node())}
    assert set(items) == {older.name, shown.name, "export"}
    assert [items[name].shown for name in (older.name, shown.name, "export")] == [False, True, False]
    assert (items["export"].size, items["export"].files) == (1500, 1)
    assert items[shown.name].files == 21
    assert [item.folder.name for item in cleaning.removable(list(items.values()), old_only=True)] == [older.name]
    assert len(cleaning.removable(list(items.values()))) == 3


def test_a_node_without_files_has_nothing_to_list(offline_comp):
    from videomama_nuke import cleaning

    assert cleaning.listed(offline_comp.node()) == []
    assert cleaning.remove([]) == "0 files removed, 0 B"


def test_a_result_without_frames_or_record_is_listed_as_such(offline_comp):
    from videomama_nuke import cleaning

    older, shown = refined_twice(offline_comp)
    for path in older.rglob("*.exr"):
        path.unlink()
    (shown / "record.json").unlink()
    said = {item.folder.name: item.what for item in cleaning.listed(offline_comp.node())}
    assert said[older.name] == "no frames, classic"
    assert said[shown.name] == "frames 1001-1020"


def test_the_nodes_folder_goes_with_its_last_result_and_stays_with_anything_else(offline_comp):
    from videomama_nuke import cleaning, knobs, ownership

    refined_twice(offline_comp)
    folder = knobs.folder_of(offline_comp.node())
    ownership.claim(offline_comp.node())
    (folder / "notes.txt").write_text("mine")
    cleaning.remove(cleaning.listed(offline_comp.node()))
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "script.txt"]
    (folder / "notes.txt").unlink()
    offline_comp.show_alphas()
    cleaning.remove(cleaning.listed(offline_comp.node()))
    assert not folder.exists()


def test_without_a_window_nobody_is_asked(start_nuke, tmp_path):
    comps.write_clip(tmp_path)
    terminal = start_nuke(gui=False)
    terminal.open(comps.plain_script(tmp_path))
    terminal.show_alphas()
    terminal.press("clear")
    assert terminal.status().startswith("not refined; 21 files removed, ")


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import cleaning

    assert numbers_left_out(cleaning.removable) == {"old_only": False}
