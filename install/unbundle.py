"""Installs from a bundle with no network at all: checks it, unpacks its wheels for pip, brings the rest into place."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bundled_weights
import nuke_vendor
from archive import LIBRARIES, PROJECT, WHEELS, Bundle, Manifest, Share, opened
from environment import Environment
from failure import InstallError, told
from interpreter import Interpreter, find, find_builder
from prepare import Request
from room import ensure_room
from source import Source
from stamp import CONSTRAINTS
from targets import here, machine_here

_SAME = ("pyproject.toml", CONSTRAINTS.as_posix(), nuke_vendor.VENDOR_PINS.as_posix())
_OWN_INSTALLER = "Use the project in the bundle: `python {} --to FOLDER demo`."


@dataclass(frozen=True)
class Unpacked:
    """A bundle that is checked, with its wheels on disk.

    Attributes:
        source: what `prepare` takes packages from.
        libraries: what the verb `nuke` takes its libraries from.
    """

    bundle: Bundle
    source: Source
    libraries: Source

    def complete(self, environment: Environment, root: Path) -> None:
        """Once `environment` is prepared: put the libraries for Nuke and the weights into place."""
        tags = self.bundle.manifest.libraries
        if tags:
            pins = nuke_vendor.read_pins(root)
            due = [pins[tag] for tag in tags if tag in pins]
            nuke_vendor.fetch(due, nuke_vendor.vendor_folder(root), environment, self.libraries)
        bundled_weights.place(self.bundle, environment)


@contextmanager
def unpacked(path: Path, request: Request) -> Iterator[Unpacked]:
    """Check the bundle in `path` against `request` and unpack its wheels for the length of the block.

    Raises:
        InstallError: it is damaged, or was made for other machines or another version of the project, or the disk is
            too small. Nothing is written then.
    """
    with opened(path) as bundle:
        share = _share(bundle, _python(request))
        _refuse_other_project(bundle, request.root)
        print(f"Checking {path} ({path.stat().st_size / 1e6:.0f} MB).", flush=True)
        bundle.verify()
        with tempfile.TemporaryDirectory(prefix="videomama-wheels-") as scratch:
            _ensure_room(bundle.manifest, share, request.environment, Path(scratch))
            wheels, libraries = Path(scratch) / "wheels", Path(scratch) / "libraries"
            for name in share.wheels:
                bundle.unpack(WHEELS + name, wheels / name)
            for name in bundle.manifest.names(LIBRARIES):
                bundle.unpack(name, libraries / name[len(LIBRARIES) :])
            extras = bundle.manifest.extras
            yield Unpacked(bundle, Source(wheels, extras), Source(libraries))


def launch(zip_file: str, argv: Sequence[str]) -> int:
    """Run by `python BUNDLE.zip`: unpack the project into a folder and install it from there."""
    parser = argparse.ArgumentParser(
        prog=f"python {Path(zip_file).name}",
        description="Unpacks VideoMaMa and installs it without a network.",
        epilog="All other arguments go to the unpacked project's installer: `demo`, `check`, --yes, --python PATH.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, default=Path("videomama"), help="for the project (default: videomama)"
    )
    options, passed_on = parser.parse_known_args(list(argv))
    path, folder = Path(zip_file).absolute(), options.to.absolute()

    def work() -> int:
        with opened(path) as bundle:
            unpack_project(bundle, folder)
        command = [sys.executable, "-I", str(folder / "install"), "--from-bundle", str(path), *passed_on]
        return subprocess.run(command, check=False).returncode

    return told(work)


def unpack_project(bundle: Bundle, folder: Path) -> None:
    """Make `folder` the bundle's project, whole or not at all; leave it alone when it is that already."""
    names = bundle.manifest.names(PROJECT)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        _refuse_changed(bundle, names, folder)
        return
    ensure_room(folder, bundle.manifest.size(names), "the project")
    partial = folder.with_name(folder.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    try:
        for name in names:
            bundle.unpack(name, partial / name[len(PROJECT) :])
        if folder.is_dir():
            folder.rmdir()  # Windows renames nothing to a folder that is there
        partial.rename(folder)
    finally:
        if partial.exists():
            shutil.rmtree(partial)
    print(f"Unpacked VideoMaMa {bundle.manifest.version} into {folder}.", flush=True)


def _refuse_changed(bundle: Bundle, names: Sequence[str], folder: Path) -> None:
    for name in names:
        path = folder / name[len(PROJECT) :]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != bundle.manifest.members[name][1]:
            raise InstallError(
                f"{folder} is not empty, and not the project as it is in the bundle: {name[len(PROJECT) :]} differs.",
                "Choose another folder with --to FOLDER, or install from the bundle into a project that is there: "
                f"`python {folder / 'install'} --from-bundle {bundle.path.name}`.",
            )


def _python(request: Request) -> Interpreter:
    """The Python that the packages will be for."""
    if request.python:
        return find(request.python)
    there = request.environment.interpreter()
    return there if there and there.is_new_enough else find_builder(None)


def _share(bundle: Bundle, python: Interpreter) -> Share:
    wanted, shares = here(python), bundle.manifest.shares
    for share in shares:
        if share.target == wanted and share.target.machine.lower() == machine_here().lower():
            return share
    had = "; ".join(f"{share.target} ({share.target.machine})" for share in shares) or "none"
    same = [share.target.python for share in shares if share.target.platform == wanted.platform]
    hint = f"Make one with --platform {wanted.platform} --for-python {wanted.python} on a machine with a network"
    if same:
        hint += f", or name another Python here: --python python{same[0]}"
    raise InstallError(
        f"{bundle.path} has nothing for this machine, {wanted} ({machine_here()}). It is for: {had}.", f"{hint}."
    )


def _refuse_other_project(bundle: Bundle, root: Path) -> None:
    """Wheels that were gathered for other pins are not enough; line ends may differ, as git changes them on Windows."""
    for name in _SAME:
        if PROJECT + name not in bundle.manifest.members:
            continue
        inside = bundle.read(PROJECT + name).splitlines()
        if not (root / name).is_file() or (root / name).read_bytes().splitlines() != inside:
            raise InstallError(
                f"{bundle.path} was made for another version of the project: its {name} is not that of {root}.",
                _OWN_INSTALLER.format(bundle.path.name),
            )


def _ensure_room(manifest: Manifest, share: Share, environment: Environment, scratch: Path) -> None:
    """The wheels and what is made of them may lie on one disk, so each place is asked for both."""
    wheels = manifest.size([WHEELS + name for name in share.wheels]) + manifest.size(manifest.names(LIBRARIES))
    one_disk = _disk(scratch) == _disk(environment.path)
    ensure_room(scratch, wheels, "unpacking")
    installed = 0 if environment.stamp.exists() else share.installed_bytes
    ensure_room(environment.path, installed + wheels * one_disk, "the packages")


def _disk(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return folder.stat().st_dev
