"""The verb `nuke`: brings the plug-in into a person's Nuke and its libraries beside it, or takes both out again."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import nuke_home
from environment import Environment
from failure import InstallError
from job import defaults
from nuke_paths import block_lines, environment_text
from nuke_vendor import SIZE_MB, Pins, discard, fetch, is_ready, read_pins, vendor_folder
from nuke_versions import NEWEST, OLDEST, Nuke, find_nukes, library_tag, python_of, usual_places
from prepare import Request, prepare
from source import INDEX, Source

_PLATFORMS = ("linux", "win32", "darwin")
_ELSEWHERE = re.compile(r"(\d+)(?:-(\w+))?")


@dataclass(frozen=True)
class Plan:
    """What is to be done: for these Nukes, these libraries, and the change to init.py, None for leaving it alone."""

    nukes: tuple[Nuke, ...]
    libraries: tuple[Pins, ...]
    missing: tuple[Pins, ...]
    change: Optional[nuke_home.Change]

    def lines(self) -> list[str]:
        """The plan for people, a line for each thing."""
        lines = [_described(nuke) for nuke in self.nukes]
        for pins in self.libraries:
            state = f"to be fetched, {SIZE_MB:g} MB at most" if pins in self.missing else "there"
            lines.append(f"Libraries {pins.tag} ({pins.names}): {state}.")
        if self.change:
            done = "has the block already" if self.change.nothing else "gets the block, after a backup"
            if self.change.before is None:
                done = "is made with the block"
            lines += [f"{self.change.path} {done}.", *filter(None, [self.change.warning])]
        return lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "--nuke-dir",
        metavar="DIR",
        type=_path,
        action="append",
        help="a folder with a Nuke in it, or with several; may be repeated (default: the usual places)",
    )
    parser.add_argument("--home", metavar="DIR", type=_path, help="the folder of init.py (default: ~/.nuke)")
    parser.add_argument(
        "--for",
        dest="elsewhere",
        metavar="NUKE",
        action="append",
        default=[],
        help="fetch libraries for a Nuke that is not on this machine, too: 15, 15-win32 or all; may be repeated",
    )
    parser.add_argument("--libraries-only", action="store_true", help="fetch the libraries, leave init.py alone")
    parser.add_argument("--print-env", action="store_true", help="print the variables for pipelines, touch nothing")
    parser.add_argument("--uninstall", action="store_true", help="take the block and the libraries out again")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, touch nothing")


def run(options: argparse.Namespace, environment: Environment, root: Path, source: Source = INDEX) -> int:
    """Do what the verb was asked for and return the exit code; `options` as `add_arguments` declares them.

    Raises:
        InstallError: no Nuke was found, init.py cannot be changed, or the libraries cannot be had.
    """
    home = (options.home or default_home()).absolute()
    if options.print_env:
        print(environment_text(_plugin(root), environment.script("videomama")))
        return 0
    if options.uninstall:
        lines = removal_lines(home, root) if options.dry_run else uninstall(home, root)
        print("\n".join(lines))
        return 0
    plan = make_plan(options, environment, root)
    print("\n".join(plan.lines()), flush=True)
    if not options.dry_run:
        prepare(Request(root, environment, (), getattr(options, "python", None), source))
        fetch(plan.missing, vendor_folder(root), environment, source)
        if plan.change:
            # Last, so that no Nuke starts with half a plug-in.
            nuke_home.apply(plan.change)
        print("Done: Tab, VideoMaMa in the next Nuke that is started." if plan.change else "Done.")
    return 0


def make_plan(options: argparse.Namespace, environment: Environment, root: Path) -> Plan:
    """Find out what there is to do, changing nothing.

    Raises:
        InstallError: as `run`.
    """
    nukes = find_nukes(options.nuke_dir)
    known = read_pins(root)
    tags = _tags_elsewhere(options.elsewhere) | {nuke.tag for nuke in nukes if nuke.supported}
    if not tags:
        raise _nothing_found(nukes)
    libraries = tuple(known[tag] for tag in known if tag in tags)
    missing = tuple(pins for pins in libraries if not is_ready(pins, vendor_folder(root)))
    change = None
    if any(nuke.supported for nuke in nukes) and not options.libraries_only:
        lines = block_lines(_plugin(root), environment.script("videomama"), OLDEST)
        change = nuke_home.plan_block((options.home or default_home()).absolute(), lines)
    return Plan(tuple(nukes), libraries, missing, change)


def plan_lines(environment: Environment, root: Path) -> list[str]:
    """What `nuke` without options would do, for a plan of several verbs; empty where no Nuke is that it is for."""
    if not any(nuke.supported for nuke in find_nukes()):
        return []
    return make_plan(defaults(add_arguments), environment, root).lines()


def uninstall(home: Path, root: Path) -> list[str]:
    """Take the block out of init.py and remove the libraries; return what was done, a line for each thing.

    Raises:
        InstallError: the block is damaged or the file may not be written; nothing was changed then.
    """
    change = nuke_home.plan_removal(home)
    nuke_home.apply(change)
    said = []
    if change.nothing:
        said.append(f"{change.path} has no block of VideoMaMa.")
    else:
        said.append(f"{change.path} is removed." if change.after is None else f"{change.path} is without the block.")
        kept = nuke_home.drop_backup(home)
        if kept:
            said.append(f"You changed the file since; the backup from before stays: {kept}")
    vendor = vendor_folder(root)
    had = vendor.is_dir()
    left = discard(vendor)
    said += [f"{folder} stays: it was not made by this installer." for folder in left]
    if had and not left:
        said.append(f"{vendor} is removed.")
    return said


def removal_lines(home: Path, root: Path) -> list[str]:
    """What `uninstall` would do; raises what it would raise."""
    change = nuke_home.plan_removal(home)
    said = [] if change.nothing else [f"The block of VideoMaMa would be taken out of {change.path}."]
    vendor = vendor_folder(root)
    return [*said, f"{vendor} would be removed."] if vendor.is_dir() else said


def default_home() -> Path:
    """The folder that Nuke reads a person's init.py from."""
    # On Windows Nuke prefers HOME, which Python does not look at.
    named = os.environ.get("HOME") if sys.platform == "win32" else None
    return (Path(named) if named else Path.home()) / ".nuke"


def _path(word: str) -> Path:
    # Shells leave the ~ of --home=~/x alone.
    return Path(word).expanduser()


def _plugin(root: Path) -> Path:
    return root / "nuke_plugin"


def _described(nuke: Nuke) -> str:
    remark = f"; {nuke.remark}" if nuke.remark else ""
    return f"{nuke.name} in {nuke.folder}: Python {nuke.python}, {nuke.qt}{remark}."


def _tags_elsewhere(words: Sequence[str]) -> set[str]:
    """The tags of Nukes that are named instead of found."""
    tags = set()
    for word in words:
        if word == "all":
            majors = range(OLDEST, NEWEST + 1)
            tags |= {library_tag(python_of(major), platform) for major in majors for platform in _PLATFORMS}
            continue
        match = _ELSEWHERE.fullmatch(word)
        platform = match[2] or sys.platform if match else ""
        if not match or not OLDEST <= int(match[1]) <= NEWEST or platform not in _PLATFORMS:
            raise InstallError(
                f"--for {word} is not a known version of Nuke.",
                f"Say all, or a version from {OLDEST} to {NEWEST}, also with a platform: 15, 15-win32, 16-darwin.",
            )
        tags.add(library_tag(python_of(int(match[1])), platform))
    return tags


def _nothing_found(nukes: Sequence[Nuke]) -> InstallError:
    hint = "Name its folder with --nuke-dir DIR, or get libraries for other machines with --for 15 or --for all."
    if nukes:
        found = "; ".join(_described(nuke)[:-1] for nuke in nukes)
        return InstallError(f"There is no Nuke that the plug-in runs in, only {found}.", hint)
    return InstallError(f"No Nuke was found in {', '.join(usual_places())}.", hint)
