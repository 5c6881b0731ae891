"""What the installer starts processes with: nothing of the host's Python, libraries and Qt, all else of the caller's.

The client's module of the same name says why. This is its rule again, as the installer runs where no client can be
imported; a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Optional

ISOLATED = "-I"  # Python ignores PYTHON*, the working folder and the user's own site-packages
KEEP = "VIDEOMAMA_KEEP_ENV"
_FOREIGN = ("PYTHON", "LD_", "DYLD_", "QT_", "QML", "OIIO_LIBRARY_PATH")


def environment(variables: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """Return the variables that a process of ours gets; `VIDEOMAMA_KEEP_ENV` names those to keep all the same."""
    found = os.environ if variables is None else variables
    kept = {name.strip() for name in found.get(KEEP, "").split(",")}
    return {name: value for name, value in found.items() if name in kept or not name.startswith(_FOREIGN)}
