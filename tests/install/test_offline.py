"""Bundles made and installed for real: real environments, a real pip, and no network where they are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import project_files as listing
import pytest
from archive import opened
from bundle import Plan, make
from environment import Environment
from interpreter import find
from prepare import Request, prepare
from targets import here
from unbundle import unpack_project

ROOT = Path(__file__).resolve().parents[2]
# Installs a bundle and runs a command of the environment, with nothing of a network but, if asked for, the loopback.
INSTALL = """
import fcntl, os, socket, struct, subprocess, sys
from dataclasses import replace
from pathlib import Path

root, file, loopback, *command = sys.argv[1:]
for host in ("pypi.org", "93.184.215.14"):
    try:
        socket.create_connection((host, 443), 2)
        sys.exit("there is a network")
    except OSError:
        pass
if loopback == "up":
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sH14x", b"lo", 0x41))
sys.path.insert(0, str(Path(root) / "install"))
from environment import Environment
from failure import InstallError
from prepare import Request, prepare
from unbundle import unpacked

environment = Environment(Path(root) / ".venv")
request = Request(Path(root), environment, (), sys.executable)
try:
    with unpacked(Path(file), request) as found:
        prepare(replace(request, source=found.source))
        found.complete(environment, Path(root))
except InstallError as error:
    sys.exit(f"error: {error.message} {error.hint}")
tool, *arguments = command
sys.exit(subprocess.run([str(environment.script(tool)), *arguments]).returncode)
"""


def no_network() -> list[str]:
    """What goes before a command to run it without a network; skips where that is not permitted."""
    tool = shutil.which("unshare")
    if tool is None or subprocess.run([tool, "-rn", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("namespaces without a network are not permitted here")
    return [tool, "-rn"]


def install(root: Path, file: Path, loopback: str, *command: str) -> subprocess.CompletedProcess[str]:
    words = [*no_network(), sys.executable, "-c", INSTALL, str(root), str(file), loopback, *command]
    # A host's settings that lead nowhere: an index, a proxy, a folder of wheels.
    lost = {"PIP_INDEX_URL": "https://127.0.0.1:9/", "PIP_FIND_LINKS": "/gone", "HTTPS_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(words, env={**os.environ, **lost}, capture_output=True, text=True, check=False)


@pytest.fixture
def small(tmp_path: Path, make_project: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a small project that needs one package, which is in a folder that pip looks into."""
    index, root = tmp_path / "index", make_project(tmp_path / "small")
    index.mkdir()
    with zipfile.ZipFile(index / "tiny_dep-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_dep.py", "")
        wheel.writestr("tiny_dep-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-dep\nVersion: 1.0\n")
        wheel.writestr("tiny_dep-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_dep-1.0.dist-info/RECORD", "tiny_dep.py,,\n")
    (root / "install" / "constraints.txt").write_text("tiny-dep==1.0\n")
    (root / "install" / "vendor.txt").touch()
    backend = (root / "backend.py").read_text()
    (root / "backend.py").write_text(backend.replace('EXTRAS = "', 'EXTRAS = "Requires-Dist: tiny-dep\\n'))
    (root / "nuke_plugin" / "videomama_client").mkdir(parents=True)
    (root / "nuke_plugin" / "videomama_client" / "__init__.py").write_text('__version__ = "1.0"\n')
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setattr(listing, "_TOP", (*listing._TOP, "backend.py", "offline_project.py"))
    plan = Plan((here(find(None)),), (), (), tmp_path / "small.zip")
    prepare(Request(root, Environment(root / ".venv")))
    make(plan, Environment(root / ".venv"), root)
    return plan.out


def test_a_bundle_installs_without_a_network(small: Path, tmp_path: Path) -> None:
    root = tmp_path / "ein anderer Ort ü"
    with opened(small) as found:
        unpack_project(found, root)
    ran = install(root, small, "down", "videomama", "demo")
    assert (ran.stderr, ran.returncode) == ("", 7)
    assert "ran ['demo']" in ran.stdout
    assert list((root / ".venv").rglob("tiny_dep.py"))
    # Again, and there is nothing to install.
    again = install(root, small, "down", "videomama", "demo")
    assert "Installing" not in again.stdout
    assert again.returncode == 7


def test_a_bundle_that_lacks_a_package_is_told(small: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with opened(small) as found:
        unpack_project(found, root)
    backend = (root / "backend.py").read_text()
    (root / "backend.py").write_text(backend.replace("tiny-dep", "other-dep"))
    ran = install(root, small, "down", "videomama", "demo")
    assert ran.returncode == 1
    assert "No matching distribution found for other-dep" in ran.stderr
    assert "The bundle has no build of a package for this system." in ran.stderr
    assert not (root / ".venv" / "videomama-install.json").exists()


class Running(Environment):
    """The environment of these tests, which is not touched: what pip says goes elsewhere."""

    @property
    def log(self) -> Path:
        return Path(os.environ["BUNDLE_TEST_LOG"])


@pytest.mark.slow
def test_this_project_is_bundled_and_its_demo_runs_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network()
    try:
        socket.create_connection(("pypi.org", 443), 5).close()
    except OSError:
        pytest.skip("no package index to make a bundle from")
    monkeypatch.setenv("BUNDLE_TEST_LOG", str(tmp_path / "pip.log"))
    target = here(find(None))
    out, root = tmp_path / "b.zip", tmp_path / "pröj ect"
    make(Plan((target,), (), (f"cp311-{target.platform}",), out), Running(Path(sys.prefix)), ROOT)
    with opened(out) as found:
        unpack_project(found, root)
    ran = install(root, out, "up", "videomama", "demo", "--frames", "2", "--out", str(tmp_path / "demo"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "demo" / "report.json").is_file()
    assert (root / "nuke_plugin" / "_vendor" / f"cp311-{target.platform}" / "zmq").is_dir()
