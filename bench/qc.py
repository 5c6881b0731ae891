"""What quality control finds: faults planted in exact alphas, and flags on the alphas as they are, clip by clip.

python bench/qc.py FOLDER --json

FOLDER holds clips as `videomama clips` writes them. Faults are planted at half the size. `planted` counts frames (of a
seam, the one where it begins), `as such` those flagged by the fault's own name, `at all` those with any flag. Of clips
without a fault, and of those with a cut, any flag is a false one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from videomama_client.messages import QcFlag
from videomama_server.qc import flags as kinds
from videomama_server.qc.files import Loaded, refined_clip
from videomama_server.qc.flags import judge, sentence
from videomama_server.qc.scores import Gauge, with_seams
from videomama_server.synthetic.suite import FACTS

Row = tuple[np.ndarray, np.ndarray, np.ndarray]  # plate, mask, alpha
HIT = (6, 7, 14)  # frames of a clip, from 0, with a fault of single frames
IN_TURN = range(7, 15)  # where every other alpha is at 0.7, and the frames after those
SEAM = 12


@dataclass(frozen=True)
class PlantedFault:
    """What is planted: where it is to be found, under which names, and what it makes of mask and alpha of a frame."""

    frames: tuple[int, ...]
    kinds: frozenset[str]
    plant: Callable[[int, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def hole(mask: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Cut out most of the largest disc that is solid in both."""
    place, radius = largest_disc((alpha > 0.9) & (mask >= 0.5))
    return cv2.circle(alpha.copy(), place, int(radius * 0.7), 0, -1)


def patch(mask: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Put a disc where there is nothing, of at most 0.38 of the subject."""
    place, radius = largest_disc((alpha < 0.02) & (mask < 0.5))
    return cv2.circle(alpha.copy(), place, int(min(radius * 0.6, np.sqrt(alpha.sum() * 0.12))), 1, -1)


def wider(alpha: np.ndarray) -> np.ndarray:
    """Widen by a tenth of the subject's size."""
    reach = max(3, int(np.sqrt((alpha > 0.5).sum()) * 0.1))
    return cv2.dilate(alpha, np.ones((reach, reach), np.uint8))


def largest_disc(region: np.ndarray) -> tuple[tuple[int, int], float]:
    away = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    _, radius, _, place = cv2.minMaxLoc(away)
    return place, radius


FAULTS = {
    "alpha dropped": PlantedFault(HIT, frozenset([kinds.ALPHA_DROPPED]), lambda i, m, a: (m, a * (i not in HIT))),
    "mask missed, alpha kept": PlantedFault(
        HIT, frozenset([kinds.MASK_MISSED]), lambda i, m, a: (m * (i not in HIT), a)
    ),
    "mask missed, alpha gone with it": PlantedFault(
        HIT, frozenset([kinds.MASK_MISSED]), lambda i, m, a: (m * (i not in HIT), a * (i not in HIT))
    ),
    "hole": PlantedFault(HIT, frozenset([kinds.HOLE]), lambda i, m, a: (m, hole(m, a) if i in HIT else a)),
    "patch outside": PlantedFault(
        HIT, frozenset([kinds.SPILL, kinds.PATCH]), lambda i, m, a: (m, patch(m, a) if i in HIT else a)
    ),
    "every other alpha at 0.7": PlantedFault(
        tuple(IN_TURN), frozenset([kinds.FLICKER]), lambda i, m, a: (m, a * (0.7 if i in IN_TURN and i % 2 else 1.0))
    ),
    "wider alpha from one frame on": PlantedFault(
        (SEAM,), frozenset([kinds.SEAM]), lambda i, m, a: (m, wider(a) if i >= SEAM else a)
    ),
}


def half(row: Row) -> Row:
    return tuple(cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for one in row)


def cut(rows: list[Row]) -> list[Row]:
    """Return a clip with a cut: another place and another subject from its middle on."""
    middle = len(rows) // 2
    return rows[:middle] + [tuple(np.ascontiguousarray(one[::-1, ::-1]) for one in row) for row in rows[middle:]]


def flagged(rows: list[Row]) -> list[QcFlag]:
    """Return the flags of a clip whose frames are numbered from 0."""
    gauge = Gauge()
    return judge(with_seams([gauge.add(frame, *row) for frame, row in enumerate(rows)]))


def planted(rows: list[Row], fault: PlantedFault) -> list[Row]:
    spoilt = ((plate, *fault.plant(frame, mask, alpha)) for frame, (plate, mask, alpha) in enumerate(rows))
    return [(plate, mask.astype(np.float32), alpha.astype(np.float32)) for plate, mask, alpha in spoilt]


def false_flags(rows: list[Row], halves: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield a case and the flag for every flag on a clip that has no fault."""
    for case, clip in (("clean", rows), ("clean at half the size", halves), ("with a cut", cut(halves))):
        for flag in flagged(clip):
            yield case, f"{flag.kind} on {flag.frame_numbers}"


def run(folders: list[Path]) -> dict[str, object]:
    """Return counts over all clips, and what was missed or wrongly flagged by clip."""
    counts = {name: Counter(planted=0, as_such=0, at_all=0) for name in FAULTS}
    wrong: dict[str, list[str]] = {"clean": [], "clean at half the size": [], "with a cut": []}
    missed: list[str] = []
    frames = 0
    for folder in folders:
        clip = refined_clip(tuple(str(folder / f"{role}.####.exr") for role in ("plate", "mask", "alpha")))
        rows = [row_of(clip.read(number)) for number in clip.numbers]
        halves, frames = [half(row) for row in rows], frames + len(rows)
        for case, flag in false_flags(rows, halves):
            wrong[case].append(f"{folder.name}: {sentence(flag)}")
        for name, fault in FAULTS.items():
            found = flagged(planted(halves, fault))
            own = {frame for flag in found if flag.kind in fault.kinds for frame in flag.frame_numbers}
            some = {frame for flag in found for frame in flag.frame_numbers}
            wanted = set(fault.frames)
            counts[name].update(planted=len(wanted), as_such=len(wanted & own), at_all=len(wanted & some))
            if wanted - some:
                missed.append(f"{folder.name}: {name} on {sorted(wanted - some)}")
        print(folder.name, file=sys.stderr, flush=True)
    return {
        "clips": len(folders),
        "clean_frames": frames,
        "faults": {name: dict(counted) for name, counted in counts.items()},
        "missed": missed,
        "false_flags": {case: len(found) for case, found in wrong.items()},
        "falsely_flagged": [line for found in wrong.values() for line in found],
    }


def row_of(loaded: Loaded) -> Row:
    return loaded.plate, loaded.mask, loaded.alpha


def main() -> None:
    """Plant, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="clips as `videomama clips` writes them")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    folders = sorted(path.parent for path in asked.folder.glob(f"*/{FACTS}"))
    if not folders:
        raise SystemExit(f"no clips in {asked.folder}: make some with videomama clips --out {asked.folder}")
    report = run(folders)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
