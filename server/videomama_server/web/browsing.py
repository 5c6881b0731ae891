"""The dialog that browses folders: sequences are shown as sequences, with a thumbnail and their range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client.errors import BadInput, NotPermitted

from videomama_server.media import sequences
from videomama_server.media.limits import READABLE
from videomama_server.media.sequences.listing import Listed, folder_content
from videomama_server.web.forms import query
from videomama_server.web.site import Site

MOST_SHOWN = 2000  # of folders, and of sequences
FIELDS = ("plate", "mask", "out", "key_mask", "folder", "object_mask", "alpha", "foreground", "other", "ground")
"""What a folder is browsed for; of `out` and `folder` the folder itself is chosen."""


@dataclass(frozen=True)
class Folder:
    """One folder of a list."""

    name: str
    path: str


@dataclass(frozen=True)
class Found:
    """One sequence or file of a list.

    Attributes:
        name: of the pattern, or of the file.
        pattern: absolute.
        frames: the range; empty for a file alone.
        first: the first frame, for the thumbnail.
        count: of frames.
    """

    name: str
    pattern: str
    frames: str
    first: int
    count: int


@dataclass(frozen=True)
class Content:
    """What one folder holds, as far as it may be seen."""

    folder: Path
    parent: str
    folders: Sequence[Folder]
    found: Sequence[Found]
    hidden: int


def routes(site: Site) -> Sequence[Route]:
    """Return the route of the dialog."""

    def browse(request: Request) -> Response:
        asked = query(request)
        field = asked.text("field", "plate")
        if field not in FIELDS:
            raise BadInput(f"nothing is browsed for {field[:80]!r}", "Reload the page.")
        roots = site.roots()
        content = look(site, Path(asked.text("folder") or roots[0]))
        context = {"content": content, "roots": [str(root) for root in roots], "field": field}
        return site.render(request, "_browse.html", context)

    return [Route("/browse", browse)]


def look(site: Site, folder: Path) -> Content:
    """Return what a folder holds; a pattern or a file stands for the folder that it is in.

    Raises:
        NotPermitted: it lies outside `roots`, or cannot be listed.
        BadInput: there is no such folder.
    """
    place = site.permit(folder)
    if not place.is_dir():
        place = site.permit(place.parent)
    if not place.is_dir():
        raise BadInput(f"there is no folder {place}", "Choose another folder.")
    inner = [path for path in folder_content(place) if not path.name.startswith(".") and _is_folder(site, path)]
    inner.sort(key=lambda path: path.name.casefold())
    found = [_found(place, one) for one in sequences.listed(place, READABLE)]
    shown = [Folder(path.name, str(path)) for path in inner[:MOST_SHOWN]]
    hidden = max(0, len(inner) - MOST_SHOWN) + max(0, len(found) - MOST_SHOWN)
    return Content(place, _parent(site, place), shown, found[:MOST_SHOWN], hidden)


def _is_folder(site: Site, path: Path) -> bool:
    """Whether a path is a folder that may be browsed: a link may lead outside."""
    try:
        return path.is_dir() and bool(site.permit(path))
    except (NotPermitted, BadInput, OSError):
        return False


def _parent(site: Site, place: Path) -> str:
    try:
        return str(site.permit(place.parent)) if place.parent != place else ""
    except NotPermitted:
        return ""


def _found(place: Path, one: Listed) -> Found:
    if one.is_sequence:
        ranged = sequences.format_range(one.frames)
        return Found(one.pattern, str(place / one.pattern), ranged, one.frames[0], len(one.frames))
    pattern = sequences.parse(str(place / one.names[0]))
    return Found(one.names[0], str(place / one.names[0]), "", pattern.first, 1)
