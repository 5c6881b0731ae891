from __future__ import annotations

import sys
from pathlib import Path

import packages
import pytest
from additions import add, add_again, added
from environment import Environment
from failure import InstallError

# Takes pip's place: notes what is installed, and fails where a package's name says so.
_PIP = """
import sys
if any("broken" in word for word in sys.argv):
    sys.exit("no such thing as broken")
open("installed.txt", "a").write(f"{sys.argv[-1]}\\n")
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(packages, "_pip", lambda environment: [sys.executable, "-c", _PIP])
    (tmp_path / "env").mkdir()
    return Environment(tmp_path / "env")


def installed(root: Path) -> list[str]:
    return (root / "installed.txt").read_text().split()


def test_nothing_is_added_at_first(environment: Environment) -> None:
    assert added(environment) == []


def test_what_is_added_is_installed_and_listed_once(tmp_path: Path, environment: Environment) -> None:
    add(["studio-feather==1.0"], tmp_path, environment)
    add(["studio-feather==1.0"], tmp_path, environment)
    add(["studio-grain"], tmp_path, environment)
    assert installed(tmp_path) == ["studio-feather==1.0", "studio-feather==1.0", "studio-grain"]
    assert added(environment) == ["studio-feather==1.0", "studio-grain"]


def test_the_pins_of_the_project_hold_for_what_is_added(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_pip", lambda environment: [sys.executable, "-c", "import sys; print(sys.argv[1:])"])
    add(["studio-feather"], tmp_path, environment)
    pins = (tmp_path / "install" / "constraints.txt").as_uri()
    assert f"'-c', '{pins}', 'studio-feather'" in environment.log.read_text()


def test_a_folder_is_listed_with_its_whole_path(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "feather").mkdir()
    monkeypatch.chdir(tmp_path)
    add(["feather"], tmp_path, environment)
    assert added(environment) == installed(tmp_path) == [str((tmp_path / "feather").resolve())]


def test_what_cannot_be_installed_is_not_listed(tmp_path: Path, environment: Environment) -> None:
    add(["studio-grain"], tmp_path, environment)
    with pytest.raises(InstallError, match="broken"):
        add(["studio-broken"], tmp_path, environment)
    assert added(environment) == ["studio-grain"]


def test_all_is_added_again_to_an_environment_that_was_made_again(
    tmp_path: Path, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.additions.write_text("studio-broken\nstudio-grain\n")
    (environment.path / "lib").mkdir()
    environment.clear()
    assert not (environment.path / "lib").exists()
    add_again(tmp_path, environment)
    assert installed(tmp_path) == ["studio-grain"]
    said = capsys.readouterr().out
    assert "studio-broken was there before" in said
    assert "python install engine studio-broken" in said
    assert added(environment) == ["studio-broken", "studio-grain"]
