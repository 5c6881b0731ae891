"""Nuke's command line: `-t script.py args` and `-x script.nk`, with the start-up that both have."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, NamedTuple, Optional

import nuke_standin
from nuke_standin import child, render, session
from nuke_standin.api_script import run_start_file
from nuke_standin.ranges import FrameRanges

USAGE = """usage: python -m nuke_standin -t [options] script.py [arguments]
       python -m nuke_standin -x [-X Write1,Write2] [-F range]... [options] script.nk
       python -m nuke_standin dump FILE..."""
WITH_VALUE = ("-F", "-X", "-V", "-m", "-c", "--view", "--remap")
PLAIN = ("-t", "-x", "-i", "-q", "-p", "-f", "--cont", "--sro", "--safe", "--gpu", "--python-no-root-knobdefaults")
_RANGE = re.compile(r"-?\d+(?:[-,]-?\d+)?(?:[x,]\d+)?$")


class Usage(Exception):
    """A command line that Nuke would not take."""


class Options(NamedTuple):
    """The command line, sorted out."""

    flags: tuple
    ranges: tuple
    writes: tuple
    views: Optional[list]
    script: str
    arguments: tuple

    def has(self, flag: str) -> bool:
        """Tell whether a flag was given."""
        return flag in self.flags


def parse(arguments: Sequence[str]) -> Options:
    """Sort the command line out. Options stand before the script; what follows it belongs to the script."""
    flags: list[str] = []
    values: dict[str, list[str]] = {name: [] for name in WITH_VALUE}
    left = list(arguments)
    while left and left[0].startswith("-") and left[0] != "--":
        name = left.pop(0)
        if name in WITH_VALUE:
            if not left:
                raise Usage(f"{name} needs a value")
            values[name].append(left.pop(0))
        elif name in PLAIN:
            flags.append(name)
        else:
            raise Usage(f"no option {name}")
    left = left[1:] if left[:1] == ["--"] else left
    writes = tuple(name for value in values["-X"] for name in value.split(","))
    views = values["--view"][-1].split(",") if values["--view"] else None
    if writes and "-x" not in flags:
        flags.append("-x")
    if ("-t" in flags) == ("-x" in flags):
        raise Usage("one of -t and -x is needed: there is no graphical session without a person")
    if not left:
        raise Usage("no script to run")
    return Options(tuple(flags), tuple(values["-F"]), writes, views, left[0], tuple(left[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        options = parse(arguments)
    except Usage as error:
        sys.stderr.write(f"{error}\n{USAGE}\n")
        return 1
    forbid(os.environ.get("NUKE_STANDIN_FORBID", ""))
    try:
        return _run(options, ["nuke", *arguments])
    finally:
        child.close()


def _run(options: Options, raw: list) -> int:
    nuke = nuke_standin.install(gui=False)
    session.current().raw_args[:] = raw
    try:
        start_up(safe=options.has("--safe"))
        return _python(options) if options.has("-t") else _execute(nuke, options)
    except SystemExit as end:
        return _exit_code(end)
    except Exception:  # noqa: BLE001 - whatever a script raises ends the program with its traceback
        traceback.print_exc()
        return 1


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1


def start_up(safe: bool = False, menus: bool = False) -> None:
    """Run init.py of the plug-in path, last entry first and ~/.nuke last; in a GUI then menu.py in the same way."""
    entries = [] if safe else plugin_folders()
    here = session.current()
    for folder in entries:
        here.plugin_path.append(folder)
        if folder not in sys.path:
            sys.path.append(folder)
    for name in ("init.py", "menu.py") if menus else ("init.py",):
        for folder in reversed(entries):
            run_start_file(folder, name)


def plugin_folders() -> list:
    """~/.nuke, then the entries of NUKE_PATH."""
    named = [Path(entry) for entry in os.environ.get("NUKE_PATH", "").split(os.pathsep) if entry]
    return [folder.as_posix() for folder in (Path.home() / ".nuke", *named) if folder.is_dir()]


def _python(options: Options) -> int:
    """Run a script as `__main__`, with its arguments less a trailing frame range."""
    given = list(options.arguments)
    if given and _RANGE.match(given[-1]):
        taken = given.pop()
        sys.stderr.write(f"Warning: {taken!r} is taken as a frame range and is not in sys.argv\n")
    path = Path(options.script)
    if not path.is_file():
        sys.stderr.write(f"{options.script}: No such file or directory\n")
        return 1
    sys.argv = [options.script, *given]
    namespace = session.current().namespace
    namespace["__file__"] = str(path)
    exec(compile(path.read_text("utf-8"), str(path), "exec"), namespace)  # noqa: S102 - what Nuke does with it
    return 0


def _execute(nuke: Any, options: Options) -> int:
    """Load a script and render its Writes."""
    try:
        nuke.scriptOpen(options.script)
        for note in session.current().load_notes:
            sys.stderr.write(f"Warning: {note}\n")
        _proxy(options)
        frames = _frames(options)
        if options.writes:
            nodes = [write for name in options.writes for write in render.writes_of(render.node_named(name))]
        else:
            nodes = render.enabled_writes(session.current().root)
        if not nodes:
            raise RuntimeError(f"{options.script}: no Write to execute")
        _render(options, nodes, frames)
    except RuntimeError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    return 0


def _render(options: Options, nodes: list, frames: Any) -> None:
    go_on = options.has("--cont")
    if options.has("--sro"):
        render.render_in_order(nodes, frames, options.views, go_on)
    else:
        render.executeMultiple(nodes, frames, options.views, go_on)


def _proxy(options: Options) -> None:
    if options.has("-p") or options.has("-f"):
        session.current().root._knobs["proxy"]._load("true" if options.has("-p") else "false")


def _frames(options: Options) -> Any:
    """The ranges of -F, and those that follow the script; the root's range without any."""
    texts = [text.replace(",", "-", 1) for text in (*options.ranges, *options.arguments)]
    return FrameRanges(texts) if texts else None


class Forbidden(MetaPathFinder):
    """Refuses modules that the plug-in must not import."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Raise for a forbidden module; leave all others to the other finders."""
        if fullname.partition(".")[0] in self._names:
            raise ImportError(f"{fullname} is not to be imported here", name=fullname)


def forbid(names: str) -> None:
    """Refuse the modules named, with commas between them, from now on."""
    roots = [name.strip() for name in names.split(",") if name.strip()]
    loaded = [name for name in roots if name in sys.modules]
    if loaded:
        raise ImportError(f"{', '.join(loaded)} is imported already")
    if roots:
        sys.meta_path.insert(0, Forbidden(roots))
