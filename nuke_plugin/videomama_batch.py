"""Refine VideoMaMa nodes without a window: nuke -t videomama_batch.py script.nk --frames=1001-1100 --write=Write1

Prints plain lines for a farm's log. Exit codes: 0 done, 1 a refine or render failed and will fail again, 2 wrong use,
3 no such node, 4 try again (the server or a disk is away), 128 and the number of the signal that ended it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import nuke

if TYPE_CHECKING:
    from videomama_nuke.stopping import Stopping

DONE, FAILED, WRONG_USE, NO_NODE, TRY_AGAIN = range(5)
SIGNALLED = 128


def main(words: list[str]) -> int:
    """Do what the words ask for and return the exit code."""
    asked = _parse(words)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # while the plug-in is being loaded
    try:
        from videomama_client.errors import Cancelled
        from videomama_nuke.stopping import Stopping
    except ImportError as error:
        return _fail(WRONG_USE, str(error))
    stopping = Stopping()
    stopping.listen()
    try:
        code = _run(asked, stopping)
    except Cancelled:
        code = FAILED
    if not stopping.signal:
        return code
    stopping.stop_server()
    return _fail(SIGNALLED + stopping.signal, f"ended by signal {stopping.signal}")


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(_fail(SIGNALLED + number, f"ended by signal {number}"))


def _run(asked: argparse.Namespace, stopping: Stopping) -> int:
    from videomama_nuke import batch

    script = asked.script.absolute()  # the folder of the alphas lies beside it
    if not script.is_file():
        return _fail(WRONG_USE if script.parent.is_dir() else TRY_AGAIN, f"there is no script {script}")
    try:
        nuke.scriptOpen(str(script))
    except RuntimeError as error:
        return _fail(WRONG_USE, f"cannot open {script}: {error}")
    nodes = batch.find(asked.node)
    if not nodes:
        return _fail(NO_NODE, f"{asked.script} has no VideoMaMa node{_named(asked.node)}")
    for node in nodes:
        code = batch.refine(node, asked.frames, asked.priority, stopping, _say)
        if code != DONE:
            return code
    code = DONE if asked.save is None else batch.save(asked.save, _say)
    for name in asked.write:
        code = code or batch.render(name, asked.frames, _say)
    return code


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="videomama_batch.py", description="Refine VideoMaMa nodes on a farm.")
    parser.add_argument("script", type=Path, help="the Nuke script; it is not changed")
    parser.add_argument("--node", action="append", default=[], help="name of a node; may be repeated; default: all")
    parser.add_argument("--frames", default="", help="such as --frames=1001-1100; default: each node's own range")
    parser.add_argument("--write", action="append", default=[], help="Write to execute afterwards; may be repeated")
    parser.add_argument("--save", type=Path, help="save a copy that shows the alphas, for a later nuke -x")
    parser.add_argument("--priority", choices=("interactive", "batch"), default="batch")
    # Nuke takes a bare range at the end of its command line for itself, so the range has an equals sign.
    return parser.parse_args(words)


def _say(line: str) -> None:
    sys.stdout.write(f"VideoMaMa: {line}\n")
    sys.stdout.flush()


def _fail(code: int, reason: str) -> int:
    sys.stderr.write(f"VideoMaMa: {reason}\n")
    return code


def _named(names: list[str]) -> str:
    return f" called {', '.join(names)}" if names else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
