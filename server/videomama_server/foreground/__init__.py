"""The subject's own colour, free of the background that shines through soft edges; needs a plate and its alpha.

`estimate.py` solves one frame, `clip.py` does so for numbered files.
"""

from __future__ import annotations

from videomama_server.foreground.clip import Recolour
from videomama_server.foreground.estimate import estimate

__all__ = ["Recolour", "estimate"]
