"""Quality control of a clip from one end to the other: measured, judged, and written to a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from videomama_client.errors import InternalError, NotPermitted
from videomama_client.messages import QcFlag
from videomama_client.whole_files import replacing

from videomama_server.media.frames import write_picture
from videomama_server.qc import sheet
from videomama_server.qc.files import RefinedClip, measure
from videomama_server.qc.flags import as_dict, flags_by_frame, judge
from videomama_server.qc.plot import plot
from videomama_server.qc.scores import FrameScores

SHEET, PLOT, FACTS = "qc_sheet.png", "qc_plot.png", "qc.json"


@dataclass(frozen=True)
class QcReport:
    """What came of a clip: the scores of its frames, ascending, its flags, and why frames have no scores."""

    scores: Sequence[FrameScores]
    flags: Sequence[QcFlag]
    not_judged: Mapping[int, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "frames": len(self.scores),
            "flags": [as_dict(flag) for flag in self.flags],
            "scores": [asdict(found) for found in self.scores],
            "not_judged": list(self.not_judged),
        }


def check(clip: RefinedClip, tell: Callable[[int], None] = lambda _: None) -> QcReport:
    """Measure and judge a clip. A frame that could be read and not measured is `not_judged`.

    Raises:
        BadInput: see `measure`.
        InternalError: no frame could be measured.
    """
    found = measure(clip, tell)
    reasons = {frame: f"{type(error).__name__}: {error}" for frame, error in found.failures.items()}
    if reasons and not found.scores:
        frame, reason = next(iter(reasons.items()))
        raise InternalError(f"no frame can be judged; frame {frame}: {reason}", "Report this with the three frames.")
    flags = judge([replace(one, frame=clip.places[one.frame]) for one in found.scores])
    return QcReport(found.scores, flags_by_frame(flags, clip.places), reasons)


def write(folder: Path, clip: RefinedClip, report: QcReport) -> list[Path]:
    """Write contact sheet, plot and figures into `folder`, made if need be, and return the three files.

    Raises:
        NotPermitted: the folder cannot be written.
    """
    make_folder(folder)
    rows = [clip.read(frame) for frame in sheet.chosen(clip.numbers, report.flags)]
    write_picture(folder / SHEET, sheet.contact_sheet(rows, report.flags), dtype="uint8")
    write_picture(folder / PLOT, plot(report.scores, report.flags), dtype="uint8")
    with replacing(folder / FACTS) as temporary:
        temporary.write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")
    return [folder / name for name in (SHEET, PLOT, FACTS)]


def make_folder(folder: Path) -> None:
    """Make the folder that the report goes to; raises `NotPermitted` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted(f"cannot make {folder}: {error.strerror}", "Choose another folder.") from error
