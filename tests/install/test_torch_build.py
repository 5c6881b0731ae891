"""Which torch is chosen for which GPU, and that one that fits stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch_build
from failure import InstallError
from source import INDEX, Source
from torch_build import AmdGpu, Build, Gpu, Present, choose

CPU = Build(("cpu",), 0.2, "a test")
CARD = Build(("cu130", "cu128", "cu126"), 3.0, "a test")
SMI = """#!/bin/sh
echo "{line}"
"""


def gpu(driver: str = "580.65", capability: tuple[int, ...] = (8, 9)) -> Gpu:
    return Gpu("NVIDIA L4", driver, capability, 23034)


@pytest.mark.parametrize(
    ("driver", "capability", "flavours"),
    [
        ("580.65", (8, 9), ("cu130", "cu128", "cu126")),
        ("610.10", (12, 0), ("cu130", "cu128", "cu126")),
        ("535.161", (8, 6), ("cu128", "cu126")),
        ("580.65", (6, 1), ("cu126",)),
        ("525.60", (7, 0), ("cu126",)),
    ],
)
def test_the_newest_build_that_driver_and_gpu_run(driver, capability, flavours):
    assert choose(gpu(driver, capability), cpu=False, platform="linux").flavours == flavours


def test_a_driver_that_is_too_old_is_named_with_its_fix():
    with pytest.raises(InstallError) as caught:
        choose(gpu("470.82"), cpu=False, platform="linux")
    assert "470.82" in caught.value.message
    assert "--cpu" in caught.value.hint


def test_no_gpu_and_cpu_and_macos_take_the_build_for_processors():
    assert not choose(None, cpu=False, platform="linux").for_gpu
    assert not choose(gpu(), cpu=True, platform="win32").for_gpu
    assert not choose(None, cpu=False, platform="darwin").for_gpu


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Put an `nvidia-smi` on the PATH that prints a line."""
    if os.name == "nt":
        pytest.skip("the double is a shell script")

    def make(line: str) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(SMI.format(line=line))
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


def test_nvidias_tool_is_asked(smi):
    smi("NVIDIA H200, 570.86.15, 9.0, 143771")
    assert torch_build.find_gpu() == Gpu("NVIDIA H200", "570.86.15", (9, 0), 143771)


@pytest.mark.parametrize("line", ["", "NVIDIA-SMI has failed because it couldn't communicate with the driver", "a, b"])
def test_a_tool_that_says_nothing_of_use_counts_as_no_gpu(smi, line):
    smi(line)
    assert torch_build.find_gpu() is None


def test_no_tool_is_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert torch_build.find_gpu() is None


@pytest.fixture
def amd(tmp_path, monkeypatch):
    """Have AMD's driver name a processor, and then GPUs of these versions."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch_build, "_AMD_NODES", tmp_path / "nodes")

    def make(*versions: object) -> None:
        for number, version in enumerate([0, *versions]):
            (tmp_path / "nodes" / str(number)).mkdir(parents=True)
            text = f"cpu_cores_count 16\ngfx_target_version {version}\n"
            (tmp_path / "nodes" / str(number) / "properties").write_text(text)

    return make


@pytest.mark.parametrize(
    ("versions", "name"),
    [([90402], "gfx942"), ([90010], "gfx90a"), ([100306, 110000], "gfx1100"), ([120001], "gfx1201")],
)
def test_amds_driver_is_asked(amd, versions, name):
    amd(*versions)
    assert torch_build.find_gpu() == AmdGpu(name)
    build = choose(torch_build.find_gpu(), cpu=False, platform="linux")
    assert build.for_gpu
    assert all(flavour.startswith("rocm") for flavour in build.flavours)
    assert not choose(AmdGpu(name), cpu=True, platform="linux").for_gpu


@pytest.mark.parametrize("versions", [[], [100306], ["nonsense"]])
def test_a_gpu_of_amd_that_torch_has_no_code_for_counts_as_none(amd, versions):
    amd(*versions)
    assert torch_build.find_gpu() is None


def test_a_gpu_of_nvidia_goes_before_one_of_amd(amd, smi):
    amd(90402)
    smi("NVIDIA H200, 570.86.15, 9.0, 143771")
    assert isinstance(torch_build.find_gpu(), Gpu)


class Environment:
    """An environment of which only the variables are asked."""

    def variables(self) -> dict[str, str]:
        return {}


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "constraints.txt").write_text("numpy==2.0\ntorch==2.13.0\n")
    return tmp_path


@pytest.fixture
def pip(monkeypatch):
    """Note what pip is asked for; it fails for indexes that hold a word of `fails`."""
    asked: list[list[str]] = []
    fails: list[str] = []

    def run(arguments, *_):
        asked.append(list(arguments))
        if any(word in " ".join(arguments) for word in fails):
            raise InstallError("no such thing", "")

    monkeypatch.setattr(torch_build, "run_pip", run)
    run.asked, run.fails = asked, fails
    return run


def put(monkeypatch, found) -> None:
    monkeypatch.setattr(torch_build, "present", lambda _: found)


@pytest.mark.parametrize(
    ("found", "build"),
    [
        (Present("2.13.0+cpu", None, gpu=False), CPU),
        (Present("2.13.0+cu128", "12.8", gpu=True), CPU),
        (Present("2.13.0+cu128", "12.8", gpu=True), CARD),
        (Present("2.13.0", None, gpu=False), CPU),
    ],
)
def test_a_torch_that_fits_stays(monkeypatch, root, pip, found, build):
    put(monkeypatch, found)
    torch_build.ensure(root, Environment(), build, INDEX)
    assert pip.asked == []


@pytest.mark.parametrize("found", [Present("2.13.0+cpu", None, gpu=False), Present("2.12.0+cu128", "12.8", gpu=True)])
def test_one_that_does_not_is_replaced_from_its_makers_index(monkeypatch, root, pip, found):
    put(monkeypatch, found)
    torch_build.ensure(root, Environment(), CARD, INDEX)
    assert len(pip.asked) == 1
    assert "--force-reinstall" in pip.asked[0]
    assert pip.asked[0][-1].endswith("/cu130")


def test_the_next_build_is_tried_and_at_last_the_configured_index(monkeypatch, root, pip):
    put(monkeypatch, None)
    pip.fails.append("pytorch.org")
    torch_build.ensure(root, Environment(), CARD, INDEX)
    tried = [words[-1].rpartition("/")[2] for words in pip.asked[:-1]]
    assert tried == ["cu130", "cu128", "cu126"]
    assert "--index-url" not in pip.asked[-1]
    assert "--force-reinstall" not in pip.asked[-1]
    assert "torch==2.13.0" in pip.asked[-1]


def test_a_bundle_is_the_only_place_that_is_asked(monkeypatch, root, pip, tmp_path):
    put(monkeypatch, None)
    torch_build.ensure(root, Environment(), CARD, Source(tmp_path, ("videomama",)))
    assert len(pip.asked) == 1
    assert "--no-index" in pip.asked[0]


def test_a_project_that_pins_no_torch_is_incomplete(tmp_path):
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "constraints.txt").write_text("numpy==2.0\n")
    with pytest.raises(InstallError, match="names no version of torch"):
        torch_build.pinned(tmp_path)
