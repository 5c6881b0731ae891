"""What came of many shots: one result each, a table for people, and a report in JSON that is whole at any time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from videomama_client.disk_errors import disk_error
from videomama_client.whole_files import replacing
from videomama_client.wording import counted

DONE, FAILED, KEPT, CANCELLED = "done", "failed", "kept", "cancelled"
_HEAD = ("shot", "state", "frames", "computed", "cached", "seconds", "flags", "")
_RIGHT = (2, 3, 4, 5, 6)  # columns of numbers


@dataclass(frozen=True)
class ShotResult:
    """What came of one shot.

    Attributes:
        shot: its name.
        state: `done`; `kept`, where it was finished before; `failed` or `cancelled`.
        out: pattern of its alphas; empty where the shot could not be read.
        frames, computed, cached: how many were wanted, made and found in the cache.
        seconds: from its submission on.
        warnings: of the job.
        flags: kinds of what quality control flagged.
        error: what went wrong, by the names that `--json` has for errors; None for nothing.
    """

    shot: str
    state: str
    out: str = ""
    frames: int = 0
    computed: int = 0
    cached: int = 0
    seconds: float = 0.0
    warnings: Sequence[str] = ()
    flags: Sequence[str] = ()
    error: dict[str, Any] | None = None


@dataclass
class Report:
    """The results of a batch, in order.

    Args:
        path: of the report; None writes none.
    """

    path: Path | None = None
    results: list[ShotResult] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        """Whether a shot did not get all its frames."""
        return any(one.state in (FAILED, CANCELLED) for one in self.results)

    def add(self, result: ShotResult) -> None:
        """Take a result in, in place of an earlier one of the same shot, and write the report.

        Raises:
            NotPermitted: the report cannot be written.
        """
        self.results = [*(one for one in self.results if one.shot != result.shot), result]
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as temporary:
                temporary.write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise disk_error(error) from error

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        counts = Counter(one.state for one in self.results)
        return {
            "shots": [asdict(one) for one in self.results],
            "counts": {state: counts[state] for state in (DONE, KEPT, FAILED, CANCELLED)},
        }

    def lines(self) -> list[str]:
        """Return a table, a line a shot, and a last line that sums it up."""
        rows = [_row(one) for one in self.results]
        counts = Counter(one.state for one in self.results)
        told = [f"{counts[state]} {state}" for state in (DONE, KEPT, FAILED, CANCELLED) if counts[state]]
        return [*table(_HEAD, rows, _RIGHT), f"{counted(len(rows), 'shot')}: {', '.join(told) or 'nothing to do'}"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Return rows as lines of equal columns under their heads; columns of the indices `right` end alike."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = (
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [line(row) for row in (head, *rows)]


def _row(one: ShotResult) -> tuple[str, ...]:
    numbers = (str(one.frames), str(one.computed), str(one.cached), f"{one.seconds:.1f}")
    if one.state != DONE:
        numbers = (str(one.frames) if one.frames else "", "", "", "")
    why = str(one.error["message"]) if one.error else ""
    return (one.shot, one.state, *numbers, str(len(one.flags) or ""), why.splitlines()[0] if why else "")
