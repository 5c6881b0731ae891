"""How fast engines were on this machine: seconds a frame and megapixel of the plate, kept from job to job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from videomama_client.whole_files import replacing

from videomama_server.submission import Submission

FILE = "rates.json"
_ENOUGH = 500.0  # megapixels that a rate remembers; older ones count less and less
_MOST = 200  # kinds of jobs that are kept


def kind_of(order: Submission, maker: str, then: list[str]) -> str:
    """Return what a job's speed depends on most: its engines, and how good its alphas are to be.

    Args:
        order: the job.
        maker: engine of the masks; empty for none.
        then: engines of the stages after the first.
    """
    quality = order.settings.option("quality")
    first = f"{order.settings.engine} {quality}" if quality else order.settings.engine
    return " > ".join(filter(None, (maker, first, *then)))


@dataclass
class Rates:
    """Rates by kind of job, in a file.

    Args:
        path: of the file, which need not be there.
    """

    path: Path

    def seconds(self, kind: str, frames: int, megapixels: float) -> float | None:
        """Return how long frames of a plate take; None where nothing of that kind was measured."""
        known = self._read().get(kind)
        if known is None or known[1] <= 0:
            return None
        return known[0] / known[1] * frames * megapixels

    def note(self, kind: str, seconds: float, megapixels: float) -> None:
        """Take in that `megapixels` of all frames together took `seconds`; a file that cannot be written is left."""
        if seconds <= 0 or megapixels <= 0:
            return
        known = self._read()
        before, pixels = known.pop(kind, (0.0, 0.0))
        kept = min(1.0, _ENOUGH / pixels) if pixels else 0.0
        known[kind] = (before * kept + seconds, pixels * kept + megapixels)
        newest = dict(list(known.items())[-_MOST:])
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as temporary:
                temporary.write_text(json.dumps(newest, indent=1), encoding="utf-8")
        except OSError:  # an estimate is not worth a failure
            return

    def _read(self) -> dict[str, tuple[float, float]]:
        """Return seconds and megapixels by kind; none where there is no file, or it holds something else."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(kind): (float(pair[0]), float(pair[1])) for kind, pair in found.items()}
        except (OSError, ValueError, TypeError, AttributeError, IndexError, KeyError):
            return {}
