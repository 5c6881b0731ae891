"""Fetches in a process of their own."""

import io
import json
import sys

import pytest
from videomama_client import surroundings
from videomama_client.errors import BadInput
from videomama_server.web import fetching
from videomama_server.web.fetching import Fetch, Fetches

TELLS = "import json,time\nprint(json.dumps({'what':'a','done':1,'total':4}),flush=True)\ntime.sleep(60)"


@pytest.fixture
def fetches(monkeypatch, tmp_path):
    """Fetches whose process runs other code: `fetches(code)`."""
    made = []

    def make(code):
        monkeypatch.setattr(surroundings, "python", lambda *words: [sys.executable, "-c", code])
        made.append(Fetches())
        made[-1].start("sam2", tmp_path, tmp_path)
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_progress_is_told_and_a_fetch_can_be_cancelled(fetches, eventually, tmp_path):
    fetches = fetches(TELLS)
    eventually(lambda: fetches.known()["sam2"].total == 4, "progress is told")
    with pytest.raises(BadInput):
        fetches.start("sam2", tmp_path, tmp_path)
    fetches.cancel("sam2")
    eventually(lambda: not fetches.known()["sam2"].running, "the process has ended")
    assert fetches.known()["sam2"].lines == ["Cancelled. What arrived is kept."]
    assert not fetches.known()["sam2"].error


def test_a_process_that_breaks_is_an_error(fetches, eventually):
    fetches = fetches("raise SystemExit(3)")
    eventually(lambda: not fetches.known()["sam2"].running, "the process has ended")
    assert "code 3" in fetches.known()["sam2"].error


def test_what_is_told_is_taken_in():
    fetch = Fetch()
    for told in ({"what": "a", "done": 1, "total": 2}, {"line": "checking"}, {"error": "no hub", "hint": "Try later."}):
        fetch.take(told)
    assert (fetch.done, fetch.lines, fetch.error, fetch.hint) == (1, ["checking"], "no hub", "Try later.")


def test_without_a_hub_the_process_tells_an_error(monkeypatch, tmp_path):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetching.main(["sam2-tiny", str(tmp_path / "weights"), str(tmp_path / "folded")]) == 1
    assert json.loads(written.getvalue().splitlines()[-1])["error"]


def test_by_hand_means_an_error_with_the_way(monkeypatch, tmp_path):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    assert fetching.main(["mematte", str(tmp_path), str(tmp_path)]) == 1
    assert "by hand" in written.getvalue()
