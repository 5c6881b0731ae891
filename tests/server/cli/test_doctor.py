"""`videomama doctor`: the whole report on this machine, as text and as JSON, and its exit codes."""

import json

import pytest
from videomama_server.doctor import machine, report
from videomama_server.doctor.graphics import Driver, Graphics, Torch
from videomama_server.doctor.lines import good, problem


@pytest.fixture
def doctor(videomama, monkeypatch, tmp_path):
    """Run it with folders of its own."""
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "weights"))
    return lambda *words: videomama("doctor", "--connection-file", tmp_path / "c.json", *words)


@pytest.mark.slow
def test_a_machine_without_gpu_weights_and_nuke_can_refine(doctor, tmp_path):
    said = doctor("--json")
    found = json.loads(said.out)
    assert (said.code, found["ok"]) == (0, True)
    states = {line["name"]: line["state"] for line in found["lines"]}
    assert [
        name for name in ("python", "engine classic", "ports", "server", "cache folder") if states[name] != "ok"
    ] == []
    assert states["weights"] == "warning"
    (auto,) = (line for line in found["lines"] if line["name"] == "engine auto")
    assert "classic" in auto["what"]
    assert all(line.keys() == {"name", "state", "what", "fix"} for line in found["lines"])
    assert all(bool(line["fix"]) == (line["state"] != "ok") for line in found["lines"])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def quick(doctor, monkeypatch):
    """Leave out what takes seconds and is tested above: the engine's trial, torch's import, the search for Nukes."""
    monkeypatch.setattr(machine, "engine", lambda: good("engine classic", "It computes"))
    monkeypatch.setattr(report.graphics, "examine", lambda: Graphics(Driver(problem="none"), Torch(installed=False)))
    monkeypatch.setattr(report.nukes, "examine", lambda: [good("nuke", "None was found")])
    return doctor


def test_the_report_as_text(quick):
    said = quick()
    assert said.code == 0
    assert "\nThis machine can refine." in said.out
    assert said.err == ""


def test_a_problem_is_exit_code_1(quick, monkeypatch):
    monkeypatch.setattr(machine, "engine", lambda: problem("engine classic", "It does not load", "Mend it."))
    said = quick("--json")
    assert (said.code, json.loads(said.out)["ok"]) == (1, False)
    said = quick()
    assert said.code == 1
    assert "This machine cannot refine. Problems: 1." in said.out


def test_a_config_that_cannot_be_read_is_one_line_among_others(quick, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOMAMA_PORT", "many")
    found = json.loads(quick("--json").out)["lines"]
    assert found[0]["name"] == "config"
    assert found[0]["state"] == "problem"
    assert "VIDEOMAMA_PORT" in found[0]["what"]
    assert len(found) > 8
    assert str(tmp_path / "c.json") in next(line["what"] for line in found if line["name"] == "connection file")


def test_what_may_not_be_looked_at_is_one_line_among_others(quick, monkeypatch):
    def refuse(config):
        raise PermissionError(13, "Permission denied", "/secret")

    monkeypatch.setattr(report.storage, "examine", refuse)
    found = json.loads(quick("--json").out)["lines"]
    (line,) = (line for line in found if line["name"] == "doctor")
    assert (line["state"], "/secret" in line["what"]) == ("warning", True)
    assert len(found) > 8


@pytest.mark.parametrize("words", [["extra"], ["--nonsense"]])
def test_wrong_use_is_exit_code_2(videomama, words):
    assert videomama("doctor", *words).code == 2
