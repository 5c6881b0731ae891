"""The commonest mistakes, each made for real: what a person did, the command, and what makes the files for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from videomama_server.arrays import FloatArray
from videomama_server.media import frames

FIRST, LAST = 1001, 1004
WIDTH, HEIGHT = 64, 48
PLATE, MASK, OUT = "SHOT/plate.####.exr", "SHOT/mask.####.exr", "SHOT/out/alpha.####.exr"
Prepare = Callable[[Path], None]


def make_nothing(shot: Path) -> None:
    """Leave a shot as it is: the mistake is in the words alone."""


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        what: a person did, in a few words.
        words: of the command line as the page shows them; `SHOT` stands for the folder of the shot.
        defaults: words that the command gets besides, and the page leaves out.
        prepare: makes the mistake in the files of a shot.
        environment: variables that are set; `SHOT` as in the words.
    """

    what: str
    words: tuple[str, ...]
    defaults: tuple[str, ...] = ()
    prepare: Prepare = make_nothing
    environment: Mapping[str, str] = field(default_factory=dict)


def matte(what: str, *words: str, prepare: Prepare = make_nothing) -> Mistake:
    """Return a mistake of `videomama matte`; what the words leave out is right."""
    usual = {"--plate": PLATE, "--mask": MASK, "--out": OUT, "--engine": "passthrough", "--connection-file": "SERVER"}
    if "--project" in words:
        usual = {name: usual[name] for name in ("--engine", "--connection-file")}
    defaults = [part for name, value in usual.items() if name not in words for part in (name, value)]
    return Mistake(what, ("matte", *words), tuple(defaults), prepare)


def make_shot(folder: Path) -> None:
    """Write a plate with values of no display, and a mask whose subject is a box in the middle."""
    folder.mkdir(parents=True)
    plate = np.linspace(0.01, 4.0, WIDTH * HEIGHT * 3, dtype=np.float32).reshape(HEIGHT, WIDTH, 3)
    for frame in range(FIRST, LAST + 1):
        frames.write_picture(folder / f"plate.{frame}.exr", plate * np.float32(1 + frame / 1e4))
        frames.write_picture(folder / f"mask.{frame}.exr", _box(frame - FIRST), ("A",))


def _box(shift: int) -> FloatArray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[HEIGHT // 4 : HEIGHT * 3 // 4, WIDTH // 4 + shift : WIDTH * 3 // 4 + shift] = 1.0
    return mask


def _masks(make: Callable[[FloatArray], FloatArray]) -> Prepare:
    def prepare(shot: Path) -> None:
        for frame in range(FIRST, LAST + 1):
            frames.write_picture(shot / f"mask.{frame}.exr", make(_box(frame - FIRST)), ("A",))

    return prepare


def _without(*names: str) -> Prepare:
    return lambda shot: [(shot / name).unlink() for name in names] and None


def _file(name: str, content: bytes) -> Prepare:
    return lambda shot: (shot / name).write_bytes(content) and None


def _cut_short(shot: Path) -> None:
    path = shot / "plate.1003.exr"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _deep(shot: Path) -> None:
    """Write a plate frame as a deep EXR: any number of samples in a pixel."""
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 5, "float")
    spec.channelnames, spec.deep = ("R", "G", "B", "A", "Z"), True
    data = oiio.DeepData()
    data.init(spec)
    for pixel in range(WIDTH * HEIGHT):
        data.set_samples(pixel, 1)
    for frame in range(FIRST, LAST + 1):
        output = oiio.ImageOutput.create("deep.exr")
        if not (output.open(str(shot / f"plate.{frame}.exr"), spec) and output.write_deep_image(data)):
            raise OSError(output.geterror())
        output.close()


def _renamed(pattern: str) -> Prepare:
    def prepare(shot: Path) -> None:
        for frame in range(FIRST, LAST + 1):
            (shot / f"plate.{frame}.exr").rename(shot / (pattern % frame))

    return prepare


def _larger(shot: Path) -> None:
    frames.write_picture(shot / "plate.1003.exr", np.ones((HEIGHT * 2, WIDTH * 2, 3), np.float32))


def _one_pixel(shot: Path) -> None:
    for frame in range(FIRST, LAST + 1):
        frames.write_picture(shot / f"plate.{frame}.exr", np.ones((1, 1, 3), np.float32))


def _project(*sources: str) -> Prepare:
    """Make a project with one roto, and with plates of these names."""

    def prepare(shot: Path) -> None:
        for folder in ("source/frames", "roto/hero"):
            (shot / folder).mkdir(parents=True)
        shutil.copy(shot / "mask.1001.exr", shot / "roto/hero/hero.1001.png")
        for name in sources:
            shutil.copy(shot / "plate.1001.exr", shot / "source/frames" / name)

    return prepare


def _dangling(shot: Path) -> None:
    (shot / "plate.1002.exr").unlink()
    (shot / "plate.1002.exr").symlink_to("moved.1002.exr")


def _stale_connection(shot: Path) -> None:
    """Leave the connection file of a server that is gone: its port is one that nobody may listen at."""
    own = '"server_public": "", "client_public": "", "client_secret": ""'
    text = f'{{"endpoint": "tcp://127.0.0.1:1", "pid": 1, "protocol": 3, "version": "0", {own}}}'
    (shot / "connection.json").write_text(text)


WRONG_FILES = (
    matte("wrong folder", "--plate", "SHOT/plates/plate.####.exr"),
    matte("wrong name", "--mask", "SHOT/roto.####.exr"),
    matte("the folder instead of a pattern", "--plate", "SHOT"),
    matte("one frame of a sequence", "--plate", "SHOT/plate.1001.exr"),
    matte("a movie of another kind", "--plate", "SHOT/plate.r3d", prepare=_file("plate.r3d", b"movie")),
    matte("a text file", "--mask", "SHOT/mask.txt", prepare=_file("mask.txt", b"mask")),
    matte("a Photoshop file", "--mask", "SHOT/mask.psd", prepare=_file("mask.psd", b"8BPS")),
    matte("wrong number of #", "--plate", "SHOT/plate.######.exr"),
    matte("an ending in other case", "--plate", "SHOT/plate.####.EXR"),
    matte("no name at all", "--plate", "SHOT/"),
    matte("a frame is missing in the middle", prepare=_without("plate.1003.exr")),
    matte("the mask is shorter than the plate", prepare=_without("mask.1003.exr", "mask.1004.exr")),
    matte("a link whose file was moved", prepare=_dangling),
    matte("a frame is there twice", "--plate", "SHOT/plate.#.exr", prepare=_file("plate.01003.exr", b"twice")),
    matte("a frame is cut short", prepare=_cut_short),
    matte("a frame is empty", prepare=lambda shot: os.truncate(shot / "mask.1002.exr", 0)),
    matte("a frame is not a picture", prepare=_file("plate.1002.exr", b"<html>not found</html>")),
    matte("a deep plate", prepare=_deep),
    matte("a frame of another size", prepare=_larger),
    matte("a plate of one pixel", prepare=_one_pixel),
)
WRONG_PIXELS = (
    matte("plate and mask swapped", "--plate", MASK, "--mask", PLATE),
    matte("an inverted mask", prepare=_masks(lambda mask: 1 - mask)),
    matte("a mask that is white everywhere", prepare=_masks(np.ones_like)),
    matte("a mask that is black everywhere", prepare=_masks(np.zeros_like)),
    matte("a mask of another aspect", prepare=_masks(lambda mask: mask[:, :HEIGHT])),
    matte("a channel that is not there", "--mask-channel", "rotto.A"),
    matte("a layer that is not there", "--plate-layer", "beauty"),
)
WRONG_WORDS = (
    Mistake("a typo in the command", ("mattte",)),
    Mistake("a typo in an option", ("matte", "--plat", PLATE)),
    Mistake("plate, mask or output forgotten", ("matte", "--plate", PLATE)),
    matte("a typo in the engine", "--engine", "clasic"),
    matte("a typo in the quality", "--engine", "classic", "--quality", "fats"),
    matte("a setting of another engine", "--engine", "classic", "--seed", "7"),
    matte("a typo in the colour space", "--colorspace", "ACEScq"),
    matte("frames outside the clip", "--clip", "1001-1004", "--frames", "1001-1010"),
    matte("a range that runs backwards", "--frames", "1004-1001"),
    matte("a range with letters", "--frames", "first-last"),
    matte("a region outside the plate", "--roi", "5000,0,200,200"),
    matte("a region with a number missing", "--roi", "0,0,200"),
    matte("a window of no frames", "--window", "0"),
    matte("an overlap that is too large", "--window", "4", "--overlap", "3"),
    matte("a value that is not a number", "--exposure", "bright"),
    matte("a value that is out of range", "--engine", "classic", "--mask-threshold", "50"),
)
WRONG_OUTPUT = (
    matte("an output that has no alpha", "--out", "SHOT/out/alpha.####.jpg"),
    matte("an output of 8 bits", "--out", "SHOT/out/alpha.####.png", "--dtype", "uint8"),
    matte("a pixel type that the format lacks", "--out", "SHOT/out/alpha.####.png", "--dtype", "half"),
    matte("an output without a frame number", "--out", "SHOT/out/alpha.exr"),
    matte("an output over the plate", "--out", PLATE),
    matte("an output over the mask", "--out", MASK),
    matte(
        "a file where the output's folder should be", "--out", "SHOT/out/alpha.####.exr", prepare=_file("out", b"file")
    ),
    matte("a name that is too long", "--out", f"SHOT/out/{'a' * 260}.####.exr"),
    matte("a layer in a format without layers", "--out", "SHOT/out/alpha.####.png", "--layer", "hero"),
)
WRONG_PLACE = (
    matte("the model without its weights", "--engine", "videomama", "--weights", "SHOT/weights"),
    matte("no server, and none may be started", "--no-start", "--connection-file", "SHOT/connection.json"),
    matte(
        "a server that is gone", "--no-start", "--connection-file", "SHOT/connection.json", prepare=_stale_connection
    ),
    matte(
        "a damaged connection file",
        "--no-start",
        "--connection-file",
        "SHOT/connection.json",
        prepare=_file("connection.json", b"{"),
    ),
    Mistake("a folder that is not a cache", ("cache", "--cache-dir", "SHOT", "stat")),
    Mistake(
        "a typo in config.toml",
        ("status",),
        prepare=_file("config.toml", b"prot = 4000\n"),
        environment={"VIDEOMAMA_CONFIG": "SHOT/config.toml"},
    ),
    Mistake(
        "config.toml is not TOML",
        ("status",),
        prepare=_file("config.toml", b"port = [\n"),
        environment={"VIDEOMAMA_CONFIG": "SHOT/config.toml"},
    ),
    Mistake("a bad value in the environment", ("status",), environment={"VIDEOMAMA_PORT": "harbour"}),
    matte("a folder that is not a project", "--project", "SHOT"),
    matte("a project without plates", "--project", "SHOT", prepare=_project()),
    matte("two sequences in one folder", "--project", "SHOT", prepare=_project("a.1001.exr", "b.1001.exr")),
    matte("a project, and a plate as well", "--project", "SHOT", "--plate", PLATE, prepare=_project()),
    Mistake("a foreground as PNG", ("foreground", "--plate", PLATE, "--alpha", MASK, "--out", "SHOT/fg.####.png")),
    Mistake("alphas to judge are missing", ("qc", "--plate", PLATE, "--mask", MASK, "--alpha", OUT)),
    Mistake("other frames of truth and alpha", ("metrics", MASK, "SHOT/mask.1001-1002####.exr")),
)
CHAPTERS = {
    "Files": WRONG_FILES,
    "Pixels and channels": WRONG_PIXELS,
    "Words on the command line": WRONG_WORDS,
    "Output": WRONG_OUTPUT,
    "Server, weights, config and projects": WRONG_PLACE,
}
