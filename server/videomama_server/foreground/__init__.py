"""The subject's own colour, free of the background that shines through soft edges; needs a plate and its alpha.

`estimate.py` solves one frame, `colouring.py` makes it ready to be written, `clip.py` does both for numbered files.
"""

from __future__ import annotations

from videomama_server.foreground.clip import Recolour
from videomama_server.foreground.colouring import Colouring
from videomama_server.foreground.estimate import estimate

__all__ = ["Colouring", "Recolour", "estimate"]
