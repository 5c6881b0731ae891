"""What the tests of the plug-in share: a session of the stand-in with the plug-in and a real server."""

import comps
import pytest


@pytest.fixture
def open_nuke(tmp_path, server, monkeypatch):
    """Start a session with the plug-in, as Nuke does: `open_nuke(gui=True)`."""
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    yield lambda gui=True: comps.start(tmp_path, gui)
    comps.end()


@pytest.fixture
def comp(open_nuke, tmp_path):
    """A comp of plate, mask, VideoMaMa1 and Write1, open with a window."""
    comps.write_clip(tmp_path)
    opened = open_nuke()
    opened.open(comps.plain_script(tmp_path))
    return opened


@pytest.fixture
def long_comp(open_nuke, tmp_path):
    """A comp whose refine takes seconds: several windows of larger frames, refined with care."""
    comps.write_clip(tmp_path, 48, 240, 180)
    opened = open_nuke()
    opened.open(comps.plain_script(tmp_path, "quality high\n window 6\n overlap 1", 48))
    return opened
