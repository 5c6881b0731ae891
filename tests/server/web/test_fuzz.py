"""Every route with whatever a browser may send: no fault of the page, no traceback, nothing from outside the roots."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient
from videomama_client.client import Client
from videomama_client.errors import Cancelled
from videomama_server import asking
from videomama_server.doctor import report
from videomama_server.web import live, session
from videomama_server.web.app import create_app
from videomama_server.web.fetching import Fetches
from videomama_server.web.site import Site
from videomama_server.web.state import State

MARK = "mark7f3a"  # in names of files outside
NAMES = [
    "accepted",
    "field",
    "folder",
    "frame",
    "frames",
    "job",
    "limit_gb",
    "name",
    "of_object",
    "out",
    "plate",
    "mask",
    "alpha",
    "other",
    "ground",
    "foreground",
    "priority",
    "role",
    "search",
    "state",
    "before",
    "kind",
    "engine",
    "maker",
    "refiner",
    "mask_source",
    "prompts",
    "object_name",
    "object_mask",
    "object_channel",
    "dtype",
    "viewer",
    "layer",
    "label",
    "rehash",
    "size",
    "region",
    "x",
    "y",
    "stops",
    "gamma",
    "of",
    "code",
    "e.mask_slack",
    "e.weights",
    "m.absent",
    "r.tile",
    "r.trimap_preset",
    "a.grow",
    "s.view",
    "s.colorspace",
    "s.exposure",
    "s.window",
    "s.roi",
    "s.mask_colour",
    "plate_layer",
    "mask_channel",
    "view",
    "colorspace",
    "exposure",
    "trimap_preset",
    "trimap_inside",
    "trimap_mode",
    "run",
    "clip",
    "against",
]


def values(home, outside):
    """Return what parameters hold: text, numbers, paths inside and outside, and lists of a script."""
    inside = [str(home), f"{home}/shot/plate.####.exr", f"{home}/shot/mask.####.exr", f"{home}/shot/a.####.exr"]
    beyond = [str(outside), f"{home}/../outside", f"{home}/link", "/etc/passwd", "/proc/self/environ", "~root", "C:\\"]
    words = [
        "classic",
        "auto",
        "sam2",
        "held",
        "files",
        "prompts",
        "objects",
        "plate",
        "mask",
        "yes",
        "batch",
        "1001",
        "done",
    ]
    scripts = st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from(["\ud800", "point"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PROMPT), inner, max_size=4),
        max_leaves=8,
    ).map(json.dumps)
    numbers = st.integers().map(str) | st.floats().map(str) | st.sampled_from(["9" * 400, "-0", "1e999", "1,1,1,1"])
    return st.sampled_from([*inside, *inside, *beyond, *words, *words]) | numbers | st.text(max_size=30) | scripts


PROMPT = ("kind", "frame", "place", "subject", "text", "file", "object")


@pytest.fixture(scope="module")
def fuzzed(server, tmp_path_factory):
    """A page whose server is real, and that stops, fetches and computes nothing."""
    patch = pytest.MonkeyPatch()
    base = tmp_path_factory.mktemp("fuzz")
    home, outside = base / "home", base / "outside"
    home.mkdir()
    outside.mkdir()
    (home / "shot").mkdir()
    (home / "link").symlink_to(outside)
    (outside / f"{MARK}.1001.exr").write_bytes(b"")
    patch.setenv("HOME", str(home))
    patch.setenv("USERPROFILE", str(home))
    patch.setattr(live, "_events", once)
    patch.setattr(Client, "stop_server", lambda self: None)
    patch.setattr(Client, "clear_cache", lambda self: self.cache_report())
    patch.setattr(Client, "prune_cache", lambda self, limit: self.cache_report())
    patch.setattr(Client, "unload_engine", lambda self: None)
    patch.setattr(Client, "submit", lambda self, job: "0" * 32)
    patch.setattr(Client, "events", cancelled)
    patch.setattr(Fetches, "start", lambda self, *order: None)
    patch.setattr(State, "forget_sessions", lambda self: None)
    patch.setattr(asking, "ask", lambda *words: asking.Answer(1, "", ""))
    patch.setattr(report, "examine", lambda file: [])
    state = State(base / "state")
    state.make()
    site = Site(server.connection_file, 8600, state)
    cookies = {session.cookie_name(site.port): session.new_cookie(state)}
    app = create_app(site)
    with TestClient(app, base_url=site.address, cookies=cookies, raise_server_exceptions=False) as client:
        yield client, home, outside
    patch.undo()


async def once(make):
    yield make()


def cancelled(self, job, inline=None):
    raise Cancelled("cancelled")


@pytest.fixture(scope="module")
def paths(fuzzed):
    client = fuzzed[0]
    known = client.app.app.routes
    return [(route.path, sorted(route.methods - {"HEAD"})) for route in known if isinstance(route, Route)]


@pytest.mark.slow
def test_no_request_makes_the_page_fail(fuzzed, paths):
    client, home, outside = fuzzed
    assert len(paths) > 30
    told = values(home, outside)
    asked = st.dictionaries(st.sampled_from(NAMES), told, max_size=10)

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(paths), asked, st.text(max_size=20), st.booleans())
    def attack(route, fields, part, by_script):
        path, methods = route
        headers = {"Origin": "http://127.0.0.1:8600"} | ({"HX-Request": "true"} if by_script else {})
        for method in methods:
            address = path.replace("{job}", quote(part, safe="") or "0000")
            sent = {"params": fields} if method == "GET" else {"data": fields}
            answer = client.request(method, address, headers=headers, **sent)
            assert answer.status_code < 500 or answer.status_code == 502, (method, address, fields, answer.text)
            assert "Traceback" not in answer.text
            assert MARK not in answer.text

    attack()
