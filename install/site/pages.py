"""A hook of MkDocs: the pages that lie outside of docs/, and what links to files that are no pages become."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "bench.md": "bench/README.md",
}
SHIM = "iframe-worker.js"  # what lets the search run in a page that is opened from a disk
_PLACES = {place: page for page, place in OUTSIDE.items()}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie outside of docs/, and the script of the search."""
    for page, place in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / place).read_text(encoding="utf-8")))
    shim = Path(__file__).with_name(SHIM).read_text(encoding="utf-8")
    files.append(File.generated(config, f"assets/{SHIM}", content=shim))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Lead links to where the pages lie in the site; a link to another file of the project becomes its text."""
    place = OUTSIDE.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def led(found: re.Match[str]) -> str:
        mark, text, target, anchor = found.groups(default="")
        if "://" in target:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        page_there = _PLACES.get(there, there.removeprefix("docs/") if there.startswith("docs/") else "")
        if not page_there or files.get_file_from_path(page_there) is None:
            return f"{mark}{text}"
        here = posixpath.relpath(page_there, posixpath.dirname(page.file.src_uri) or ".")
        return f"{mark}[{text}]({here}{anchor})"

    return _LINK.sub(led, markdown)
