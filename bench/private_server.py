"""A server of the benchmark's own: its own connection file and cache, ended afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from videomama_client import launch
from videomama_client.client import Client
from videomama_client.messages import MatteDone
from videomama_server.submission import Submission, submit


@contextmanager
def private_server(flags: Sequence[str] = ()) -> Iterator[tuple[Client, Path]]:
    """Yield a greeted client and the folder that holds cache and connection file."""
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        words = ["--cache-dir", str(folder / "cache"), *flags]
        with launch.connect(folder / "connection.json", flags=words) as client:
            try:
                yield client, folder
            finally:
                client.stop_server()


def processor_seconds() -> float:
    """Return the processor time that the servers started here have taken, with their workers."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return seconds


def finish(client: Client, order: Submission) -> MatteDone:
    """Submit a job and return its result."""
    *_, last = submit(client, order).events()
    assert isinstance(last, MatteDone)
    return last
