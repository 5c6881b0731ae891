"""SIGTERM and SIGINT while a batch runs: its job is cancelled at once, and a server that it started is stopped."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

from videomama_client import launch
from videomama_client.errors import Cancelled, VideoMaMaError

from videomama_nuke.job import Refine

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE_S = 0.8
_SERVER_S = 8.0  # until a server that has just been started listens, and until it has let go of the job
_POLL_S = 0.1


class Stopping:
    """What a signal has asked for.

    Attributes:
        signal: the number of the first signal; 0 for none.
        job: the refine that runs.
        connection_file: of the server that is used.
    """

    def __init__(self) -> None:
        self.signal = 0
        self.job: Refine | None = None
        self.connection_file: Path | None = None
        self._answered = False

    def listen(self) -> None:
        """Take the signals from now on. Main thread only."""
        for number in _SIGNALS:
            signal.signal(number, self._asked)

    def stop_server(self) -> None:
        """Stop the server that this process started, unless it works for somebody else."""
        until = time.monotonic() + _SERVER_S
        while launch.started() and time.monotonic() < until and not self._stopped():
            time.sleep(_POLL_S)
        if launch.started() and not self._answered:  # it has not come up, so nobody uses it
            launch.end_started()

    def _stopped(self) -> bool:
        try:
            with launch.connect(self.connection_file, start=False) as client:
                self._answered = True
                if client.status().jobs_left:
                    return False
                client.stop_server()
                return True
        except VideoMaMaError:  # it does not listen yet
            return False

    def _asked(self, number: int, _: FrameType | None) -> None:
        """Cancel the job; where there is none at the server yet, end what is waited for instead."""
        if self.signal:
            return
        self.signal = number
        if self.job is not None:
            self.job.patience_s = _PATIENCE_S
            self.job.cancel()
            if self.job.following:
                return
        raise Cancelled(f"Cancelled by {signal.Signals(number).name}")
