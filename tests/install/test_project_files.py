from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from project_files import project_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "pyproject.toml",
        "server/videomama_server/media/frames.py",
        "server/__pycache__/frames.pyc",
        "nuke_plugin/videomama_client/wire.py",
        "nuke_plugin/_vendor/cp39-linux/zmq.py",
        "docs/grün.md",
        ".venv/bin/python",
        "docs/.hidden",
        "shots/secret.exr",
        "notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


WANTED = [
    "docs/grün.md",
    "nuke_plugin/videomama_client/wire.py",
    "pyproject.toml",
    "server/videomama_server/media/frames.py",
]


def test_without_git_the_known_folders_are_walked(root: Path) -> None:
    assert list(project_files(root)) == WANTED
    assert project_files(root)["pyproject.toml"] == root / "pyproject.toml"


def test_with_git_ignored_and_deleted_files_stay_away_and_new_ones_come(root: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("no git on this machine")
    (root / ".gitignore").write_text("*.log\n")
    (root / "docs" / "gone.md").touch()
    for words in (["init", "-q"], ["add", "docs", "pyproject.toml"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    (root / "docs" / "gone.md").unlink()
    (root / "docs" / "build.log").touch()
    assert list(project_files(root)) == WANTED


def test_a_git_that_does_not_answer_is_no_git(root: Path) -> None:
    (root / ".git").write_text("gitdir: /gone")
    assert list(project_files(root)) == WANTED
