"""One environment on disk: its variables, how it is emptied and made."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from environment import Environment
from failure import InstallError
from interpreter import probe


def test_clear_keeps_only_the_lock_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    environment = Environment(tmp_path / "env")
    (environment.path / "lib").mkdir(parents=True)
    (environment.path / "lib64").symlink_to(outside)
    environment.lock.touch()
    environment.clear()
    assert list(environment.path.iterdir()) == [environment.lock]
    assert (outside / "kept").exists()


def test_variables_are_those_of_an_activated_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/host")
    monkeypatch.setenv("PATH", "/usr/bin")
    environment = Environment(tmp_path)
    variables = environment.variables()
    assert "PYTHONHOME" not in variables
    assert variables["VIRTUAL_ENV"] == str(tmp_path)
    assert variables["PATH"].startswith(str(environment.scripts))
    assert variables["PATH"].endswith("/usr/bin")


def test_the_environment_of_an_install_is_free_of_the_host(poisoned, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/host")
    variables = Environment(poisoned / "venv").variables()
    assert {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}.isdisjoint(variables)
    assert variables["VIRTUAL_ENV"] == str(poisoned / "venv")


@pytest.mark.slow
def test_an_environment_is_made_and_its_pip_runs_in_poisoned_surroundings(poisoned):
    environment = Environment(poisoned / "venv")
    environment.path.mkdir()
    made = environment.build(probe(sys.executable))
    from packages import pip_works

    assert pip_works(environment)
    assert Path(made.prefix) == environment.path


def test_an_environment_that_cannot_be_made_is_told_with_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    builder = replace(probe(sys.executable), executable=str(tmp_path / "python"))
    (tmp_path / "python").write_text("#!/bin/sh\necho no venv here\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(InstallError, match=r"could not make .*\n.*no venv here"):
        Environment(tmp_path / "env").build(builder)


def test_where_its_parts_are(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    folder, end = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
    assert environment.script("videomama") == tmp_path / folder / f"videomama{end}"
    assert len({environment.lock, environment.stamp, environment.log}) == 3
    assert {path.parent for path in (environment.lock, environment.stamp, environment.log)} == {tmp_path}
