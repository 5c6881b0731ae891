"""Engines that plug into the server: named on the node, offered from what a server reports."""

import sys
import threading

import pytest
from videomama_client.client import Client
from videomama_client.errors import BadInput
from videomama_client.messages import EnginesReported, EngineState

BUILT_IN = ("videomama", "classic", "passthrough")


@pytest.fixture
def reports(monkeypatch):
    """Let servers report these engines beside their own: `reports("feather")`."""

    def say(*names: str) -> None:
        found = [EngineState(name) for name in (*BUILT_IN, *names)]
        monkeypatch.setattr(Client, "engines", lambda self: EnginesReported("", [], found))

    return say


def menu(comp) -> list[str]:
    return comp.node()["engines_found"].values()


def asked(comp) -> list[str]:
    """Set the engine to another one in the open panel, wait for the server's answer, and return the menu."""
    comp.node().showControlPanel()
    comp.node()["engine"].setValue("other")
    assert menu(comp) == ["asking the server"]
    return answered(comp)


def answered(comp) -> list[str]:
    comp.pump(lambda: menu(comp) != ["asking the server"], "the server has answered")
    return menu(comp)


def test_nobody_is_asked_before_another_engine_is_wanted_in_an_open_panel(comp, monkeypatch):
    monkeypatch.setattr(Client, "engines", lambda self: pytest.fail("the server was asked"))
    comp.node()["engine"].setValue("other")
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    comp.node()["engine"].setValue("classic")
    comp.node().showControlPanel()
    comp.node()["engine"].setValue("auto")
    assert menu(comp) == ["not asked"]


def test_the_engines_that_the_menu_lacks_are_offered(comp, reports):
    reports("feather", "wool")
    assert asked(comp) == ["2 engines of the server", "feather", "wool"]
    reports("feather")
    comp.node()["engine"].setValue("classic")
    assert asked(comp) == ["1 engine of the server", "feather"]


def test_refiners_and_adjustments_of_a_real_server_are_offered_as_they_are_no_way_of_matting(comp):
    assert asked(comp) == ["3 engines of the server", "vitmatte", "mematte", "adjust"]


def test_a_server_that_has_no_other_says_so(comp, reports):
    reports()
    assert asked(comp) == ["the server has no other engine"]


def test_without_a_server_the_menu_says_so_and_none_is_started(offline_comp, monkeypatch):
    from videomama_client import launch

    started, real = [], launch.connect
    monkeypatch.setattr(launch, "connect", lambda file, start: started.append(start) or real(file, start=start))
    assert asked(offline_comp) == ["no server answers; see the tab Server"]
    assert started == [False]


def test_a_library_that_is_missing_is_no_error(offline_comp, monkeypatch):
    monkeypatch.setitem(sys.modules, "videomama_client.launch", None)
    monkeypatch.delattr("videomama_client.launch", raising=False)
    assert asked(offline_comp) == ["no server answers; see the tab Server"]


def test_the_main_thread_does_not_wait_for_the_server(comp, monkeypatch):
    go, where = threading.Event(), []

    def engines(self):
        where.append((threading.current_thread() is threading.main_thread(), threading.current_thread().daemon))
        assert go.wait(60)
        return EnginesReported("", [], [EngineState("feather")])

    monkeypatch.setattr(Client, "engines", engines)
    comp.node().showControlPanel()
    comp.node()["engine"].setValue("other")
    assert menu(comp) == ["asking the server"]
    go.set()
    assert answered(comp)[1:] == ["feather"]
    assert where == [(False, True)]  # Nuke can end meanwhile


def test_what_is_chosen_is_the_engine_and_the_menu_goes_back_to_its_head(comp, reports):
    from videomama_nuke import knobs

    comp.show_alphas()
    reports("feather", "wool")
    asked(comp)
    comp.node()["engines_found"].setValue("wool")
    assert comp.node()["other_engine"].value() == "wool"
    assert comp.status() == "stale: engine changed"
    assert comp.node()["engines_found"].value() == "2 engines of the server"
    assert knobs.settings_of(comp.node()).engine == "wool"


def test_the_name_is_saved_and_kept_where_no_server_reports_it(comp, reports):
    from videomama_nuke import knobs

    asked(comp)
    comp.node()["other_engine"].setValue(" feather ")
    comp.nuke.scriptSave()
    assert "engines_found" not in comp.script.read_text()
    comp.nuke.scriptOpen(str(comp.script))
    assert knobs.settings_of(comp.node()).engine == "feather"
    assert menu(comp) == ["not asked"]
    comp.node()["engine"].setValue("classic")
    assert knobs.settings_of(comp.node()).engine == "classic"


def test_opening_the_panel_asks_again(comp, reports):
    asked(comp)
    reports("feather")
    comp.node().hideControlPanel()
    comp.node().showControlPanel()
    comp.let_look()
    comp.pump(lambda: menu(comp)[1:] == ["feather"], "the engine is offered")


def test_another_engine_without_a_name_is_refused_with_what_to_do(comp):
    from videomama_nuke import knobs

    asked(comp)
    with pytest.raises(BadInput) as caught:
        knobs.settings_of(comp.node())
    assert caught.value.message == "VideoMaMa1: the engine is set to other, and none is named"
    assert "'other engine'" in caught.value.hint


def test_a_refine_runs_with_the_engine_that_is_named_and_another_name_makes_it_stale(comp):
    asked(comp)
    comp.node()["other_engine"].setValue("passthrough")
    assert comp.refine() == "refined 1001-1020"
    comp.node()["other_engine"].setValue("feather")
    assert comp.status() == "stale: engine changed"


def test_a_name_that_the_server_does_not_know_fails_with_the_servers_words(comp):
    asked(comp)
    comp.node()["other_engine"].setValue("wool")
    assert "unknown engine 'wool'" in comp.refine()


def test_a_node_that_is_deleted_meanwhile_is_no_error(comp, monkeypatch):
    from nuke_standin import session

    go = threading.Event()
    monkeypatch.setattr(Client, "engines", lambda self: go.wait(60) and EnginesReported("", [], []))
    comp.node().showControlPanel()
    comp.node()["engine"].setValue("other")
    comp.nuke.delete(comp.node())
    go.set()
    comp.pump(lambda: not [t for t in threading.enumerate() if t.name == "VideoMaMa engines"], "the thread has ended")
    assert not [text for kind, text in session.current().messages if kind == "error"]


def test_without_a_window_nobody_is_asked(open_nuke, tmp_path):
    import comps

    terminal = open_nuke(gui=False)
    comps.write_clip(tmp_path, 1)
    terminal.open(comps.plain_script(tmp_path, count=1))
    terminal.node()["engine"].setValue("other")
    from videomama_nuke import engine_menu

    engine_menu.offer(terminal.node(), engine_menu.CHOSEN["engine"])
    assert menu(terminal) == ["not asked"]
