"""What a plug-in beside a server of another version shows in the node and in the panel."""

import pytest
from videomama_client import messages
from videomama_nuke.panel import snapshot

AHEAD = [(-1, "Update the client; in Nuke that is the plug-in."), (1, "Update the server, and end the old one")]


@pytest.mark.parametrize(("ahead", "hint"), AHEAD, ids=["older plug-in", "newer plug-in"])
def test_the_nodes_status_names_the_side_to_update(comp, monkeypatch, ahead, hint):
    monkeypatch.setattr(messages, "PROTOCOL_VERSION", messages.PROTOCOL_VERSION + ahead)
    status = comp.refine()
    assert status.startswith("failed: the client (videomama-client ")
    assert hint in status


@pytest.mark.parametrize(("ahead", "hint"), AHEAD, ids=["older plug-in", "newer plug-in"])
def test_the_panel_names_the_side_to_update(server, monkeypatch, eventually, ahead, hint):
    from videomama_nuke.panel.watcher import Watcher

    monkeypatch.setattr(messages, "PROTOCOL_VERSION", messages.PROTOCOL_VERSION + ahead)
    watcher = Watcher(server.connection_file)
    watcher.open()
    try:
        watcher.watch(True)
        eventually(lambda: watcher.snapshot().state == snapshot.UNREACHABLE, "the panel has been refused")
        detail = snapshot.server_detail(watcher.snapshot())
    finally:
        assert watcher.close(10)
    assert "speaks protocol" in detail
    assert hint in detail
