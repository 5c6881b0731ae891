"""Nuke runs this at every start, with and without a window: paths and the guard of renders. No socket, no Qt."""

import sys
from pathlib import Path

import nuke

_HERE = Path(__file__).resolve().parent
nuke.pluginAddPath(str(_HERE.parent / "gizmos"))
if str(_HERE) not in sys.path:
    sys.path.append(str(_HERE))

from videomama_nuke import startup  # noqa: E402  (found by the path above)

startup.begin()
