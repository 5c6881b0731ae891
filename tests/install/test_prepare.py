from __future__ import annotations

import sys
import venv
from collections.abc import Callable
from pathlib import Path

import prepare
import pytest
from environment import Environment
from failure import InstallError
from prepare import Request, look
from source import Source
from stamp import Stamp, wanted_stamp


@pytest.fixture
def request_(tmp_path: Path, make_project: Callable[[Path], Path]) -> Request:
    """A request for a project whose environment is real, has no pip, and was not made by the installer."""
    root = make_project(tmp_path / "project")
    venv.create(root / ".venv", with_pip=False, symlinks=True)
    return Request(root, Environment((root / ".venv").resolve()))


def finish(request: Request, *extras: str) -> Stamp:
    """Leave the environment as a finished install does, as far as it is looked at."""
    python = request.environment.interpreter()
    assert python
    stamp = wanted_stamp(request.root, request.environment, python, extras)
    stamp.write(request.environment.stamp)
    request.environment.lock.touch()
    request.environment.script("videomama").touch()
    return stamp


def test_a_finished_install_is_ready(request_: Request) -> None:
    finish(request_)
    state = look(request_)
    assert (state.ready, state.rebuild) == (True, "")


def test_prepare_leaves_a_ready_environment_alone(request_: Request, capsys: pytest.CaptureFixture[str]) -> None:
    finish(request_)
    before = {path: path.stat().st_mtime_ns for path in request_.environment.path.rglob("*")}
    prepare.prepare(request_)
    assert {path: path.stat().st_mtime_ns for path in request_.environment.path.rglob("*")} == before
    assert capsys.readouterr().out == ""


def test_an_environment_for_the_checks_is_ready_for_the_demo(request_: Request) -> None:
    finish(request_, "dev", "videomama")
    assert look(request_).ready


def test_missing_extras_and_a_missing_command_are_installed_without_a_rebuild(request_: Request) -> None:
    finish(request_)
    more = Request(request_.root, request_.environment, ("dev",))
    assert look(more) == prepare.State(look(request_).python, "", ready=False)
    request_.environment.script("videomama").unlink()
    assert look(request_) == prepare.State(look(more).python, "", ready=False)


def test_what_is_not_there_is_built(tmp_path: Path) -> None:
    assert look(Request(tmp_path, Environment(tmp_path / ".venv"))).rebuild == "it does not exist"


def test_killed_while_it_was_made_it_is_built_again(request_: Request) -> None:
    state = look(request_)
    assert (state.ready, state.rebuild) == (False, "its pip is broken")


def test_a_dead_python_is_broken(request_: Request) -> None:
    finish(request_)
    python = request_.environment.script("python")
    python.unlink()
    python.symlink_to("/gone/python3")
    assert look(request_).rebuild == "it is broken"


def test_without_its_config_the_base_python_is_not_taken_for_the_environment(request_: Request) -> None:
    finish(request_)
    (request_.environment.path / "pyvenv.cfg").unlink()
    assert look(request_).rebuild == "it is broken"


def test_a_moved_environment_is_built_again(request_: Request, tmp_path: Path) -> None:
    finish(request_)
    moved = request_.environment.path.rename(tmp_path.resolve() / "moved")
    state = look(Request(request_.root, Environment(moved)))
    assert state.rebuild == f"it was made for {request_.environment.path}"


def test_the_same_named_python_is_kept_and_another_is_not(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(request_)
    named = Request(request_.root, request_.environment, (), sys.executable)
    assert look(named).ready
    monkeypatch.setattr(prepare, "_is_made_with", lambda python, base: False)
    assert look(named).rebuild == f"it was not made with {sys.executable}"


def test_an_old_python_in_the_environment_is_not_used(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(request_)
    monkeypatch.setattr("interpreter.OLDEST", (9, 0))
    assert look(request_).rebuild.startswith("it has Python 3.")


def test_a_broken_environment_of_someone_else_is_not_deleted(request_: Request) -> None:
    with pytest.raises(InstallError, match="was not made by this installer") as caught:
        prepare.prepare(request_)
    assert "--venv" in caught.value.hint
    assert not request_.environment.lock.exists()
    assert request_.environment.script("python").exists()


def test_a_folder_of_other_things_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InstallError, match="was not made by this installer"):
        prepare.prepare(Request(tmp_path, Environment(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_wheels_that_are_not_enough_are_refused_before_anything_is_written(
    tmp_path: Path, make_project: Callable[[Path], Path]
) -> None:
    root = make_project(tmp_path / "project")
    request = Request(root, Environment(root / ".venv"), ("videomama",), None, Source(tmp_path / "wheels"))
    with pytest.raises(InstallError, match="no packages for videomama"):
        prepare.prepare(request)
    assert not request.environment.path.exists()


@pytest.mark.parametrize("finished", [True, False])
def test_what_a_person_added_is_installed_again_where_no_install_was_finished(
    finished: bool, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[Path] = []
    monkeypatch.setattr(prepare, "install_project", lambda *_: None)
    monkeypatch.setattr(prepare, "pip_works", lambda _: True)
    monkeypatch.setattr(prepare, "add_again", lambda root, environment, source: again.append(environment.path))
    if finished:
        finish(request_)
    prepare.prepare(Request(request_.root, request_.environment, ("dev",)))
    assert again == ([] if finished else [request_.environment.path])
