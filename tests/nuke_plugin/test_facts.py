"""What the plug-in takes for granted, in the stand-in; validate_under_nuke.py asks a real Nuke for the same."""

import subprocess
import sys
from pathlib import Path

import comps
import facts
import nuke_standin
import pytest


@pytest.fixture
def nuke():
    comps.forget_plugin()
    session = nuke_standin.install(gui=False)
    session.pluginAddPath(str(comps.PLUGIN.parent / "gizmos"))
    yield session
    nuke_standin.uninstall()
    comps.forget_plugin()


def test_the_script_for_a_real_nuke_runs_in_the_stand_in():
    here = Path(facts.__file__).parent
    command = [sys.executable, "-m", "nuke_standin", "-t", str(here.parent / "validate_under_nuke.py")]
    said = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith("all facts hold\n")
    assert said.stdout.count("\nyes  ") == len(list(facts.every()))


@pytest.mark.parametrize(
    ("said", "fact"), list(facts.every()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_in_the_stand_in(nuke, tmp_path, said, fact):
    fact(nuke, tmp_path)
