from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import bundle
import pytest
from archive import Manifest, write
from bundle import plan_lines, plan_of
from environment import Environment
from failure import InstallError
from interpreter import Interpreter
from targets import Target

ROOT = Path(__file__).resolve().parents[2]


class Lent(Environment):
    """An environment with a Python that is only described."""

    def interpreter(self) -> Interpreter:
        return Interpreter("/python", (3, 12, 1), "/env", "/usr", ("pip",), ("/env/lib",))


def plan(tmp_path: Path, *words: str) -> bundle.Plan:
    parser = argparse.ArgumentParser()
    bundle.add_arguments(parser)
    return plan_of(parser.parse_args(words), Lent(tmp_path / "env"), ROOT)


def test_by_default_it_is_for_machines_like_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    made = plan(tmp_path)
    assert made.targets == (Target("linux", "3.12"),)
    assert made.libraries == ("cp39-linux", "cp310-linux", "cp311-linux")
    assert (made.extras, made.weights, made.index) == (("web",), None, None)
    assert made.out.parent == tmp_path
    assert made.out.name.startswith("videomama-")
    assert made.out.name.endswith("-linux-python3.12.zip")


def test_lists_are_split_and_multiplied(tmp_path: Path) -> None:
    words = ["--platform", "linux, win32", "--for-python", "3.11,3.12,3.11", "--nuke", "16,17"]
    made = plan(tmp_path, *words, "--out", str(tmp_path))
    assert [str(one) for one in made.targets] == [
        "Linux with Python 3.11",
        "Linux with Python 3.12",
        "Windows with Python 3.11",
        "Windows with Python 3.12",
    ]
    assert made.libraries == ("cp311-linux", "cp311-win32")
    assert made.out.name.endswith("-linux-win32-python3.11-3.12.zip")


def test_weights_bring_what_runs_them(tmp_path: Path) -> None:
    made = plan(tmp_path, "--weights", str(tmp_path), "--nuke", "none", "--out", str(tmp_path / "b.zip"))
    assert made.extras == ("videomama", "web")
    assert made.libraries == ()
    assert made.out == tmp_path / "b.zip"
    told = "\n".join(plan_lines(made))
    assert str(tmp_path / "b.zip") in told
    assert "torch" in told
    assert "Nuke" not in told


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["--platform", "amiga"], "no bundles for the platform amiga", "linux, win32, darwin"),
        (["--for-python", "3.10"], "3.10 is no Python version", "3.11"),
        (["--nuke", "13"], "no libraries for Nuke 13", "14, 15, 16, 17"),
        (["--weights", "/no/weights"], "no folder of weights", "--weights"),
        (["--out", "/no/folder/b.zip"], "There is no folder /no/folder", "--out"),
    ],
)
def test_wrong_options_are_told_before_anything_is_done(tmp_path: Path, words: list[str], said: str, hint: str) -> None:
    with pytest.raises(InstallError, match=said) as caught:
        plan(tmp_path, *words)
    assert hint in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "said"), [(10, "--to FOLDER demo"), (1 << 33, "zipfile -e b.zip FOLDER")])
def test_the_end_says_how_it_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int, said: str) -> None:
    with (tmp_path / "b.zip").open("wb") as file:
        file.truncate(size)
    bundle._tell(tmp_path / "b.zip")
    assert said in capsys.readouterr().out


def old_pythons() -> list[str]:
    return [
        str(path) for version in ("2.7", "3.8") for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    ]


def test_a_python_that_is_too_old_to_start_it_is_told(tmp_path: Path) -> None:
    if not old_pythons():
        pytest.skip("no old Python on this machine")
    write(tmp_path / "b.zip", Manifest("1", (), (), ()), {"__main__.py": bundle._START})
    for python in old_pythons():
        ran = subprocess.run([python, str(tmp_path / "b.zip")], capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        assert ran.stderr.startswith("error: VideoMaMa's installer needs Python 3.9 or newer to run; this is ")
        assert len(ran.stderr.splitlines()) == 1


def test_movies_are_taken_along_only_where_they_are_asked_for(tmp_path: Path) -> None:
    made = plan(tmp_path, "--with-movies", "--nuke", "none", "--out", str(tmp_path / "b.zip"))
    assert set(made.extras) == {"movies", "web"}
    assert "GPL" in "\n".join(bundle.plan_lines(made))
    assert "torch" not in "\n".join(bundle.plan_lines(made))
    both = plan(tmp_path, "--with-movies", "--with-model", "--nuke", "none", "--out", str(tmp_path / "b.zip"))
    assert set(both.extras) == {"videomama", "movies", "web"}
