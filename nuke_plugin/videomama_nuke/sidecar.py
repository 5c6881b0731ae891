"""The record of a refine beside its alphas, so that others find these and know what they were made from."""

from __future__ import annotations

from pathlib import Path

from videomama_client.whole_files import replacing

from videomama_nuke import record
from videomama_nuke.record import Record
from videomama_nuke.upstream import Upstream, compare

FILE = "record.json"


def leave(last: Record, folder: Path) -> None:
    """Put a record beside its alphas, which lie in `folder`. Asks Nuke for nothing: any thread may call it."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as temporary:
        temporary.write_text(record.text_of(last), encoding="utf-8")


def read(folder: Path) -> Record | None:
    """Return the record of the alphas in a folder; None for none."""
    try:
        return record.parse((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def folders(of_node: Path) -> list[Path]:
    """Return the folders of a node's results that have a record."""
    return sorted(path.parent for path in of_node.glob(f"*/{FILE}"))


def time_of(folder: Path) -> float:
    """Return when a folder's record was written; 0 where it is gone."""
    try:
        return (folder / FILE).stat().st_mtime
    except OSError:
        return 0.0


def contradicts(folder: Path, above: Upstream) -> bool:
    """Whether a folder holds alphas of files that have certainly been written again since."""
    last = read(folder)
    return last is not None and last.upstream is not None and compare(last.upstream, above).changed
