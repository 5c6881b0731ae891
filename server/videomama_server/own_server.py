"""A server for one process alone: nobody else uses it, and it ends with that process, whatever ends the process."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from videomama_client import launch
from videomama_client.client import Client
from videomama_client.errors import InternalError, ServerUnreachable
from videomama_client.whole_files import mark

from videomama_server.files import process_marks

_PREFIX = "videomama-server-"
_POLL_S = 0.05
_END_S = 10.0


class OwnServer:
    """A server that this process starts when it first connects, and again when that one is gone.

    Its standard input is a pipe from this process. The system closes the pipe when this process ends, and the server
    ends with it (`videomama serve --end-with-input`).

    Args:
        flags: further words of `videomama serve`.

    Example:
        >>> server = OwnServer(["--device", "cpu"])
        >>> with server.connect() as client:
        ...     client.status().jobs
        []
        >>> server.end()
    """

    def __init__(self, flags: Sequence[str] = ()) -> None:
        self._flags = flags
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{mark()}"))  # for this user alone
        self._process: subprocess.Popen[bytes] | None = None
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The process id of the server; None while none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def connect(self) -> Client:
        """Return a client that has been greeted by the server.

        Raises:
            InternalError: the server ended while it started.
            ServerUnreachable: it did not answer in time.
        """
        if self.pid is None:
            self.end()  # what is left of the one before
            self._process = self._started()
        until = time.monotonic() + launch.START_S
        while True:
            try:
                return launch.connect(self._connection_file, start=False)
            except ServerUnreachable as error:
                if self.pid is None:
                    self.end()
                    raise InternalError(f"the server ended while it started: {self._last_words()}") from error
                if time.monotonic() > until:
                    raise
            time.sleep(_POLL_S)

    def end(self) -> None:
        """End the server, if one runs, and wait for its end."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()  # its worker ends with it
                process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        self._connection_file.unlink(missing_ok=True)
        words = ("serve", "--connection-file", str(self._connection_file), "--end-with-input", *self._flags)
        return launch.detached([*launch.server_command(), *words], self._log_file, subprocess.PIPE)

    @property
    def _connection_file(self) -> Path:
        return self._folder / "connection.json"

    @property
    def _log_file(self) -> Path:
        return self._folder / "connection.log"

    def _last_words(self) -> str:
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " ".join(lines[-2:]) or "its log is empty"


def _sweep() -> None:
    """Remove the folders of processes that were killed; those of other users stay."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if process_marks.left_behind(path, path.name.removeprefix(_PREFIX)):
            shutil.rmtree(path, ignore_errors=True)
