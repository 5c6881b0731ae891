"""The pinned libraries: real wheels from the index where it can be reached, and made-up ones for what goes wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import nuke_vendor
import pytest
from environment import Environment
from failure import InstallError
from nuke_home import apply, plan_block
from nuke_paths import block_lines
from nuke_vendor import Pins, discard, download, fetch, is_ready, place, read_pins, vendor_folder
from nuke_versions import NEWEST, OLDEST, library_tag, python_of
from source import Source

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ("linux", "win32", "darwin")
VERSIONS = ("3.9", "3.10", "3.11")
USE_THEM = """
import sys
vendor, plugin = sys.argv[1:]
sys.path += [vendor, plugin]
import msgpack, zmq
from videomama_client import client, connection, messages, wire
public, secret = connection.new_keys()
found = connection.Connection("tcp://127.0.0.1:1", public, public, secret, 1, "0")
client.Client(found).close()
hello = messages.Hello("r", 1, "c")
assert wire.decode(wire.encode(hello), messages.KINDS) == hello
assert zmq.has("curve")
assert all(module.__file__.startswith(vendor) for module in (zmq, msgpack))
assert msgpack.Packer.__module__ == "msgpack._cmsgpack", "not the fast half"
print("ok", sys.version_info[:2])
"""
START_NUKE = """
import sys
sys.path.append(sys.argv[1])
import nuke_standin
from nuke_standin.api_script import run_start_file
nuke_standin.install(gui=False)
run_start_file(sys.argv[2], "init.py")
assert not {"zmq", "msgpack", "Qt"} & set(sys.modules)
from videomama_client import channel, wire
import msgpack, os
for module in (channel.zmq, msgpack):
    print(os.path.relpath(module.__file__, sys.argv[2]))
"""
LOOK_FOR_QT = "import sys, importlib.util as u; sys.path.append(sys.argv[1]); print(u.find_spec('Qt').origin)"
PURE = "import sys; sys.path.append(sys.argv[1]); import msgpack; print(msgpack.unpackb(msgpack.packb([1, 'a'])))"
TAG_OF_PLUGIN = """
import sys, types
sys.modules["nuke"] = types.ModuleType("nuke")
sys.path.append(sys.argv[1])
from videomama_nuke import startup
for sys.platform in sys.argv[2:]:
    print(startup.vendored())
"""


def python_named(version: str) -> str:
    """A Python of this very version, as Nuke brings; skips where there is none."""
    homes = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found = str(homes[-1]) if homes else shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"no Python {version} on this machine")
    return found


def run(python: str, code: str, *arguments: object) -> str:
    """Run `code` without any site-packages, and return what it says."""
    command = [python, "-I", "-S", "-B", "-W", "error", "-c", code, *map(str, arguments)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with pip."""
    folder = tmp_path_factory.mktemp("with späce") / "env"
    venv.create(folder, with_pip=True, symlinks=True)
    return Environment(folder)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> dict[str, list[Path]]:
    """The pinned wheels of every tag, from the index."""
    folder = tmp_path_factory.mktemp("wheels")
    try:
        return {tag: download(pins, folder, environment) for tag, pins in read_pins(ROOT).items()}
    except InstallError as error:
        if "could not be reached" in error.hint:
            pytest.skip(f"no package index: {error.message.splitlines()[1].strip()}")
        raise


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, list[Path]]) -> Path:
    """All of them in their places."""
    folder = tmp_path_factory.mktemp("Größe und mehr") / "_vendor"
    for tag, pins in read_pins(ROOT).items():
        place(pins, wheels[tag], folder)
    return folder


def made_up(folder: Path, name: str = "zmq", files: dict[str, str] | None = None) -> tuple[Pins, list[Path]]:
    """A wheel of its own, and pins that ask for it."""
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        info = {f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"}
        wheel_file = {f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
        for file, text in {**(files or {f"{name}.py": "x = 1\n"}), **info, **wheel_file}.items():
            archive.writestr(file, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Pins("cp310-linux", "3.10", ("manylinux2014_x86_64",), (f"{name}==1.0 --hash=sha256:{digest}",)), [wheel]


def test_every_nuke_and_platform_is_pinned() -> None:
    tags = {library_tag(python_of(major), name) for major in range(OLDEST, NEWEST + 1) for name in PLATFORMS}
    pins = read_pins(ROOT)
    assert set(pins) == tags
    for each in pins.values():
        assert [line.split("==")[0] for line in each.requirements] == ["pyzmq", "msgpack", "Qt.py"]
        assert len(each.hashes) == 3
        assert library_tag(each.python, each.tag.split("-")[1]) == each.tag


@pytest.mark.parametrize("line", ["pyzmq", "pyzmq==27.3.0", "pyzmq>=27.3.0 --hash=sha256:" + "0" * 64])
def test_an_unpinned_line_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "vendor.txt").write_text(f"[cp310-linux] manylinux2014_x86_64\n{line}\n")
    with pytest.raises(ValueError, match="not a pinned library"):
        read_pins(tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_plug_in_looks_where_they_are_put(version: str) -> None:
    said = run(python_named(version), TAG_OF_PLUGIN, ROOT / "nuke_plugin", *PLATFORMS)
    assert said.splitlines() == [str(vendor_folder(ROOT) / library_tag(version, name)) for name in PLATFORMS]


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_they_import_and_serve_the_client(version: str, vendor: Path) -> None:
    python, folder = python_named(version), vendor / library_tag(version, "linux")
    if sys.platform != "linux":
        pytest.skip("the libraries of this test are for Linux")
    assert run(python, USE_THEM, folder, ROOT / "nuke_plugin").startswith("ok")
    assert run(python, LOOK_FOR_QT, folder).strip() == str(folder / "Qt.py")


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_nuke_that_starts_with_the_block_finds_them(version: str, vendor: Path, tmp_path: Path) -> None:
    python = python_named(version)
    if sys.platform != "linux":
        pytest.skip("the libraries of this test are for Linux")
    root, tag = tmp_path / "Zoë's project", library_tag(version, "linux")
    for name in ("nuke_plugin", "gizmos"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "_vendor"))
    shutil.copytree(vendor / tag, vendor_folder(root) / tag)
    apply(plan_block(root, block_lines(root / "nuke_plugin", root / ".venv" / "bin" / "videomama", OLDEST)))
    said = run(python, START_NUKE, ROOT / "tests" / "nuke_plugin", root)
    assert said.splitlines() == [f"nuke_plugin/_vendor/{tag}/{name}/__init__.py" for name in ("zmq", "msgpack")]


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("platform", "library"), [("win32", "_zmq.cp{}-win_amd64.pyd"), ("darwin", "_zmq.cpython-{}-darwin.so")]
)
def test_those_of_other_systems_are_for_them(version: str, platform: str, library: str, vendor: Path) -> None:
    folder = vendor / library_tag(version, platform)
    assert (folder / "zmq" / "backend" / "cython" / library.format(version.replace(".", ""))).is_file()
    # msgpack goes on without its compiled half, as it must on a Mac with the other processor.
    assert run(python_named(version), PURE, folder) == "[1, 'a']\n"


@pytest.mark.slow
def test_they_are_found_ready_with_every_file(vendor: Path) -> None:
    for pins in read_pins(ROOT).values():
        assert is_ready(pins, vendor)
    assert sorted(path.name for path in vendor.iterdir()) == sorted(read_pins(ROOT))


@pytest.mark.slow
def test_no_network_is_needed_with_a_folder_of_wheels(
    tmp_path: Path, wheels: dict[str, list[Path]], environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in wheels["cp39-linux"] + wheels["cp310-linux"]:
        shutil.copy(file, tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/")
    pins = [read_pins(ROOT)[tag] for tag in ("cp39-linux", "cp310-linux")]
    fetch(pins, tmp_path / "_vendor", environment, Source(wheels=tmp_path))
    assert all(is_ready(each, tmp_path / "_vendor") for each in pins)


def test_a_wheel_that_was_changed_is_refused_by_pip(tmp_path: Path, environment: Environment) -> None:
    pins, (wheel,) = made_up(tmp_path / "wheels")
    made_up(tmp_path / "wheels", files={"zmq.py": "import evil\n"})
    with pytest.raises(InstallError, match="Libraries for cp310-linux are not the ones that are pinned") as caught:
        fetch([pins], tmp_path / "_vendor", environment, Source(wheels=wheel.parent))
    assert "vendor.txt" in caught.value.hint
    assert not (tmp_path / "_vendor" / "cp310-linux").exists()


def test_without_an_index_the_proxy_is_named(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins, _ = made_up(tmp_path / "wheels")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(InstallError, match="pip failed") as caught:
        fetch([pins], tmp_path / "_vendor", environment)
    assert "HTTPS_PROXY" in caught.value.hint
    assert not (tmp_path / "_vendor" / "cp310-linux").exists()


def test_a_mirror_without_a_pinned_wheel_is_told(tmp_path: Path, environment: Environment) -> None:
    pins, _ = made_up(tmp_path / "wheels")
    (tmp_path / "mirror").mkdir()
    with pytest.raises(InstallError, match="No matching distribution found") as caught:
        fetch([pins], tmp_path / "_vendor", environment, Source(wheels=tmp_path / "mirror"))
    assert "lacks a wheel that is pinned" in caught.value.hint
    assert "--python" not in caught.value.hint


def test_an_environment_without_pip_is_told(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    pins, _ = made_up(tmp_path / "wheels")
    with pytest.raises(InstallError, match="No module named pip"):
        fetch([pins], tmp_path / "_vendor", Environment(tmp_path / "env"))


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    pins, files = made_up(tmp_path / "wheels")
    place(pins, files, tmp_path / "_vendor")
    no_pip = Environment(tmp_path / "no environment")
    fetch([pins], tmp_path / "_vendor", no_pip)
    assert is_ready(pins, tmp_path / "_vendor")


def test_new_pins_take_the_place_of_old_ones(tmp_path: Path) -> None:
    old, files = made_up(tmp_path / "wheels", "old")
    place(old, files, tmp_path / "_vendor")
    new, files = made_up(tmp_path / "wheels", "new")
    assert not is_ready(new, tmp_path / "_vendor")
    place(new, files, tmp_path / "_vendor")
    assert is_ready(new, tmp_path / "_vendor")
    assert not (tmp_path / "_vendor" / "cp310-linux" / "old.py").exists()
    assert [path.name for path in (tmp_path / "_vendor").iterdir()] == ["cp310-linux"]


def test_an_unpacking_that_was_interrupted_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins, files = made_up(tmp_path / "wheels", files={"zmq.py": "", "zmq_2.py": ""})

    def die(partial: Path, final: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(nuke_vendor, "_swap", die)
        with pytest.raises(KeyboardInterrupt):
            place(pins, files, tmp_path / "_vendor")
    assert [path.name for path in (tmp_path / "_vendor").iterdir()] == [".cp310-linux.partial"]
    assert not is_ready(pins, tmp_path / "_vendor")
    (tmp_path / "_vendor" / ".cp310-linux.partial" / "junk").touch()
    place(pins, files, tmp_path / "_vendor")
    assert is_ready(pins, tmp_path / "_vendor")
    assert not (tmp_path / "_vendor" / "cp310-linux" / "junk").exists()
    assert [path.name for path in (tmp_path / "_vendor").iterdir()] == ["cp310-linux"]


@pytest.mark.parametrize("damage", ["missing", "short", "torn marker", "senseless marker"])
def test_a_damaged_folder_is_not_ready(tmp_path: Path, damage: str) -> None:
    pins, files = made_up(tmp_path / "wheels")
    place(pins, files, tmp_path / "_vendor")
    folder = tmp_path / "_vendor" / "cp310-linux"
    marker = folder / "videomama-vendor.json"
    if damage == "missing":
        (folder / "zmq.py").unlink()
    elif damage == "short":
        (folder / "zmq.py").write_text("")
    else:
        marker.write_text("{" if damage == "torn marker" else '{"files": 3}')
    assert not is_ready(pins, tmp_path / "_vendor")
    place(pins, files, tmp_path / "_vendor")
    assert json.loads(marker.read_text())["wheels"] == {files[0].name: next(iter(pins.hashes))}
    assert is_ready(pins, tmp_path / "_vendor")


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py", "C:/evil.py", "..\\evil.py"])
def test_a_wheel_with_bad_names_is_refused(tmp_path: Path, name: str) -> None:
    pins, files = made_up(tmp_path / "wheels", files={name: "", "zmq.py": ""})
    with pytest.raises(InstallError, match="bad name"):
        place(pins, files, tmp_path / "_vendor")
    assert not (tmp_path / "_vendor" / "cp310-linux").exists()
    assert not list(tmp_path.rglob("evil.py"))


def test_a_wheel_that_is_not_pinned_is_refused(tmp_path: Path) -> None:
    pins, _ = made_up(tmp_path / "wheels")
    _, strange = made_up(tmp_path / "wheels", "strange")
    for files in (strange, []):
        with pytest.raises(InstallError, match=r"not as it is pinned|are missing"):
            place(pins, files, tmp_path / "_vendor")
    assert not (tmp_path / "_vendor").exists()


def test_a_folder_that_someone_made_by_hand_is_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pins, files = made_up(tmp_path / "wheels")
    final = tmp_path / "_vendor" / "cp310-linux"
    for name in ("first", "second"):
        final.mkdir(parents=True)
        (final / name).touch()
        place(pins, files, tmp_path / "_vendor")
        assert "was not made by this installer" in capsys.readouterr().out
        (final / "videomama-vendor.json").unlink()
        shutil.rmtree(final)
    assert (tmp_path / "_vendor" / "cp310-linux.by-hand" / "first").exists()
    assert (tmp_path / "_vendor" / "cp310-linux.by-hand-2" / "second").exists()


def test_a_folder_that_cannot_be_replaced_names_nuke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins, files = made_up(tmp_path / "wheels")
    place(pins, files, tmp_path / "_vendor")

    def locked(self: Path, target: Path) -> None:
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(Path, "rename", locked)
    for action in (lambda: place(pins, files, tmp_path / "_vendor"), lambda: discard(tmp_path / "_vendor")):
        with pytest.raises(InstallError, match="cannot be moved") as caught:
            action()
        assert "End all Nukes" in caught.value.hint
    assert is_ready(pins, tmp_path / "_vendor")


def test_discard_takes_only_what_was_made(tmp_path: Path) -> None:
    vendor = tmp_path / "_vendor"
    assert discard(vendor) == []
    pins, files = made_up(tmp_path / "wheels")
    place(pins, files, vendor)
    (vendor / "install.lock").touch()
    (vendor / ".cp39-linux.partial").mkdir()
    (vendor / "cp39-linux").mkdir()
    assert discard(vendor) == [vendor / "cp39-linux"]
    (vendor / "cp39-linux").rmdir()
    assert discard(vendor) == []
    assert not vendor.exists()
