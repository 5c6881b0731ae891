from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import prepare
import pytest
from environment import Environment
from failure import InstallError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program() -> ModuleType:
    """The installer's __main__ under a name of its own, since this one is pytest's."""
    spec = importlib.util.spec_from_file_location("install_program", ROOT / "install" / "__main__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # dataclass looks its module up by name.
    sys.modules["install_program"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def requests(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[prepare.Request]:
    """What the program asked to be prepared; nothing is."""
    seen: list[prepare.Request] = []
    monkeypatch.setattr(program, "prepare", seen.append)
    return seen


@pytest.fixture
def commands(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the program ran; each claims to have exited with 3."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(program.subprocess, "run", run)
    return seen


@pytest.mark.parametrize("folder", [ROOT, ROOT.parent])
def test_no_verb_prints_the_help_and_exits_with_2(folder: Path) -> None:
    command = [sys.executable, str((ROOT / "install").relative_to(folder))]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "demo" in run.stdout
    assert "test" in run.stdout


def test_an_unknown_verb_exits_with_2(program: ModuleType, requests: list[prepare.Request]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(["fly"])
    assert caught.value.code == 2
    assert requests == []


def test_demo_passes_arguments_on_and_returns_the_exit_code(
    program: ModuleType, requests: list[prepare.Request], commands: list[list[str]]
) -> None:
    code = program.main(["demo", "--out", "some where", "--python", "python3.12", "-x", "--py", "frames", "-p", "a"])
    environment = Environment(ROOT / ".venv")
    assert code == 3
    assert commands == [
        [str(environment.script("videomama")), "demo", "--out", "some where", "-x", "--py", "frames", "-p", "a"]
    ]
    assert requests == [prepare.Request(ROOT, environment, (), "python3.12")]


def test_after_two_dashes_everything_is_passed_on(
    program: ModuleType, requests: list[prepare.Request], commands: list[list[str]]
) -> None:
    program.main(["demo", "--frames", "3", "--", "--venv", "x", "--help", "--"])
    assert commands[0][1:] == ["demo", "--frames", "3", "--venv", "x", "--help", "--"]


def test_venv_is_taken_from_the_callers_folder(
    program: ModuleType,
    requests: list[prepare.Request],
    commands: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    program.main(["demo", "--venv", "sub/../mine"])
    assert requests[0].environment.path == tmp_path.resolve() / "mine"


def test_test_asks_for_all_extras_and_passes_arguments_to_pytest(
    program: ModuleType, requests: list[prepare.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    monkeypatch.setattr(program, "run_steps", lambda steps, *_: ran.extend(steps) or 1)
    assert program.main(["test", "tests/install", "-q", "-k", "a and b"]) == 1
    assert set(requests[0].extras) == {"dev", "videomama"}
    assert [step.name for step in ran] == ["ruff format --check", "ruff check", "lint-imports", "mypy", "pytest"]
    assert ran[-1].command[1:] == ("tests/install", "-q", "-k", "a and b")
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
    program: ModuleType,
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
    program: ModuleType, requests: list[prepare.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.CompletedProcess([], -9)
    monkeypatch.setattr(program.subprocess, "run", lambda command, **_: killed)
    assert program.main(["demo"]) == 137
