"""Quality control of one job while it is made: scores are kept with the entries, flags go into the job's result."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from videomama_client.messages import QcFlag

from videomama_server.arrays import FloatArray
from videomama_server.cache.entries import Cache
from videomama_server.media.sequences import format_range
from videomama_server.qc import flags, scores
from videomama_server.qc.boundary import judging
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.sights import Glimpse, Sight, sight

log = logging.getLogger(__name__)


@dataclass
class JudgedFrame:
    """A frame that is to be judged, once its alpha is there.

    Attributes:
        frame: its number.
        key: of its entry.
        glimpse: of its plate and mask; None where there is none.
        before: the frame that came just before and is its neighbour; None where there is none of the same size, and
            once the change between them was measured.
        sight: of the frame; None where it could not be looked at, or never will be.
    """

    frame: int
    key: str
    glimpse: Glimpse | None
    before: JudgedFrame | None = None
    sight: Future[Sight | None] = field(default_factory=Future)

    def miss(self) -> None:
        """Wait for no sight of it any longer, where there is none yet."""
        if not self.sight.done():
            self.sight.set_result(None)


@dataclass(frozen=True)
class QcResult:
    """What a job's result says of its quality.

    Attributes:
        judged: how many of its frames have scores.
        flags: what was flagged.
        warnings: which frames could not be judged, and whose scores could not be kept.
    """

    judged: int
    flags: list[QcFlag]
    warnings: list[str]


class Control:
    """The scores of one job's frames. `expect` takes one frame after the other, the rest is for any thread.

    Nothing here fails a job: a frame that cannot be judged is named in its result.

    Args:
        cache: in which scores are kept with the entries.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._places: Mapping[int, int] = {}
        self._before: dict[int, int] = {}
        self._lacking: dict[int, tuple[str, Path]] = {}
        self._unkept: set[int] = set()
        self._last: JudgedFrame | None = None
        self._keys: dict[int, str] = {}
        self._found: dict[int, tuple[FrameScores, str]] = {}  # scores, and the key of the entry they change from

    @property
    def lacking(self) -> dict[int, tuple[str, Path]]:
        """Key and file of the entries that were recalled without scores, by frame, ascending."""
        return dict(sorted(self._lacking.items()))

    def begin(self, places: Mapping[int, int]) -> None:
        """Forget all that was seen, and take the order of a clip.

        Args:
            places: of each of its frames; see `sequences.consecutive`. A frame is compared with the one in the place
                before, so that frames on twos are neighbours.
        """
        frames = {place: frame for frame, place in places.items()}
        self._places = places
        self._before = {frame: frames[place - 1] for frame, place in places.items() if place - 1 in frames}
        self._last = None
        self._lacking.clear()
        self._unkept.clear()
        self._keys.clear()
        self._found.clear()

    def expect(self, frame: int, key: str, glimpse: Glimpse | None) -> JudgedFrame:
        """Return a frame that is to be judged; frames come in ascending order.

        Args:
            frame: its number.
            key: of its entry.
            glimpse: of its plate and mask; None where there is none: it cannot be judged.
        """
        self._keys[frame] = key
        known, self._last = self._last, JudgedFrame(frame, key, glimpse)
        if known is not None and _follows(self._last, known, self._before.get(frame)):
            self._last.before = known
        return self._last

    def see(self, scene: JudgedFrame, alpha: FloatArray) -> None:
        """Look at the alpha (H, W), 0..1, of a frame on the plate's whole canvas."""
        glimpse = scene.glimpse
        now = None
        if glimpse is not None:
            now = judging(lambda: sight(scene.frame, glimpse, alpha), f"look at frame {scene.frame}")
        scene.sight.set_result(now)

    def judge(self, scene: JudgedFrame, entry: Path) -> None:
        """Measure a frame that was seen, and keep its scores with its entry, or at least for the job.

        The frame before is waited for: it was expected earlier, so a thread is at it already.
        """
        now, before = scene.sight.result(), scene.before
        earlier = None if before is None else before.sight.result()
        scene.before = None  # or each frame would hold all before it
        if now is None:
            return
        frame, key_before = scene.frame, before.key if before is not None and earlier is not None else ""
        found = judging(lambda: scores.measure(now, earlier), f"judge frame {frame}")
        if found is None:
            return
        self._found[frame] = found, key_before
        if not judging(lambda: self._kept(entry, _text(found, key_before)), f"keep the scores of frame {frame}"):
            self._unkept.add(frame)

    def recall(self, frame: int, key: str, entry: Path) -> None:
        """Take the scores that were kept with an entry; where there are none of use, it is `lacking` them."""
        self._keys[frame] = key
        found = judging(lambda: _read(self._cache.note(entry), frame), f"read the scores of frame {frame}")
        if found is None:
            self._lacking[frame] = key, entry
        else:
            self._found[frame] = found

    def result(self, wanted: Sequence[int]) -> QcResult:
        """Return what is to be said of the frames that were wanted."""
        scored = [frame for frame in wanted if frame in self._found]
        found = judging(lambda: self._flags(scored), "flag the frames of a job")
        if found is None:
            scored, found = [], []
        warnings = []
        missing = sorted(set(wanted).difference(scored))
        if missing:
            warnings.append(f"quality control could not judge frames {format_range(missing)}; see the server log")
        unkept = sorted(self._unkept.intersection(scored))
        if unkept:
            warnings.append(
                f"the scores of frames {format_range(unkept)} could not be kept in the cache; "
                "the next run measures them again"
            )
        return QcResult(len(scored), found, warnings)

    def _flags(self, scored: Sequence[int]) -> list[QcFlag]:
        placed = [replace(self._valid(frame), frame=self._places[frame]) for frame in scored]
        found = flags.judge([one for run in scores.runs(placed) for one in scores.with_seams(run)])
        return flags.flags_by_frame(found, self._places)

    def _kept(self, entry: Path, text: str) -> bool:
        try:
            self._cache.keep_note(entry, text)
        except OSError as error:
            log.warning("the scores of %s cannot be kept: %s", entry, error)
            return False
        return True

    def _valid(self, frame: int) -> FrameScores:
        """Return the scores of a frame, those of its change only where it was from what this job has before it."""
        found, key_before = self._found[frame]
        before = self._before.get(frame)
        if key_before and before in self._found and self._keys.get(before) == key_before:
            return found
        return found.by_itself


def _follows(now: JudgedFrame, known: JudgedFrame, before: int | None) -> bool:
    """Whether a frame is compared with the one that came last: it is the one before, and of the same size."""
    if known.frame != before or now.glimpse is None or known.glimpse is None:
        return False
    return now.glimpse.size == known.glimpse.size


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
