"""Exports plate and mask of a node as one EXR sequence, through the gizmo's own Write. Main thread only."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nuke
from videomama_client.errors import BadInput, Cancelled, NotPermitted

from videomama_nuke import frames, knobs
from videomama_nuke.order import TASK, RefineOrder
from videomama_nuke.paths import of_view
from videomama_nuke.quiet import no_trace

WRITE = "vm_export"
_MASK = "MaskCopy"
_EXECUTING = "already executing"
_ABANDONED_S = 24 * 3600.0
_AGAIN = "See Nuke's error console; view the plate and the mask on that frame."


class Busy(Exception):
    """Nuke renders something else at this moment."""


def export(node: nuke.Node, order: RefineOrder, view: str, needed: Sequence[int]) -> int:
    """Write the frames that are not there yet; return how many were written.

    Frames of an earlier export are taken only when nothing upstream has changed since. Masks of objects are files of
    their own, one for each channel.

    Raises:
        BadInput: Nuke cannot render plate or mask.
        Busy: it renders something else.
        Cancelled: the artist cancelled.
        NotPermitted: the folder cannot be written.
    """
    _prepare_folder(order, view)
    channels = dict.fromkeys(channel for _, channel in order.subject.channels)
    written = _write(node, order.source, view, needed, "")
    return written + sum(_write(node, order.mask_of(channel), view, needed, channel) for channel in channels)


def _write(node: nuke.Node, pattern: str, view: str, needed: Sequence[int], channel: str) -> int:
    """Write the frames of a pattern that are not there yet; return how many.

    Args:
        node: a VideoMaMa node.
        pattern: of the files.
        view: to export.
        needed: frames.
        channel: of the mask input that is written alone; empty for the plate with the node's own mask.
    """
    absent = [frame for frame in needed if not _file(pattern, view, frame).is_file()]
    if not absent:
        return 0
    write = knobs.inner(node, WRITE)
    with no_trace(), _enabled(write, pattern), _masked_by(node, channel):
        _execute(write, absent, view)
    lost = [frame for frame in absent if not _file(pattern, view, frame).is_file()]
    if lost:
        raise BadInput(f"Nuke wrote no file for frames {frames.text(lost)} of {pattern}", _AGAIN)
    return len(absent)


def exported(order: RefineOrder, view: str, frame: int) -> Path:
    """Return the file of an exported frame."""
    return _file(order.source, view, frame)


def exported_mask(order: RefineOrder, view: str, channel: str, frame: int) -> Path:
    """Return the file of a frame of an exported mask of one channel."""
    return _file(order.mask_of(channel), view, frame)


def remove(order: RefineOrder) -> None:
    """Remove exports that no later refine can use: those of other plates and masks, and this one where it is for once.

    The folders of tasks are left to their owners, unless these have been gone for a day.
    """
    root = order.export.parent
    for folder in root.iterdir() if root.is_dir() else ():
        owned = folder.name.startswith(TASK)
        if _abandoned(folder) if owned else folder != order.export or not order.keeps_export:
            shutil.rmtree(folder, ignore_errors=True)


def remove_own(order: RefineOrder) -> None:
    """Remove this refine's exports where nobody else uses them."""
    if order.own_export:
        shutil.rmtree(order.export, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _ABANDONED_S
    except OSError:  # its owner has just removed it
        return False


def _prepare_folder(order: RefineOrder, view: str) -> None:
    folder = Path(of_view(order.source, view)).parent
    try:
        if not order.keeps_export:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted(f"cannot make {folder}: {error.strerror}", "Choose another cache folder.") from error


@contextmanager
def _enabled(write: nuke.Node, pattern: str) -> Iterator[None]:
    """Switch the Write on, at full resolution, and put back what was there, whatever happens."""
    root, posix = nuke.root(), Path(pattern).as_posix()
    proxy = root.proxy()
    before = {name: write[name].value() for name in ("file", "proxy")}
    try:
        root.setProxy(False)
        for name in before:
            write[name].setValue(posix)
        write["disable"].setValue(False)
        yield
    finally:
        write["disable"].setValue(True)
        for name, value in before.items():
            write[name].setValue(value)
        root.setProxy(proxy)


@contextmanager
def _masked_by(node: nuke.Node, channel: str) -> Iterator[None]:
    """Let the Write see one channel of the mask input alone; an empty one changes nothing."""
    if not channel:
        yield
        return
    wanted = ((knobs.inner(node, WRITE)["channels"], "alpha"), (knobs.inner(node, _MASK)["from0"], channel))
    before = [(knob, knob.value()) for knob, _ in wanted]
    try:
        for knob, value in wanted:
            knob.setValue(value)
        yield
    finally:
        for knob, value in before:
            knob.setValue(value)


def _file(pattern: str, view: str, frame: int) -> Path:
    return Path(of_view(pattern, view) % frame)


def _execute(write: nuke.Node, wanted: Sequence[int], view: str) -> None:
    try:
        nuke.execute(write, nuke.FrameRanges(frames.text(wanted).split(",")), [view])
    except RuntimeError as error:
        reason = str(error)
        if _EXECUTING in reason:
            raise Busy from error
        if reason.startswith("Cancelled"):
            raise Cancelled("the export was cancelled") from error
        raise BadInput(f"Nuke cannot render plate and mask: {reason}", _AGAIN) from error
