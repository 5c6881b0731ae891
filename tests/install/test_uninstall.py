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
    assert "Finished alphas and weights stay" in said
    assert place("--yes") == 0


def test_dry_run_changes_nothing(place, tmp_path, capsys):
    assert place("--dry-run") == 0
    assert (tmp_path / "env" / "bin" / "python").exists()
    assert f"{tmp_path / 'env'} would be removed." in capsys.readouterr().out


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
