"""Runs tests in forks of a process that has the libraries, so that only the project itself is imported for each fault.

`mutate.py` starts it in its copy of the tree. They speak by lines of JSON:
`{"words": [...], "limit_s": 60, "said": "file"}` comes in, `{"code": 1, "seconds": 0.8}` goes out.
`words` are pytest's; `code` is null where time ran out.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

# What takes long to import, and is the same for every fault. Nothing of the project may be here.
LIBRARIES = (
    "numpy",
    "scipy.sparse.linalg",
    "cv2",
    "OpenImageIO",
    "PyOpenColorIO",
    "torch",
    "zmq",
    "msgpack",
    "psutil",
    "rich.console",
    "click",
    "safetensors",
    "fileseq",
    "huggingface_hub",
    "hypothesis",
    "hypothesis.strategies",
    "hypothesis.extra.numpy",
    "anyio",
    "anyio.pytest_plugin",
    "xdist.plugin",
    "pytest_timeout",
    "unittest.mock",
    "zipfile",
    "pdb",
    "rich.progress",
    "click.testing",
)
_LOOK_S = 0.01
_TOLD = 100  # added to pytest's exit code: a fork that a fault ends, or turns into another program, does not know it
_BROKEN = 3  # pytest's own exit code for what is no outcome of tests


def _tests(words: Sequence[str], said: Path) -> None:
    """Run the tests in this process, in a session of their own, and end it with pytest's code."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, at in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(place, at)
    code = _BROKEN
    try:
        code = _TOLD + int(pytest.main(list(words)))
    finally:
        if sys.exc_info()[0]:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # threads that a fault left would keep the process


def _ended(pid: int, limit_s: float) -> int | None:
    """Wait for a fork: its exit code, or None when time ran out; nothing of its session is left then."""
    until = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done or time.monotonic() > until:
            break
        time.sleep(_LOOK_S)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if not done:
        os.waitpid(pid, 0)
        return None
    code = os.waitstatus_to_exitcode(status)
    return code - _TOLD if code >= _TOLD else _BROKEN


def main() -> None:
    """Import the libraries, then run tests for each line that comes in, until no more come."""
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    sys.path[0] = str(Path.cwd())
    gc.freeze()  # pytest collects garbage several times a run; what is imported here is none
    for line in sys.stdin:
        asked = json.loads(line)
        begun = time.monotonic()
        pid = os.fork()
        if not pid:
            _tests(asked["words"], Path(asked["said"]))
        code = _ended(pid, asked["limit_s"])
        print(json.dumps({"code": code, "seconds": time.monotonic() - begun}), flush=True)
    os._exit(0)  # libraries complain of what was frozen


if __name__ == "__main__":
    main()
