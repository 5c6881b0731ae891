"""How good the weight-free engine is: its error over that of the masks it is given, beside its two parts alone.

python bench/quality.py --json [CLIPS]

CLIPS is a folder that `videomama clips` made; without it the default suite is made (two clips of each kind, minutes).
Ratios are those of a clip's mean error to that of its masks, averaged over clips. `closed_form` and `guided` are
closed-form matting in a band around the mask and the guided filter of the mask, frame by frame; `classic` goes
through a server of its own, as a job does. Seconds are of 1080p frames, on all cores: those of `classic` with reading
and writing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from private_server import finish, private_server
from videomama_client.client import Client
from videomama_client.mask_presets import PRESETS
from videomama_client.settings import MatteSettings
from videomama_server.engines.classic.closed_form import closed_form
from videomama_server.engines.classic.matte import fast_lines
from videomama_server.engines.classic.trimap import trimap_of
from videomama_server.media import color, frames
from videomama_server.metrics import Scorer, Scores
from videomama_server.submission import Submission
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import FACTS, WrittenClip, chosen, read_clip, write_clip, write_suite

MEASURES = ("mad", "grad", "dtssd")
SETTINGS = MatteSettings(engine="classic")
ROUGH = PRESETS["rough"]  # which the masks of the default suite are
TIMED = (("hair", "wall"), ("lattice", "sky"), ("crossing", "wall"))
TIMED_FRAMES = 12

Matte = Callable[[np.ndarray, np.ndarray], np.ndarray]


def closed_form_alone(plate: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Solve the band around the mask's outline, the mask itself being the prior."""
    scale = max(mask.shape) / 1920
    trimap = trimap_of(mask >= 0.5, ROUGH.trimap_erode * scale, ROUGH.trimap_dilate * scale)
    return closed_form(plate, trimap, mask) if trimap.foreground.any() and trimap.unknown.any() else mask


def guided_alone(plate: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Bend the mask to the edges of the plate."""
    return fast_lines(plate, mask, max(mask.shape) / 1920).of(plate)


ALONE: dict[str, Matte] = {"closed_form": closed_form_alone, "guided": guided_alone}


def display(clip: WrittenClip, number: int) -> np.ndarray:
    return color.display_transform(color.LINEAR, 0.0)(frames.read_plate(clip.at("plate", number)).pixels)


def cover(path: Path) -> np.ndarray:
    return frames.read_mask(path).pixels[..., 0]


def job(clip: WrittenClip, out: Path) -> Submission:
    return Submission(clip.pattern("plate"), clip.pattern("mask"), str(out / "alpha.####.exr"), SETTINGS)


def scores(clip: WrittenClip, alphas: Iterable[np.ndarray]) -> Scores:
    scorer = Scorer("rvm", MEASURES)
    for number, alpha in zip(clip.spec.numbers, alphas, strict=True):
        scorer.add(alpha, cover(clip.at("alpha", number)))
    return scorer.mean()


def ratios(clip: WrittenClip, client: Client) -> dict[str, dict[str, float]]:
    """Return, for each method, the clip's errors over those of its masks."""
    numbers = clip.spec.numbers
    masks = [cover(clip.at("mask", number)) for number in numbers]
    of_masks = scores(clip, masks)
    pairs = [(display(clip, number), mask) for number, mask in zip(numbers, masks, strict=True)]
    found = {name: scores(clip, (matte(*pair) for pair in pairs)) for name, matte in ALONE.items()}
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as out:
        finish(client, job(clip, Path(out)))
        found["classic"] = scores(clip, (cover(Path(out) / f"alpha.{number:04d}.exr") for number in numbers))
    return {
        name: {measure: getattr(own, measure) / getattr(of_masks, measure) for measure in MEASURES}
        for name, own in found.items()
    }


def seconds(client: Client, folder: Path) -> dict[str, float]:
    """Return the seconds per 1080p frame of each method, over three clips."""
    taken: dict[str, list[float]] = {name: [] for name in (*ALONE, "classic")}
    for kind, behind in TIMED:
        spec = ClipSpec(kind, behind, 1920, 1080, TIMED_FRAMES)
        clip = write_clip(folder / spec.name, spec, parse("mixed", 1))
        plate, mask = display(clip, spec.first), cover(clip.at("mask", spec.first))
        for name, matte in ALONE.items():
            started = time.perf_counter()
            matte(plate, mask)
            taken[name].append(time.perf_counter() - started)
        done = finish(client, job(clip, folder / f"{spec.name}_out"))
        taken["classic"].append(done.seconds / done.frame_count)
    return {name: round(fmean(of), 2) for name, of in taken.items()}


def summary(clips: Sequence[dict[str, dict[str, float]]], name: str, per_frame: float) -> dict[str, float]:
    """Return mean and worst of one method over all clips."""
    means = {f"{measure}_ratio": fmean(clip[name][measure] for clip in clips) for measure in MEASURES}
    worst = {f"worst_{measure}_ratio": max(clip[name][measure] for clip in clips) for measure in MEASURES}
    rounded = {label: round(value, 3) for label, value in {**means, **worst}.items()}
    return {**rounded, "seconds_per_frame_1080p": per_frame}


def suite(folder: Path | None, scratch: Path) -> list[WrittenClip]:
    if folder is None:
        specs = [ClipSpec(kind, behind) for kind, behind in chosen(list(KINDS), [], 2)]
        return write_suite(scratch / "clips", specs, parse("mixed", ClipSpec.seed), lambda _: None)
    return [read_clip(facts.parent) for facts in sorted(folder.glob(f"*/{FACTS}"))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Errors of the weight-free engine and its parts over those of masks.")
    parser.add_argument("clips", nargs="?", type=Path, help="folder that videomama clips made")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--each-clip", action="store_true", help="add the figures of every clip")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name, private_server() as (client, _):
        clips = suite(args.clips, Path(name))
        measured = [ratios(clip, client) for clip in clips]
        per_frame = seconds(client, Path(name))
    result: dict[str, object] = {"clips": len(clips)}
    result.update({name: summary(measured, name, per_frame[name]) for name in per_frame})
    if args.each_clip:
        every = zip(clips, measured, strict=True)
        result["each"] = {clip.spec.name: {m: round(of["classic"][m], 3) for m in MEASURES} for clip, of in every}
    print(json.dumps(result) if args.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
