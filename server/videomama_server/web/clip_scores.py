"""Measures the frames of clips that are looked at, in a thread, and says what quality control flags of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from videomama_client.errors import VideoMaMaError

from videomama_server.media import sequences
from videomama_server.qc.boundary import tried
from videomama_server.qc.files import RefinedClip
from videomama_server.qc.flags import as_dict, flags_by_frame, judge
from videomama_server.qc.plot import PANELS, Panel
from videomama_server.qc.scores import FrameScores, measure, runs, with_seams
from videomama_server.qc.sights import Sight
from videomama_server.web.clip_files import ALPHA, MASK, PLATE, Clip, ClipFiles, FoundFile

_KEPT = 16  # clips whose scores are kept
_PATIENCE_S = 15.0  # after the page last asked, until measuring stops
Trio = tuple[FoundFile, FoundFile, FoundFile]  # plate, mask and alpha


@dataclass(frozen=True)
class _Due:
    """A frame to be measured, its files, and the frame before it with its files, where there is one."""

    frame: int
    files: Trio
    before: int | None
    files_before: Trio | None


@dataclass
class _Measured:
    """What is known of one clip.

    Attributes:
        due: every frame that has plate, mask and alpha, as they were listed last.
        scores: of each frame, without seams, or why there are none, with what they are of.
        asked: when the page asked last, in seconds of a clock that only goes forward.
        at_work: whether a thread measures it.
    """

    due: dict[int, _Due] = field(default_factory=dict)
    scores: dict[int, tuple[_Due, FrameScores | str]] = field(default_factory=dict)
    asked: float = 0.0
    at_work: bool = False

    def lacking(self) -> _Due | None:
        """Return the first frame that is to be measured; None where all are."""
        return next((due for due in self.due.values() if not self._is_known(due)), None)

    def known(self) -> tuple[list[FrameScores], dict[int, str]]:
        """Return the scores that hold, ascending, and why other frames have none."""
        held = [(due.frame, self.scores[due.frame][1]) for due in self.due.values() if self._is_known(due)]
        scores = [found for _, found in held if isinstance(found, FrameScores)]
        return scores, {frame: found for frame, found in held if isinstance(found, str)}

    def _is_known(self, due: _Due) -> bool:
        return due.frame in self.scores and self.scores[due.frame][0] == due


class ClipScores:
    """Measures clips, one frame at a time, as long as somebody asks for them.

    Args:
        files: where frames lie.
    """

    def __init__(self, files: ClipFiles) -> None:
        self._files = files
        self._clips: OrderedDict[Clip, _Measured] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "scores")
        self._ends = False

    def end(self) -> None:
        """Stop measuring after the frame that is being measured."""
        self._ends = True

    def report(self, clip: Clip) -> dict[str, Any]:
        """Return what is known by now, as JSON can hold it, and see that the rest is measured.

        Returns:
            ``curves``: title, threshold, top and values by frame of each. ``flags``: as `flags.as_dict`. ``measured``,
            ``total``: frames. ``not_judged``: by frame, why. ``said``: why nothing can be measured; empty where it can.
        """
        judged = Clip(plate=clip.plate, mask=clip.mask, alpha=clip.alpha, how=clip.how)
        try:
            due = self._due(judged)
        except VideoMaMaError as error:
            return {**_as_json([], {}, []), "said": f"Scores need plate, mask and alpha: {error.message}."}
        with self._lock:
            state = self._state(judged)
            state.due, state.asked = due, time.monotonic()
            scores, reasons = state.known()
            if not state.at_work and state.lacking() is not None:
                state.at_work = True
                self._thread.submit(self._measure, judged, state)
        return _as_json(scores, reasons, list(due))

    def _state(self, clip: Clip) -> _Measured:
        state = self._clips.setdefault(clip, _Measured())
        self._clips.move_to_end(clip)
        if len(self._clips) > _KEPT:
            self._clips.popitem(last=False)
        return state

    def _due(self, clip: Clip) -> dict[int, _Due]:
        plate, mask, alpha = (self._files.found(clip, role) for role in (PLATE, MASK, ALPHA))
        there = {
            frame: (plate[frame], mask[frame], alpha[frame]) for frame in alpha if frame in plate and frame in mask
        }
        places = sequences.consecutive(there)
        at = {place: frame for frame, place in places.items()}
        before = {frame: at.get(place - 1) for frame, place in places.items()}
        last = {frame: None if other is None else there[other] for frame, other in before.items()}
        return {frame: _Due(frame, trio, before[frame], last[frame]) for frame, trio in sorted(there.items())}

    def _measure(self, clip: Clip, state: _Measured) -> None:
        """Measure what a clip lacks, until nothing is left or nobody asks any more."""
        last: Sight | None = None
        while True:
            with self._lock:
                due = state.lacking()
                if due is None or self._ends or time.monotonic() - state.asked > _PATIENCE_S:
                    state.at_work = False
                    return
            found, last = self._measured(clip, due, last)
            with self._lock:
                state.scores[due.frame] = due, found

    def _measured(self, clip: Clip, due: _Due, last: Sight | None) -> tuple[FrameScores | str, Sight | None]:
        """Return the scores of one frame, or why there are none, and how it looked.

        Args:
            clip: that it is of.
            due: the frame.
            last: how the frame looked that was measured last.
        """
        now = self._look(clip, due.frame)
        if not isinstance(now, Sight):
            return str(now), None
        before: Sight | Exception | None = last if last is not None and last.frame == due.before else None
        if before is None and due.before is not None:
            before = self._look(clip, due.before)
        same = before if isinstance(before, Sight) and before.glimpse.size == now.glimpse.size else None
        found = tried(lambda: measure(now, same))
        return (str(found) if isinstance(found, Exception) else found), now

    def _look(self, clip: Clip, frame: int) -> Sight | Exception:
        def look() -> Sight | Exception:
            plate, mask, alpha = ({frame: self._files.file(clip, role, frame).path} for role in (PLATE, MASK, ALPHA))
            return RefinedClip(plate, mask, alpha, clip.how).look(frame)

        return tried(look)


def _as_json(scores: Sequence[FrameScores], reasons: dict[int, str], frames: Sequence[int]) -> dict[str, Any]:
    by_place = sequences.consecutive(frames)
    placed = [replace(one, frame=by_place[one.frame]) for one in scores]
    whole = [one for run in runs(placed) for one in with_seams(run)]
    at = {place: frame for frame, place in by_place.items()}
    flags = flags_by_frame(judge(whole), by_place)
    named = [replace(one, frame=at[one.frame]) for one in whole]
    return {
        "curves": [_curve(panel, named) for panel in PANELS],
        "flags": [as_dict(flag) for flag in flags],
        "measured": len(scores) + len(reasons),
        "total": len(frames),
        "not_judged": reasons,
        "said": "",
    }


def _curve(panel: Panel, scores: Sequence[FrameScores]) -> dict[str, Any]:
    """Return the first curve of a diagram, which is the one that it is named after."""
    curve = panel.curves[0]
    values = {found.frame: curve(found) for found in scores}
    return {
        "title": panel.title.partition(" (")[0],
        "kinds": list(panel.kinds),
        "threshold": panel.threshold,
        "top": panel.top,
        "values": {frame: value for frame, value in values.items() if value is not None},
    }
