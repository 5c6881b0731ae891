"""What a process of ours is started with: nothing of the host's Python, libraries and Qt, all else of the caller's.

Hosts and studios set variables for their own programs. Another numpy on `PYTHONPATH`, or another libstdc++ on
`LD_LIBRARY_PATH`, would break ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

ISOLATED = "-I"  # Python ignores PYTHON*, the working folder and the user's own site-packages
KEEP = "VIDEOMAMA_KEEP_ENV"
# PYTHON* again although -I ignores them: programs that ours start, such as compilers' helpers, would read them.
_FOREIGN = ("PYTHON", "LD_", "DYLD_", "QT_", "QML", "OIIO_LIBRARY_PATH")
_PLACES = ("OCIO", "TMPDIR")  # a server leaves the folder from which a relative path counts


def environment(variables: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """Return the variables that a process of ours gets.

    Args:
        variables: those of the caller, by default this process's own. `VIDEOMAMA_KEEP_ENV` among them names, separated
            by commas, those to keep all the same.
    """
    found = os.environ if variables is None else variables
    kept = {name.strip() for name in found.get(KEEP, "").split(",")}
    ours = {name: value for name, value in found.items() if name in kept or not name.startswith(_FOREIGN)}
    return {**ours, **{name: _whole(ours[name]) for name in _PLACES if name in ours}}


def _whole(place: str) -> str:
    """Return a path that is there in full; OpenColorIO also takes what is no path, such as ``ocio://default``."""
    path = Path(place)
    return str(path.absolute()) if place and path.exists() and not path.is_absolute() else place


def python(*words: str) -> list[str]:
    """Return the command that runs `words`, such as ``-m videomama_server``, in this Python and on its own packages."""
    return [sys.executable, ISOLATED, *words]
