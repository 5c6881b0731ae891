from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import prepare
import program
import pytest
from environment import Environment
from failure import InstallError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[prepare.Request]:
    """What the program asked to be prepared; nothing is."""
    seen: list[prepare.Request] = []
    monkeypatch.setattr(program, "prepare", seen.append)
    return seen


@pytest.mark.parametrize("folder", [ROOT, ROOT.parent])
def test_help_names_every_verb(folder: Path) -> None:
    command = [sys.executable, str((ROOT / "install").relative_to(folder)), "--help"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert all(f"    {verb} " in run.stdout or f"    {verb}\n" in run.stdout for verb in program.VERBS)


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8"])
def test_a_python_that_is_too_old_is_told(version: str) -> None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} is installed here")
    run = subprocess.run([str(found[-1]), str(ROOT / "install")], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert f"this is Python {version}, and the installer needs 3.9 or newer" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("words", [["check", "--fly"], ["server", "now"], ["--fly"], ["--yes", "nuke", "x"]])
def test_arguments_that_nobody_knows_are_refused(words: list[str], requests: list[prepare.Request]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(words)
    assert caught.value.code == 2
    assert requests == []


@pytest.mark.parametrize("words", [["--venv", "mine", "demo"], ["demo", "--venv", "mine"]])
def test_the_place_may_be_named_before_the_verb_and_after_it(
    words: list[str],
    requests: list[prepare.Request],
    commands: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    program.main(words)
    assert requests[0].environment.path == tmp_path.resolve() / "mine"


def test_a_bundle_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bundle.zip").write_text("no zip")
    assert program.main(["--from-bundle", str(tmp_path / "bundle.zip"), "demo"]) == 1
    assert str(tmp_path / "bundle.zip") in capsys.readouterr().err


def test_an_unknown_verb_exits_with_2(requests: list[prepare.Request]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(["fly"])
    assert caught.value.code == 2
    assert requests == []


def test_demo_passes_arguments_on_and_returns_the_exit_code(
    requests: list[prepare.Request], commands: list[list[str]]
) -> None:
    code = program.main(["demo", "--out", "some where", "--python", "python3.12", "-x", "--py", "frames", "-p", "a"])
    environment = Environment(ROOT / ".venv")
    assert code == 3
    assert commands == [
        [str(environment.script("videomama")), "demo", "--out", "some where", "-x", "--py", "frames", "-p", "a"]
    ]
    assert requests == [prepare.Request(ROOT, environment, (), "python3.12")]


def test_after_two_dashes_everything_is_passed_on(requests: list[prepare.Request], commands: list[list[str]]) -> None:
    program.main(["demo", "--frames", "3", "--", "--venv", "x", "--help", "--"])
    assert commands[0][1:] == ["demo", "--frames", "3", "--venv", "x", "--help", "--"]


def test_venv_is_taken_from_the_callers_folder(
    requests: list[prepare.Request],
    commands: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    program.main(["demo", "--venv", "sub/../mine"])
    assert requests[0].environment.path == tmp_path.resolve() / "mine"


def test_test_asks_for_all_extras_and_passes_arguments_to_pytest(
    requests: list[prepare.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    monkeypatch.setattr(program, "run_steps", lambda steps, *_: ran.extend(steps) or 1)
    assert program.main(["test", "tests/install", "-q", "-k", "a and b"]) == 1
    extras = {"bench", "cluster", "dev", "docs", "edges", "movies", "segment", "train", "videomama", "web"}
    assert set(requests[0].extras) == extras
    assert [step.name for step in ran] == [
        "ruff format --check",
        "ruff check",
        "lint-imports",
        "mypy",
        "pip-audit",
        "pytest",
    ]
    assert ran[-1].command[-4:] == ("tests/install", "-q", "-k", "a and b")
    assert ran[0].command[1:] == ("format", "--check")


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (InstallError("It broke.", "Mend it."), 1, "error: It broke.\nMend it.\n"),
        (PermissionError(13, "Permission denied", "/made"), 1, "'/made'\nCheck the folder's permissions"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_failures_are_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    shown: str,
) -> None:
    def fail(request: prepare.Request) -> None:
        raise error

    monkeypatch.setattr(program, "prepare", fail)
    assert program.main(["demo"]) == code
    assert shown in capsys.readouterr().err


def test_a_killed_demo_gives_the_code_that_shells_give(
    requests: list[prepare.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.CompletedProcess([], -9)
    monkeypatch.setattr(program.subprocess, "run", lambda command, **_: killed)
    assert program.main(["demo"]) == 137


def test_engine_adds_packages_and_shows_all_that_were_added(
    requests: list[prepare.Request],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(program.additions, "install_pinned", lambda packages, *_: installed.extend(packages))
    environment = Environment((tmp_path / "mine").resolve())
    environment.path.mkdir()
    assert program.main(["engine", "--venv", str(environment.path), "studio-feather", "studio-grain"]) == 0
    assert installed == ["studio-feather", "studio-grain"]
    assert requests == [prepare.Request(ROOT, environment)]
    capsys.readouterr()
    assert program.main(["engine", "--venv", str(environment.path)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["studio-feather", "studio-grain"]
    assert installed == ["studio-feather", "studio-grain"]
