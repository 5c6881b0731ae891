"""How good the weight-free engine is, by the quality of the masks it is given: its error over that of the masks.

python bench/quality.py [CLIPS] [--json] [--clips A,B] [--qualities exact,rough] [--frames 8] [--engine classic:fast]
    [--beside] [--save FILE] [--against FILE] [--timed]

CLIPS is a folder that `videomama synthesize` or `suites.py` made; without it both are made, 480x270. Masks of each
quality are made from the exact alphas, the same ones every time; `given` stands for those that lie beside the plates.
Figures are ratios of a clip's mean error to that of its masks. Engines run in this process as a job in the worker does.
With --against, the figures are compared clip by clip and mask by mask with saved ones: whatever is more than 5 % worse
in MAD, GRAD or dtSSD is listed, and the exit code is 1. --beside measures the guided filter, and closed form and KNN
matting of pymatting, on the same pairs (`beside.py`). Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np
import paired
import suites
from beside import METHODS, Solve
from in_process import Matting, Pipeline, in_process
from paired import MEASURES, Figures, Measured
from videomama_client.settings import MatteSettings
from videomama_server.config import Config
from videomama_server.evaluate.asked import GIVEN, parse_engine
from videomama_server.media import color, frames
from videomama_server.metrics import Scorer
from videomama_server.synthetic.degrade import QUALITIES, parse
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import chosen, write_clip

TRUTHS = ("alpha", "truth")  # what the exact alpha is called: by `videomama synthesize`, and in plain folders
TIMED = (("hair", "wall"), ("lattice", "sky"), ("crossing", "wall"))
TIMED_FRAMES, TIMED_SIZE = 8, (1920, 1080)
MASK_SEED = 19
MADE_SIZE, MADE_SEED = (480, 270), 23  # of the clips that are made where none are named


@dataclass(frozen=True)
class Clip:
    """A folder with `plate.####.exr` and the exact alphas, of whose frames the first `most` are taken."""

    folder: Path
    most: int

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def numbers(self) -> list[int]:
        found = sorted(int(path.name.split(".")[1]) for path in self.folder.glob("plate.*.exr"))
        return found[: self.most]

    @property
    def plates(self) -> Iterator[np.ndarray]:
        """The plates as engines see them, each (H, W, 3), 0..1, display-referred."""
        shown = color.display_transform(color.LINEAR, 0.0)
        return (shown(frames.read_plate(self.folder / f"plate.{number:04d}.exr").pixels) for number in self.numbers)

    @cached_property
    def truths(self) -> list[np.ndarray]:
        """The exact alphas, each (H, W), 0..1."""
        called = next(name for name in TRUTHS if list(self.folder.glob(f"{name}.*.exr")))
        return [cover(self.folder / f"{called}.{number:04d}.exr") for number in self.numbers]

    def masks(self, quality: str) -> list[np.ndarray]:
        """Return masks (H, W), 0..1, of a quality: made here, every run the same, but for those that are given."""
        if quality == GIVEN:
            return [cover(self.folder / f"mask.{number:04d}.exr") for number in self.numbers]
        seed = zlib.crc32(self.name.encode()) % 65_536 + 65_536 * MASK_SEED
        degraded = parse(QUALITIES.get(quality, quality), seed).of(len(self.numbers))
        return [degraded.mask(index, truth) for index, truth in enumerate(self.truths)]


QUALITY_HELP = f"of {', '.join(QUALITIES)}; {GIVEN}, or what videomama synthesize --masks takes, such as network_short"
Method = Callable[[Clip, Sequence[np.ndarray], str], list[np.ndarray]]  # of a clip, its masks and their quality


def cover(path: Path) -> np.ndarray:
    return frames.read_mask(path).pixels[..., 0]


def errors(clip: Clip, alphas: Iterable[np.ndarray]) -> Measured:
    """Return a clip's mean errors."""
    scorer = Scorer("rvm", MEASURES)
    for alpha, truth in zip(alphas, clip.truths, strict=True):
        scorer.add(alpha, truth)
    mean = scorer.mean()
    return {measure: float(getattr(mean, measure) or 0.0) for measure in MEASURES}


def over(own: Measured, of_masks: Measured) -> Measured:
    """Return errors over those of the masks."""
    return {measure: own[measure] / max(of_masks[measure], 1e-9) for measure in MEASURES}


def matted(clip: Clip, masks: Sequence[np.ndarray], settings: MatteSettings, pipeline: Pipeline) -> list[np.ndarray]:
    """Return the alphas that an engine makes of a clip with these masks."""
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        for number, mask in zip(clip.numbers, masks, strict=True):
            frames.write_picture(folder / f"mask.{number:04d}.exr", mask, ("A",))
        out, plate = folder / "out" / "alpha.####.exr", clip.folder / "plate.####.exr"
        pipeline.run(Matting(str(plate), str(folder / "mask.####.exr"), str(out), clip.numbers, settings))
        return [cover(folder / "out" / f"alpha.{number:04d}.exr") for number in clip.numbers]


def engine_method(text: str, pipeline: Pipeline) -> Method:
    """Return what an engine with settings makes of a clip with masks."""
    settings = parse_engine(text, Config()).settings
    return lambda clip, masks, _: matted(clip, masks, settings, pipeline)


def other_method(solve: Solve) -> Method:
    """Return what something else makes of them, frame by frame."""
    return lambda clip, masks, quality: [
        solve(plate, mask, quality) for plate, mask in zip(clip.plates, masks, strict=True)
    ]


def measure(clips: Sequence[Clip], qualities: Sequence[str], methods: Mapping[str, Method]) -> Figures:
    """Return the figures of all methods, and tell each on the way."""
    figures: Figures = {name: {quality: {} for quality in qualities} for name in methods}
    for clip, quality in product(clips, qualities):
        masks = clip.masks(quality)
        of_masks = errors(clip, masks)
        for name, method in methods.items():
            own = over(errors(clip, method(clip, masks, quality)), of_masks)
            figures[name][quality][clip.name] = {key: round(value, 4) for key, value in own.items()}
            shown = " ".join(f"{key} {value:.3f}" for key, value in own.items())
            print(f"{name:16} {clip.name:28} {quality:8} {shown}", file=sys.stderr, flush=True)
    return figures


def seconds(engines: Sequence[str], pipeline: Pipeline, folder: Path) -> dict[str, float]:
    """Return the processor's seconds per 1080p frame of each engine, over three clips with rough masks."""
    taken: dict[str, list[float]] = {text: [] for text in engines}
    for kind, behind in TIMED:
        spec = ClipSpec(kind, behind, *TIMED_SIZE, TIMED_FRAMES)
        clip = write_clip(folder / spec.name, spec, parse(QUALITIES["rough"], 1))
        for text, of in taken.items():
            out = folder / f"{spec.name}_out_{len(of)}_{text.replace(':', '_')}" / "alpha.####.exr"
            settings = parse_engine(text, Config()).settings
            done = pipeline.run(
                Matting(clip.pattern("plate"), clip.pattern("mask"), str(out), list(spec.numbers), settings)
            )
            of.append(done.seconds / TIMED_FRAMES)
    return {text: round(fmean(of), 2) for text, of in taken.items()}


def make_clips(folder: Path, count: int) -> Path:
    """Make a painted clip of every kind, and the suite with photographs."""
    for kind, behind in chosen(list(KINDS), [], 1):
        spec = ClipSpec(kind, behind, *MADE_SIZE, count, seed=MADE_SEED)
        write_clip(folder / spec.name, spec, parse(QUALITIES["rough"], MADE_SEED))
    for clip in suites.module("develop").CLIPS:
        suites.write(suites.Asked("develop", MADE_SIZE, count, MADE_SEED), clip, folder)
    return folder


def clips_in(folder: Path, named: Sequence[str], most: int) -> list[Clip]:
    """Return the clips of a folder, by name; only those whose names are given, or begin with one that is."""
    found = [Clip(path, most) for path in sorted(folder.iterdir()) if list(path.glob("plate.*.exr"))]
    wanted = [clip for clip in found if not named or any(clip.name.startswith(word) for word in named)]
    if not wanted:
        sys.exit(f"{folder} has no such clips; make some with videomama synthesize --out {folder}")
    return wanted


def words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text) if word]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Errors of an engine over those of its masks, by their quality.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="CLIPS", help="folder of clips")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--clips", type=words, default=[], help="only these, by the beginning of their names")
    parser.add_argument("--qualities", type=words, default=list(QUALITIES), help=QUALITY_HELP)
    parser.add_argument("--frames", type=int, default=8, help="how many of each clip, from its first")
    parser.add_argument("--engine", dest="engines", action="append", help="as for videomama evaluate; repeatable")
    parser.add_argument("--beside", action="store_true", help="the guided filter and pymatting too; slow")
    parser.add_argument("--save", type=Path, help="file for the figures")
    parser.add_argument("--against", type=Path, help="file of earlier figures to compare with")
    parser.add_argument("--timed", action="store_true", help="take processor time of 1080p frames too")
    args = parser.parse_args()
    for quality in set(args.qualities) - {GIVEN}:
        parse(QUALITIES.get(quality, quality))
    return args


def result_of(args: argparse.Namespace) -> dict[str, object]:
    """Measure what is asked for."""
    engines = args.engines or ["classic"]
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name, in_process(Path(name) / "cache") as pipeline:
        folder = args.folder or make_clips(Path(name) / "clips", args.frames)
        clips = clips_in(folder, args.clips, args.frames)
        methods = {text: engine_method(text, pipeline) for text in engines}
        methods |= {name: other_method(solve) for name, solve in (METHODS if args.beside else {}).items()}
        figures = measure(clips, args.qualities, methods)
        timed = seconds(engines, pipeline, Path(name)) if args.timed else {}
    result: dict[str, object] = {"clips": len(clips), "frames": args.frames, "seconds_per_frame_1080p": timed}
    result["summary"] = {method: paired.summary(of) for method, of in figures.items()}
    if args.save:
        args.save.write_text(json.dumps({**result, "figures": figures}, indent=1) + "\n", encoding="utf-8")
    if args.against:
        before = json.loads(args.against.read_text(encoding="utf-8"))["figures"]
        result["against"] = {method: paired.verdict(paired.changes(before, figures, method)) for method in figures}
    if not args.json:
        print("\n\n".join(f"{method}\n{paired.table(of)}" for method, of in figures.items()))
    return result


def main() -> None:
    args = parsed()
    result = result_of(args)
    verdicts = result.get("against", {})
    if args.json:
        print(json.dumps(result))
    elif verdicts:
        print(json.dumps(verdicts, indent=1))
    assert isinstance(verdicts, dict)
    sys.exit(1 if any(verdict["worse"] for verdict in verdicts.values()) else 0)


if __name__ == "__main__":
    main()
