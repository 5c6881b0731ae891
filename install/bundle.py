"""The verb `bundle`: one zip with all that an install needs on machines without a network."""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import bundled_weights
import movies
import nuke_vendor
from archive import LIBRARIES, PROJECT, WHEELS, Content, Manifest, Share, write
from environment import Environment
from failure import InstallError
from interpreter import find_builder
from nuke_versions import NEWEST, OLDEST, library_tag, python_of
from prepare import Request, prepare
from project_files import project_files
from server_setup import MODEL, WEB
from targets import PLATFORMS, Target, here, target
from wheels import Wanted, download, project_version

# zipimport of Python 3.12 and older reads no zip that is larger.
_STARTS_BY_ITSELF = 0xFFFFFFFF

# What Python runs when it is given the zip; for any Python, so that an old one is told.
_START = b"""import os
import sys

if sys.version_info < (3, 9):
    sys.exit("error: VideoMaMa's installer needs Python 3.9 or newer to run; this is %d.%d." % sys.version_info[:2])
sys.path.insert(0, os.path.join(sys.path[0], "project", "install"))
from isolated import ensure_isolated

ensure_isolated(sys.argv[0])
from unbundle import launch

sys.exit(launch(sys.argv[0], sys.argv[1:]))
"""


@dataclass(frozen=True)
class Plan:
    """What a bundle is made of and where it goes.

    Attributes:
        libraries: folders of libraries for Nuke, such as "cp310-linux".
        out: the zip.
        weights: a folder of weights to take along.
        index: one more package index, as of torch's builds.
    """

    targets: tuple[Target, ...]
    extras: tuple[str, ...]
    libraries: tuple[str, ...]
    out: Path
    weights: Optional[Path] = None
    index: Optional[str] = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's options."""
    several = "; several with commas"
    parser.add_argument("--out", metavar="FILE", type=Path, help="the zip, or a folder for it (default: here)")
    parser.add_argument("--platform", metavar="NAME", help=f"{', '.join(PLATFORMS)}{several} (default: this machine's)")
    parser.add_argument(
        "--for-python", metavar="X.Y", help=f"Python of those machines, as 3.11{several} (default: this environment's)"
    )
    parser.add_argument(
        "--nuke",
        metavar="N",
        default="14,15,16,17",
        help="major versions to bring libraries for, or none (default: all)",
    )
    parser.add_argument("--with-model", action="store_true", help="with torch and what else the model needs")
    parser.add_argument(
        "--with-movies", action="store_true", help="with PyAV for movies; its builds hold encoders under the GPL"
    )
    parser.add_argument("--torch-index", metavar="URL", help="one more package index, for torch builds of your choice")
    parser.add_argument("--weights", metavar="DIR", type=Path, help="with the model's weights in DIR, in any layout")


def run(options: argparse.Namespace, environment: Environment, root: Path) -> int:
    """Make the bundle that `options` ask for."""
    plan = plan_of(options, environment, root)
    prepare(Request(root, environment, (), getattr(options, "python", None)))
    make(plan, environment, root)
    return 0


def plan_of(options: argparse.Namespace, environment: Environment, root: Path) -> Plan:
    """Take the options apart; whatever is wrong with them is told before anything is done."""
    if options.weights and not options.weights.is_dir():
        raise InstallError(f"There is no folder of weights {options.weights}.", "Give --weights a folder.")
    targets = _targets(options, environment)
    platforms = tuple(dict.fromkeys(one.platform for one in targets))
    # Weights without torch would be of no use.
    chosen = {MODEL: options.with_model or options.weights, movies.EXTRA: options.with_movies, WEB: True}
    extras = tuple(extra for extra, wanted in chosen.items() if wanted)
    out = _out(options.out, project_version(root), targets)
    libraries = _libraries(_words(options.nuke), platforms)
    return Plan(targets, extras, libraries, out, options.weights, options.torch_index)


def plan_lines(plan: Plan) -> list[str]:
    """What `make` would do, for people."""
    lines = [f"bundle {plan.out}", *(f"  packages for {one}" for one in plan.targets)]
    if MODEL in plan.extras:
        lines.append("  with torch and what else the model needs")
    if movies.EXTRA in plan.extras:
        lines.append("  with PyAV for movies; whoever passes the bundle on must keep to the GPL of its encoders")
    if plan.libraries:
        lines.append(f"  libraries for Nuke: {', '.join(plan.libraries)}")
    if plan.weights:
        lines.append(f"  weights of {plan.weights}")
    return lines


def make(plan: Plan, environment: Environment, root: Path) -> None:
    """Gather what `plan` names, with the pip of an environment that is prepared, and write the zip."""
    contents: dict[str, Content] = {"__main__.py": _START}
    if plan.weights:
        contents.update(bundled_weights.find(plan.weights, environment))
    contents.update({PROJECT + name: path for name, path in project_files(root).items()})
    with tempfile.TemporaryDirectory(prefix="videomama-bundle-") as scratch:
        shares = []
        for one in plan.targets:
            wheels = _gathered(one, plan, environment, root, Path(scratch))
            contents.update({WHEELS + path.name: path for path in wheels})
            shares.append(Share(one, tuple(path.name for path in wheels), _installed(wheels)))
        for path in _library_wheels(plan.libraries, environment, root, Path(scratch)):
            contents[LIBRARIES + path.name] = path
        write(plan.out, Manifest(project_version(root), plan.extras, tuple(shares), plan.libraries), contents)
    _tell(plan.out)


def _gathered(one: Target, plan: Plan, environment: Environment, root: Path, scratch: Path) -> list[Path]:
    print(f"Downloading packages for {one}.", flush=True)
    folder = scratch / f"{one.platform}-{one.python}"
    folder.mkdir()
    wheels = download(Wanted(root, environment, plan.extras, plan.index), one, folder)
    print(f"  {len(wheels)} wheels, {sum(path.stat().st_size for path in wheels) / 1e6:.1f} MB", flush=True)
    return wheels


def _library_wheels(tags: tuple[str, ...], environment: Environment, root: Path, scratch: Path) -> list[Path]:
    if not tags:
        return []
    print(f"Downloading libraries for Nuke: {', '.join(tags)}.", flush=True)
    pins = nuke_vendor.read_pins(root)
    return [wheel for tag in tags for wheel in nuke_vendor.download(pins[tag], scratch, environment)]


def _targets(options: argparse.Namespace, environment: Environment) -> tuple[Target, ...]:
    own = here(environment.interpreter() or find_builder(getattr(options, "python", None)))
    platforms = _words(options.platform) or (own.platform,)
    for name in platforms:
        if name not in PLATFORMS:
            raise InstallError(
                f"There are no bundles for the platform {name}.", f"Choose one of: {', '.join(PLATFORMS)}."
            )
    return tuple(target(name, version) for name in platforms for version in _words(options.for_python) or (own.python,))


def _libraries(nukes: tuple[str, ...], platforms: tuple[str, ...]) -> tuple[str, ...]:
    if nukes == ("none",):
        return ()
    known = [str(major) for major in range(OLDEST, NEWEST + 1)]
    for name in nukes:
        if name not in known:
            raise InstallError(
                f"There are no libraries for Nuke {name}.", f"Choose one of: {', '.join(known)}, or none."
            )
    tags = [library_tag(python_of(int(name)), platform) for name in nukes for platform in platforms]
    return tuple(dict.fromkeys(tags))


def _out(named: Optional[Path], version: str, targets: tuple[Target, ...]) -> Path:
    out = (named or Path()).absolute()
    if out.is_dir():
        platforms = dict.fromkeys(one.platform for one in targets)
        pythons = dict.fromkeys(one.python for one in targets)
        out /= f"videomama-{version}-{'-'.join(platforms)}-python{'-'.join(pythons)}.zip"
    if not out.parent.is_dir():
        raise InstallError(f"There is no folder {out.parent}.", "Make it, or choose another --out.")
    return out


def _words(text: Optional[str]) -> tuple[str, ...]:
    """The words of a list with commas, each once."""
    return tuple(dict.fromkeys(word.strip() for word in (text or "").split(",") if word.strip()))


def _installed(wheels: Iterable[Path]) -> int:
    """How many bytes the files in wheels are once they are unpacked."""
    total = 0
    for path in wheels:
        with zipfile.ZipFile(path) as members:
            total += sum(info.file_size for info in members.infolist())
    return total


def _tell(out: Path) -> None:
    size = out.stat().st_size
    print(f"{out}: {size / 1e6:.1f} MB. On the other machine, with its Python:")
    if size <= _STARTS_BY_ITSELF:
        print(f"  python {out.name} --to FOLDER demo")
    else:
        # Older ones read no zip as large as this when they start from it; unpacking works with any.
        print(f"  python -m zipfile -e {out.name} FOLDER")
        print(f"  python FOLDER/project/install --from-bundle {out.name} demo")
