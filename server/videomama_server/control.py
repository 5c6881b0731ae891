"""Quality control of one job while it is made: scores are kept with the entries, flags go into the job's result."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from videomama_client.messages import QcFlag

from videomama_server.cache import Cache
from videomama_server.frames import FloatArray
from videomama_server.qc import flags, scores
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.sights import Glimpse, Sight, sight

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scene:
    """What a computed frame is judged by.

    Attributes:
        key: of its entry.
        now: the frame.
        before: the frame before, if it was computed just before; with it go the scores of the change between them.
        key_before: of that one's entry; empty for none.
    """

    key: str
    now: Sight
    before: Sight | None
    key_before: str


class Control:
    """The scores of one job's frames. `see` is for the thread of the job, the rest for any.

    Args:
        cache: in which scores are kept with the entries.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._last: tuple[str, Sight] | None = None
        self._keys: dict[int, str] = {}
        self._found: dict[int, tuple[FrameScores, str]] = {}  # scores, and the key of the entry they change from

    def forget(self) -> None:
        """Begin anew."""
        self._last = None
        self._keys.clear()
        self._found.clear()

    def see(self, frame: int, key: str, glimpse: Glimpse, alpha: FloatArray) -> Scene:
        """Return what a frame is judged by that was just computed; frames come in ascending order.

        Args:
            frame: its number.
            key: of its entry.
            glimpse: of its plate and mask.
            alpha: (H, W), 0..1, on the plate's whole canvas.
        """
        now = sight(frame, glimpse, alpha)
        known, self._last = self._last, (key, now)
        self._keys[frame] = key
        if known is not None and known[1].frame == frame - 1 and known[1].glimpse.size == glimpse.size:
            return Scene(key, now, known[1], known[0])
        return Scene(key, now, None, "")

    def judge(self, scene: Scene, entry: Path) -> None:
        """Measure a frame and keep its scores with its entry; where that cannot be, the job has them all the same."""
        found = scores.measure(scene.now, scene.before)
        self._found[found.frame] = found, scene.key_before
        try:
            self._cache.keep_note(entry, _text(found, scene.key_before))
        except OSError as error:
            log.warning("the scores of %s cannot be kept: %s", entry, error)

    def recall(self, frame: int, key: str, entry: Path) -> None:
        """Take the scores that were kept with an entry, if there are any."""
        self._keys[frame] = key
        found = _read(self._cache.note(entry), frame)
        if found is not None:
            self._found[frame] = found

    def result(self, wanted: Iterable[int]) -> tuple[int, list[QcFlag]]:
        """Return how many of the frames have scores, and what is flagged."""
        runs = list(scores.runs([self._valid(frame) for frame in wanted if frame in self._found]))
        found = flags.judge([one for run in runs for one in scores.with_seams(run)])
        return sum(map(len, runs)), found

    def _valid(self, frame: int) -> FrameScores:
        """Return the scores of a frame, those of its change only where it was from what this job has before it."""
        found, key_before = self._found[frame]
        if key_before and self._keys.get(frame - 1) == key_before and frame - 1 in self._found:
            return found
        return found.by_itself


def _text(found: FrameScores, key_before: str) -> str:
    """Return scores as they are kept; the frame's number is in the entry's key, `seam` depends on the job."""
    kept = {name: value for name, value in asdict(found).items() if name not in ("frame", "seam")}
    return json.dumps({"version": scores.VERSION, "before": key_before, "scores": kept})


def _read(text: str | None, frame: int) -> tuple[FrameScores, str] | None:
    """Return scores that were kept; None where there are none, or of another version."""
    if text is None:
        return None
    kept = json.loads(text)  # whole, or the cache would not have given it
    if kept["version"] != scores.VERSION:
        return None
    return FrameScores(frame=frame, **kept["scores"]), kept["before"]
