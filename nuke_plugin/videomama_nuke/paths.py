"""Paths as Nuke opens them: expressions evaluated, view put in, filename filters applied, relative ones placed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import nuke

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")  # also of another system: path mapping may know it


def mapped(path: str) -> str:
    """Return the path that Nuke opens for a path, which a farm's filename filter may change."""
    return cast(str, nuke.filenameFilter(path)) or path  # type: ignore[no-untyped-call]


def absolute(path: str) -> str:
    """Return where Nuke looks for a path: a relative one lies in the project directory, else in the working folder."""
    if not path or is_absolute(path):
        return path
    folder = str(cast("nuke.EvalString_Knob", nuke.root()["project_directory"]).evaluate() or "")
    return (Path(folder) / path).absolute().as_posix()


def is_absolute(path: str) -> bool:
    """Whether a path begins at a root, on this system or on another one."""
    return _ABSOLUTE.match(path) is not None


def of_view(pattern: str, view: str) -> str:
    """Return a pattern of one view."""
    return pattern.replace("%V", view).replace("%v", view[:1])


def opened(knob: nuke.Knob, view: str) -> str:
    """Return the pattern that a file knob stands for in a view; empty where it names nothing."""
    text = str(knob.value() or "")
    if "[" in text:
        text = cast("nuke.File_Knob", knob).getEvaluatedValue() or ""
    return absolute(mapped(of_view(text, view))) if text else ""
