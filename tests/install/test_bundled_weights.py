"""Weights in a bundle, with the search of the server itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bundled_weights
import pytest
from archive import opened
from environment import Environment
from failure import InstallError

Make = Callable[..., Path]


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
