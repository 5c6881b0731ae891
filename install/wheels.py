"""Downloads the wheels that the project needs on another kind of machine, at the pinned versions, build tools too."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import HeaderParser
from pathlib import Path
from typing import Optional

from environment import Environment
from failure import InstallError
from markers import Requirement, normal, parse
from packages import run_pip
from stamp import CONSTRAINTS
from targets import Target

# hatchling asks for it only while it builds an editable install, so no metadata names it.
_BUILD_EXTRAS = ("editables",)
_VERSION_FILE = Path("nuke_plugin") / "videomama_client" / "__init__.py"
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.M)
_REQUIRES = re.compile(r"^\[build-system\][^\[]*?^requires\s*=\s*(\[.*?\])", re.M | re.S)


@dataclass(frozen=True)
class Wanted:
    """What to download: for the project in `root` with `extras`, with the pip of `environment`.

    `index` is one more package index to look at, such as that of torch's builds for CPUs.
    """

    root: Path
    environment: Environment
    extras: tuple[str, ...] = ()
    index: Optional[str] = None


@dataclass
class _Chosen:
    """Wheels found so far by name, and with which extras each name was followed."""

    wheels: dict[str, Path] = field(default_factory=dict)
    followed: dict[str, frozenset[str]] = field(default_factory=dict)


def download(wanted: Wanted, target: Target, folder: Path) -> list[Path]:
    """Put all wheels that `target` needs into `folder` and return them in order of their names.

    Each wheel's own requirements are followed, as pip would on the target itself: pip's own resolver looks at the
    markers of the machine that it runs on.
    """
    pins = _pins(wanted.root, target)
    begin = [*_project(wanted), *_build_requirements(wanted.root, pins)]
    chosen = _Chosen()
    due = _due(begin, wanted.extras, target)
    while due:
        missing = sorted(set(due) - set(chosen.wheels))
        if missing:
            versions = {name: pins.get(name) or due[name].version for name in missing}
            _fetch(wanted, target, folder, versions)
            chosen.wheels.update({name: _wheel(folder, name) for name in missing})
        due = _follow(due, chosen, target)
    return sorted(chosen.wheels.values())


def project_version(root: Path) -> str:
    """The version of the project in `root`, as its client has it."""
    text = (root / _VERSION_FILE).read_text(encoding="utf-8")
    match = _VERSION.search(text)
    return match.group(1) if match else "unknown"


def _follow(due: Mapping[str, Requirement], chosen: _Chosen, target: Target) -> dict[str, Requirement]:
    """What the wheels of `due` require and was not followed yet."""
    found: dict[str, Requirement] = {}
    for name, requirement in due.items():
        extras = chosen.followed.get(name, frozenset()) | requirement.extras
        chosen.followed[name] = extras
        for more in _due(_wheel_requirements(chosen.wheels[name]), extras, target).values():
            known = chosen.followed.get(more.name)
            if known is None or more.extras - known:
                _add(found, more)
    return found


def _due(requirements: Iterable[Requirement], extras: Iterable[str], target: Target) -> dict[str, Requirement]:
    machine, due = target.marker_variables(), dict[str, Requirement]()
    for requirement in requirements:
        if requirement.applies(machine, tuple(extras)):
            _add(due, requirement)
    return due


def _add(due: dict[str, Requirement], more: Requirement) -> None:
    """Add a requirement; of two of the same name, the extras of both count and the version of either."""
    known = due.get(more.name, more)
    due[more.name] = Requirement(more.name, known.extras | more.extras, known.version or more.version, "")


def _pins(root: Path, target: Target) -> dict[str, str]:
    lines = (line.partition("#")[0] for line in (root / CONSTRAINTS).read_text(encoding="utf-8").splitlines())
    pinned = [parse(line) for line in lines if line.strip()]
    return {pin.name: pin.version for pin in pinned if pin.applies(target.marker_variables())}


def _build_requirements(root: Path, pins: Mapping[str, str]) -> list[Requirement]:
    # Python 3.9 and 3.10, which may run the installer, have no TOML reader; a list of strings reads the same in Python.
    match = _REQUIRES.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    stated = ast.literal_eval(match.group(1)) if match else []
    return [parse(text) for text in (*stated, *(name for name in _BUILD_EXTRAS if name in pins))]


def _project(wanted: Wanted) -> list[Requirement]:
    """What the project requires, read where pip has put it in the environment."""
    python = wanted.environment.interpreter()
    for site in python.site_packages if python else ():
        for note in Path(site).glob("*.dist-info/direct_url.json"):
            if json.loads(note.read_text(encoding="utf-8")).get("dir_info", {}).get("editable"):
                return _stated((note.parent / "METADATA").read_text(encoding="utf-8"))
    raise InstallError(
        f"The project is not installed in {wanted.environment.path}.", "Run `python install demo` there first."
    )


def _wheel_requirements(wheel: Path) -> list[Requirement]:
    with zipfile.ZipFile(wheel) as members:
        name = next(
            name for name in members.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        return _stated(members.read(name).decode("utf-8"))


def _stated(metadata: str) -> list[Requirement]:
    return [parse(str(line)) for line in HeaderParser().parsestr(metadata).get_all("Requires-Dist", [])]


def _fetch(wanted: Wanted, target: Target, folder: Path, versions: Mapping[str, str]) -> None:
    named = [f"{name}=={version}" if version else name for name, version in versions.items()]
    index = ["--extra-index-url", wanted.index] if wanted.index else []
    chosen = ["--no-deps", "--only-binary=:all:", *target.pip_arguments()]
    arguments = ["download", *chosen, *index, "--dest", str(folder), *named]
    variables = wanted.environment.variables()
    variables.pop("PIP_CONSTRAINT", None)  # pins of the host for its own Python
    run_pip(arguments, wanted.root, wanted.environment, variables)


def _wheel(folder: Path, name: str) -> Path:
    """The wheel of a package in `folder`, which holds one version of each."""
    for path in sorted(folder.glob("*.whl")):
        if normal(path.name.split("-")[0]) == name:
            return path
    raise InstallError(f"pip downloaded no wheel of {name}.", "Run the same command again.")
