"""Shows how far a transfer of files is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.progress import DownloadColumn, TransferSpeedColumn

from videomama_server.cli.bar import Bar

_STEPS = 10  # lines per file where there is no terminal
_SMALL = 1_000_000  # bytes; what is smaller is not shown


class Transfer(Bar):
    """Takes what is done, bytes done and bytes in all, as often as one likes; writes to the error stream."""

    def __init__(self) -> None:
        super().__init__(DownloadColumn(), TransferSpeedColumn())
        self._current = ""
        self._step = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are done of `what`."""
        if total < _SMALL:
            return
        if what != self._current:
            self._current, self._step = what, -1
            if self.shown:
                self.shown.add_task(what, total=total)
        if self.shown:
            self.shown.update(self.shown.task_ids[-1], completed=done)
            return
        step = done * _STEPS // total
        if step > self._step:
            self._step = step
            click.echo(f"{what}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", err=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the bar away, so that a question can be asked."""
        if self.shown:
            self.shown.stop()
        yield
        if self.shown:
            self.shown.start()
