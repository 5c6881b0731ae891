"""Miniature data sets for the tests of this room."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "server" / "datasets"))  # for miniature.py

from miniature import draw, makers  # noqa: F401 - fixtures
