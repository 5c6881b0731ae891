"""Copies of a script have nodes of their own ids, and none of them loses what another one shows or refined."""

from pathlib import Path

import comps
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.fixture
def saved(comp):
    """The comp with its alphas, saved, in a folder that it owns as after a refine."""
    from videomama_nuke import ownership

    comp.show_alphas()
    ownership.claim(comp.node())
    comp.nuke.scriptSave()
    return comp


def identity(comp) -> str:
    return str(comp.node()["node_id"].value())


def ids_in(script: Path) -> str:
    return script.read_text().partition("node_id ")[2].split()[0]


def results(comp) -> list[str]:
    return sorted(path.parent.name for path in comp.folder.glob("**/record.json"))


def another_session(comp, script: Path):
    """Open a script in a Nuke of its own; what the other one had not saved is in its memory alone."""
    other = comps.start(comp.folder, gui=True)
    other.nuke.scriptOpen(str(script))
    return other


def show_again(comp, grow: int) -> None:
    """Refine with another setting, which nobody saves."""
    from videomama_nuke import ownership

    comp.node()["mask_grow"].setValue(grow)
    ownership.claim(comp.node())
    comp.show_alphas()


def clear(comp) -> str:
    comp.agree()
    comp.press("clear")
    return comp.status()


def test_saved_under_another_name_a_node_has_another_id_and_shows_what_it_showed(saved):
    before, shown = identity(saved), saved.node()["result_file"].value()
    saved.nuke.root()["name"].setValue(str(saved.folder / "comp_v002.nk"))
    saved.nuke.scriptSave()
    assert identity(saved) != before
    assert ids_in(saved.folder / "comp_v002.nk") == identity(saved)
    assert ids_in(saved.script) == before
    assert saved.node()["result_file"].value() == shown
    saved.render(1001)


def test_where_the_callback_sees_the_old_name_the_next_idle_moment_sees_the_new_one(saved):
    from nuke_standin import callbacks

    before = identity(saved)
    saved.nuke.scriptSaveAs(str(saved.folder / "comp_v002.nk"), 1)
    callbacks.idle()
    assert identity(saved) != before
    assert saved.nuke.root().modified()
    from videomama_nuke import node_state

    node_state.refresh(saved.node())
    assert saved.status() == "refined 1001-1020"


@pytest.mark.parametrize("why", ["saved again", "the first name", "moved", "the old script has no such node"])
def test_an_id_stays(saved, why):
    from videomama_nuke import saved_as

    if why == "the first name":
        saved.nuke.root()["name"].setValue("")
        saved_as.follow_name()
    elif why == "moved":
        saved.script.unlink()
    elif why != "saved again":
        saved.script.write_text("Root {}")
    before = identity(saved)
    name = saved.script if why == "saved again" else saved.folder / "comp_v002.nk"
    saved.nuke.scriptSaveAs(str(name), 1)
    saved_as.follow_name()
    assert identity(saved) == before


def test_a_node_that_is_being_refined_keeps_its_id(saved):
    from videomama_nuke import node_state, saved_as

    before = identity(saved)
    node_state.set_busy(before, True)
    saved.nuke.scriptSaveAs(str(saved.folder / "comp_v002.nk"), 1)
    saved_as.follow_name()
    assert identity(saved) == before


def test_a_copy_made_outside_nuke_gets_its_id_when_it_is_opened_and_again_unless_it_was_saved(saved):
    before = identity(saved)
    copy = saved.folder / "comp_v002.nk"
    copy.write_bytes(saved.script.read_bytes())
    other = another_session(saved, copy)
    assert identity(other) != before
    assert other.nuke.root().modified()
    other.nuke.scriptSave()
    kept = identity(other)
    assert identity(another_session(saved, copy)) == kept
    first = another_session(saved, saved.script)
    assert identity(first) == before
    assert not first.nuke.root().modified()


def test_clear_in_a_copy_keeps_what_the_first_script_shows_refined_and_exported_saved_or_not(saved):
    copy = saved.folder / "comp_v002.nk"
    copy.write_bytes(saved.script.read_bytes())
    show_again(saved, 2)
    export = saved.folder / "videomama" / identity(saved) / "export" / "main"
    export.mkdir(parents=True)
    before = results(saved)
    assert len(before) == 2
    other = another_session(saved, copy)
    assert "0 files removed" in clear(other)
    assert results(saved) == before
    assert export.is_dir()
    assert other.status().startswith("refined 1001-1020; ")  # it shows what it showed
    other.render(1001)


def test_clear_keeps_what_a_copy_shows_and_has_not_saved(saved):
    """The copy, saved without any result, takes one up from disk in a session that is still open."""
    copy = saved.folder / "comp_v002.nk"
    text = saved.script.read_text()
    copy.write_text(text[: text.index(" result_file")] + "}\n")
    other = another_session(saved, copy)
    other.node()["node_id"].setValue(ids_in(saved.script))
    other.press("take_from_disk")
    assert other.status() == "refined 1001-1020"
    first = another_session(saved, saved.script)
    said = clear(first)
    assert "0 files removed, 0 B; kept what is used by comp_v002.nk" in said
    first.render(1001)


def test_clear_keeps_what_scripts_in_other_folders_show_and_the_question_says_whose(saved, monkeypatch):
    """Copies share one chosen cache folder, and the first script has results of its own beside."""
    cache = saved.folder / "cache"
    saved.node()["cache_folder"].setValue(str(cache))
    saved.show_alphas()
    saved.nuke.scriptSave()
    apart = saved.folder / "other_shot" / "apart.nk"
    apart.parent.mkdir()
    apart.write_bytes(saved.script.read_bytes())
    another_session(saved, apart)
    first = another_session(saved, saved.script)
    (shared,) = (path.name for path in cache.glob("*/*") if path.name != "claims")
    show_again(first, 4)
    asked: list[str] = []
    monkeypatch.setattr(first.nuke, "ask", lambda text: asked.append(text) or True)
    first.press("clear")
    (text,) = asked
    assert f"used by {apart}" in text.partition("This stays:")[2]
    assert [path.parent.name for path in cache.glob("*/*/record.json")] == [shared]


def test_a_terminal_claims_nothing_and_renews_nothing(saved):
    before = identity(saved)
    copy = saved.folder / "farm.nk"
    copy.write_bytes(saved.script.read_bytes())
    claims = sorted(saved.folder.glob("videomama/*/claims/*"))
    assert len(claims) == 1
    terminal = comps.start(saved.folder, gui=False)
    terminal.nuke.scriptOpen(str(copy))
    from videomama_nuke import ownership

    assert identity(terminal) == before
    assert sorted(saved.folder.glob("videomama/*/claims/*")) == claims
    assert ownership.holders(terminal.node()).whole == [saved.script]
