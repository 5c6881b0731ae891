"""What `videomama_batch.py` does with the nodes of a script."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nuke
from videomama_client.errors import Cancelled, ServerUnreachable, VideoMaMaError
from videomama_client.wording import counted

from videomama_nuke import frames, knobs, order, ownership, paths, walk, words
from videomama_nuke.job import Refine
from videomama_nuke.stopping import Stopping

Say = Callable[[str], None]
DONE, FAILED, TRY_AGAIN = 0, 1, 4
_FOR_GOOD = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG)


def find(names: Sequence[str]) -> list[nuke.Node]:
    """Return the VideoMaMa nodes of these names, or all that are not always disabled or bypassed, those upstream first.

    A name that is no VideoMaMa node gives an empty list: better nothing than not all.
    """
    if not names:
        every = [node for node in nuke.allNodes(group=nuke.root(), recurseGroups=True) if knobs.is_ours(node)]
        return _ordered([node for node in every if not (_always(node["disable"]) or _always(node["bypass"]))])
    named = [node for name in names if (node := nuke.toNode(name)) is not None and knobs.is_ours(node)]
    return _ordered(named) if len(named) == len(names) else []


def _always(switch: nuke.Knob) -> bool:
    """Whether a switch is on at every frame."""
    return bool(switch.value()) and not knobs.driven(switch)


def refine(node: nuke.Node, wanted: str, priority: str, stopping: Stopping, say: Say) -> int:
    """Refine a node and say how it goes; return the exit code."""
    name = node.fullName()
    try:
        asked = order.read(node, frames.parse(wanted) if wanted else None)
    except VideoMaMaError as error:
        say(f"{name}: failed: {words.said(error)}")
        return code_of(error, node)
    say(f"{name}: {counted(len(asked.wanted), 'frame')} of {asked.clip_text}")
    stopping.connection_file = asked.connection_file
    job = stopping.job = Refine(node, asked, priority, lambda line: say(f"{name}: {line}"))
    job.run()
    stopping.job = None
    if stopping.signal:
        say(f"{name}: cancelled")
        raise Cancelled("the refine was cancelled")
    for warning in job.warnings:
        say(f"{name}: warning: {warning}")
    for flag in job.flags:
        say(f"{name}: QC: {flag.kind} on {frames.text(flag.frame_numbers)}: {flag.reason}")
    if job.error is not None:
        say(f"{name}: failed: {words.said(job.error)}")
        return code_of(job.error, node)
    say(f"{name}: done, {job.computed} computed, {job.cached} cached, {asked.out}")
    return DONE


def code_of(error: VideoMaMaError, node: nuke.Node) -> int:
    """Return the exit code of an error: whether another try, later or elsewhere, may go well.

    Args:
        error: what went wrong.
        node: that was to be refined; its plates may be on a disk that is away.
    """
    if isinstance(error, ServerUnreachable):
        return TRY_AGAIN
    if isinstance(error.__cause__, OSError):
        return FAILED if error.__cause__.errno in _FOR_GOOD else TRY_AGAIN
    folders = {Path(source.path).parent for source in walk.tree(node).sources}
    return FAILED if all(folder.is_dir() for folder in folders) else TRY_AGAIN


def save(target: Path, say: Say) -> int:
    """Save the script under a name and return the exit code."""
    try:
        nuke.scriptSaveAs(str(target), 1)
    except (RuntimeError, OSError) as error:
        say(f"cannot save {target}: {error}. Check the folder of --save.")
        return FAILED if target.absolute().parent.is_dir() else TRY_AGAIN
    say(f"saved {target}")
    return DONE


def render(name: str, wanted: str, say: Say) -> int:
    """Execute a Write over a range, by default its own or the project's; return the exit code."""
    write = nuke.toNode(name)
    if write is None or write.Class() != "Write":
        say(f"{name}: there is no Write of this name")
        return FAILED
    try:
        nuke.execute(write, nuke.FrameRanges((wanted or _range_of(write)).split(",")), list(nuke.views()))
    except RuntimeError as error:
        say(f"{name}: failed: {error}")
        return FAILED if all(folder.is_dir() for folder in _folders(write)) else TRY_AGAIN
    say(f"{name}: rendered")
    return DONE


def _folders(write: nuke.Node) -> Iterator[Path]:
    """Yield the folders that a render needs; one that cannot be seen may be on a disk that is away."""
    views = nuke.views()
    if not write["create_directories"].value():
        yield Path(paths.opened(write["file"], views[0])).parent
    for node in _above(write).values():
        shown = ownership.shown_folder(node) if knobs.is_ours(node) else None
        if shown is not None:
            yield shown.parents[1]  # of the alphas of all nodes: those of this one may really be missing
        if not knobs.is_ours(node):
            yield from (Path(source.path).parent for source in walk.sources_of(node, views))


def _range_of(write: nuke.Node) -> str:
    root = nuke.root()
    span = (write["first"], write["last"]) if write["use_limit"].value() else (root["first_frame"], root["last_frame"])
    return "-".join(str(int(knob.value())) for knob in span)


def _ordered(nodes: Sequence[nuke.Node]) -> list[nuke.Node]:
    """Sort so that a node comes after those that it depends on."""
    names = {node.fullName() for node in nodes}
    depths = {node.fullName(): len(_above(node).keys() & names) for node in nodes}
    return sorted(nodes, key=lambda node: (depths[node.fullName()], node.fullName()))


def _above(node: nuke.Node) -> dict[str, nuke.Node]:
    """Return all nodes above a node, by their full names."""
    found: dict[str, nuke.Node] = {}
    pending = walk.above(node)
    while pending:
        above = pending.pop()
        if above is not None and above.fullName() not in found:
            found[above.fullName()] = above
            pending.extend(walk.above(above))
    return found
