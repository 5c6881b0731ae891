from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Mapping
from pathlib import Path

import bundled_weights
import pytest
import unbundle
from archive import Manifest, Share, opened, write
from environment import Environment
from failure import InstallError
from prepare import Request
from targets import Target, here, machine_here
from unbundle import launch, unpacked

ROOT = Path(__file__).resolve().parents[2]
WHEEL = "x-1-py3-none-any.whl"
PROJECT = {
    "project/pyproject.toml": b"[project]\n",
    "project/install/constraints.txt": b"x==1\ny==2\n",
    "project/install/__main__.py": b"import sys; print('installer', sys.argv[1:]); sys.exit(5)\n",
}
Make = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that is the one in the bundle."""
    for name, content in PROJECT.items():
        path = tmp_path / "root" / name.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "root"


@pytest.fixture
def request_(root: Path) -> Request:
    return Request(root, Environment(root / ".venv"), (), sys.executable)


@pytest.fixture
def make(tmp_path: Path, request_: Request, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A function that makes a bundle for the Python that runs this, on this processor."""
    own = here(unbundle._python(request_))
    monkeypatch.setattr("targets._MACHINES", {own.platform: machine_here(), "win32": "AMD64"})

    def made(target: Target = own, installed: int = 10, more: Mapping[str, bytes] | None = None) -> Path:
        path = tmp_path / "bundle ä.zip"
        manifest = Manifest("1.0", ("videomama",), (Share(target, (WHEEL,), installed),), ())
        write(path, manifest, {**PROJECT, f"wheels/{WHEEL}": b"wheel", **(more or {})})
        return path

    return made


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


class TestWeights:
    """With the server's own search, run in the environment of these tests."""

    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
        monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "home ü" / "weights"))
        return Environment(Path(sys.prefix))

    @pytest.fixture
    def bundle(self, own_checkpoint: Path, environment: Environment, make: Make) -> Path:
        found = bundled_weights.find(own_checkpoint, environment)
        return make(more={name: path.read_bytes() for name, path in found.items()})

    def place(self, bundle: Path, environment: Environment) -> Path:
        with opened(bundle) as found:
            folder = bundled_weights.place(found, environment)
        assert folder
        return folder

    def test_they_come_out_where_the_server_looks(
        self, bundle: Path, environment: Environment, tmp_path: Path, own_checkpoint: Path
    ) -> None:
        folder = self.place(bundle, environment)
        assert folder == tmp_path / "home ü" / "weights"
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert "VideoMaMa/unet/config.json" in files
        assert "stable-video-diffusion-img2vid-xt/vae/config.json" in files
        assert not any(name.endswith(".partial") for name in files)
        command = [str(environment.script("videomama")), "weights", "where", "--json"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment.variables()).stdout
        assert '"problem": null' in said

    def test_a_second_time_nothing_is_written_and_a_torn_file_is_mended(
        self, bundle: Path, environment: Environment
    ) -> None:
        folder = self.place(bundle, environment)
        files = [path for path in folder.rglob("*") if path.is_file()]
        before = {path: path.stat().st_mtime_ns for path in files}
        self.place(bundle, environment)
        assert {path: path.stat().st_mtime_ns for path in files} == before
        torn = next(path for path in files if path.suffix == ".safetensors")
        whole = torn.read_bytes()
        torn.write_bytes(whole[:100])
        self.place(bundle, environment)
        assert torn.read_bytes() == whole

    def test_other_weights_that_are_there_stay(
        self, bundle: Path, environment: Environment, tmp_path: Path, own_checkpoint: Path
    ) -> None:
        folder = tmp_path / "home ü" / "weights"
        shutil.copytree(own_checkpoint, folder / "ours")
        self.place(bundle, environment)
        assert [path.name for path in folder.iterdir()] == ["ours"]

    def test_no_weights_to_bundle_is_told(self, environment: Environment, tmp_path: Path) -> None:
        with pytest.raises(InstallError, match=r"has no weights to bundle: the folder of weights .* is empty"):
            bundled_weights.find(tmp_path, environment)

    def test_a_bundle_without_weights_places_none(self, make: Make, environment: Environment) -> None:
        with opened(make()) as found:
            assert bundled_weights.place(found, environment) is None
