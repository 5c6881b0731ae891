"""Miniature data sets in every layout, of a disc that moves over noise, with exact alphas."""

import os
from pathlib import Path

import numpy as np
import pytest
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames

SIZE = (64, 96)
COUNT = 3
PALETTE = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.float32) / np.float32(255)  # of DAVIS


def disc(index, size=SIZE, radius=13.0):
    """Return the exact alpha (H, W) of a frame, soft at its edge."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return np.clip((radius - np.hypot(columns - 36 - 3 * index, rows - 24)) / 4 + 0.5, 0, 1).astype(np.float32)


def plate_of(alpha, seed=3):
    behind = np.random.default_rng(seed).random((*alpha.shape, 3), dtype=np.float32) * np.float32(0.3)
    return behind * (1 - alpha[..., None]) + alpha[..., None] * np.float32(0.7)


def old(path):
    """Make a file look old, so that its time differs from that of one written now."""
    os.utime(path, ns=(10**18, 10**18))
    return path


def put(path: Path, pixels, dtype=None):
    """Write a picture: RGB or one channel, by its shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exr = path.suffix == ".exr"
    names = ("R", "G", "B") if pixels.ndim == 3 else (("A",) if exr else ("Y",))
    if path.suffix == ".jpg":
        import cv2

        cv2.imwrite(str(path), np.round(pixels * 255).astype(np.uint8))
    else:
        frames.write_picture(path, pixels, names, dtype or ("float" if exr else "uint8"))
    return old(path)


def mask_of(alpha):
    return (alpha >= 0.5).astype(np.float32)


class Makers:
    """Writes clips: each method returns the folder that is given to the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rvm(self, name="VideoMatte", plate="com", ending="png", count=COUNT, clips=("0000",), masks=False):
        """A data set of the RobustVideoMatting evaluation."""
        root = self.folder / name
        for clip in clips:
            for index in range(count):
                place = root / f"{name.lower()}_96x64" / f"{name.lower()}_motion" / clip
                alpha = disc(index)
                put(place / plate / f"{index:04d}.png", plate_of(alpha))
                put(place / "pha" / f"{index:04d}.{ending}", alpha)
                put(place / "fgr" / f"{index:04d}.png", np.full((*SIZE, 3), 0.7, np.float32))
                if masks:
                    put(place / "mask" / f"{index:04d}.png", mask_of(alpha))
        return root

    def vhim(self, name="V-HIM60", masks="xmem", subjects=2, count=COUNT, radius=8):
        """A level of MaGGIe's video data set, with several subjects."""
        level = self.folder / name / "comp_hard"
        for index in range(count):
            alphas = [np.roll(disc(index, radius=radius), 20 * who, axis=1) for who in range(subjects)]
            put(level / "fgr" / "00012" / f"{index:05d}.jpg", plate_of(alphas[0]))
            for who, alpha in enumerate(alphas):
                inside = Path("00012") / f"{index:05d}" / f"{who:02d}.png"
                put(level / "pha" / inside, alpha)
                if masks:
                    put(level / masks / inside, mask_of(alpha))
        return self.folder / name

    def davis(self, clips=("bear", "two"), made=None, count=COUNT, listed=("bear", "two")):
        """DAVIS 2017 with an object in the first clip and two in each other one; `made` names a tracker with masks."""
        root = self.folder / "DAVIS"
        for name in clips:
            for index in range(count):
                places = [disc(index, radius=9)] + [np.roll(disc(index, radius=6), 30, axis=1)] * (name != clips[0])
                indices = np.zeros(SIZE, np.uint8)
                for at, alpha in enumerate(places, 1):
                    indices[alpha >= 0.5] = at
                put(root / "JPEGImages" / "480p" / name / f"{index:05d}.jpg", plate_of(places[0]))
                for folder in ["Annotations/480p", *([f"Masks/{made}"] if made else [])]:
                    put(root / folder / name / f"{index:05d}.png", PALETTE[indices])
        lists = root / "ImageSets" / "2017"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "val.txt").write_text("".join(f"{name}\n" for name in listed))
        return root

    def footage(self, name="shot", folders=True, tools=("other",), count=COUNT):
        """A shot without exact alpha; each tool's alphas are half transparent and leave a haze everywhere."""
        place = self.folder / "footage" / name
        for index in range(count):
            mask, number = mask_of(disc(index)), 1001 + index
            pictures = {"plate": plate_of(mask), "mask": mask, **dict.fromkeys(tools, mask * 0.4 + 0.1)}
            for role, pixels in pictures.items():
                put(place / role / f"x.{number}.exr" if folders else place / f"{role}.{number}.exr", pixels)
        return self.folder / "footage"

    def plain(self, name, count=COUNT, kind="hair"):
        """A clip in the layout of `videomama synthesize`, painted here: its own kinds take long."""
        import json

        facts = {"kind": kind, "background": "wall", "width": 96, "height": 64, "frames": count, "first": 1001}
        place = self.folder / "suite" / name
        for index in range(count):
            alpha, number = disc(index), 1001 + index
            put(place / f"plate.{number}.exr", plate_of(alpha))
            put(place / f"alpha.{number}.exr", alpha)
            put(place / f"mask.{number}.exr", mask_of(alpha))
            put(place / f"foreground.{number}.exr", np.full((*SIZE, 3), 0.7, np.float32))
        masks = {"shape": "mixed", "hits": [], "times": 1, "seed": 1, "name": "mixed"}
        (place / "clip.json").write_text(json.dumps({**facts, "seed": 1, "title": "x", "masks": masks}))
        return self.folder / "suite"


@pytest.fixture(scope="session")
def makers():
    """The class itself, for fixtures that last longer than a test: `makers(folder)`."""
    return Makers


@pytest.fixture
def make(tmp_path):
    return Makers(tmp_path / "data")


@pytest.fixture
def clip(make):
    """The one clip of a suite."""
    return read_data(make.plain("hair_wall")).clips[0]


@pytest.fixture
def draw():
    """Functions that paint and write pictures, for tests, which cannot import this file."""
    from types import SimpleNamespace

    return SimpleNamespace(disc=disc, plate_of=plate_of, put=put, mask_of=mask_of, size=SIZE, count=COUNT)
