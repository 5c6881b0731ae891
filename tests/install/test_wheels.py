from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import wheels
from environment import Environment
from failure import InstallError
from interpreter import Interpreter
from targets import Target
from wheels import Wanted, download, project_version

LINUX, WINDOWS = Target("linux", "3.11"), Target("win32", "3.12")
PYPROJECT = """
[project]
requires = ["no"]

[build-system]
build-backend = "x"
requires = [
    "backend>=1",  # builds
]
"""
PINS = """
# pins
backend==1.24
editables==0.6
numpy==2.4.6; python_version < "3.12"
numpy==2.5.0; python_version >= "3.12"
Rich==15.0.0
markdown-it-py==4.0
colorama==0.4; sys_platform == "win32"
torch==2.13.0
"""
# What each package on the index requires.
INDEX: dict[str, tuple[str, ...]] = {
    "backend": (),
    "editables": (),
    "numpy": (),
    "rich": ("markdown-it-py[plugins]>=2", 'colorama; sys_platform == "win32"'),
    "markdown-it-py": ('plugin==3.1; extra == "plugins"', 'sphinx; extra == "docs"', "rich"),
    "plugin": (),
    "colorama": (),
    "torch": ('nvidia-cublas==13.1; platform_system == "Linux"',),
    "nvidia-cublas": (),
}


class Lent(Environment):
    """An environment whose Python is only described: its packages are in the folder `site`."""

    def interpreter(self) -> Interpreter:
        return Interpreter("/python", (3, 11, 7), str(self.path), "/usr", ("pip",), (str(self.path / "site"),))


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    root, environment = tmp_path / "root", Lent(tmp_path / "env")
    (root / "install").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "install" / "constraints.txt").write_text(PINS)
    info = environment.path / "site" / "videomama_bridge-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "direct_url.json").write_text(json.dumps({"url": root.as_uri(), "dir_info": {"editable": True}}))
    stated = ["numpy>=1", "rich", 'torch>=2; extra == "videomama"', 'pytest; extra == "dev"']
    lines = ["Metadata-Version: 2.4", *(f"Requires-Dist: {line}" for line in stated), "", "Requires-Dist: no"]
    (info / "METADATA").write_text("\n".join(lines))
    return Wanted(root, environment)


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of pip's calls; each call brings the wheels of INDEX that it names."""
    calls: list[list[str]] = []

    def run(arguments: Sequence[str], folder: Path, environment: Environment, variables: Mapping[str, str]) -> None:
        calls.append(list(arguments))
        cut = arguments.index("--dest")
        for name in arguments[cut + 2 :]:
            make_wheel(Path(arguments[cut + 1]), *name.split("=="))

    monkeypatch.setattr(wheels, "run_pip", run)
    return calls


def make_wheel(folder: Path, name: str, version: str = "9") -> None:
    folder.mkdir(exist_ok=True)
    written, local = name.replace("-", "_"), "+cpu" if name == "torch" else ""
    text = "".join(f"Requires-Dist: {line}\n" for line in INDEX[name])
    with zipfile.ZipFile(folder / f"{written}-{version}{local}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{written}/vendored/x.dist-info/METADATA", "Requires-Dist: wrong\n")
        wheel.writestr(f"{written}-{version}.dist-info/METADATA", f"Name: {name}\n{text}")


def names(paths: Sequence[Path]) -> list[str]:
    return ["-".join(path.name.split("-")[:2]) for path in paths]


def test_all_that_is_required_comes_at_its_pin(wanted: Wanted, pip: list[list[str]], tmp_path: Path) -> None:
    found = download(wanted, LINUX, tmp_path / "wheels")
    assert names(found) == [
        "backend-1.24",
        "editables-0.6",
        "markdown_it_py-4.0",
        "numpy-2.4.6",
        "plugin-3.1",
        "rich-15.0.0",
    ]
    assert all({"--no-deps", "--only-binary=:all:"} <= set(call) for call in pip)
    asked = [word for call in pip for word in call if "==" in word]
    assert len(asked) == len(set(asked)) == 6


def test_markers_and_pins_are_those_of_the_other_machine(wanted: Wanted, pip: list[list[str]], tmp_path: Path) -> None:
    found = names(download(wanted, WINDOWS, tmp_path / "wheels"))
    assert "numpy-2.5.0" in found
    assert "colorama-0.4" in found
    assert all("win_amd64" in call for call in pip)


def test_extras_and_another_index(wanted: Wanted, pip: list[list[str]], tmp_path: Path) -> None:
    more = Wanted(wanted.root, wanted.environment, ("videomama",), "https://torch.example/cpu")
    found = names(download(more, LINUX, tmp_path / "wheels"))
    assert "torch-2.13.0+cpu" in found
    assert "nvidia_cublas-13.1" in found  # no pin: torch itself says which
    assert all(call[call.index("--extra-index-url") + 1] == "https://torch.example/cpu" for call in pip)


def test_pins_of_the_host_do_not_count(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, pip: list[list[str]], tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "/studio/pins.txt")
    seen: list[bool] = []
    fetch = wheels.run_pip

    def run(arguments: Sequence[str], folder: Path, environment: Environment, variables: Mapping[str, str]) -> None:
        seen.append("PIP_CONSTRAINT" in variables)
        fetch(arguments, folder, environment, variables)

    monkeypatch.setattr(wheels, "run_pip", run)
    download(wanted, LINUX, tmp_path / "wheels")
    assert set(seen) == {False}


def test_a_project_that_is_not_installed_is_told(wanted: Wanted, tmp_path: Path) -> None:
    for note in (wanted.environment.path / "site").glob("*/direct_url.json"):
        note.unlink()
    with pytest.raises(InstallError, match="not installed in"):
        download(wanted, LINUX, tmp_path)


def test_the_version_is_that_of_the_client() -> None:
    root = Path(__file__).resolve().parents[2]
    assert project_version(root)[0].isdigit()
