"""Fetches weights in a process of its own, which may bring torch: `python -m videomama_server.web.fetching`.

It writes one JSON object a line on its standard output: how far it is, sentences, and at the end how it ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from videomama_client import surroundings
from videomama_client.errors import BadInput, VideoMaMaError

_EVERY_S = 0.5  # that progress is told
_END_S = 5.0


@dataclass
class Fetch:
    """One fetch, under way or ended.

    Attributes:
        what: the file at hand.
        done, total: its bytes.
        lines: sentences, oldest first.
        error, hint: why it failed; empty for no failure.
        running: whether it has not ended.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    lines: list[str] = field(default_factory=list)
    error: str = ""
    hint: str = ""
    running: bool = True

    def take(self, told: dict[str, Any]) -> None:
        """Take in one object that the process wrote."""
        if "line" in told:
            self.lines.append(told["line"])
        elif "error" in told:
            self.error, self.hint = told["error"], told["hint"]
        else:
            self.what, self.done, self.total = told["what"], told["done"], told["total"]


class Fetches:
    """The fetches of this page, one for each network; they end with the page, and continue where they stopped."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, Fetch] = {}
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def known(self) -> dict[str, Fetch]:
        """Return the fetches by network."""
        with self._lock:
            return dict(self._known)

    def start(self, name: str, weights: Path, folded: Path) -> None:
        """Start to fetch a network, whose licence the person has accepted.

        Args:
            name: of the network.
            weights: the folder of weights.
            folded: where the model is folded to.

        Raises:
            BadInput: it is being fetched already.
        """
        with self._lock:
            if name in self._known and self._known[name].running:
                raise BadInput(f"the weights {name} are being fetched", "Wait for the end, or cancel first.")
            words = ["-m", __name__, name, str(weights), str(folded)]
            process = subprocess.Popen(
                surroundings.python(*words),
                env=surroundings.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            self._known[name], self._processes[name] = Fetch(), process
        Thread(target=self._listen, args=(self._known[name], process), daemon=True).start()

    def cancel(self, name: str) -> None:
        """End a fetch; what arrived is kept for the next time."""
        with self._lock:
            process, fetch = self._processes.get(name), self._known.get(name)
        if process and fetch and process.poll() is None:
            process.terminate()
            fetch.lines.append("Cancelled. What arrived is kept.")

    def end(self) -> None:
        """End all."""
        for name in self.known():
            self.cancel(name)
        for process in self._processes.values():
            process.wait(_END_S)

    def _listen(self, fetch: Fetch, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as told:
            for line in told:
                fetch.take(json.loads(line))
        code = process.wait()
        if code > 0 and not fetch.error:
            fetch.error, fetch.hint = f"the fetch ended with code {code}", "Run `videomama weights fetch` instead."
        fetch.running = False


def main(words: Sequence[str]) -> int:
    """Fetch one network and tell how far it is; return the exit code."""
    name, weights, folded = words
    told_at = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > _EVERY_S or done >= total:
            told_at = time.monotonic()
            _tell(what=what, done=done, total=total)

    try:
        outcome = _fetch(name, Path(weights), Path(folded), progress)
    except VideoMaMaError as error:
        _tell(error=error.message, hint=error.hint)
        return 1
    except ModuleNotFoundError as error:
        _tell(error=f"{error.name} is not installed", hint="Run `python install server`.")
        return 1
    for line in outcome.lines:
        _tell(line=line)
    return 0


def _fetch(name: str, weights: Path, folded: Path, progress: Any) -> Any:
    from videomama_server.web.weights_table import MODEL
    from videomama_server.weights import additional, catalogue, fetch

    network = None if name == MODEL else additional.NETWORKS[name]
    order = fetch.FetchOrder(
        offer=network.offer() if network else catalogue.PUBLISHED,
        weights=weights / network.folder if network else weights,
        folded=folded,
        accepted=lambda: True,  # the person did, before this process was started
        check=network.check if network else None,
    )
    return fetch.fetch(order, progress, lambda line: _tell(line=line))


def _tell(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
