"""Runs a checkout of MatAnyone 2 that you have over clips, for `videomama evaluate --beside matanyone2=RESULTS`.

python bench/matanyone2.py DATA... --checkout FOLDER --out RESULTS [--protocol NAME] [--python PROGRAM]

It gets plates as 8-bit display-referred PNG and the mask of the first frame, as our engines do with `+first` masks: the
clip's own, else the exact alpha cut at one half. A clip whose alphas are all there is not done again. Nothing of
MatAnyone 2 is here; read its licence first.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from videomama_client.errors import BadInput, VideoMaMaError, placed
from videomama_client.whole_files import replacing
from videomama_server.cli.evaluate import clips_of
from videomama_server.datasets.clip import GroundTruthClip
from videomama_server.datasets.layouts import read_data
from videomama_server.evaluate import masks
from videomama_server.evaluate.protocols import PROTOCOLS
from videomama_server.media import color, frames

SCRIPT = "inference_matanyone2.py"


def main() -> int:
    asked = _parser().parse_args()
    try:
        for clip in _clips(asked.data, asked.protocol):
            print(f"{clip.name}: {'made' if make(clip, asked.checkout, asked.python, asked.out) else 'there already'}")
    except (VideoMaMaError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Now: videomama evaluate … --beside matanyone2={asked.out}")
    return 0


def make(clip: GroundTruthClip, checkout: Path, python: str, out: Path) -> bool:
    """Make the alphas of a clip in a folder of its name in `out`; return whether they were not there yet.

    Raises:
        BadInput: a source cannot be read, the checkout has no such script, or it failed or left no alpha of some frame.
    """
    target = out / clip.name
    if all((target / _named(number)).is_file() for number in clip.numbers):
        return False
    if not (checkout / SCRIPT).is_file():
        raise BadInput(f"{checkout} has no {SCRIPT}", "Name your checkout of MatAnyone 2 with --checkout.")
    with tempfile.TemporaryDirectory() as place:
        made = _run(clip, checkout, python, Path(place))
        if len(made) != len(clip.numbers):
            wrong = f"MatAnyone 2 made {len(made)} alphas of {clip.name}, which has {len(clip.numbers)} frames"
            raise BadInput(wrong, "Look at what it printed above.")
        target.mkdir(parents=True, exist_ok=True)
        for number, alpha in zip(clip.numbers, made, strict=True):
            with replacing(target / _named(number)) as temporary:
                shutil.copyfile(alpha, temporary)
    return True


def _run(clip: GroundTruthClip, checkout: Path, python: str, place: Path) -> list[Path]:
    """Return the alphas in the order of the frames."""
    plates, mask, results = place / "clip", place / "clip.png", place / "results"
    plates.mkdir()
    for index, number in enumerate(clip.numbers):
        _write_plate(clip, number, plates / f"{index:05d}.png")
    masks.write_first(clip, mask)
    words = [python, SCRIPT, "-i", str(plates), "-m", str(mask), "-o", str(results), "--save_image"]
    try:
        ended = subprocess.run(words, cwd=checkout, check=False).returncode
    except OSError as error:
        raise BadInput(f"{python} cannot be run: {error}", "Name its environment's Python with --python.") from error
    if ended:
        raise BadInput(f"MatAnyone 2 failed on {clip.name} with {ended}", "Look at what it printed above.")
    return sorted((results / plates.name / "pha").glob("*.png"))


def _write_plate(clip: GroundTruthClip, number: int, target: Path) -> None:
    with placed("plate", number):
        plate = frames.shown(frames.read_plate(clip.plate[number]))
    frames.write_picture(target, color.displayed(plate), ("R", "G", "B"), "uint8")


def _named(number: int) -> str:
    return f"alpha.{number:04d}.png"


def _clips(data: list[Path], protocol: str | None) -> list[GroundTruthClip]:
    named = PROTOCOLS[protocol] if protocol else None
    found = [read_data(folder.absolute(), named.layout if named else "") for folder in data]
    found = [named.part(one) for one in found] if named else found
    for broken in (broken for one in found for broken in one.broken):
        print(f"Left out: {broken.name}: {broken.error}", file=sys.stderr)
    return clips_of(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help="folders of clips, as for videomama evaluate")
    parser.add_argument("--checkout", required=True, type=Path, help="your checkout of MatAnyone 2")
    parser.add_argument("--out", required=True, type=Path, help="folder of the results")
    parser.add_argument("--protocol", choices=list(PROTOCOLS), help="whose layout and part of the data is taken")
    parser.add_argument("--python", default=sys.executable, help="the Python of its environment")
    return parser


if __name__ == "__main__":
    sys.exit(main())
