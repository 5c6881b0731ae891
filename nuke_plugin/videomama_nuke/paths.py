"""Paths as Nuke opens them: expressions evaluated, view put in, filename filters (path mapping of a farm) applied."""

from __future__ import annotations

from typing import cast

import nuke


def mapped(path: str) -> str:
    """Return the path that Nuke opens for a path, which a farm's filename filter may change."""
    return cast(str, nuke.filenameFilter(path)) or path  # type: ignore[no-untyped-call]


def of_view(pattern: str, view: str) -> str:
    """Return a pattern of one view."""
    return pattern.replace("%V", view).replace("%v", view[:1])


def opened(knob: nuke.Knob, view: str) -> str:
    """Return the pattern that a file knob stands for in a view; empty where it names nothing."""
    text = str(knob.value() or "")
    if "[" in text:
        text = cast("nuke.File_Knob", knob).getEvaluatedValue() or ""
    return mapped(of_view(text, view)) if text else ""
