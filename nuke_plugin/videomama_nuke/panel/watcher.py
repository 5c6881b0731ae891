"""Asks the server how it is while the panel is visible, and carries out what the panel's buttons ask for; no Qt."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from videomama_client.errors import VideoMaMaError
from videomama_client.messages import CacheReported
from videomama_client.wording import counted

from videomama_nuke.panel.known import Known
from videomama_nuke.panel.log_tail import LogTail
from videomama_nuke.panel.snapshot import LOOKING, RUNNING, UNREACHABLE, Snapshot, entries, size

if TYPE_CHECKING:  # where ZeroMQ is missing the panel still opens, and says so
    from videomama_client.client import Client

    from videomama_nuke.panel.talker import Talker

EVERY_S = 0.5
AGAIN_S = 2.0
CACHE_EVERY_S = 5.0
CACHE_UNCHANGED_S = 60.0  # other programs use the folder too
CLOSE_S = 1.0
_OPEN: weakref.WeakSet[Watcher] = weakref.WeakSet()


class Watcher:
    """What the panel knows of the server. Every method returns at once, from any thread, except `close`.

    Two threads talk to the server, each with a client of its own: what takes long (the cache's folder) must not hold
    up what is watched. Nothing runs before `open`.

    Args:
        connection_file: by default `connection.default_path()`.
    """

    def __init__(self, connection_file: Optional[Path] = None) -> None:
        self.connection_file = connection_file
        self._known = Known()
        self._talkers: tuple[Talker, ...] = ()
        self._log = LogTail()
        self._cache_seen: tuple[float, object] = (0.0, None)

    def open(self) -> None:
        """Begin, or begin again after `close`; without effect when open."""
        if self._talkers:
            return
        try:
            from videomama_client import connection

            from videomama_nuke.panel.talker import Talker
        except ImportError as error:
            self._known.update(
                state=UNREACHABLE, problem=f"Cannot be loaded: {error}", remedy="See the doctor's report."
            )
            return
        path = self.connection_file = self.connection_file or connection.default_path()
        self._known.update(state=LOOKING, since=time.time(), asked=0.0, busy=())
        self._talkers = (
            Talker("videomama-panel-status", path, self._look, self._lost),
            Talker("videomama-panel-cache", path, self._look_at_cache, lambda error: CACHE_EVERY_S),  # noqa: ARG005
        )
        _OPEN.add(self)

    def close(self, wait: float = CLOSE_S) -> bool:
        """End the threads and their sockets; safe to call twice. Returns whether they ended within `wait` seconds."""
        return _join(self._leave(), wait)

    def _leave(self) -> tuple[Talker, ...]:
        talkers, self._talkers = self._talkers, ()
        _OPEN.discard(self)
        for talker in talkers:
            talker.stop()
        return talkers

    def watch(self, watched: bool) -> None:
        """Ask the server regularly, or not at all while the panel is hidden."""
        for talker in self._talkers:
            talker.watch(watched)

    def snapshot(self) -> Snapshot:
        """Return what is known now."""
        return self._known.shot

    def cancel(self, jobs: Sequence[str]) -> None:
        """Ask the server to stop jobs, whoever submitted them."""
        count = counted(len(jobs), "job")

        def work(client: Client) -> str:
            for job in jobs:
                client.cancel(job)
            client.status()  # its answer shows that the requests before it were heard
            return f"Asked to stop {count}."

        self._queue(0, f"Stopping {count}", work)

    def unload_engine(self) -> None:
        """Free the memory that the engine holds."""

        def work(client: Client) -> str:
            client.unload_engine()
            return "The engine is unloaded."

        self._queue(0, "Unloading the engine", work)

    def stop_server(self) -> None:
        """End the server."""

        def work(client: Client) -> str:
            client.stop_server()
            return "The server ends."

        self._queue(0, "Stopping the server", work)

    def prune_cache(self) -> None:
        """Remove what is over the cache's limit."""
        self._queue(1, "Pruning the cache", lambda client: self._removed(client.prune_cache()))

    def clear_cache(self) -> None:
        """Remove everything in the cache."""
        self._queue(1, "Clearing the cache", lambda client: self._removed(client.clear_cache()))

    def start_server(self) -> None:
        """Start a server unless one answers; in a thread of its own, because that may take a minute."""
        words = "Starting a server"
        if self._talkers and self._known.begin(words):
            threading.Thread(target=self._start, args=(words,), name="videomama-panel-start", daemon=True).start()

    def _start(self, words: str) -> None:
        from videomama_client import launch

        def work() -> str:
            launch.connect(self.connection_file, start=True).close()
            return "The server runs."

        self._known.finish(words, work)
        self._hurry()

    def _queue(self, which: int, words: str, work: Callable[[Client], str]) -> None:
        if not self._talkers or not self._known.begin(words):
            return
        talker = self._talkers[which]

        def command() -> None:
            self._known.finish(words, lambda: work(talker.client()))
            self._hurry()

        talker.put(command)

    def _hurry(self, first: int = 0) -> None:
        for talker in self._talkers[first:]:
            talker.hurry()

    def _removed(self, cache: CacheReported) -> str:
        self._known.update(cache=cache)
        if not cache.removed:
            return "Nothing had to go."
        return f"Removed {entries(cache.removed)}, {size(cache.freed_bytes)}."

    def _look(self, talker: Talker) -> float:
        """The first thread's errand: state, jobs and log."""
        client = talker.client()
        self._known.update(asked=time.time())
        status = client.status()
        jobs = tuple(client.jobs())
        now = time.time()
        fresh = self._known.shot.state != RUNNING
        changes: dict[str, Any] = {"state": RUNNING, "since": now - status.uptime_s} if fresh else {}
        changes.update(status=status, jobs=jobs, problem="", remedy="", heard=now, asked=0.0)
        self._known.update(**changes, **self._read_log(status.log_file))
        if fresh:
            self._hurry(1)
        return EVERY_S

    def _lost(self, error: VideoMaMaError) -> float:
        """The first thread's errand failed: nothing is known any more but the log."""
        changes: dict[str, Any] = {} if self._known.shot.state == UNREACHABLE else {"since": time.time()}
        changes.update(status=None, jobs=(), cache=None, asked=0.0, problem=error.message, remedy=error.hint)
        self._known.update(state=UNREACHABLE, **changes, **self._read_log(self._known.shot.log_file))
        return AGAIN_S

    def _read_log(self, named: str) -> dict[str, Any]:
        beside = self.connection_file.with_suffix(".log") if self.connection_file else Path()
        log_file, log = self._log.read(named, beside)
        return {"log_file": log_file, "log": log}

    def _look_at_cache(self, talker: Talker) -> float:
        """The second thread's errand: the cache's folder, when jobs have added to it and now and then."""
        shot = self._known.shot
        last, told = self._cache_seen
        work = sum(job.computed for job in shot.jobs), shot.status and shot.status.pid
        unchanged = shot.cache is not None and work == told and time.monotonic() - last < CACHE_UNCHANGED_S
        if shot.state == RUNNING and not unchanged:
            self._known.update(cache=talker.client().cache_report())
            self._cache_seen = (time.monotonic(), work)
        return CACHE_EVERY_S


def close_all(wait: float = CLOSE_S) -> bool:
    """Close every watcher there is: Nuke is about to end. Returns whether all threads ended within `wait` seconds."""
    return _join([talker for watcher in list(_OPEN) for talker in watcher._leave()], wait)


def _join(talkers: Sequence[Talker], wait: float) -> bool:
    until = time.monotonic() + wait
    return all(talker.join(until - time.monotonic()) for talker in talkers)
