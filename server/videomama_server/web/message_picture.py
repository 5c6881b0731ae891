"""Draws a sentence as a picture, shown in the place of one that cannot be."""

from __future__ import annotations

import textwrap

from markupsafe import escape
from videomama_client.errors import VideoMaMaError

_WIDTH, _HEIGHT = 640, 360  # of the drawing's own units; it is shown at any size
_LINE, _LETTERS, _MOST = 26, 56, 11  # units a line, letters a line, lines


def message_picture(error: VideoMaMaError) -> bytes:
    """Return an SVG that says what is wrong and what to do, in letters that stay readable when it is made small."""
    lines = [line for text in (error.message, error.hint) for line in textwrap.wrap(text, _LETTERS)][:_MOST]
    top = (_HEIGHT - _LINE * len(lines)) / 2 + 18
    rows = "".join(
        f'<text x="{_WIDTH // 2}" y="{top + _LINE * row:g}" text-anchor="middle">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<rect width="100%" height="100%" fill="#2b2b2b"/>'
        f'<g fill="#e8e8e8" font-family="sans-serif" font-size="19">{rows}</g></svg>'
    ).encode(errors="backslashreplace")
