"""Makes movies of twelve flavours with FFmpeg's programs, and holds what is read of them against what FFmpeg says.

python bench/movies.py [--only NAME] [--long 2000] [--out bench/results/movies.json]

For each flavour: the count against `ffprobe -count_frames`; the colour against the exact pattern; pixels, and the alpha
of the engine classic, against the sequence that ffmpeg extracts with exact matrices. Then the memory over a long movie.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from videomama_client.errors import VideoMaMaError
from videomama_server.media import frames, sequences
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.movies import decoders, extraction, index_store
from videomama_server.media.movies.numbering import lost_of

SIZE, COUNT = (320, 180), 24
PROBE = shutil.which("ffprobe") or "ffprobe"
TURNS = 1  # quarters, against the clock
_MATRICES = {1: "709", 5: "470bg", 6: "170m", 9: "2020_ncl"}


@dataclass(frozen=True)
class Flavour:
    """One kind of movie: how ffmpeg makes it of the pattern, and what its codec may change of colour (mean, 0..1)."""

    name: str
    ending: str
    words: Sequence[str]
    error: float
    before: Sequence[str] = ()  # of a second run that copies, before the input
    after: Sequence[str] = ()  # and after it
    matrix: str = "170m"
    full: bool = False
    cut: float = 0.0  # share of the file that is left
    alpha: bool = False
    upright: bool = True
    vary: str = ""  # a filter before the encoder
    tags: Sequence[str] = ()

    @property
    def copied(self) -> bool:
        """Whether a second run copies the movie."""
        return bool(self.before or self.after)


_X264 = ("-c:v", "libx264", "-crf", "12", "-g", "8", "-bf", "2")
FLAVOURS = (
    Flavour("H.264, 8 bit", ".mp4", (*_X264, "-pix_fmt", "yuv420p"), 0.012),
    Flavour(
        "variable rate",
        ".mp4",
        (*_X264, "-pix_fmt", "yuv420p", "-vsync", "vfr"),
        0.012,
        vary="select=not(eq(mod(n\\,3)\\,1))",
    ),
    Flavour(
        "rotated",
        ".mov",
        (*_X264, "-pix_fmt", "yuv420p", "-an"),
        0.012,
        upright=False,
        after=("-metadata:s:v", "rotate=90"),
    ),
    Flavour(
        "10 bit Rec.2020 PQ",
        ".mp4",
        (
            "-c:v",
            "libx265",
            "-crf",
            "8",
            "-x265-params",
            "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
            "-pix_fmt",
            "yuv420p10le",
        ),
        0.012,
        matrix="2020_ncl",
        tags=("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
    ),
    Flavour(
        "ProRes 4444 with alpha",
        ".mov",
        ("-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le", "-timecode", "00:00:41:17"),
        0.006,
        alpha=True,
    ),
    Flavour(
        "DNxHR HQX 10 bit in MXF",
        ".mxf",
        ("-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"),
        0.012,
        matrix="709",
        tags=("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
    ),
    Flavour("edit list", ".mov", (*_X264, "-pix_fmt", "yuv420p"), 0.012, before=("-ss", "0.21")),
    Flavour("full range", ".mkv", (*_X264, "-pix_fmt", "yuvj420p"), 0.012, full=True),
    Flavour("AV1", ".mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "10", "-pix_fmt", "yuv420p10le"), 0.012),
    Flavour(
        "VP9",
        ".webm",
        ("-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-deadline", "realtime", "-pix_fmt", "yuv420p"),
        0.012,
    ),
    Flavour(
        "MPEG-4 with B-frames in AVI", ".avi", ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-pix_fmt", "yuv420p"), 0.02
    ),
    Flavour(
        "wide pixels, interlaced",
        ".mkv",
        (*_X264, "-pix_fmt", "yuv422p", "-flags", "+ildct+ilme", "-aspect", "16:9"),
        0.02,
    ),
    Flavour("truncated", ".mkv", ("-c:v", "ffv1", "-g", "1", "-pix_fmt", "yuv420p"), 0.012, cut=0.6),
)


def pattern(number: int) -> np.ndarray:
    """Return the exact picture (H, W, 3), 0..1: smooth, in colour, and different in every frame."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = 0.5 + 0.35 * np.sin(x / 38 + number / 5), 0.5 + 0.35 * np.sin(y / 27 - number / 7), 0.3 + 0.4 * x / width
    disc = np.clip(41 - np.hypot(x - 80 - 3 * number, y - 66), 0, 1)[..., None]
    found = np.stack(wave, axis=2) * (1 - disc) + np.array([0.75, 0.3, 0.2], np.float32) * disc
    return np.asarray(found, np.float32)


def mask(number: int) -> np.ndarray:
    """Return the mask of the disc, a few pixels too large."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(np.hypot(x - 80 - 3 * number, y - 66) < 45, np.float32)


def run(*words: object) -> str:
    """Run a program and return what it prints; its failure ends the bench."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed: {done.stderr[-800:]}")
    return done.stdout


def made(flavour: Flavour, folder: Path) -> Path:
    """Return the movie of a flavour, made of the pattern with exact matrices."""
    movie = folder / f"movie{flavour.ending}"
    limited = "full" if flavour.full else "limited"
    layout = next(word for before, word in zip(flavour.words, flavour.words[1:], strict=False) if before == "-pix_fmt")
    planar = f"zscale=matrixin=gbr:rangein=full:matrix={flavour.matrix}:range={limited}:dither=none:chromal=left"
    steps = [
        f"{planar},format={'yuva444p16' if flavour.alpha else 'yuv444p16'}",
        f"scale=flags=bicubic+accurate_rnd:in_range={limited}:out_range={limited}:out_h_chr_pos=0,format={layout}",
    ]
    chain = ",".join(
        [
            *([flavour.vary] if flavour.vary else []),
            *(["format=gbrap16"] if flavour.alpha else ["format=gbrp16"]),
            *steps,
        ]
    )
    source = ("-framerate", 24, "-start_number", 0, "-i", folder / "pattern.%04d.png")
    colour = ("-color_range", "pc" if flavour.full else "tv", *flavour.tags)
    run("ffmpeg", "-v", "error", "-y", *source, "-vf", chain, *flavour.words, *colour, movie)
    if flavour.copied:
        whole = movie.rename(folder / f"whole{flavour.ending}")
        run("ffmpeg", "-v", "error", "-y", *flavour.before, "-i", whole, "-c", "copy", *flavour.after, movie)
    if flavour.cut:
        content = movie.read_bytes()
        movie.write_bytes(content[: int(len(content) * flavour.cut)])
    return movie


def counted(movie: Path) -> int:
    """Return how many pictures ffprobe decodes; it may say that the movie ends early, which is no failure here."""
    words = ("-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0")
    said = subprocess.run([PROBE, "-v", "quiet", *words, str(movie)], capture_output=True, text=True, check=False)
    return int(said.stdout.strip().strip(",").split()[0])


def extracted(movie: Path, folder: Path, flavour: Flavour) -> list[Path]:
    """Return the pictures that ffmpeg extracts, 16 bit, with exact matrices and chroma where the movie says it lies."""
    folder.mkdir()
    look = index_store.index_of(movie)[1].look
    said = run("ffprobe", "-v", "error", "-show_entries", "stream=chroma_location", movie)
    left = "0" if "chroma_location=left" in said else "-513"
    limited = "full" if look.full_range else "limited"
    layout = "yuva444p16" if look.has_alpha else "yuv444p16"
    chain = f"scale=in_h_chr_pos={left}:in_range={limited}:out_range={limited}:flags=bicubic+accurate_rnd+bitexact,"
    chain += f"format={layout},"
    chain += (
        f"zscale=matrixin={_MATRICES[look.matrix]}:rangein={limited}:matrix=gbr:range=full:dither=none,format=gbrp16"
    )
    run(
        "ffmpeg",
        "-v",
        "quiet",
        "-y",
        "-noautorotate",
        "-i",
        movie,
        "-vsync",
        "passthrough",
        "-vf",
        chain if flavour.upright else f"{chain},transpose=cclock",
        "-pix_fmt",
        "rgb48be",
        folder / "plate.%04d.png",
    )
    return sorted(folder.glob("*.png"))


def refined(plate: str, masks: Path, out: Path, state: Path, quality: str) -> list[np.ndarray]:
    """Return the alphas of the engine classic of 6 frames."""
    words = ["matte", "--plate", plate, "--mask", masks / "mask.####.exr", "--out", out / "alpha.####.exr"]
    words += [
        "--engine",
        "classic",
        "--quality",
        quality,
        "--mask-quality",
        "exact",
        "--clip",
        "1-6",
        "--colorspace",
        "srgb_tx",
    ]
    run(Path(sys.executable).with_name("videomama"), *words, "--connection-file", state)
    found = sequences.find(sequences.parse(str(out / "alpha.####.exr")))
    return [frames.read_mask(path).pixels[..., 0] for path in found.values()]


def measured(flavour: Flavour, folder: Path, state: Path) -> dict[str, object]:
    """Return what was found of one flavour."""
    movie = made(flavour, folder)
    found = sequences.find(sequences.parse(f"{movie}@1"))
    gone = set(lost_of(found))
    there = [number for number in found if number not in gone]
    pictures = extracted(movie, folder / "sequence", flavour)
    shown = [number for number in range(COUNT) if not flavour.vary or number % 3 != 1]
    if flavour.before:
        shown = shown[len(shown) - len(found) :]
    exact, off = [], []
    for place, number in enumerate(there):
        plate = frames.read_plate(found[number]).pixels
        truth = pattern(shown[place])
        exact.append(float(np.abs(plate - (truth if flavour.upright else turned(truth))).mean()))
        off.append(float(np.abs(np.clip(plate, 0, 1) - frames.read_plate(pictures[place]).pixels).max()))
    alphas = _alphas(movie, _masks(flavour, movie, folder / "masks", shown), folder, state)
    return {
        "name": flavour.name,
        "count": len(there),
        "ffprobe": counted(movie),
        "lost": len(gone),
        "colour_mean": round(max(exact), 5),
        "colour_bound": flavour.error,
        "to_sequence_max_of_255": round(255 * max(off), 4),
        "alpha_mean_of_255": round(255 * alphas[0], 4),
        "alpha_same_pixels_max_of_255": round(255 * alphas[1], 4),
    }


def _alphas(movie: Path, masks: Path, folder: Path, state: Path) -> tuple[float, float]:
    """Return the mean difference of alphas to those of what ffmpeg extracts, and the largest to those of equal pixels.

    What ffmpeg extracts has 16 bits. The engine picks colours and follows motion: a change of 1 of 65535 moves single
    pixels of its alpha by any amount. So only the mean tells there; the other sequence has the movie's very pixels.
    """
    found = sequences.find(sequences.parse(f"{movie}@1"))
    extraction.extracted({number: found[number] for number in range(1, 7)}, folder, "same")
    others = {
        "fast": str(folder / "sequence" / "plate.####.png"),
        "high": str(folder / "same.%d.exr"),
    }
    off = []
    for quality, other in others.items():
        one = refined(f"{movie}@1", masks, folder / f"one_{quality}", state, quality)
        two = refined(other, masks, folder / f"two_{quality}", state, quality)
        off.append(np.abs(np.stack(one) - np.stack(two)))
    return float(off[0].mean()), float(off[1].max())


def _masks(flavour: Flavour, movie: Path, folder: Path, shown: Sequence[int]) -> Path:
    """Write the masks of 6 frames, and return their folder."""
    folder.mkdir()
    aspect = index_store.index_of(movie)[1].look.aspect
    for place in range(6):
        pixels = mask(shown[place]) if flavour.upright else turned(mask(shown[place]))
        whole = Rect(0, 0, pixels.shape[1], pixels.shape[0])
        frames.write_picture(
            folder / f"mask.{place + 1:04}.exr", pixels, ("A",), "half", Geometry(whole, whole, aspect)
        )
    return folder


def turned(pixels: np.ndarray) -> np.ndarray:
    """Return pixels as `rotate=90` has them shown."""
    return np.ascontiguousarray(np.rot90(pixels, TURNS))


def memory(folder: Path, count: int) -> dict[str, object]:
    """Return how much memory a process takes while it reads a long movie, in order."""
    movie = folder / "long.mp4"
    run(
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=640x360:r=24:d={count / 24}",
        *_X264,
        "-pix_fmt",
        "yuv420p",
        movie,
    )
    found, process, levels = sequences.find(sequences.parse(str(movie))), psutil.Process(), []
    for place, path in enumerate(found.values()):
        frames.read_plate(path)
        if place % 100 == 99:
            levels.append(process.memory_info().rss >> 20)
    decoders.close_unused()
    return {"frames": len(found), "rss_mb_each_100": levels, "growth_mb_after_200": levels[-1] - levels[1]}


def holds(row: dict[str, object]) -> bool:
    """Whether a flavour is as it should be; a code value of the source is one of 255 or less."""
    same = row["count"] == row["ffprobe"] and row["colour_mean"] <= row["colour_bound"]  # type: ignore[operator]
    alpha = (
        row["alpha_mean_of_255"] <= 1
        and row["to_sequence_max_of_255"] <= 1
        and row["alpha_same_pixels_max_of_255"] == 0
    )  # type: ignore[operator]
    return bool(same and alpha)


def main() -> int:
    """Run the bench; 1 where a flavour is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="")
    parser.add_argument("--long", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg and ffprobe are needed, such as those of Debian: apt-get install ffmpeg")
    with tempfile.TemporaryDirectory(prefix="movies-") as name:
        base = Path(name)
        try:
            rows = flavours(base, options.only)
            long = memory(base, options.long) if options.long else {}
        finally:  # also where a program failed: no server stays
            stop = [Path(sys.executable).with_name("videomama"), "stop", "--connection-file", base / "connection.json"]
            subprocess.run([str(word) for word in stop], capture_output=True, check=False)
    print(json.dumps(long))
    if options.out:
        options.out.write_text(json.dumps({"flavours": rows, "memory": long}, indent=1) + "\n", encoding="utf-8")
    return 0 if all("error" not in row and holds(row) for row in rows) else 1


def flavours(base: Path, only: str) -> list[dict[str, object]]:
    """Return what was found of each flavour whose name has `only` in it."""
    rows: list[dict[str, object]] = []
    for number in range(COUNT):
        frames.write_picture(base / f"pattern.{number:04}.png", pattern(number), dtype="uint16")
    for place, flavour in enumerate(each for each in FLAVOURS if only in each.name):
        folder = base / str(place)
        folder.mkdir()
        for file in base.glob("pattern.*.png"):
            (folder / file.name).symlink_to(file)
        try:
            row = measured(flavour, folder, base / "connection.json")
        except VideoMaMaError as error:
            row = {"name": flavour.name, "error": error.message}
        rows.append(row)
        print("ok  " if "error" not in row and holds(row) else "FAIL", json.dumps(row), flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
