"""Patterns that a browser names: parsed, and only of folders that may be browsed."""

from __future__ import annotations

from pathlib import Path

from videomama_client.errors import BadInput, placed

from videomama_server.media import sequences
from videomama_server.media.sequences import Pattern
from videomama_server.web.site import Site

_LONGEST = 4096  # characters


def permitted(site: Site, text: str, role: str = "") -> Pattern:
    """Return a pattern whose files may be opened.

    Args:
        site: says what may be browsed.
        text: such as ``/shots/plate.####.exr``.
        role: whose it is, for errors.

    Raises:
        BadInput: it is empty, or no pattern.
        NotPermitted: its folder lies outside `roots`.
    """
    with placed(role):
        if not text:
            raise BadInput("no files are named", "Browse for them, or type a pattern such as /shots/plate.####.exr.")
        if len(text) > _LONGEST:
            raise BadInput("the name is too long", f"Use {_LONGEST} characters or fewer.")
        found = sequences.parse(text)
        site.permit(found.folder)
    return found


def files(site: Site, pattern: Pattern, role: str = "") -> dict[int, Path]:
    """Return the files of a pattern by frame; a link that leads outside is an error.

    Raises:
        BadInput: there are none.
        NotPermitted: one lies outside `roots`.
    """
    found = sequences.find(pattern, role)
    for frame, path in found.items():
        if path.is_symlink():
            with placed(role, frame, path):
                site.permit(path)
    return found
