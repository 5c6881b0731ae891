"""Fetches in a process of their own."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
from videomama_client import surroundings
from videomama_client.errors import BadInput
from videomama_server.web import fetching, weights_table
from videomama_server.web.fetching import Fetch, Fetches
from videomama_server.weights import additional, catalogue
from videomama_server.weights import fetch as fetch_weights

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


def test_a_fetch_begins_with_nothing_and_under_way(numbers_left_out):
    assert numbers_left_out(Fetch) == {"done": 0, "total": 0, "running": True}
    fetch = Fetch()
    fetch.take({"what": "a", "done": 1, "total": 2})
    assert (fetch.what, fetch.done, fetch.total, fetch.lines, fetch.error) == ("a", 1, 2, [], "")


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What the process says while it fetches by `how(order, progress, say)`: `told(name, how)`, code and objects."""

    def run(name, how):
        written = io.StringIO()
        monkeypatch.setattr(sys, "stdout", written)
        monkeypatch.setattr(fetch_weights, "fetch", how)
        code = fetching.main([name, str(tmp_path / "weights"), str(tmp_path / "folded")])
        return code, [json.loads(line) for line in written.getvalue().splitlines()]

    return run


def test_progress_is_told_twice_a_second_and_at_the_end_of_a_file(told, monkeypatch):
    clock = iter([100.0, 100.0, 100.4, 100.5, 100.6, 100.6, 100.7, 100.7, 101.2, 101.2])

    def how(order, progress, say):
        for done in (1, 2, 3, 4):  # at 100.0, 100.4, 100.5 and 100.6
            progress("a", done, 9)
        progress("a", 9, 9)
        return SimpleNamespace(lines=["kept", "checked"])

    monkeypatch.setattr(fetching.time, "monotonic", lambda: next(clock))
    code, objects = told("sam2-tiny", how)
    assert code == 0
    assert objects == [
        {"what": "a", "done": 1, "total": 9},
        {"what": "a", "done": 4, "total": 9},
        {"what": "a", "done": 9, "total": 9},
        {"line": "kept"},
        {"line": "checked"},
    ]


def test_a_network_goes_to_its_folder_and_the_model_to_that_of_the_weights(told, tmp_path):
    orders = []

    def how(order, progress, say):
        orders.append(order)
        say("on its way")
        return SimpleNamespace(lines=[])

    assert told("sam2-tiny", how) == (0, [{"line": "on its way"}])
    assert told(weights_table.MODEL, how) == (0, [{"line": "on its way"}])
    network = additional.NETWORKS["sam2-tiny"]
    of_network, of_model = orders
    assert (of_network.offer, of_network.weights) == (network.offer(), tmp_path / "weights" / network.folder)
    assert of_network.check == network.check
    assert (of_model.offer, of_model.weights, of_model.check) == (catalogue.PUBLISHED, tmp_path / "weights", None)
    assert [order.folded for order in orders] == [tmp_path / "folded"] * 2
    assert all(order.accepted() for order in orders)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BadInput("no hub", "Try later."), {"error": "no hub", "hint": "Try later."}),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            {"error": "torch is not installed", "hint": "Run `python install server`."},
        ),
    ],
)
def test_what_goes_wrong_is_told_with_what_to_do_and_code_1(told, error, said):
    def how(order, progress, say):
        raise error

    assert told("sam2-tiny", how) == (1, [said])


class Ended:
    """A process that has ended with a code, and what it wrote."""

    def __init__(self, code, *objects):
        self.code, self.stdout = code, io.StringIO("".join(json.dumps(one) + "\n" for one in objects))

        self.waits = []

    def poll(self):
        return self.code

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return self.code


def test_the_end_of_each_fetch_is_waited_for_five_seconds_at_most():
    fetches, processes = Fetches(), {"a": Ended(0), "b": Ended(1)}
    fetches._processes.update(processes)
    fetches.end()
    assert [one.waits for one in processes.values()] == [[5.0], [5.0]]


@pytest.mark.parametrize(
    ("code", "objects", "error"),
    [
        (0, [], ("", "")),
        (1, [], ("the fetch ended with code 1", "Run `videomama weights fetch` instead.")),
        (1, [{"error": "no hub", "hint": "Try later."}], ("no hub", "Try later.")),
        (-15, [], ("", "")),  # cancelled
    ],
)
def test_how_a_process_ended_is_kept(code, objects, error):
    fetch = Fetch()
    Fetches()._listen(fetch, Ended(code, *objects))
    assert (fetch.error, fetch.hint) == error
    assert not fetch.running


def test_of_a_fetch_that_has_ended_or_never_began_nothing_is_cancelled(fetches, eventually, tmp_path):
    ended = fetches("pass")
    eventually(lambda: not ended.known()["sam2"].running, "the process has ended")
    ended.cancel("sam2")
    ended.cancel("another")
    assert ended.known()["sam2"].lines == []
    ended.start("sam2", tmp_path, tmp_path)  # again
    eventually(lambda: not ended.known()["sam2"].running, "the process has ended")
