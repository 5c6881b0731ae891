"""The files to double-click on Windows: each runs a verb that there is, from the project's folder, and waits."""

from pathlib import Path

import program
import pytest

FOLDER = Path(__file__).parents[2] / "install" / "windows"


@pytest.mark.parametrize("name", ["install", "demo", "check"])
def test_a_starter_runs_a_verb_and_waits(name):
    lines = (FOLDER / f"{name}.cmd").read_bytes().decode("ascii").split("\r\n")
    assert lines[1:3] == ['@cd /d "%~dp0..\\.."', f"@py -3 install {'' if name == 'install' else name + ' '}%*"]
    assert lines[3] == "@pause"
    assert name == "install" or name in program.VERBS


def test_every_starter_is_looked_at_here():
    assert sorted(path.name for path in FOLDER.iterdir()) == ["check.cmd", "demo.cmd", "install.cmd"]
