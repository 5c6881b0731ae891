"""Clear says what it removes and asks; what another script shows stays; copies of a script get folders of their own."""

from pathlib import Path

import pytest


def results(comp) -> list[Path]:
    return sorted(path.parent for path in (comp.folder / "videomama").glob("*/*/record.json"))


def refined_twice(comp) -> tuple[Path, Path]:
    """Refine, change a setting and refine again; return the older result's folder and the one that is shown."""
    comp.refine()
    (older,) = results(comp)
    comp.node()["mask_grow"].setValue(2)
    comp.refine()
    (shown,) = set(results(comp)) - {older}
    return older, shown


def asked(comp, monkeypatch, answer: bool) -> list[str]:
    """Answer every question so, and return them as they come."""
    questions: list[str] = []
    monkeypatch.setattr(comp.nuke, "ask", lambda text: questions.append(text) or answer)
    return questions


def test_the_question_names_folders_frames_and_sizes_and_no_leaves_all(comp, monkeypatch):
    older, shown = refined_twice(comp)
    questions = asked(comp, monkeypatch, answer=False)
    comp.press("clear")
    (text,) = questions
    assert "of VideoMaMa1?" in text
    assert str(shown.parent) in text
    assert f"{shown.name}: frames 1001-1020, classic, " in text
    assert "kB, shown now" in text
    assert older.name in text
    assert "export: exported plates and masks" in text
    assert results(comp) == sorted((older, shown))
    assert comp.status() == "refined 1001-1020"


def test_old_results_alone_are_removed(comp, monkeypatch):
    _, shown = refined_twice(comp)
    questions = asked(comp, monkeypatch, answer=True)
    comp.press("clear_old")
    assert "export: exported plates and masks, " in questions[0].partition("This stays:")[2]
    assert results(comp) == [shown]
    assert comp.status().startswith("refined 1001-1020; 21 files removed, ")
    comp.render(1001)


def test_nothing_to_remove_asks_nothing(comp, monkeypatch):
    comp.refine()
    questions = asked(comp, monkeypatch, answer=True)
    comp.press("clear_old")
    assert questions == []
    assert comp.status() == "refined 1001-1020; 0 files removed, 0 B"


def test_what_another_version_of_the_script_shows_stays(comp, monkeypatch):
    _, shown = refined_twice(comp)
    comp.nuke.scriptSave()
    (comp.folder / "comp_v002.nk").write_bytes(comp.script.read_bytes())
    comp.node()["mask_grow"].setValue(3)
    comp.refine()
    questions = asked(comp, monkeypatch, answer=True)
    comp.press("clear")
    assert f"{shown.name}: frames 1001-1020, classic, " in questions[0].partition("This stays:")[2]
    assert "shown by comp_v002.nk" in questions[0]
    assert results(comp) == [shown]
    assert comp.status().startswith("not refined; ")


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
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1234, "1.23 kB"), (2.5e9, "2.5 GB"), (3e13, "30 TB")]
)
def test_sizes_are_written_for_people(comp, size, text):
    from videomama_nuke import cleaning

    assert cleaning.text_of(size) == text
