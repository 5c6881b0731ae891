"""What foreground colour is worth: its error with and without the estimate, on the demo's clip, whose own is known.

python bench/foreground.py --json

Without means the plate's own colours, which is what a comp gets that multiplies the plate by the alpha. Colour is
scene-linear; figures are times 1e3. `edge` is where the exact alpha lies between 0.02 and 0.98, `comp` the picture over
a grey that is not the clip's background, where it differs from the comp of exact foreground and alpha. The exact
foreground has no grain, the plate has, so that no estimate can reach 0.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from private_server import finish, private_server
from videomama_client.settings import MatteSettings
from videomama_server import metrics
from videomama_server.foreground import estimate
from videomama_server.media import frames
from videomama_server.submission import Submission
from videomama_server.synthetic.demo_clip import ClipShape, DemoFrame, render_frame, write_clip

SOFT = (0.02, 0.98)
GREY = np.float32(0.18)


@dataclass(frozen=True)
class Errors:
    """Of one frame or one clip, times 1e3."""

    foreground_mad: float
    foreground_mse: float
    edge_mad: float
    comp_mad: float


def errors(colour: np.ndarray, alpha: np.ndarray, exact: DemoFrame) -> Errors:
    """Measure a colour (H, W, 3) and the alpha that it goes with."""
    soft = (exact.alpha > SOFT[0]) & (exact.alpha < SOFT[1])
    difference = np.abs(comp(colour, alpha) - comp(exact.foreground, exact.alpha))
    return Errors(
        metrics.foreground_mad(colour, exact.foreground, exact.alpha),
        metrics.foreground_mse(colour, exact.foreground, exact.alpha),
        1e3 * float(np.abs(colour - exact.foreground)[soft].mean()),
        1e3 * float(difference[soft].mean()),
    )


def comp(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return colour * alpha[..., None] + GREY * (1 - alpha[..., None])


def mean(of: list[Errors]) -> dict[str, float]:
    rows = [asdict(one) for one in of]
    return {name: round(fmean(row[name] for row in rows), 3) for name in rows[0]}


def compared(exact: list[DemoFrame], alphas: list[np.ndarray]) -> dict[str, object]:
    """Return the errors without and with the estimate, and what it took."""
    started = time.perf_counter()
    colours = [estimate(frame.plate, alpha) for frame, alpha in zip(exact, alphas, strict=True)]
    seconds = (time.perf_counter() - started) / len(exact)
    cases = list(zip(exact, alphas, colours, strict=True))
    return {
        "without": mean([errors(frame.plate, alpha, frame) for frame, alpha, _ in cases]),
        "with": mean([errors(colour, alpha, frame) for frame, alpha, colour in cases]),
        "seconds_per_frame": round(seconds, 3),
    }


def refined(shape: ClipShape, engine: str) -> list[np.ndarray]:
    """Return the alphas that an engine makes of the clip's rough masks."""
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name, private_server() as (client, _):
        clip = write_clip(Path(name), shape)
        out = Path(name) / "alpha.%04d.exr"
        settings = MatteSettings(engine=engine)
        finish(client, Submission(str(clip.plate), str(clip.mask), str(out), settings))
        return [frames.read_mask(clip.at(out, number)).pixels[..., 0] for number in shape.numbers]


def main() -> None:
    parser = argparse.ArgumentParser(description="Error of foreground colour with and without the estimate.")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--size", default="960x540")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--engine", default="classic", help="whose alphas to use beside the exact ones; empty for none")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    shape = ClipShape(width, height, args.frames)
    exact = [render_frame(shape, number) for number in shape.numbers]
    result = {"size": args.size, "frames": args.frames}
    result["exact_alpha"] = compared(exact, [frame.alpha for frame in exact])
    if args.engine:
        result[args.engine] = compared(exact, refined(shape, args.engine))
    print(json.dumps(result) if args.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
