"""Chooses the build of torch for the GPU that is here, and puts it in; a torch that fits is never replaced."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from environment import Environment
from failure import InstallError
from packages import run_pip
from source import Source
from stamp import CONSTRAINTS

_INDEX = "https://download.pytorch.org/whl"
_ASK_S = 30
_PROBE_S = 180  # a first import from a slow disk
_OLD_GPU = (7, 5)  # compute capability below which CUDA 13 has nothing; 12.6 still has
_AMD_NODES = Path("/sys/class/kfd/kfd/topology/nodes")  # what AMD's driver for Linux says of processors and GPUs
_AMD_KNOWN = ("gfx908", "gfx90a", "gfx942", "gfx950", "gfx1030", "gfx1100", "gfx1101", "gfx1102", "gfx1200", "gfx1201")
_PIN = re.compile(r"^torch==([^\s;]+)", re.MULTILINE)
_PROBE = """
import json, torch
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "gpu": torch.cuda.is_available()}))
"""


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU and the newest CUDA that its driver runs."""

    name: str
    driver: str
    capability: tuple[int, ...]
    megabytes: int

    @property
    def cuda(self) -> int:
        """The major version of CUDA that the driver runs: any 12.x from driver 525, any 13.x from 580."""
        major = int(self.driver.split(".")[0])
        return 13 if major >= 580 else 12 if major >= 525 else 11


@dataclass(frozen=True)
class AmdGpu:
    """A GPU of AMD, known by the name of its instruction set, such as `gfx942`."""

    name: str


@dataclass(frozen=True)
class Build:
    """A build of torch.

    Attributes:
        flavours: of it, the best first, as the index of its makers calls them: `cu130`, `rocm7.1`, `cpu`.
        gigabytes: to download, about.
        reason: why this one, for people.
    """

    flavours: tuple[str, ...]
    gigabytes: float
    reason: str

    @property
    def for_gpu(self) -> bool:
        """Whether it computes on a GPU of NVIDIA or AMD; Apple's is in the build for processors."""
        return self.flavours[0] != "cpu"


def find_gpu() -> Union[Gpu, AmdGpu, None]:
    """Return the first GPU that torch has a build for, one of NVIDIA before one of AMD; None where there is none."""
    return _find_nvidia() or _find_amd()


def _find_nvidia() -> Optional[Gpu]:
    """Ask NVIDIA's own tool for the first GPU; None where there is no tool, no driver or no GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=name,driver_version,compute_cap,memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=_ASK_S, check=True).stdout
        name, driver, capability, megabytes = (word.strip() for word in said.splitlines()[0].split(","))
        return Gpu(name, driver, tuple(int(part) for part in capability.split(".")), int(megabytes))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


def _find_amd() -> Optional[AmdGpu]:
    """Ask AMD's driver for Linux for the first GPU that torch's builds have code for; most built-in ones have none."""
    for node in sorted(_AMD_NODES.glob("*/properties")):
        try:
            said = dict(line.split() for line in node.read_text(encoding="ascii").splitlines() if line.count(" ") == 1)
            version = int(said.get("gfx_target_version", "0"))
        except (OSError, ValueError):
            continue
        name = f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
        if name in _AMD_KNOWN:
            return AmdGpu(name)
    return None


def choose(gpu: Union[Gpu, AmdGpu, None], *, cpu: bool, platform: str = sys.platform) -> Build:
    """Return the build for a GPU; with `cpu`, or without a GPU, the one for processors.

    Raises:
        InstallError: the driver is too old for any build.
    """
    if platform == "darwin":
        return Build(("cpu",), 0.1, "macOS has one build, which computes on Apple's GPU too")
    if cpu:
        return Build(("cpu",), 0.2, "asked for with --cpu")
    if gpu is None:
        return Build(("cpu",), 0.2, "no GPU was found that torch computes on")
    if isinstance(gpu, AmdGpu):
        return Build(("rocm7.1", "rocm7.0", "rocm6.4"), 4.0, f"AMD GPU {gpu.name}, not tried by the authors")
    if gpu.cuda < 12:
        raise InstallError(
            f"The driver {gpu.driver} of {gpu.name} is too old for torch.",
            "Update it to 525 or newer, or install for the processor with --cpu.",
        )
    newest = gpu.cuda >= 13 and gpu.capability >= _OLD_GPU
    flavours = (
        ("cu130", "cu128", "cu126") if newest else ("cu128", "cu126") if gpu.capability >= _OLD_GPU else ("cu126",)
    )
    return Build(flavours, 3.0, f"{gpu.name}, driver {gpu.driver}")


def ensure(root: Path, environment: Environment, build: Build, source: Source) -> None:
    """Put torch into an environment, unless one is there that fits.

    The index of torch's makers is asked first; where it cannot be reached or lacks the version, as in studios with a
    mirror, the index that pip is configured for. From a folder of wheels, what is there is taken.

    Raises:
        InstallError: no index has it.
    """
    version = pinned(root)
    found = present(environment)
    if found is not None and fits(found, version, build):
        return
    # Not its dependencies: those come with the project's own, at the pinned versions. What is there already must go.
    arguments = ["install", "--no-deps", *(["--force-reinstall"] if found else []), f"torch=={version}"]
    if source.wheels is not None:
        run_pip([*arguments, *source.arguments()], root, environment, source.adapt(environment.variables()))
        return
    print(f"Installing torch {version} ({build.reason}), about {build.gigabytes:g} GB.", flush=True)
    if not any(_came_from(f"{_INDEX}/{flavour}", arguments, root, environment) for flavour in build.flavours):
        run_pip(arguments, root, environment, environment.variables())


def _came_from(index: str, arguments: list[str], root: Path, environment: Environment) -> bool:
    """Try one index; return whether it had what was asked for."""
    try:
        run_pip([*arguments, "--retries", "1", "--index-url", index], root, environment, environment.variables())
    except InstallError:
        print(f"  {index} has no such build for this machine, or cannot be reached.", flush=True)
        return False
    return True


def pinned(root: Path) -> str:
    """Return the version of torch that the project is tested with."""
    found = _PIN.search((root / CONSTRAINTS).read_text(encoding="utf-8"))
    if found is None:
        raise InstallError(f"{CONSTRAINTS} names no version of torch.", "Take a complete copy of the project.")
    return found[1]


@dataclass(frozen=True)
class Present:
    """The torch that is in an environment."""

    version: str
    cuda: Optional[str]
    gpu: bool


def present(environment: Environment) -> Optional[Present]:
    """Ask the torch of an environment what it is; None when there is none that starts."""
    command = [str(environment.script("python")), "-I", "-c", _PROBE]
    try:
        said = subprocess.run(
            command, env=environment.variables(), capture_output=True, text=True, timeout=_PROBE_S, check=True
        ).stdout
        return Present(**json.loads(said.splitlines()[-1]))
    except (OSError, ValueError, IndexError, TypeError, subprocess.SubprocessError):
        return None


def fits(found: Present, version: str, build: Build) -> bool:
    """Whether a torch may stay: the right version, and it sees the GPU where there is one to be seen."""
    same = found.version.split("+")[0] == version
    return same and (found.gpu or not build.for_gpu)
