"""Runs the demo: makes the clip, refines it twice through a real server of its own, measures and shows the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from videomama_client import launch
from videomama_client.client import Client
from videomama_client.messages import MatteDone
from videomama_client.settings import MatteSettings
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.cache.entries import Cache
from videomama_server.demo.sheet import SheetFrame, write_contact_sheet
from videomama_server.media import color, frames
from videomama_server.media.contact_sheet import spread
from videomama_server.metrics import ClipMetrics, MetricsResult
from videomama_server.submission import Submission
from videomama_server.synthetic.demo_clip import ClipShape, DemoClip, write_clip

Follow = Callable[[Client, Submission], MatteDone]
Say = Callable[[str], None]


@dataclass(frozen=True)
class DemoReport:
    """What the demo measured; `mask` and `alpha` against the exact alpha, in the units of `videomama metrics`."""

    frames: int
    engine: str
    roi: list[int]
    mask: MetricsResult
    alpha: MetricsResult
    seconds_per_frame: float
    second_run: dict[str, float]

    def ratio(self, name: str) -> float | None:
        """Return the alpha's error over the mask's, of one measure."""
        before, after = getattr(self.mask, name), getattr(self.alpha, name)
        return after / before if before and after is not None else None


def run(folder: Path, shape: ClipShape, follow: Follow, say: Say) -> DemoReport:
    """Make `folder` with the clip, the alphas, `report.json` and `contact_sheet.png`.

    Args:
        folder: made when it is not there; its cache is emptied, so that the first run computes.
        shape: of the clip.
        follow: submits a job and returns when it is done.
        say: takes what goes on, one line at a time.

    Raises:
        VideoMaMaError: what kept the demo from running.
    """
    say(f"Making {counted(shape.frames, 'frame')} of {shape.width}x{shape.height} in {folder}")
    clip = write_clip(folder, shape)
    cache = folder / "cache"
    Cache(cache).clear()
    out = folder / "alpha.####.exr"
    order = Submission(str(clip.plate), str(clip.mask), str(out), MatteSettings())
    with launch.connect(folder / "server" / "connection.json", flags=["--cache-dir", str(cache)]) as client:
        try:
            say("Refining")
            first = follow(client, order)
            say("Refining again")
            second = follow(client, order)
        finally:
            client.stop_server()
    say("Measuring")
    report = DemoReport(
        frames=first.frame_count,
        engine=first.engine,
        roi=first.roi,
        mask=_measure(clip, clip.mask),
        alpha=_measure(clip, folder / "alpha.%04d.exr"),
        seconds_per_frame=first.seconds / first.frame_count,
        second_run={"cached": second.cached, "seconds": second.seconds},
    )
    _write_report(folder / "report.json", report)
    write_contact_sheet(folder / "contact_sheet.png", [_row(clip, folder, number) for number in spread(clip.numbers)])
    return report


def _measure(clip: DemoClip, pattern: Path) -> MetricsResult:
    measured = ClipMetrics()
    for number in clip.numbers:
        alpha, truth = (_alpha(clip.at(of, number)) for of in (pattern, clip.truth))
        measured.add(alpha, truth)
    return measured.result()


def _alpha(path: Path) -> FloatArray:
    return frames.read_mask(path).pixels[..., 0]


def _row(clip: DemoClip, folder: Path, number: int) -> SheetFrame:
    to_display = color.display_transform(color.LINEAR, 0.0)
    plate = to_display(frames.read_plate(clip.at(clip.plate, number)).pixels)
    alpha = _alpha(clip.at(folder / "alpha.%04d.exr", number))
    return SheetFrame(number, plate, _alpha(clip.at(clip.mask, number)), alpha)


def _write_report(path: Path, report: DemoReport) -> None:
    content: dict[str, Any] = asdict(report)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
