"""The verb `uninstall`: what goes, what stays, and that nothing foreign is touched."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import program
import pytest
import service


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An environment of the installer's and a home with a file for Nuke; returns a function that runs the verb."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").write_text("")
    (tmp_path / "env" / "videomama-install.lock").write_text("")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "init.py").write_text("print('mine')\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(service, "is_there", lambda: True)
    monkeypatch.setattr(service, "remove", lambda: sys.stdout.write("service removed\n"))
    monkeypatch.setattr(program, "ROOT", tmp_path)
    words = ["uninstall", "--venv", str(tmp_path / "env"), "--home", str(tmp_path / "home")]
    return lambda *more: program.main([*words, *more])


def test_yes_removes_the_environment_and_leaves_what_is_the_persons_own(place, tmp_path, capsys):
    assert place("--yes") == 0
    assert not (tmp_path / "env").exists()
    assert (tmp_path / "home" / "init.py").read_text() == "print('mine')\n"
    said = capsys.readouterr().out
    assert "service removed" in said
    assert "Finished alphas and the server's state stay" in said
    assert "Weights stay" in said
    assert place("--yes") == 0


def test_dry_run_changes_nothing(place, tmp_path, capsys):
    assert place("--dry-run") == 0
    assert (tmp_path / "env" / "bin" / "python").exists()
    said = capsys.readouterr().out
    assert f"{tmp_path / 'env'} would be removed, and a running server stopped first." in said
    assert "The service of this user would be removed." in said


def test_a_folder_that_is_not_the_installers_stays(place, tmp_path, capsys):
    (tmp_path / "env" / "videomama-install.lock").unlink()
    assert place("--yes") == 1
    assert (tmp_path / "env" / "bin" / "python").exists()
    assert "was not made by this installer" in capsys.readouterr().err


def test_nobody_there_to_ask_is_told(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert place() == 1
    assert (tmp_path / "env").exists()
    assert "--yes" in capsys.readouterr().err


def test_what_is_not_there_is_not_announced(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(service, "is_there", lambda: False)
    assert place("--dry-run") == 0
    said = capsys.readouterr().out
    assert "service" not in said
    assert "init.py" not in said
    (tmp_path / "env").rename(tmp_path / "elsewhere")
    assert place("--yes") == 0
    assert capsys.readouterr().out == "There is nothing to remove.\n"


def test_purge_needs_an_environment_that_works(place, tmp_path, capsys):
    assert place("--purge", "--yes") == 1
    assert (tmp_path / "env" / "bin" / "python").exists()
    assert "Run `python install server` first" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of the environment are shell scripts here")
def test_purge_stops_the_server_empties_the_cache_and_removes_the_state(place, tmp_path, capsys):
    cache, state = tmp_path / "cache", tmp_path / "state" / "connection.json"
    state.parent.mkdir()
    beside = ("connection.log", "connection.json.lock", "connection.history.sqlite", "connection.history.sqlite-wal")
    for name in (state.name, *beside, "mine"):
        (state.parent / name).write_text("")
    seen = tmp_path / "seen"
    python, command = tmp_path / "env" / "bin" / "python", tmp_path / "env" / "bin" / "videomama"
    python.write_text(f'#!/bin/sh\necho \'["{cache}", "{state}"]\'\n')
    command.write_text(f'#!/bin/sh\necho "$@" >> {seen}\n')
    python.chmod(0o755)
    command.chmod(0o755)
    assert place("--purge", "--dry-run") == 0
    assert f"All finished alphas in {cache} would be removed." in capsys.readouterr().out
    assert not seen.exists()
    assert place("--purge", "--yes") == 0
    assert seen.read_text().splitlines() == ["stop", f"cache --cache-dir {cache} clear"]
    assert [file.name for file in state.parent.iterdir()] == ["mine"]
    assert not (tmp_path / "env").exists()
