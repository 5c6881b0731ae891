from __future__ import annotations

import shutil
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
import unbundle
from environment import Environment
from failure import InstallError
from prepare import Request
from targets import Target
from unbundle import launch, unpacked

WHEEL = "x-1-py3-none-any.whl"
Make = Callable[..., Path]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def refused(path: Path, request: Request) -> InstallError:
    with pytest.raises(InstallError) as caught, unpacked(path, request):
        pytest.fail("the bundle was taken")
    return caught.value


def test_wheels_are_there_for_the_block_and_gone_after_it(make: Make, request_: Request, scratch: Path) -> None:
    with unpacked(make(more={"libraries/zmq.whl": b"zmq"}), request_) as found:
        assert found.source.wheels
        assert [path.read_bytes() for path in found.source.wheels.iterdir()] == [b"wheel"]
        assert found.source.extras == ("videomama",)
        assert found.libraries.wheels
        assert [path.name for path in found.libraries.wheels.iterdir()] == ["zmq.whl"]
    assert list(scratch.iterdir()) == []


def test_another_python_is_refused_with_those_that_there_are(make: Make, request_: Request, scratch: Path) -> None:
    error = refused(make(Target(sys.platform, "3.99")), request_)
    assert "with Python 3.99" in error.message
    assert "--python python3.99" in error.hint
    assert list(scratch.iterdir()) == []


def test_another_system_is_refused(make: Make, request_: Request) -> None:
    if sys.platform == "win32":
        pytest.skip("takes Windows for the other system")
    error = refused(make(Target("win32", "3.11")), request_)
    assert "It is for: Windows with Python 3.11 (AMD64)" in error.message
    assert f"--platform {sys.platform}" in error.hint
    assert "--python python" not in error.hint


def test_another_processor_is_refused(make: Make, request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make()
    monkeypatch.setattr(unbundle, "machine_here", lambda: "riscv64")
    assert "(riscv64)" in refused(path, request_).message


def test_another_version_of_the_project_is_refused(make: Make, request_: Request) -> None:
    path = make()
    (request_.root / "install" / "constraints.txt").write_text("x==2\n")
    error = refused(path, request_)
    assert "another version of the project: its install/constraints.txt" in error.message
    assert "--to FOLDER" in error.hint


def test_line_ends_that_git_changed_do_not_matter(make: Make, request_: Request) -> None:
    (request_.root / "install" / "constraints.txt").write_bytes(b"x==1\r\ny==2\r\n")
    with unpacked(make(), request_):
        pass


def test_a_damaged_wheel_is_named_before_anything_is_written(make: Make, request_: Request, scratch: Path) -> None:
    path = make()
    path.write_bytes(path.read_bytes().replace(b"wheel" + b"PK", b"whale" + b"PK"))
    assert f"damaged: wheels/{WHEEL}" in refused(path, request_).message
    assert list(scratch.iterdir()) == []
    assert not request_.environment.path.exists()


def test_too_small_a_disk_is_told_in_one_sentence(
    make: Make, request_: Request, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    path = make(installed=3_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(9, 9, 1_000_000_000))
    error = refused(path, request_)
    assert error.message.startswith("Too little space for the packages: 3.00 GB are needed in")
    assert error.message.endswith("1.00 GB are free.")
    assert list(scratch.iterdir()) == []


def test_too_old_a_python_is_told(make: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make()
    monkeypatch.setattr("interpreter.OLDEST", (9, 0))
    error = refused(path, Request(root, Environment(root / ".venv")))
    assert "needs Python 3.11 or newer" in error.message


def test_the_start_unpacks_the_project_and_hands_over(
    make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, folder = make(), tmp_path / "new ö"
    for _ in range(2):  # the second time all is there
        assert launch(str(path), ["--to", str(folder), "demo", "--frames", "3"]) == 5
        assert f"installer {['--from-bundle', str(path), 'demo', '--frames', '3']}" in capfd.readouterr().out
    assert sorted(item.name for item in folder.iterdir()) == ["install", "pyproject.toml"]


def test_what_a_kill_left_is_made_good(make: Make, tmp_path: Path) -> None:
    (tmp_path / "new.partial" / "stale").mkdir(parents=True)
    (tmp_path / "new").mkdir()
    assert launch(str(make()), ["--to", str(tmp_path / "new")]) == 5
    assert not (tmp_path / "new.partial").exists()
    assert not (tmp_path / "new" / "stale").exists()


@pytest.mark.parametrize("changed", ["pyproject.toml", "install/constraints.txt"])
def test_a_folder_with_something_else_is_left_alone(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str
) -> None:
    path, folder = make(), tmp_path / "mine"
    (folder / changed).parent.mkdir(parents=True)
    (folder / changed).write_text("mine")
    assert launch(str(path), ["--to", str(folder)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [item for item in folder.rglob("*") if item.is_file()] == [folder / changed]


def test_a_damaged_project_leaves_nothing(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make()
    path.write_bytes(path.read_bytes().replace(b"x==1\ny", b"x==3\ny"))
    assert launch(str(path), ["--to", str(tmp_path / "new")]) == 1
    assert "damaged: project/install/constraints.txt" in capsys.readouterr().err
    assert not list(tmp_path.glob("new*"))


def test_a_folder_that_cannot_be_written_is_told(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert launch(str(make()), ["--to", str(tmp_path / "file" / "new")]) == 1
    assert "permissions" in capsys.readouterr().err
