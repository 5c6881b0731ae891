# ruff: noqa: N802, N803 - these are Nuke's names
"""The functions of `nuke` that render; the pictures' half does the work."""

from __future__ import annotations

from typing import Any

from nuke_standin import callbacks, session


def execute(nameOrNode: Any, *args: Any, **kwargs: Any) -> None:
    """Render a node's frames: (node, start, end, incr, views, continueOnError) or (node, ranges, views, ...)."""
    from nuke_standin import render  # the half that knows pictures; it builds on this one

    render.execute(nameOrNode, *args, **kwargs)


def executeMultiple(nodes: Any = (), ranges: Any = None, views: Any = None, continueOnError: bool = False) -> None:
    """Render several nodes; none named means all that can be rendered."""
    from nuke_standin import render

    render.executeMultiple(nodes, ranges, views, continueOnError)


def executing(f: Any = None) -> bool:
    return session.current().executing


def filenameFilter(filename: str) -> str:
    """Return the path that Nuke opens for a path."""
    return callbacks.filtered_filename(filename, None)


def clearRAMCache() -> None:
    """Nothing is kept in memory here."""


def waitForThreadsToFinish() -> bool:
    return False


PUBLIC = (execute, executeMultiple, executing, filenameFilter, clearRAMCache, waitForThreadsToFinish)
