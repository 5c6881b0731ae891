"""`python install check`: with a good environment, with none, and with broken ones."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import check
import pytest
from environment import Environment
from failure import InstallError

ROOT = Path(__file__).resolve().parents[2]
DOCTOR = {"name": "python", "state": "ok", "what": "fine", "fix": ""}
Verb = Callable[..., "tuple[int, list[dict[str, str]]]"]


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Verb:
    """Run the verb on an environment's folder with --json; the exit code and the lines."""

    def run(folder: Path, *words: str) -> tuple[int, list[dict[str, str]]]:
        code = check.run(options("--json", *words), Environment(folder))
        said = json.loads(capsys.readouterr().out)
        assert said["ok"] == (code == 0)
        return code, said["lines"]

    return run


@pytest.fixture
def make_environment(tmp_path: Path) -> Callable[..., Path]:
    """An environment whose `videomama_server` prints what a test wants."""
    if sys.platform == "win32":
        pytest.skip("stands in with a shell script")

    def make(said: str, code: int = 0, err: str = "") -> Path:
        folder = tmp_path / "en v"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (folder / "bin" / "videomama").touch()
        package = next(folder.glob("lib/python*/site-packages")) / "videomama_server"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(
            "import sys\n"
            f"print({said!r} if sys.argv[1:3] == ['doctor', '--json'] else 'asked wrongly')\n"
            f"sys.stderr.write({err!r})\n"
            "sys.stderr.write(' '.join(sys.argv[3:]))\n"
            f"sys.exit({code})\n"
        )
        return folder

    return make


def test_no_environment_is_the_first_problem_with_its_fix(verb: Verb, tmp_path: Path) -> None:
    code, lines = verb(tmp_path / "none")
    assert code == 1
    python, environment, *rest = lines
    assert (python["name"], python["state"]) == ("python", "ok")
    assert (environment["name"], environment["state"]) == ("environment", "problem")
    assert "it does not exist" in environment["what"]
    assert "python install server" in environment["fix"]
    assert rest
    assert not (tmp_path / "none").exists()


def test_a_python_that_is_too_old_is_told_with_it(verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(python: object) -> None:
        raise InstallError("VideoMaMa needs Python 3.11 or newer; found 3.9.", "Name one with --python PATH.")

    monkeypatch.setattr(check, "find_builder", refuse)
    _, lines = verb(tmp_path / "none")
    assert (lines[0]["state"], lines[0]["fix"]) == ("problem", "Name one with --python PATH.")


def test_a_half_made_environment(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "half" / "bin").mkdir(parents=True)
    code, lines = verb(tmp_path / "half")
    assert (code, "it is broken" in lines[1]["what"]) == (1, True)
    assert "mends" in lines[1]["fix"]


def test_an_environment_without_the_command(verb: Verb, make_environment: Callable[..., Path]) -> None:
    folder = make_environment("")
    (folder / "bin" / "videomama").unlink()
    code, lines = verb(folder)
    assert (code, "not finished" in lines[1]["what"]) == (1, True)


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_the_doctors_lines_follow_the_environments(
    verb: Verb, make_environment: Callable[..., Path], state: str, code: int
) -> None:
    folder = make_environment(json.dumps({"ok": code == 0, "lines": [{**DOCTOR, "state": state}]}), code)
    got, lines = verb(folder)
    assert got == code
    assert lines[0]["name"] == "environment"
    assert lines[1:] == [{**DOCTOR, "state": state}]


@pytest.mark.parametrize(
    ("said", "code", "err", "reason"),
    [
        ("", 1, "ModuleNotFoundError: No module named 'zmq'", "No module named 'zmq'"),
        ("no json", 3, "", "exit code 3"),
        ("[1]", 0, "", "exit code 0"),
    ],
)
def test_a_doctor_that_cannot_speak_is_a_problem(
    verb: Verb, make_environment: Callable[..., Path], said: str, code: int, err: str, reason: str
) -> None:
    got, lines = verb(make_environment(said, code, err))
    assert got == 1
    assert (lines[1]["name"], lines[1]["state"]) == ("doctor", "problem")
    assert reason in lines[1]["what"]
    assert "python install server" in lines[1]["fix"]


def test_the_connection_file_is_passed_on(verb: Verb, make_environment: Callable[..., Path]) -> None:
    _, lines = verb(make_environment("", 1), "--connection-file", "/some where/c.json")
    assert "--connection-file /some where/c.json" in lines[1]["what"]


def test_a_stamp_of_other_inputs_is_a_warning(verb: Verb, make_environment: Callable[..., Path]) -> None:
    folder = make_environment(json.dumps({"ok": True, "lines": [DOCTOR]}))
    stamp = {"location": str(folder), "inputs": "other", "extras": []}
    (folder / "videomama-install.json").write_text(json.dumps(stamp))
    code, lines = verb(folder)
    assert (code, lines[0]["state"]) == (0, "warning")
    assert "up to date" in lines[0]["fix"]
    (folder / "videomama-install.json").write_text(json.dumps({**stamp, "location": "/elsewhere"}))
    code, lines = verb(folder)
    assert (code, "made for /elsewhere" in lines[1]["what"]) == (1, True)


def test_both_doctors_write_a_report_in_the_same_way() -> None:
    from videomama_server.doctor import lines

    rows = [
        {"name": "a", "state": "ok", "what": "fine", "fix": ""},
        {"name": "longer", "state": "warning", "what": "so", "fix": "Do."},
        {"name": "b", "state": "problem", "what": "none", "fix": "Mend."},
    ]
    for some in (rows, rows[:1], rows[:2], rows[2:]):
        assert check.as_text(some) == lines.as_text([lines.DoctorLine(**row) for row in some])


def test_on_this_machine_the_text_has_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(sys.prefix)
    if not (folder / "pyvenv.cfg").exists() or not (folder / ("Scripts" if os.name == "nt" else "bin")).is_dir():
        pytest.skip("the tests run outside of an environment")
    assert check.run(options(), Environment(folder)) == 0
    said = capsys.readouterr().out
    assert "engine classic" in said
    assert "This machine can refine." in said


def test_wrong_use_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as caught:
        options("--nonsense")
    assert caught.value.code == 2


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11"])
def test_it_runs_on_the_oldest_python_that_may_start_it(version: str, tmp_path: Path) -> None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    code = (
        "import argparse, sys; from pathlib import Path; import check; from environment import Environment\n"
        "p = argparse.ArgumentParser(); check.add_arguments(p)\n"
        f"sys.exit(check.run(p.parse_args(['--json']), Environment(Path({str(tmp_path / 'none')!r}))))"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "install")}
    done = subprocess.run([str(found[0]), "-c", code], capture_output=True, text=True, env=variables, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    lines = json.loads(done.stdout)["lines"]
    assert (lines[0]["name"], lines[0]["state"]) == ("python", "ok" if version == "3.11" else "problem")
