"""What quality control finds: faults planted in exact alphas, and flags on the alphas as they are, clip by clip.

python bench/qc.py FOLDER --json

FOLDER holds clips as `videomama synthesize` writes them. Faults are planted at half the size. `planted` counts frames
(of a seam, the one where it begins), `as such` those flagged by the fault's own name, `at all` those with any flag. Of
clips without a fault, and of those with a cut, any flag is a false one.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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


ALL = range(64)  # every frame, of the longest clips
TRACE = 0.02  # alpha that shows


@dataclass(frozen=True)
class PlantedFault:
    """What is planted: where it is to be found, under which names, and what it makes of a frame's pictures.

    `plant` takes the frame's index, its plate, mask and alpha, and random numbers of that frame. A frame that comes
    back as it was has no fault, unless the one before it has.
    """

    frames: Sequence[int]
    kinds: frozenset[str]
    plant: Callable[[int, Row, np.random.Generator], Row]


def of_alpha(
    frames: Sequence[int], plant: Callable[[Row, np.random.Generator], np.ndarray], *names: str
) -> PlantedFault:
    """Return a fault of the alpha on some frames."""

    def on_those(index: int, row: Row, rng: np.random.Generator) -> Row:
        return (*row[:2], plant(row, rng)) if index in frames else row

    return PlantedFault(frames, frozenset(names), on_those)


def hole(row: Row, _rng: np.random.Generator) -> np.ndarray:
    """Cut out most of the largest disc that is solid in both."""
    _plate, mask, alpha = row
    place, radius = largest_disc((alpha > 0.9) & (mask >= 0.5))
    return cv2.circle(alpha.copy(), place, int(radius * 0.7), 0, -1)


def patch(row: Row, _rng: np.random.Generator) -> np.ndarray:
    """Put a disc where there is nothing, of at most 0.38 of the subject."""
    _plate, mask, alpha = row
    place, radius = largest_disc((alpha < TRACE) & (mask < 0.5))
    return cv2.circle(alpha.copy(), place, int(min(radius * 0.6, np.sqrt(alpha.sum() * 0.12))), 1, -1)


def wider(alpha: np.ndarray) -> np.ndarray:
    """Widen by a tenth of the subject's size."""
    reach = max(3, int(np.sqrt((alpha > 0.5).sum()) * 0.1))
    return cv2.dilate(alpha, np.ones((reach, reach), np.uint8))


def see_through(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Make a patch with soft edges half transparent, anywhere well inside, of a tenth of the subject's size or more."""
    _plate, mask, alpha = row
    depth = cv2.distanceTransform(((alpha > 0.95) & (mask >= 0.5)).astype(np.uint8), cv2.DIST_L2, 5)
    places = np.argwhere(depth > max(alpha.shape) * 20 / 1920)
    if not len(places):
        return alpha
    y, x = places[rng.integers(len(places))]
    radius = np.sqrt((mask >= 0.5).sum()) * rng.uniform(0.1, 0.18)
    rows, columns = np.indices(alpha.shape)
    strength = np.clip((radius - np.hypot(rows - y, columns - x)) / (0.4 * radius), 0, 1)
    return alpha * (1 - rng.uniform(0.4, 0.7) * strength)


def chatter(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Make three such patches."""
    plate, mask, alpha = row
    for _ in range(3):
        alpha = see_through((plate, mask, alpha), rng)
    return alpha


def around(row: Row, reach: float) -> np.ndarray:
    """Return where nothing is, up to a distance from mask and alpha, in pixels at 1920."""
    _plate, mask, alpha = row
    away = cv2.distanceTransform(((alpha < TRACE) & (mask < 0.5)).astype(np.uint8), cv2.DIST_L2, 5)
    return (away > 0) & (away < reach * max(alpha.shape) / 1920)


def haze(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Lay a faint veil round half of the subject, 80 pixels wide at 1920."""
    alpha = row[2]
    rows, columns = np.indices(alpha.shape)
    turn = rng.uniform(0, 2 * np.pi)
    middle = [float(np.average(axis, weights=alpha + 1e-6)) for axis in (rows, columns)]
    half_plane = (rows - middle[0]) * np.sin(turn) + (columns - middle[1]) * np.cos(turn) > 0
    return np.maximum(alpha, rng.uniform(0.05, 0.15) * (around(row, 80) & half_plane))


def ghosts(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Leave faint bits of the background, as letters are, 20 to 70 pixels at 1920 away from the subject."""
    alpha = row[2].copy()
    scale = max(alpha.shape) / 1920
    places = np.argwhere(around(row, 60) & ~around(row, 25))
    for y, x in places[rng.integers(len(places), size=12)] if len(places) else ():
        high, wide = (max(2, round(scale * rng.uniform(8, 40))) for _ in range(2))
        spot = alpha[y : y + high, x : x + wide]
        spot[:] = np.maximum(spot, rng.uniform(0.04, 0.2))
    return alpha


def strands(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Draw 24 thin lines that hang at the subject's outline, 60 to 140 pixels long at 1920."""
    alpha = row[2].copy()
    scale = max(alpha.shape) / 1920
    outline = np.argwhere(around(row, 8))
    turn = rng.uniform(0, np.pi)
    for y, x in outline[rng.integers(len(outline), size=24)] if len(outline) else ():
        angle, length = turn + rng.normal(0, 0.2), scale * rng.uniform(60, 140)
        end = round(x + length * np.cos(angle)), round(y + length * np.sin(angle))
        line = cv2.line(np.zeros_like(alpha, np.float32), (int(x), int(y)), end, rng.uniform(0.2, 0.6), 1, cv2.LINE_8)
        alpha = np.maximum(alpha, line)
    return alpha


def largest_disc(region: np.ndarray) -> tuple[tuple[int, int], float]:
    away = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    _, radius, _, place = cv2.minMaxLoc(away)
    return place, radius


def swapped(_index: int, row: Row, _rng: np.random.Generator) -> Row:
    """Take the plate for the mask, of which an engine makes something like it, and the mask for the plate."""
    plate, mask, _alpha = row
    return np.repeat(mask[..., None], 3, axis=2), plate[..., 0], plate[..., 0]


def short(_index: int, row: Row, _rng: np.random.Generator) -> Row:
    """End mask and alpha two pixels before the frame, where a side of it has 60 pixels of both, at 1920."""
    plate, mask, alpha = row
    wanted = 60 * max(alpha.shape) / 1920
    sides = [
        (slice(0, 2), slice(None)),
        (slice(-2, None), slice(None)),
        (slice(None), slice(0, 2)),
        (slice(None), slice(-2, None)),
    ]
    for side in sides:
        if np.count_nonzero((mask[side] >= 0.5) & (alpha[side] > 0.9)) / 2 >= wanted:
            mask, alpha = mask.copy(), alpha.copy()
            mask[side] = alpha[side] = 0
    return plate, mask, alpha


FAULTS = {
    "alpha dropped": of_alpha(HIT, lambda row, _: row[2] * 0, kinds.ALPHA_DROPPED),
    "mask missed, alpha kept": PlantedFault(
        HIT, frozenset([kinds.MASK_MISSED]), lambda i, row, _: (row[0], row[1] * (i not in HIT), row[2])
    ),
    "mask missed, alpha gone with it": PlantedFault(
        HIT,
        frozenset([kinds.MASK_MISSED]),
        lambda i, row, _: (row[0], row[1] * (i not in HIT), row[2] * (i not in HIT)),
    ),
    "hole": of_alpha(HIT, hole, kinds.HOLE),
    "patch outside": of_alpha(HIT, patch, kinds.SPILL, kinds.PATCH),
    "every other alpha at 0.7": PlantedFault(
        tuple(IN_TURN),
        frozenset([kinds.FLICKER]),
        lambda i, row, _: (*row[:2], row[2] * (0.7 if i in IN_TURN and i % 2 else 1.0)),
    ),
    "wider alpha from one frame on": PlantedFault(
        (SEAM,), frozenset([kinds.SEAM]), lambda i, row, _: (*row[:2], wider(row[2]) if i >= SEAM else row[2])
    ),
    "see-through patch": of_alpha(HIT, see_through, kinds.SEE_THROUGH),
    "see-through patches on every frame": of_alpha(ALL, chatter, kinds.SEE_THROUGH),
    "haze": of_alpha(HIT, haze, kinds.HAZE),
    "ghosts on every frame": of_alpha(ALL, ghosts, kinds.HAZE),
    "false strands": of_alpha(HIT, strands, kinds.STRANDS),
    "mask and alpha inverted": PlantedFault(
        ALL, frozenset([kinds.INVERTED]), lambda _i, row, _r: (row[0], 1 - row[1], 1 - row[2])
    ),
    "alpha inverted": of_alpha(HIT, lambda row, _: 1 - row[2], kinds.INVERTED),
    "plate and mask swapped": PlantedFault(ALL, frozenset([kinds.SWAPPED]), swapped),
    "mask ends two pixels early": PlantedFault(ALL, frozenset([kinds.SHORT]), short),
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


def planted(rows: list[Row], fault: PlantedFault, seed: int) -> tuple[list[Row], set[int]]:
    """Return a clip with a fault, and the frames on which it is to be found."""
    spoilt, found, was_changed = [], set(), False
    for index, row in enumerate(rows):
        made = fault.plant(index, row, np.random.default_rng([seed, index]))
        spoilt.append(tuple(np.asarray(one, np.float32) for one in made))
        changed = any(not np.array_equal(one, other) for one, other in zip(row, spoilt[-1], strict=True))
        if (changed or was_changed) and index in fault.frames:
            found.add(index)
        was_changed = changed
    return spoilt, found


def false_flags(rows: list[Row], halves: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield a case and the flag for every flag on a clip that has no fault."""
    for case, clip in (("clean", rows), ("clean at half the size", halves), ("with a cut", cut(halves))):
        for flag in flagged(clip):
            yield case, sentence(flag)


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
            wrong[case].append(f"{folder.name}: {flag}")
        for name, fault in FAULTS.items():
            spoilt, wanted = planted(halves, fault, zlib.crc32(f"{folder.name} {name}".encode()))
            found = flagged(spoilt)
            own = {frame for flag in found if flag.kind in fault.kinds for frame in flag.frame_numbers}
            some = {frame for flag in found for frame in flag.frame_numbers}
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
    parser.add_argument("folder", type=Path, help="clips as `videomama synthesize` writes them")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    folders = sorted(path.parent for path in asked.folder.glob(f"*/{FACTS}"))
    if not folders:
        raise SystemExit(f"no clips in {asked.folder}: make some with videomama synthesize --out {asked.folder}")
    report = run(folders)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
