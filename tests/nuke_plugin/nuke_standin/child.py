"""The child process with the pixels, as this side sees it: started when first asked, ended with this process."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

_START = "import sys; sys.path.insert(0, sys.argv[1]); from nuke_standin.pixels import serve; serve.main()"


class PixelError(RuntimeError):
    """A picture that cannot be had; the text is for the artist."""


class Child:
    """One process that answers one request at a time, in JSON lines."""

    def __init__(self) -> None:
        python = os.environ.get("NUKE_STANDIN_PYTHON") or sys.executable
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment.pop("NUKE_STANDIN_FORBID", None)  # what a plug-in may not import, the pixels need
        self._python = python
        self._worked = False
        self._process = subprocess.Popen(
            [python, "-I", "-c", _START, str(Path(__file__).parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # ^C is for this process; the child ends when its input does
            encoding="utf-8",
        )

    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def ask(self, request: dict) -> Any:
        """Send a request and wait for its answer. Raises PixelError with what the child found wrong."""
        reply = self._exchange(json.dumps(request))
        if not reply:
            raise RuntimeError(f"the stand-in's pixels ended: {self._why()}")
        self._worked = True
        answer = json.loads(reply)
        if "error" in answer:
            raise PixelError(answer["error"])
        return answer["ok"]

    def _why(self) -> str:
        if self._worked:
            return "a fault of the double, which stderr shows"
        return f"{self._python} needs numpy and OpenImageIO (NUKE_STANDIN_PYTHON names another Python)"

    def _exchange(self, line: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except OSError:
            return ""
        return stdout.readline()

    def close(self) -> None:
        """End the process: it stops at the end of its input."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                _close(pipe)
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _close(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # the child was gone before what was left in the pipe could be sent
        pipe.close()


_child: Optional[Child] = None
_owner: object = None


def ask(owner: object, **request: Any) -> Any:
    """Ask the child, which is started on demand. Another `owner` (session) finds nothing read by the one before."""
    global _child, _owner
    if _child is None or not _child.alive():
        close()
        _child = Child()
        atexit.register(close)
    elif owner is not _owner:
        _child.ask({"do": "forget"})
    _owner = owner
    return _child.ask(request)


def close() -> None:
    """End the child, if there is one."""
    global _child, _owner
    if _child is not None:
        _child.close()
    _child = _owner = None
    atexit.unregister(close)
