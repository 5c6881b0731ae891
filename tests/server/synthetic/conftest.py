"""Paintings at a size that shows their details, compared with what they were to a hundred millionth.

Engines were measured on these pixels: a change that nobody meant must not pass as rounding.
"""

import pytest
from videomama_server.synthetic.paint.canvas import Stage


@pytest.fixture(scope="session")
def large():
    """The stage of a picture of 1280x720: a part that moves by one unit moves by two thirds of a pixel."""
    return Stage(1280, 720, 5)
