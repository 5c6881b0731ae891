"""The verb `update`: what it ends, what it sets up, and how it goes to a version of the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import check
import nuke_setup
import program
import pytest
import server_setup
import update
from environment import Environment


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was done, in order; nothing really is."""
    seen: list[str] = []
    monkeypatch.setattr(program, "ROOT", tmp_path / "project")
    (tmp_path / "project" / "install").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(server_setup, "run", lambda _: seen.append("server") or 0)
    monkeypatch.setattr(update, "prepare", lambda request: seen.append("extras " + " ".join(request.extras)))
    monkeypatch.setattr(nuke_setup, "run", lambda options, *_: seen.append(f"nuke {options.home}") or 0)
    monkeypatch.setattr(check, "run", lambda *_: seen.append("check") or 0)
    return seen


@pytest.fixture
def run(tmp_path: Path):
    return lambda *words: program.main(
        ["update", "--venv", str(tmp_path / "env"), "--home", str(tmp_path / "home"), *words]
    )


def git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(done, tmp_path: Path) -> Path:
    """A checkout with two versions, each with an installer that writes its name down."""
    root = tmp_path / "project"
    git(root, "init", "--quiet")
    for version in ("1.0", "1.1"):
        noted = f"pathlib.Path({str(tmp_path / 'ran')!r}).write_text({version!r} + ' '.join(sys.argv[1:]))"
        (root / "install" / "__main__.py").write_text(f"import pathlib, sys\n{noted}\n")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", version)
        git(root, "tag", version)
    return root


def test_the_old_server_ends_first_and_the_same_extras_are_set_up(done, run, monkeypatch, tmp_path, capsys):
    (tmp_path / "env").mkdir()
    Environment(tmp_path / "env").stamp.write_text(
        '{"location": "x", "inputs": "y", "extras": ["segment", "videomama"]}'
    )
    monkeypatch.setattr(update, "stop_server", lambda _: done.append("stop") or ["Stopping the server."])
    assert run() == 0
    assert done == ["stop", "server", "extras segment videomama", "check"]
    assert "Stopping the server." in capsys.readouterr().out


def test_the_plug_in_is_brought_along_where_it_is_set_up(done, run, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(update, "has_block", lambda home: home == tmp_path / "home")
    assert run() == 0
    assert done == ["server", f"nuke {tmp_path / 'home'}", "check"]
    assert "Restart every open Nuke" in capsys.readouterr().out


def test_a_version_is_gone_to_by_name_and_its_own_installer_does_the_rest(done, run, checkout, tmp_path):
    assert run("1.0", "--cpu") == 0
    assert git(checkout, "describe", "--tags") == "1.0"
    assert (tmp_path / "ran").read_text().startswith(f"1.0update --venv {tmp_path / 'env'}")
    assert (tmp_path / "ran").read_text().endswith("--cpu")
    assert done == []


def test_a_version_that_is_not_there_names_those_that_are(run, checkout, capsys):
    assert run("9.9") == 1
    said = capsys.readouterr().err
    assert "cannot go to 9.9: pathspec" in said
    assert "Versions that are here: 1.1, 1.0." in said
    assert git(checkout, "describe", "--tags") == "1.1"


def test_changes_of_ones_own_are_never_lost(run, checkout, capsys):
    (checkout / "install" / "__main__.py").write_text("mine")
    assert run("1.0") == 1
    assert "has changes of its own" in capsys.readouterr().err
    assert (checkout / "install" / "__main__.py").read_text() == "mine"


def test_a_folder_that_was_unpacked_cannot_go_to_a_version_by_name(done, run, capsys):
    assert run("1.0") == 1
    assert "is not a git checkout" in capsys.readouterr().err
    assert done == []


def test_where_no_server_was_ever_set_up_there_is_none_to_stop(tmp_path):
    assert update.stop_server(Environment(tmp_path / "env")) == []


def test_a_server_that_does_not_run_is_not_mentioned(tmp_path):
    script = Environment(tmp_path).script("videomama")
    script.parent.mkdir(parents=True, exist_ok=True)
    for code, said in ((1, []), (0, ["Stopping the server."])):
        script.write_text(f"#!/bin/sh\necho Stopping the server.\nexit {code}\n")
        script.chmod(0o755)
        assert update.stop_server(Environment(tmp_path)) == said
