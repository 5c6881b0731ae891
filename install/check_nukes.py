"""Each Nuke on this machine, the plug-in that it would load and the libraries for it, as lines of the doctor's report.

Run as a program it prints them as JSON, for `videomama doctor`, which cannot import the installer.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from pathlib import Path
from typing import Optional

from nuke_setup import default_home
from nuke_vendor import is_ready, read_pins, vendor_folder
from nuke_versions import Nuke, find_nukes, usual_places

Line = dict[str, str]

_ROOT = Path(__file__).resolve().parent.parent
_CLIENT = Path("videomama_client") / "__init__.py"
_LIBRARIES = ("zmq", "msgpack", "Qt.py")
_INSTALL = "`python install nuke` tells it; with --print-env it shows what to set where no file may change."


def line(name: str, state: str, what: str, fix: str = "") -> Line:
    """One line of the report; `state` is ok, warning or problem, `fix` empty when there is nothing to do."""
    return {"name": name, "state": state, "what": what, "fix": fix}


def lines() -> list[Line]:
    """Look for Nukes in the usual places, and at what this user's Nuke loads."""
    nukes = find_nukes()
    init = default_home() / "init.py"
    plug_in = _loaded(init)
    if not nukes and plug_in is None:
        where = ", ".join(usual_places())
        fix = "If it is elsewhere: `python install nuke --nuke-dir DIR`. The command line does without."
        return [line("nuke", "warning", f"No Nuke in {where}", fix)]
    return [_plug_in(plug_in), *_command(init), *(_nuke(nuke, plug_in or _ROOT / "nuke_plugin") for nuke in nukes)]


def _plug_in(folder: Optional[Path]) -> Line:
    name = "plug-in"
    ours = _version(_ROOT / "nuke_plugin")
    if folder is None:
        return line(name, "warning", "Nuke does not know of it: it is in no init.py and not on NUKE_PATH", _INSTALL)
    theirs = _version(folder)
    what = f"Nuke loads {theirs or 'an unknown version'} from {folder}"
    if theirs == ours:
        return line(name, "ok", what)
    if _numbers(theirs) < _numbers(ours):
        return line(name, "warning", f"{what}, and this is {ours}", "The plug-in is older: `python install nuke`.")
    fix = "This installation is older than the plug-in: update it, and the server with it."
    return line(name, "warning", f"{what}, and this is {ours}", fix)


def _command(init: Path) -> list[Line]:
    """A warning where Nuke would start the server by a command that is not there."""
    named = os.environ.get("VIDEOMAMA_COMMAND") or next(iter(_words(init, "setdefault", "VIDEOMAMA_COMMAND")), "")
    if not named or Path(named).exists():
        return []
    fix = "`python install nuke` names the right one; or set VIDEOMAMA_COMMAND."
    return [line("plug-in", "warning", f"Nuke would start the server by {named}, which is not there", fix)]


def _nuke(nuke: Nuke, plug_in: Path) -> Line:
    what = f"{nuke.name} (Python {nuke.python}, {nuke.qt}) in {nuke.folder}"
    if not nuke.supported:
        return line("nuke", "warning", f"{what}: {nuke.remark}", "Use a newer Nuke.")
    lack = _lack(plug_in, nuke.tag)
    if lack:
        fix = "`python install nuke` fetches them, unless your studio brings its own."
        return line("nuke", "warning", f"{what}: {lack}", fix)
    if nuke.remark:
        return line("nuke", "warning", f"{what}: {nuke.remark}", "Update VideoMaMa if Refine does not work there.")
    return line("nuke", "ok", f"{what}: libraries in _vendor/{nuke.tag}")


def _lack(plug_in: Path, tag: str) -> str:
    """What is wrong with the libraries of a plug-in; nothing when they are there."""
    folder = plug_in / "_vendor" / tag
    missing = [library for library in _LIBRARIES if not (folder / library).exists()]
    if missing:
        return f"{', '.join(missing)} are not in {folder}"
    pins = read_pins(_ROOT).get(tag)
    ours = folder.parent == vendor_folder(_ROOT)
    if ours and pins and not is_ready(pins, folder.parent):
        return f"what is in {folder} is not what is pinned, or not whole"
    return ""


def _loaded(init: Path) -> Optional[Path]:
    """The folder of the plug-in that this user's Nuke finds: on NUKE_PATH, which comes first, or by ~/.nuke/init.py."""
    places = [Path(name) for name in os.environ.get("NUKE_PATH", "").split(os.pathsep) if name]
    places += [Path(word) for word in _words(init, "pluginAddPath")]
    for place in places:
        if (place / "videomama_nuke").is_dir():
            return place
    return None


def _words(init: Path, function: str, first: Optional[str] = None) -> list[str]:
    """The text that an init.py calls `function` with, in so many words; behind `first` where that is given."""
    try:
        tree = ast.parse(init.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls = [call for call in calls if getattr(call.func, "attr", "") == function]
    texts = [[word.value for word in call.args if isinstance(word, ast.Constant)] for call in calls]
    if first is not None:
        texts = [words[1:] for words in texts if words[:1] == [first]]
    return [words[0] for words in texts if words and isinstance(words[0], str)]


def _version(plug_in: Path) -> str:
    try:
        found = re.search(r'^__version__ = "([^"]+)"', (plug_in / _CLIENT).read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        return ""
    return found[1] if found else ""


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(lines()) + "\n")
