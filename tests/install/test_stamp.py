from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from environment import Environment
from interpreter import Interpreter
from stamp import Stamp, read_stamp, wanted_stamp

PYTHON = Interpreter("/python", (3, 11, 7), "/env", "/usr", ("pip",), ("/env/lib",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "constraints.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def stamp_of(root: Path, *extras: str, python: Interpreter = PYTHON, folder: str = ".venv") -> Stamp:
    return wanted_stamp(root, Environment(root / folder), python, extras)


def test_unchanged_inputs_are_covered(root: Path) -> None:
    assert stamp_of(root, "dev").covers(stamp_of(root, "dev"))


def test_more_extras_cover_fewer_and_not_the_other_way_round(root: Path) -> None:
    checks, demo = stamp_of(root, "videomama", "dev"), stamp_of(root)
    assert checks.covers(demo)
    assert not demo.covers(checks)


def test_order_of_extras_does_not_matter(root: Path) -> None:
    assert stamp_of(root, "dev", "videomama") == stamp_of(root, "videomama", "dev")


@pytest.mark.parametrize("name", ["pyproject.toml", "install/constraints.txt"])
def test_a_changed_file_is_not_covered(root: Path, name: str) -> None:
    before = stamp_of(root)
    (root / name).write_text("changed\n")
    assert not before.covers(stamp_of(root))


def test_text_that_moves_between_the_files_is_a_change(root: Path) -> None:
    before = stamp_of(root)
    (root / "pyproject.toml").write_text("[project]\nnumpy==2.4.6\n")
    (root / "install" / "constraints.txt").write_text("")
    assert not before.covers(stamp_of(root))


def test_another_python_or_folder_is_not_covered(root: Path) -> None:
    before = stamp_of(root)
    assert not before.covers(stamp_of(root, python=replace(PYTHON, version=(3, 12, 1))))
    assert not before.covers(stamp_of(root, folder="elsewhere"))


def test_a_copied_project_is_not_covered(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = stamp_of(root)
    copy = tmp_path_factory.mktemp("copy")
    (copy / "install").mkdir()
    for name in ("pyproject.toml", "install/constraints.txt"):
        (copy / name).write_bytes((root / name).read_bytes())
    same_environment = wanted_stamp(copy, Environment(root / ".venv"), PYTHON, ())
    assert not before.covers(same_environment)


def test_what_is_written_is_read_and_leaves_nothing_beside_it(root: Path) -> None:
    stamp, path = stamp_of(root, "dev"), root / "made" / "stamp.json"
    path.parent.mkdir()
    stamp.write(path)
    assert read_stamp(path) == stamp
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"location": "", "inputs": "", "extras": 3}', "\udcff"])
def test_no_or_senseless_stamp_is_none(root: Path, text: str | None) -> None:
    path = root / "stamp.json"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_stamp(path) is None
