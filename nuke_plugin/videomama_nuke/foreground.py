"""The subject's own colour that a refine writes beside the alphas: which files it goes to. Main thread only."""

from __future__ import annotations

from collections.abc import Iterable

import nuke
from videomama_client.errors import BadInput

from videomama_nuke import paths
from videomama_nuke.files import FileSequence, known_by, numbered

KNOB = "foreground_file"


def patterns_of(node: nuke.Node, views: Iterable[str], sources: Iterable[FileSequence]) -> dict[str, str]:
    """Return the pattern of each view's files; empty where the node asks for none.

    Args:
        node: a VideoMaMa node.
        views: to refine.
        sources: the files that plate and mask are made from, which must stay.

    Raises:
        BadInput: frames or views would go to one file, or a source would be overwritten.
    """
    knob = node.knob(KNOB)
    if knob is None or not str(knob.value() or "").strip():  # None: a group that was made of an earlier gizmo
        return {}
    found = {view: paths.opened(knob, view) for view in views}
    lone = next((pattern for pattern in found.values() if not numbered(pattern)), "")
    if lone:
        raise BadInput(
            f"the foreground file {lone} has no place for the frame's number", "Write it as foreground.####.exr."
        )
    if len(set(map(known_by, found.values()))) < len(found):
        raise BadInput("the foreground file is the same for all views", "Put %V into its name.")
    read = {known_by(source.path) for source in sources}
    wrong = next((pattern for pattern in found.values() if known_by(pattern) in read), "")
    if wrong:
        raise BadInput(f"the foreground file {wrong} would overwrite what the node reads", "Choose another name.")
    return found
