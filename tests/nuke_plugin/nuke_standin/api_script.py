# ruff: noqa: N802, N803 - these are Nuke's names
"""The functions of `nuke` that open and save scripts, look after plug-in paths, formats, views and undo."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional

from nuke_standin import callbacks, creation, formats, loading, saving, session
from nuke_standin.words import split


def scriptName() -> str:
    name = session.current().root._knobs["name"]._text
    if not name:
        raise RuntimeError("no script is open, so there is no script name")
    return name


def scriptOpen(filename: Optional[str] = None) -> None:
    """Replace the script by one from a file."""
    here = session.current()
    here.refuse_when_busy()
    if filename is None:
        raise RuntimeError("there is nobody to choose a script")
    text = saving.read_file(filename)
    loading.check(text, filename)
    scriptClear()
    here.root._knobs["name"]._text = filename.replace("\\", "/")
    try:
        loading.load_text(text, with_root=True, where=filename)
    finally:
        here.root._knobs["name"]._text = filename.replace("\\", "/")
        here.view = here.views()[0]
        here.modified = False
        callbacks.run("onScriptLoad", here.root)


def scriptReadFile(s: str) -> None:
    """Add the nodes of a file to the current group."""
    session.current().refuse_when_busy()
    loading.load_text(saving.read_file(s), with_root=False, where=s)


def scriptReadText(s: str) -> None:
    session.current().refuse_when_busy()
    loading.load_text(s, with_root=False, where="text")


def scriptClear(resolveOnLoad: bool = False) -> None:
    """Delete everything; the script has no name then."""
    here = session.current()
    here.refuse_when_busy()
    _close()
    creation.new_script()


def scriptClose(filename: str = "") -> bool:
    here = session.current()
    here.refuse_when_busy()
    if here.modified and here.gui and not _confirmed("Save changes before closing?"):
        return False
    _close()
    creation.new_script()
    return True


def _confirmed(question: str) -> bool:
    here = session.current()
    here.messages.append(("ask", question))
    return bool(here.answers.pop(0)) if here.answers else True


def _close() -> None:
    here = session.current()
    if here.root is None:
        return
    callbacks.run("onScriptClose", here.root)
    for node in reversed(here.root._descendants()):
        callbacks.run("onDestroy", node)
        node._deleted = True
    here.root._deleted = True


def scriptNew(filename: str = "") -> None:
    scriptClear()


def scriptSave(filename: Optional[str] = None) -> bool:
    """Write the script where it was, or to a name."""
    here = session.current()
    path = filename or here.root._knobs["name"]._text
    if not path:
        raise RuntimeError("the script has no name yet")
    callbacks.run("onScriptSave", here.root)
    before = here.root._knobs["name"]._text
    here.root._knobs["name"]._text = path.replace("\\", "/")
    try:
        saving.write_file(path, saving.script_text())
    except RuntimeError:
        here.root._knobs["name"]._text = before
        raise
    here.modified = False
    return True


def scriptSaveAs(filename: Optional[str] = None, overwrite: int = -1) -> bool:
    """Write the script under a name; overwrite: 1 yes, 0 no, -1 ask (which a terminal cannot)."""
    here = session.current()
    here.refuse_when_busy()
    if not filename:
        raise RuntimeError("there is nobody to choose a name")
    exists = Path(filename).exists()
    if exists and overwrite == -1 and here.gui:
        overwrite = int(_confirmed(f"Overwrite {filename}?"))
    if exists and overwrite != 1:
        raise RuntimeError(f"{filename}: file exists, overwrite is not set")
    return scriptSave(filename)


def scriptSaveToTemp(filename: str = "", /) -> str:
    """Write a copy to a temporary file; the script keeps its name and its modified flag."""
    here = session.current()
    handle, path = tempfile.mkstemp(suffix=".nk", prefix=Path(filename or "script").stem + "_")
    os.close(handle)
    saving.write_file(path, saving.script_text())
    here.messages.append(("temp", path))
    return path.replace("\\", "/")


def scriptExit() -> None:
    scriptClose()
    raise SystemExit(0)


def script_directory() -> str:
    name = session.current().root._knobs["name"]._text
    return Path(name).parent.as_posix() if name else Path.cwd().as_posix()


def modified(state: Optional[bool] = None) -> bool:
    here = session.current()
    if state is not None:
        here.modified = bool(state)
    return here.modified


def undo() -> None:
    session.current().undo.undo()


def views() -> list:
    return session.current().views()


def addView(s: str) -> None:
    session.current().root.addView(s)


def deleteView(s: str) -> None:
    session.current().root.deleteView(s)


def addFormat(s: str) -> Any:
    found = formats.parsed(s)
    if not found._name:
        raise ValueError(f"a format needs a name: {s!r}")
    session.current().formats.append(found)
    return found


def formats_list() -> list:
    """Answer nuke.formats()."""
    return list(session.current().formats)


def pluginPath() -> list:
    return list(session.current().plugin_path)


def pluginAddPath(args: Any, addToSysPath: bool = True) -> None:
    """Put folders before all others, add them to sys.path, and run the init.py that lies there."""
    for path in reversed(_paths(args)):
        _add_path(path, True, addToSysPath)


def pluginAppendPath(args: Any, addToSysPath: bool = True) -> None:
    for path in _paths(args):
        _add_path(path, False, addToSysPath)


def _paths(args: Any) -> list:
    given = args if isinstance(args, (list, tuple)) else [args]
    return [str(path).rstrip("/\\") or "/" for path in given]


def _add_path(path: str, first: bool, to_sys_path: bool) -> None:
    here = session.current()
    if not Path(path).is_absolute() and here.this_folder:
        path = (Path(here.this_folder[-1]) / path).resolve().as_posix()
    if path in here.plugin_path:
        return
    here.plugin_path.insert(0 if first else len(here.plugin_path), path)
    if to_sys_path and path not in sys.path:
        sys.path.insert(0 if first else len(sys.path), path)
    if here.this_folder:  # called from an init.py
        run_start_file(path, "init.py")


def run_start_file(folder: str, name: str) -> bool:
    """Run a folder's init.py or menu.py, as the program does at its start; tells whether there was one."""
    path = Path(folder) / name
    if not path.is_file():
        return False
    here = session.current()
    here.this_folder.append(folder)
    try:
        code = compile(path.read_text("utf-8"), str(path), "exec")
        exec(code, {"__name__": "__main__", "__file__": str(path), "nuke": sys.modules["nuke"]})  # noqa: S102 - as Nuke
    finally:
        here.this_folder.pop()
    return True


def plugins(switches: int = 0, *pattern: str) -> list:
    here = session.current()
    found = [path for folder in here.plugin_path for path in sorted(Path(folder).glob("*.gizmo"))]
    return [str(path) if switches & 1 else path.name for path in found]


def pluginExists(name: str) -> bool:
    return creation.kind_of(name) is not None


def tcl(cmd: str, *args: str) -> str:
    """Only what plug-ins use it for here: `load` of nothing, and expressions through [value], [exists]."""
    from nuke_standin import expressions, knobs

    words = split(cmd)
    if not words:
        return ""
    return expressions.substitute(f"[{' '.join([cmd, *args])}]", session.current().group, knobs.here_and_now())


PUBLIC = (
    scriptName, scriptOpen, scriptReadFile, scriptReadText, scriptClear, scriptClose, scriptNew,
    scriptSave, scriptSaveAs, scriptSaveToTemp, scriptExit, script_directory, modified, undo, views, addView,
    deleteView,
    addFormat, pluginPath, pluginAddPath, pluginAppendPath, plugins, pluginExists, tcl,
)  # fmt: skip
