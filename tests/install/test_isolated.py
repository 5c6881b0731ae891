"""The installer runs isolated from what a host puts on Python's path."""

import subprocess
import sys
from pathlib import Path

import isolated
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("words", [["--help"], ["service", "--print"]], ids=" ".join)
def test_the_installer_itself_starts_in_poisoned_surroundings(poisoned, words):
    command = [sys.executable, str(ROOT / "install"), *words]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert "install" in said.stdout


PROGRAM = """
import os, sys
sys.path.append({install!r})
from isolated import ensure_isolated
ensure_isolated(os.path.abspath(__file__))
print(sys.flags.isolated, sys.argv[1:])
sys.exit(7)
"""


def test_a_program_starts_again_isolated_with_its_arguments_and_its_exit_code(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(install=str(ROOT / "install")))
    for flags in ([], ["-I"]):
        command = [sys.executable, *flags, str(program), "a b", "--c"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (said.returncode, said.stdout, said.stderr) == (7, "1 ['a b', '--c']\n", "")


def test_on_windows_it_waits_for_the_other_one(monkeypatch, commands):
    monkeypatch.setattr(isolated.sys, "platform", "win32")
    monkeypatch.setattr(isolated.sys, "argv", ["install", "a b"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as leave:
        isolated.ensure_isolated("program")
    assert leave.value.code == 3
    assert commands == [[sys.executable, "-I", "program", "a b"]]
