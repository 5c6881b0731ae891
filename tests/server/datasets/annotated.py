"""Miniature data sets with masks, in the published layouts, of generated clips or of a disc that moves."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from videomama_server.media import frames
from videomama_server.media.movies.writing import MovieStyle, writing
from videomama_server.media.srgb import to_display
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec, render_frame

EVERY = 4
SIZE = (48, 64)


def runs(mask):
    """Return the lengths of equal values of a mask (H, W), column by column, outside first."""
    flat = np.asarray(mask, bool).T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *ends, len(flat)]).tolist()
    return [0, *lengths] if flat[0] else lengths


def compressed(lengths):
    """Return runs as COCO writes them into a text (`rleToString` of maskApi.c)."""
    letters = []
    for index, length in enumerate(lengths):
        value, more = length - lengths[index - 2] if index > 2 else length, True
        while more:
            bits, value = value & 0x1F, value >> 5
            more = value != (-1 if bits & 0x10 else 0)
            letters.append(chr(48 + (bits | 0x20 if more else bits)))
    return "".join(letters)


def coco(mask, is_text=True):
    """Return a mask (H, W) as SA-V's JSON has it."""
    found = runs(mask)
    return {"size": list(mask.shape), "counts": compressed(found) if is_text else found}


def disc(index, left=20, size=SIZE):
    """Return the mask (H, W) of a disc that moves."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.hypot(columns - left - index, rows - 24) < 9


def plate(masks, size=SIZE):
    """Return a plate (H, W, 3), as shown, of several masks."""
    picture = np.full((*size, 3), 0.2, np.float32)
    for place, mask in enumerate(masks):
        picture[mask] = (0.8, 0.3 + 0.2 * place, 0.4)
    return picture


def write_movie(path: Path, pictures) -> Path:
    """Write pictures (H, W, 3), as shown, as H.264 at 24 a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, MovieStyle(Fraction(24), lossy=True)) as movie:
        for picture in pictures:
            movie.write(picture)
    return path


def write_sav(folder: Path, name: str, pictures, objects, kind="manual") -> Path:
    """Write a clip of SA-V; `objects` are masks (H, W) of all frames, of which every fourth is annotated."""
    movie = write_movie(folder / "sav_000" / f"{name}.mp4", pictures)
    annotated = range(0, len(pictures), EVERY)
    masklet = [[coco(masks[frame]) for masks in objects] for frame in annotated]
    facts = {"video_id": name, "video_frame_count": len(pictures), "masklet_num": len(objects), "masklet": masklet}
    movie.with_name(f"{name}_{kind}.json").write_text(json.dumps(facts))
    return movie


def small_sav(folder: Path, names=("sav_000001",), count=9) -> Path:
    """Write clips of SA-V with two discs each, of which the second comes at frame 4."""
    for place, name in enumerate(names):
        first = [disc(index, 14 + place) for index in range(count)]
        second = [disc(index, 42) if index >= EVERY else np.zeros(SIZE, bool) for index in range(count)]
        write_sav(folder, name, [plate(pair) for pair in zip(first, second, strict=True)], (first, second))
    return folder


def generated_sav(folder: Path, count: int, bad=(), length=17):
    """Write clips of SA-V from our generator, and return the exact alphas of each by frame; five frames are annotated.

    Pictures between annotated frames repeat the one before. In `bad` are the names of clips whose mask is gone on the
    frame 8.
    """
    truths = {}
    for number in range(count):
        name, kind = f"sav_{number:06d}", list(KINDS)[number % len(KINDS)]
        spec = ClipSpec(kind, KINDS[kind].backgrounds[0], 160, 96, length, seed=20 + number)
        found = [render_frame(spec, spec.numbers[place - place % EVERY]) for place in range(0, length, EVERY)]
        pictures = [to_display(np.clip(found[place // EVERY].plate, 0, 1)) for place in range(length)]
        masks = [found[place // EVERY].alpha >= 0.5 for place in range(length)]
        if name in bad:
            masks[8] = np.zeros_like(masks[8])
        write_sav(folder, name, pictures, [masks])
        truths[name] = {place * EVERY: one.alpha for place, one in enumerate(found)}
    return truths


def coloured(folder: Path, name: str, size: str = "", every=1, count=6, colours=((128, 0, 0), (0, 128, 0))) -> Path:
    """Write a clip of DAVIS (with a `size`) or YouTube-VOS: pictures, and objects by colour."""
    plates, masks = folder / "JPEGImages" / size / name, folder / "Annotations" / size / name
    for place in (plates, masks):
        place.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        objects = [disc(index, 14), disc(index, 42)]
        cv2.imwrite(str(plates / f"{index:05d}.jpg"), np.round(plate(objects) * 255).astype(np.uint8)[..., ::-1])
        if index % every == 0:
            picture = np.zeros((*SIZE, 3), np.uint8)
            for mask, colour in zip(objects, colours, strict=True):
                picture[mask] = colour
            cv2.imwrite(str(masks / f"{index:05d}.png"), picture[..., ::-1])
    return folder


def plain(folder: Path, name="shot", objects=("",), numbers=range(1001, 1005), masked=None) -> Path:
    """Write a plain shot: plate, and masks of an object or of several."""
    for number in numbers:
        index = number - 1001
        shown = [disc(index, 14 + 28 * place) for place in range(len(objects))]
        put(folder / name / "plate" / f"x.{number}.png", plate(shown), ("R", "G", "B"))
        for one, mask in zip(objects, shown, strict=True):
            if masked is None or number in masked:
                put(folder / name / "mask" / one / f"m.{number}.png", mask.astype(np.float32), ("Y",))
    return folder


def put(path: Path, pixels, channels) -> None:
    """Write a picture of 8 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames.write_picture(path, pixels, channels, "uint8")
