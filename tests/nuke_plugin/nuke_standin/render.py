"""Renders: what nuke.execute and nuke.executeMultiple do, frame by frame, with callbacks, errors and cancel.

Hypotheses, where the documents are silent: several Writes advance together, frame by frame, in the order of
render_order; afterRender does not run when the render was aborted; continueOnError renders what it can and then raises
the first error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

from nuke_standin import callbacks, child, evaluate, naming, session
from nuke_standin.knobs import Context, here_and_now
from nuke_standin.planning import value
from nuke_standin.ranges import FrameRange, FrameRanges
from nuke_standin.writes import write_order

CANCELLED = "Cancelled"


class Job(NamedTuple):
    """One Write, its frames and its views."""

    node: Any
    frames: tuple
    views: tuple


_cancel: list[int] = []  # frames left until somebody presses Cancel; empty when nobody will


def cancel_after(frames: Optional[int]) -> None:
    """Press Cancel when so many more frames are rendered; None takes that back. For tests; Nuke has no such call."""
    _cancel[:] = [] if frames is None else [frames]


def cancel() -> None:
    """Press Cancel now: the render that runs ends after its frame. Without one, nothing happens."""
    if session.current().executing:
        cancel_after(1)


def execute(nameOrNode: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N803 - Nuke's name
    """Render a Write, or all Writes in a group.

    Takes (node, start, end, incr, views, continueOnError) or (node, frameRangeSet, views, continueOnError).
    """
    here = session.current()
    here.refuse_when_busy()
    node = node_named(nameOrNode)
    frames, views, go_on = _arguments(list(args), dict(kwargs))
    jobs = [Job(write, _limited(write, frames), _views(write, views)) for write in writes_of(node)]
    _render(jobs, go_on)


def executeMultiple(nodes: Any = (), ranges: Any = (), views: Any = (), continueOnError: bool = False) -> None:  # noqa: N802, N803
    """Render several Writes, by render_order; without nodes, all enabled Writes of the current group.

    Whether that descends into groups depends on Nuke's version and is unverified; here it does.
    """
    here = session.current()
    here.refuse_when_busy()
    named = [write for node in nodes for write in writes_of(node_named(node))]
    writes = named if nodes else enabled_writes(here.group)
    if not writes:
        raise RuntimeError("there are no nodes to execute")
    frames = _frame_list(ranges)
    _render([Job(write, _limited(write, frames), _views(write, views)) for write in _ordered(writes)], continueOnError)


def enabled_writes(group: Any) -> list:
    """All Writes in a group and below that are not switched off, by render_order."""
    now = here_and_now()
    found: list = []
    for node in group._children:
        if value(node, "disable", now, False):
            continue
        if node._class_name() == "Write":
            found.append(node)
        elif hasattr(node, "_children"):
            found += enabled_writes(node)
    return _ordered(found)


def writes_of(node: Any) -> list:
    """The Writes that executing a node renders.

    Hypothesis: a switched-off Write cannot be executed by name either.
    """
    now = here_and_now()
    if value(node, "disable", now, False):
        raise RuntimeError(f"{node._full_name()} cannot be executed")
    if node._class_name() == "Write":
        return [node]
    found = enabled_writes(node) if hasattr(node, "_children") else []
    if not found:
        raise RuntimeError(f"{node._full_name()} cannot be executed")
    return found


def proxy_mode() -> bool:
    """Tell whether the root is in proxy mode."""
    return bool(session.current().root._knobs["proxy"].at(None))


def _ordered(writes: list) -> list:
    return sorted(writes, key=lambda write: value(write, "render_order", None))


def node_named(name_or_node: Any) -> Any:
    if not isinstance(name_or_node, str):
        name_or_node._check()
        return name_or_node
    node = naming.find(name_or_node, session.current().group)
    if node is None:
        raise RuntimeError(f"{name_or_node}: no such node")
    return node


def _arguments(args: list, kwargs: dict) -> tuple:
    """Frames, views (None: all) and continueOnError of either form of execute."""
    ranged = "frameRangeSet" in kwargs or (bool(args) and isinstance(args[0], (FrameRange, FrameRanges)))
    names = ["frameRangeSet"] if ranged else ["start", "end", "incr"]
    names += ["views", "continueOnError"]
    if len(args) > len(names):
        raise TypeError(f"execute takes {', '.join(names)}")
    given = dict(zip(names, args))
    double = set(given) & set(kwargs)
    unknown = set(kwargs) - set(names)
    if double or unknown:
        raise TypeError(f"execute got {', '.join(sorted(double | unknown))} wrongly")
    given.update(kwargs)
    frames = _frame_list(given["frameRangeSet"]) if ranged else _stepped(given)
    return frames, given.get("views"), bool(given.get("continueOnError", False))


def _stepped(given: dict) -> tuple:
    ends = _root_range()
    first = given.get("start")
    last = given.get("end")
    first, last = (ends[0] if first is None else first), (ends[1] if last is None else last)
    for number in (first, last, given.get("incr") or 1):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise TypeError(f"a frame is a number, not {type(number).__name__}")
    return tuple(range(int(first), int(last) + 1, int(given.get("incr") or 1)))


def _root_range() -> tuple:
    root = session.current().root
    return int(value(root, "first_frame", None)), int(value(root, "last_frame", None))


def _frame_list(ranges: Any) -> tuple:
    """Frames of FrameRanges, a FrameRange, or a sequence of (first, last, increment); none is the root's range."""
    if ranges is None or (isinstance(ranges, (list, tuple)) and not ranges):
        first, last = _root_range()
        return tuple(range(first, last + 1))
    if isinstance(ranges, FrameRange):
        return tuple(ranges)
    if isinstance(ranges, FrameRanges):
        return tuple(ranges.toFrameList())
    return tuple(dict.fromkeys(frame for one in ranges for frame in _one_range(one)))


def _one_range(one: Any) -> Any:
    if isinstance(one, FrameRange):
        return one
    first, last, step = one
    return range(int(first), int(last) + 1, int(step))


def _views(write: Any, views: Any) -> tuple:
    """The wanted views among those that the Write renders."""
    own = value(write, "views", None)
    if isinstance(views, str):
        raise TypeError("views is a list of names")
    wanted = list(own) if not views else [str(view) for view in views]
    unknown = [view for view in wanted if view not in session.current().views()]
    if unknown:
        raise RuntimeError(f"no view named {unknown[0]}")
    return tuple(view for view in wanted if view in own)


def _limited(write: Any, frames: tuple) -> tuple:
    """A limited Write is off outside its range."""
    if not value(write, "use_limit", None, False):
        return frames
    first, last = int(value(write, "first", None)), int(value(write, "last", None))
    return tuple(frame for frame in frames if first <= frame <= last)


def _check_path(job: Job) -> None:
    """Many frames or views need a path that tells them apart."""
    if not job.frames or not job.views:
        return
    frames = {_path(job.node, frame, job.views[0]) for frame in job.frames[:2]}
    if len(job.frames) > 1 and len(frames) == 1:
        raise RuntimeError(f"{job.node._full_name()} cannot be executed for multiple frames.")
    views = {_path(job.node, job.frames[0], view) for view in job.views}
    if len(views) < len(job.views):
        raise RuntimeError(f"{job.node._full_name()} cannot be executed for multiple views.")


def _path(write: Any, frame: float, view: str) -> str:
    return write_order(write, Context(float(frame), view, proxy_mode()))["path"]


def _render(jobs: list, go_on: bool) -> None:
    """Frame by frame, in each frame the Writes in their order; beforeRender before all, afterRender after all."""
    for job in jobs:
        _check_path(job)
    frames = sorted({frame for job in jobs for frame in job.frames})
    problems: list[Exception] = []
    with session.current().occupied(), _frame_kept():
        for job in jobs:
            callbacks.run("beforeRender", job.node)
        for number, frame in enumerate(frames, 1):
            for job in (job for job in jobs if frame in job.frames):
                _frame(job, frame, problems if go_on else None)
            _progress(frame, number, len(frames))
        for job in jobs:
            callbacks.run("afterRender", job.node)
    if problems:
        raise problems[0]


def render_in_order(nodes: list, ranges: Any, views: Any, go_on: bool) -> None:
    """Render each Write's whole range before the next one's, as `--sro` does."""
    frames = _frame_list(ranges)
    for write in _ordered(nodes):
        _render([Job(write, _limited(write, frames), _views(write, views))], go_on)


def _frame(job: Job, frame: float, problems: Optional[list]) -> None:
    """One frame of one Write in all its views. What a callback raises ends the render, whatever `problems` is."""
    _set_frame(frame)
    callbacks.run("beforeFrameRender", job.node)
    try:
        for view in job.views:
            _write(job.node, Context(float(frame), view, proxy_mode()))
    except RuntimeError as error:
        if problems is None:
            raise RuntimeError(str(error)) from None
        sys.stderr.write(f"{error}\n")
        problems.append(RuntimeError(str(error)))
        return
    callbacks.run("afterFrameRender", job.node)
    callbacks.run("renderProgress", job.node)


def _write(node: Any, context: Context) -> None:
    session.current().view = context.view
    steps, _ = evaluate.plan(node, context)
    child.ask(session.current(), do="write", plan=steps, order=write_order(node, context))


def _progress(frame: float, number: int, count: int) -> None:
    if not session.current().gui:
        sys.stdout.write(f"Frame {frame:g} ({number} of {count})\n")
        sys.stdout.flush()
    if _cancel:
        _cancel[0] -= 1
        if _cancel[0] <= 0:
            _cancel.clear()
            raise RuntimeError(CANCELLED)


def _set_frame(frame: float) -> None:
    """The root's frame follows the render, without knobChanged and without undo."""
    session.current().root._knobs["frame"]._load(f"{frame:g}")


@contextmanager
def _frame_kept() -> Iterator[None]:
    """Give frame and view back afterwards."""
    here = session.current()
    knob = here.root._knobs["frame"]
    before, view = knob._state(), here.view
    try:
        yield
    except KeyboardInterrupt:
        raise RuntimeError(CANCELLED) from None
    finally:
        knob._restore(before)
        here.view = view
