"""What the gizmo's buttons do. A press ends in a status line, never in a traceback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import nuke
from videomama_client import launch, messages, server_config
from videomama_client.client import Client
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.wording import counted

from videomama_nuke import (
    adopt,
    cleaning,
    disk_use,
    knobs,
    main_thread,
    node_state,
    order,
    ownership,
    plain_nodes,
    prompt_knobs,
    record,
    result,
    saved_as,
    words,
)
from videomama_nuke.job import Refine
from videomama_nuke.quiet import no_trace

_END_S = 1.0
_running: dict[str, tuple[Refine, threading.Thread]] = {}


def refine(node: nuke.Node) -> None:
    """Refine the frame range of the node's knobs."""
    _guarded(node, lambda: _begin(node, None))


def refine_frame(node: nuke.Node) -> None:
    """Refine the current frame."""
    _guarded(node, lambda: _begin(node, [int(nuke.root()["frame"].value())]))


def cancel(node: nuke.Node) -> None:
    """Stop the node's refine. The status says so at once, even while a thread still waits for the server."""
    running = _job_of(node)
    if running is None:
        node_state.refresh(node)
        return
    running.cancel()
    node_state.say(node, "cancelling")


def reload(node: nuke.Node) -> None:
    """Read the alphas again."""
    result.reload(node)
    node_state.refresh(node)
    disk_use.show()


def take_from_disk(node: nuke.Node) -> None:
    """Show alphas that lie on disk and fit, whoever refined them."""
    _guarded(node, lambda: _take_from_disk(node))


def clear(node: nuke.Node) -> None:
    """Remove the node's files, after a question that names them."""
    _guarded(node, lambda: _clear(node, old_only=False))


def clear_old(node: nuke.Node) -> None:
    """Remove the results that the node does not show, after a question that names them."""
    _guarded(node, lambda: _clear(node, old_only=True))


def bake(node: nuke.Node) -> None:
    """Make plain nodes that do what this one does."""
    _guarded(node, lambda: plain_nodes.bake(node))


def add_point(node: nuke.Node) -> None:
    """Add the point to the prompts."""
    _guarded(node, lambda: prompt_knobs.add_point(node))


def add_box(node: nuke.Node) -> None:
    """Add the box to the prompts."""
    _guarded(node, lambda: prompt_knobs.add_box(node))


def add_words(node: nuke.Node) -> None:
    """Add the words to the prompts."""
    _guarded(node, lambda: prompt_knobs.add_words(node))


def add_painted(node: nuke.Node) -> None:
    """Add the mask input on the current frame to the prompts."""
    _guarded(node, lambda: prompt_knobs.add_painted(node))


def ask_server(node: nuke.Node) -> None:
    """Show how the server is."""
    _with_server(node, "asking", False, _state)


def start_server(node: nuke.Node) -> None:
    """Start a server if none answers."""
    _with_server(node, "starting", True, _state)


def stop_server(node: nuke.Node) -> None:
    """End the server."""
    _with_server(node, "stopping", False, _stop)


def running_jobs() -> list[Refine]:
    """Return the refines that are under way."""
    return [refining for refining, thread in _running.values() if thread.is_alive()]


def cancel_all() -> None:
    """Cancel every refine: the script is closing, and its nodes with it."""
    for refining in running_jobs():
        refining.cancel()


def close() -> None:
    """Cancel every refine and wait a moment for sockets to close: Nuke is about to end."""
    main_thread.closing.set()
    until = time.monotonic() + _END_S
    for _, thread in _running.values():
        thread.join(max(0.0, until - time.monotonic()))


def _begin(node: nuke.Node, wanted: Sequence[int] | None) -> None:
    if _job_of(node) is not None:
        raise BadInput(f"{node.fullName()} is being refined", "Wait for it, or press Cancel first.")
    saved_as.follow_name()
    ownership.settle(node)
    asked = order.read(node, wanted)
    ownership.claim(node)
    if _adopted(node, asked):
        return
    refining = Refine(node, asked)
    if not nuke.GUI:
        refining.run()
        return
    thread = threading.Thread(target=refining.run, name=f"VideoMaMa {refining.identity[:8]}", daemon=True)
    _running[refining.identity] = refining, thread
    thread.start()


def _adopted(node: nuke.Node, asked: order.RefineOrder) -> bool:
    """Take alphas that lie on disk already, though the node does not show them: then nothing is to be computed.

    Foreground colour is the server's to make, or to find in its cache.
    """
    if asked.foreground:
        return False
    found = adopt.best(node, list(asked.wanted))
    last = record.read(node)
    if found is None or found.doubtful or found.absent or (last is not None and last.key == found.record.key):
        return False
    adopt.take(node, found)
    node_state.refresh(node)
    return True


def _take_from_disk(node: nuke.Node) -> None:
    found = adopt.best(node)
    if found is None or not found.frames:
        raise BadInput(f"there are no alphas on disk that fit {node.fullName()}", "Press Refine.")
    adopt.take(node, found)
    node_state.refresh(node)


def _job_of(node: nuke.Node) -> Refine | None:
    refining, thread = _running.get(str(node["node_id"].value()), (None, None))
    return refining if thread is not None and thread.is_alive() else None


def _clear(node: nuke.Node, old_only: bool) -> None:
    if _job_of(node) is not None:
        raise BadInput(f"{node.fullName()} is being refined", "Wait for it, or press Cancel first.")
    saved_as.follow_name()
    items = cleaning.listed(node)
    gone = cleaning.removable(items, old_only)
    if gone and nuke.GUI and not nuke.ask(cleaning.question(node, gone, items)):
        return
    said = cleaning.remove(gone) + cleaning.kept_for(items)
    if not old_only and not cleaning.still_there(node):
        result.forget(node)
    node_state.say(node, f"{node_state.describe(node)}; {said}")
    disk_use.show()


def _guarded(node: nuke.Node, act: Callable[[], object]) -> None:
    try:
        act()
    except VideoMaMaError as error:
        node_state.say(node, words.said(error))
        nuke.error(f"{node.fullName()}: {words.said(error)}")


def _with_server(node: nuke.Node, doing: str, start: bool, ask: Callable[[Client], str]) -> None:
    """Show what a server answers; the waiting is done in a thread, so that Nuke stays free."""
    connection_file = knobs.connection_file_of(node)

    def work() -> None:
        try:
            with launch.connect(connection_file, start=start) as client:
                text = ask(client)
        except VideoMaMaError as error:
            text = words.said(error)
        main_thread.on_main(_show_server, node, text)

    _show_server(node, f"{doing} ...")
    if nuke.GUI:
        threading.Thread(target=work, name="VideoMaMa server", daemon=True).start()
    else:
        work()


def _show_server(node: nuke.Node, text: str) -> None:
    with no_trace():
        node["server_state"].setValue(text)


def _state(client: Client) -> str:
    status: messages.StatusReported = client.status()
    jobs = counted(status.jobs_left, "job") if status.jobs_left else "no job"
    found = server_config.differences(status.config, server_config.from_environment())
    differing = "".join(f". {known}" for known in found) + (f". {server_config.HINT}" if found else "")
    return f"{client.endpoint}: version {status.server}, {status.engines or 'no engine loaded'}, {jobs}{differing}"


def _stop(client: Client) -> str:
    client.stop_server()
    return "ended"
