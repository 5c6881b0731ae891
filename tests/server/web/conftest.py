"""What the web page's tests share: a page in this process, and a client of it that has been let in."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from videomama_server.media import frames
from videomama_server.web import session
from videomama_server.web.app import create_app
from videomama_server.web.site import Site
from videomama_server.web.state import State

PORT = 8600
sys.path.insert(0, str(Path(__file__).parent))  # for page_browser


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home of the person: without roots in the config it may be browsed, and nothing else."""
    for name in [name for name in os.environ if name.startswith("VIDEOMAMA_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    return folder


@pytest.fixture
def make_site(home, tmp_path):
    """Make sites: `make_site(connection_file)`; by default no server runs behind one."""

    def make(connection_file=None, port=PORT):
        connection_file = connection_file or tmp_path / "state" / "connection.json"
        connection_file.parent.mkdir(exist_ok=True)
        state = State.beside(connection_file)
        state.make()
        return Site(connection_file, port, state)

    return make


@pytest.fixture
def site(make_site):
    """A page without a server."""
    return make_site()


@pytest.fixture
def strangers(site):
    """A client of the page that has no session."""
    with TestClient(create_app(site), base_url=site.address, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def enter():
    """Return a client of a page with a session: `enter(site)`; it sends the origin that the page's own scripts send."""
    opened = []

    def let_in(site):
        cookies = {session.cookie_name(site.port): session.new_cookie(site.state)}
        client = TestClient(
            create_app(site),
            base_url=site.address,
            cookies=cookies,
            headers={"Origin": site.address, "Sec-Fetch-Site": "same-origin"},
            raise_server_exceptions=False,
        )
        opened.append(client)
        return client

    yield let_in
    for client in opened:
        client.close()


@pytest.fixture
def page(site, enter):
    """A client with a session, of a page without a server."""
    return enter(site)


@pytest.fixture
def served(server, make_site):
    """A page whose server is the one that all tests share."""
    return make_site(server.connection_file)


@pytest.fixture
def home_clip(home):
    """Write a clip of numbered EXRs into the home: `home_clip(count=3)` returns its folder."""

    def write(count=3, size=(96, 64), folder="shot"):
        place = home / folder
        place.mkdir()
        rng = np.random.default_rng(count)
        for frame in range(1001, 1001 + count):
            plate = rng.random((size[1], size[0], 3), np.float32)
            frames.write_picture(place / f"plate.{frame}.exr", plate, ("R", "G", "B"), "half")
            mask = np.zeros((size[1], size[0]), np.float32)
            mask[size[1] // 4 : size[1] * 3 // 4, size[0] // 4 : size[0] * 3 // 4] = 0.25 + 0.75 * rng.random()
            frames.write_picture(place / f"mask.{frame}.exr", mask, ("A",), "half")
        return place

    return write


@pytest.fixture
def run_fields(home_clip):
    """The least that the Run page sends: `run_fields(frames="1001")`, of a new clip of three frames."""

    def fields(folder=None, **changes):
        folder = folder or home_clip()
        plain = {
            "plate": f"{folder}/plate.####.exr",
            "mask": f"{folder}/mask.####.exr",
            "out": f"{folder}/alpha/alpha.####.exr",
            "mask_source": "files",
            "engine": "passthrough",
            "s.roi": "off",
        }
        return {**plain, **changes}

    return fields


@pytest.fixture
def wait_for_end(served, eventually):
    """Wait until a job has ended, and return what is known of it: `wait_for_end(job)`."""

    def wait(job):
        with served.client() as client:
            eventually(lambda: not client.describe_job(job).state.left, "the job has ended")
            return client.describe_job(job)

    return wait
