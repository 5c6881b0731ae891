"""The libraries beside the plug-in, for each Python and platform of Nuke: pinned, fetched by pip, unpacked whole."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Optional

from environment import Environment
from failure import InstallError
from locking import held
from packages import run_pip
from source import INDEX, Source

VENDOR_PINS = Path("install") / "vendor.txt"
SIZE_MB = 1.5  # of a download for one tag, at most
_MARKER = "videomama-vendor.json"
_LOCK = "install.lock"
_HEADING = re.compile(r"\[(cp(\d)(\d+)-\w+)\] (.+)")
_PIN = re.compile(r"([\w.-]+)==(\S+) (?:--hash=sha256:[0-9a-f]{64} ?)+")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pins:
    """What belongs into the folder `tag`: for which Python, which of pip's platforms, and the lines for pip."""

    tag: str
    python: str
    platforms: tuple[str, ...]
    requirements: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Changes with any pin."""
        return hashlib.sha256("\n".join(self.requirements).encode()).hexdigest()

    @property
    def hashes(self) -> frozenset[str]:
        """The digests of all wheels that may be unpacked."""
        return frozenset(digest for line in self.requirements for digest in _DIGEST.findall(line))

    @property
    def names(self) -> str:
        """The libraries and their versions, for people."""
        return ", ".join(line.split()[0].replace("==", " ") for line in self.requirements)


def vendor_folder(root: Path) -> Path:
    """Where the plug-in of the project in `root` looks for its libraries."""
    return root / "nuke_plugin" / "_vendor"


def read_pins(root: Path) -> dict[str, Pins]:
    """The pins of all tags; ValueError when a line makes no sense, since the file is part of the project."""
    found: dict[str, Pins] = {}
    heading: Optional[re.Match[str]] = None
    requirements: list[str] = []
    lines = (root / VENDOR_PINS).read_text(encoding="utf-8").splitlines()
    for line in [*lines, "[end]"]:
        if line.startswith("["):
            if heading:
                pins = Pins(heading[1], f"{heading[2]}.{heading[3]}", tuple(heading[4].split()), tuple(requirements))
                found[pins.tag] = pins
            heading, requirements = _HEADING.fullmatch(line), []
        elif line.strip() and not line.startswith("#"):
            if not heading or not _PIN.fullmatch(line):
                raise ValueError(f"{VENDOR_PINS}: not a pinned library: {line}")
            requirements.append(line)
    return found


def is_ready(pins: Pins, vendor: Path) -> bool:
    """Whether the folder of `pins` holds just them, with every file there at its full size."""
    folder = vendor / pins.tag
    try:
        content = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        sizes = {folder / name: size for name, size in content["files"].items()}
        return content["pins"] == pins.digest and all(file.stat().st_size == size for file, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def fetch(pins: Sequence[Pins], vendor: Path, environment: Environment, source: Source = INDEX) -> None:
    """Put what is missing of `pins` into `vendor`, with wheels that the environment's pip takes from `source`.

    Each folder appears whole or not at all, so that an interrupted run is made good by the next one.
    """
    if all(is_ready(each, vendor) for each in pins):
        return  # a shared folder may be read-only by now
    vendor.mkdir(parents=True, exist_ok=True)
    with held(vendor / _LOCK):
        for each in pins:
            if is_ready(each, vendor):
                continue
            print(f"Fetching {each.names} for {each.tag}.", flush=True)
            with tempfile.TemporaryDirectory(prefix="videomama-") as scratch:
                place(each, download(each, Path(scratch), environment, source), vendor)


def download(pins: Pins, folder: Path, environment: Environment, source: Source = INDEX) -> list[Path]:
    """Download the wheels of `pins` into `folder`, by the environment's pip, and return them.

    Raises:
        InstallError: pip failed, or what it was given is not what is pinned.
    """
    variables = source.adapt(environment.variables())
    variables.pop("PIP_CONSTRAINT", None)  # pins of the host for its own Python
    requirements = folder / f"{pins.tag}.txt"
    requirements.write_text("\n".join(pins.requirements) + "\n", encoding="utf-8")
    wheels = folder / pins.tag
    arguments = ["download", *source.arguments(), "--no-deps", "--only-binary=:all:", "--require-hashes"]
    arguments += [word for platform in pins.platforms for word in ("--platform", platform)]
    arguments += ["--implementation", "cp", "--python-version", pins.python, "--dest", str(wheels)]
    try:
        run_pip([*arguments, "-r", str(requirements)], folder, environment, variables)
    except InstallError as error:
        raise _explained(error, pins) from None
    finally:
        requirements.unlink()
    return sorted(wheels.glob("*.whl"))


def _explained(error: InstallError, pins: Pins) -> InstallError:
    """The error of pip with what it means here: pip speaks of packages for its own Python."""
    if "DO NOT MATCH THE HASHES" in error.message:
        hint = f"Someone changed them: ask who runs the index or mirror. The right digests are in {VENDOR_PINS}."
        return InstallError(f"Libraries for {pins.tag} are not the ones that are pinned.\n{error.message}", hint)
    if "No matching distribution found" in error.message and "HTTPS_PROXY" not in error.hint:
        hint = (
            f"The index, mirror or bundle lacks a wheel that is pinned in {VENDOR_PINS} for {pins.tag}. Add it there."
        )
        return InstallError(error.message, hint)
    return error


def place(pins: Pins, wheels: Sequence[Path], vendor: Path) -> None:
    """Unpack `wheels` as the folder of `pins` in `vendor`, in the place of what is there.

    A folder that was made by hand is kept under another name.

    Raises:
        InstallError: a wheel is none of the pinned ones, or Nuke holds the old folder.
    """
    digests = {wheel.name: _sha256(wheel) for wheel in wheels}
    strange = [name for name, digest in digests.items() if digest not in pins.hashes]
    if strange or len(wheels) != len(pins.requirements):
        what = f"{strange[0]} is not as it is pinned" if strange else "some of the pinned wheels are missing"
        raise InstallError(f"Libraries for {pins.tag}: {what}.", f"Get them again. The digests are in {VENDOR_PINS}.")
    partial = vendor / f".{pins.tag}.partial"
    _discard(partial)
    partial.mkdir(parents=True)
    for wheel in wheels:
        _unpack(wheel, partial)
    files = {file.relative_to(partial).as_posix(): file.stat().st_size for file in _files(partial)}
    content = {"pins": pins.digest, "wheels": digests, "files": files}
    (partial / _MARKER).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    _swap(partial, vendor / pins.tag)


def discard(vendor: Path) -> list[Path]:
    """Remove all that this module made in `vendor`, and return what is left since it was made by hand."""
    if not vendor.is_dir():
        return []
    for folder in list(vendor.iterdir()):
        if (folder / _MARKER).is_file():
            _move_aside(folder)
    for folder in list(vendor.iterdir()):
        if folder.name.startswith(".") and folder.suffix in (".partial", ".old"):
            _discard(folder)
    (vendor / _LOCK).unlink(missing_ok=True)
    left = sorted(vendor.iterdir())
    if not left:
        vendor.rmdir()
    return left


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if (
                ".." in PurePosixPath(name).parts
                or "\\" in name
                or PureWindowsPath(name).anchor
                or name.startswith("/")
            ):
                raise InstallError(f"{wheel.name} has a file with the bad name {name!r}.", "Do not use this wheel.")
        archive.extractall(folder)


def _swap(partial: Path, final: Path) -> None:
    if (final / _MARKER).is_file():
        old = _move_aside(final)
        partial.rename(final)
        _discard(old)
        return
    if final.exists():
        by_hand = next(name for name in _spare_names(final) if not name.exists())
        final.rename(by_hand)
        print(f"{final} was not made by this installer; it is now {by_hand.name}.", flush=True)
    partial.rename(final)


def _move_aside(final: Path) -> Path:
    """Take a folder out of use at once, before any of it is deleted; on Windows a Nuke that uses it forbids that."""
    old = final.with_name(f".{final.name}.old")
    _discard(old)
    try:
        return final.rename(old)
    except OSError as error:
        reason = f"{final} cannot be moved: {error.strerror}."
        raise InstallError(reason, "End all Nukes, which may use the libraries in it, and run this again.") from error


def _spare_names(final: Path) -> Iterator[Path]:
    yield final.with_name(f"{final.name}.by-hand")
    yield from (final.with_name(f"{final.name}.by-hand-{number}") for number in itertools.count(2))


def _discard(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
