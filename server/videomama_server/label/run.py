"""Labels all clips of a plan, here or on a cluster; a run that was cut off at any point is continued by the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from videomama_client.errors import VideoMaMaError

from videomama_server.label import records, review
from videomama_server.label.one_clip import ClipOutcome, label_clip
from videomama_server.label.plan import LabelPlan, as_folder
from videomama_server.many_jobs import Doer, Listener


class Progress(Listener, Protocol):
    """Receive the progress of labelling. A unit is a clip, a step one frame that was made."""

    def begin(self, clips: int) -> None:
        """Set the number of clips."""

    def done(self) -> None:
        """A clip is done, or need not be."""


@dataclass
class LabelOutcome(ClipOutcome):
    """What came of a run.

    Attributes:
        statistics: of all that is in the folder.
        sheets: to review.
    """

    statistics: dict[str, Any] = field(default_factory=dict)
    sheets: Sequence[Path] = ()


class Labeller:
    """Make the labels of a plan that are not there yet.

    Args:
        plan: what to do.
        doer: labels the clips.
        progress: receives each step and each message.
    """

    def __init__(self, plan: LabelPlan, doer: Doer, progress: Progress) -> None:
        self._plan, self._doer, self._progress = plan, doer, progress
        self._outcome = LabelOutcome()

    def run(self) -> LabelOutcome:
        """Label all clips, then write manifest, statistics and sheets; a clip that fails stops no other.

        Raises:
            ServerUnreachable: the server was lost twice during one label. What was finished is kept.
            KeyboardInterrupt: the jobs under way were cancelled on the server.
            OSError: manifest, statistics or sheets cannot be written.
        """
        names = list(self._plan.clips)
        self._progress.begin(len(names))
        for place, found in self._doer.do(partial(label_clip, self._plan), names, self._progress):
            self._take_in(names[place], found)
            self._progress.done()
        folder = self._plan.folder
        kept = list(records.all_done(folder))
        self._outcome.statistics = records.write_manifest(folder, kept)
        self._outcome.sheets = review.write_sheets(folder, kept)
        return self._outcome

    def _take_in(self, name: str, found: ClipOutcome | VideoMaMaError) -> None:
        if isinstance(found, VideoMaMaError):
            records.note_failure(self._plan.folder, as_folder(name), found.message, found.hint)
            self._progress.say(f"FAILED: {name}: {found.message}")
            found = ClipOutcome(failed={as_folder(name): found})
        self._outcome.made += found.made
        self._outcome.kept += found.kept
        self._outcome.failed |= found.failed
