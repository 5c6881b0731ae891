"""Whose config holds while a server runs: the server's, with what differs named."""

import json
import os

import pytest
from videomama_client.errors import BadInput
from videomama_server import config, running


@pytest.fixture
def here(server, monkeypatch, tmp_path):
    """This process's variables as a caller's of the server, with a cache folder of its own."""
    for name in [name for name in os.environ if name.startswith("VIDEOMAMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "mine"))
    return server


def test_the_server_s_values_hold_and_what_was_set_here_otherwise_differs(here, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_THREADS", "2")  # the server's too
    settled = running.settle({})
    assert settled.config.cache_dir == here.cache_dir
    assert [(known.name, known.caller.source) for known in settled.differing] == [("cache_dir", "$VIDEOMAMA_CACHE_DIR")]


def test_every_key_that_a_caller_can_set_is_compared(here, monkeypatch, tmp_path):
    others = {
        "cache_dir": "x",
        "cache_limit_gb": "7",
        "host": "localhost",
        "port": "9",
        "roots": "x",
        "weights": "x",
        "engine_idle_s": "7",
        "engine_hang_s": "7",
        "read_limit_s": "7",
        "supply_limit_s": "7",
        "server_idle_s": "7",
        "threads": "9",
        "device": "cpu",
        "dtype": "fp32",
        "max_vram_gb": "7",
        "compile": "off",
    }
    for name, value in others.items():
        monkeypatch.setenv(f"VIDEOMAMA_{name.upper()}", value)
    assert {known.name for known in running.settle({}).differing} >= others.keys()


def test_config_toml_differs_by_its_name_and_a_flag_holds_over_the_server(here, monkeypatch, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("cache_limit_gb = 5\n")
    monkeypatch.setenv("VIDEOMAMA_CONFIG", str(file))
    settled = running.settle({"cache_dir": str(tmp_path / "flag")})
    assert settled.config.cache_dir == tmp_path / "flag"
    assert settled.config.cache_limit_gb == 100
    assert (str(file), "5.0") in [(known.caller.source, known.caller.value) for known in settled.differing]


def test_without_a_server_the_caller_s_own_holds(here, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(tmp_path / "none.json"))
    settled = running.settle({})
    assert (settled.config, settled.differing) == (config.load({}), [])


def test_what_cannot_be_read_is_said_whether_a_server_runs_or_not(here, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_THREADS", "many")
    with pytest.raises(BadInput, match="VIDEOMAMA_THREADS"):
        running.settle({})


@pytest.fixture
def caller(videomama, server, monkeypatch, tmp_path):
    """The command, with variables that name the server and a cache folder other than the server's."""
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "weights"))
    return videomama


def warned(said, server, tmp_path) -> bool:
    sentence = f"the running server uses {server.cache_dir}, but $VIDEOMAMA_CACHE_DIR sets {tmp_path / 'mine'}"
    return sentence in said and "videomama stop" in said


def test_status_shows_every_value_of_the_server_and_what_differs(caller, server, tmp_path):
    said = caller("status")
    assert f"cache dir  {server.cache_dir}" in said.out
    assert "config  cache_limit_gb = 100.0" in said.out
    assert "config  device = auto" in said.out
    assert warned(said.err, server, tmp_path)
    report = json.loads(caller("status", "--json").out)
    assert report["config"]["cache_dir"] == str(server.cache_dir)
    assert report["differs"]["cache_dir"] == {"value": str(tmp_path / "mine"), "source": "$VIDEOMAMA_CACHE_DIR"}


def test_cache_reports_the_server_s_folder_and_removes_nothing_where_another_was_set(caller, server, tmp_path):
    said = caller("cache", "stat")
    assert said.out.startswith(f"{server.cache_dir}: ")
    assert warned(said.err, server, tmp_path)
    for words in (["prune"], ["clear", "--yes"]):
        refused = caller("cache", *words)
        assert refused.code == 1
        assert "the running server uses" in refused.err
        assert "--cache-dir" in refused.err
    named = caller("cache", "--cache-dir", tmp_path / "mine", "--json", "stat")
    assert (json.loads(named.out)["folder"], named.err) == (str(tmp_path / "mine"), "")


def test_doctor_looks_at_what_the_server_uses(caller, server, tmp_path, monkeypatch):
    from videomama_server.doctor import machine, report

    monkeypatch.setattr(machine, "engine", lambda: report.good("engine classic", "left out: it takes seconds"))
    said = caller("doctor")
    assert warned(said.out, server, tmp_path)
    assert str(tmp_path / "mine") not in said.out.replace(f"sets {tmp_path / 'mine'}", "")


def test_weights_are_those_of_the_server(caller, tmp_path):
    said = caller("weights", "where", "--json")
    assert json.loads(said.out)["weights"] != str(tmp_path / "weights")
    assert "$VIDEOMAMA_WEIGHTS sets" in said.err
