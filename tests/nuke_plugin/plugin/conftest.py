"""What the tests of the plug-in share: a session of the stand-in with the plug-in, and a real server or none at all."""

import comps
import pytest


def opened(start, folder, write_clip=comps.write_clip):
    """Return a comp of plate, mask, VideoMaMa1 and Write1 in a session that `start` begins."""
    write_clip(folder)
    comp = start()
    comp.open(comps.plain_script(folder))
    return comp


@pytest.fixture
def start_nuke(tmp_path, monkeypatch):
    """Start a session with the plug-in, as Nuke does, where no server is and none can be started."""
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(tmp_path / "none" / "connection.json"))
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "/nowhere/videomama")
    yield lambda gui=True: comps.start(tmp_path, gui)
    comps.end()


@pytest.fixture
def offline_comp(start_nuke, tmp_path):
    """A comp of plate, mask, VideoMaMa1 and Write1 without a server: `show_alphas` stands for its work."""
    return opened(start_nuke, tmp_path, comps.write_same_clip)


@pytest.fixture
def open_nuke(tmp_path, server, monkeypatch):
    """Start a session with the plug-in, as Nuke does: `open_nuke(gui=True)`."""
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    yield lambda gui=True: comps.start(tmp_path, gui)
    comps.end()


@pytest.fixture
def comp(open_nuke, tmp_path):
    """A comp of plate, mask, VideoMaMa1 and Write1, open with a window."""
    return opened(open_nuke, tmp_path)


@pytest.fixture
def long_comp(open_nuke, tmp_path):
    """A comp whose refine takes seconds: several windows of larger frames, refined with care."""
    comps.write_clip(tmp_path, comps.MANY, 240, 180)
    opened = open_nuke()
    opened.open(comps.plain_script(tmp_path, "quality high\n window 4\n overlap 1", comps.MANY))
    return opened


@pytest.fixture
def job_at_server(server, tmp_path):
    """Return how the server says that the newest job of this test's files is: `job_at_server().state`."""

    def newest():
        with server.client() as client:
            return next(job for job in client.jobs() if str(tmp_path) in job.plate)

    return newest


@pytest.fixture
def bare_nuke(start_nuke):
    """Return Nuke with the plug-in loaded and an empty script."""
    return start_nuke().nuke
