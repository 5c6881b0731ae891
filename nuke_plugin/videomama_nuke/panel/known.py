"""What the panel's threads have found out so far, and which commands are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from videomama_client.errors import VideoMaMaError

from videomama_nuke.panel.snapshot import Notice, Snapshot


class Known:
    """A snapshot that several threads bring up to date.

    Attributes:
        shot: as it is now; never changed, only replaced.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.shot = Snapshot(since=time.time())

    def update(self, **changes: Any) -> None:
        """Take what was found out."""
        with self._lock:
            self.shot = replace(self.shot, **changes)

    def begin(self, words: str) -> bool:
        """Note a command as under way; False when the same one is."""
        with self._lock:
            if words in self.shot.busy:
                return False
            self.shot = replace(self.shot, busy=(*self.shot.busy, words))
        return True

    def finish(self, words: str, work: Callable[[], str]) -> None:
        """Carry out a command that was begun, and note what came of it."""
        try:
            said, hint, bad = work(), "", False
        except VideoMaMaError as error:
            said, hint, bad = error.message, error.hint, True
        with self._lock:
            number = self.shot.notice.number + 1 if self.shot.notice else 1
            busy = tuple(other for other in self.shot.busy if other != words)
            self.shot = replace(self.shot, notice=Notice(number, time.time(), said, hint, bad), busy=busy)
