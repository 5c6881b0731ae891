"""Real picture files, real caches and real jobs for the tests of the server, made by factories."""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from videomama_client import messages, surroundings
from videomama_client.prompts import KINDS
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, settings_of
from videomama_server import engines
from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo
from videomama_server.engines.base import PROTOCOL, PlainEngine, RegionRule, WindowShape
from videomama_server.engines.sequential import PlainSequentialEngine
from videomama_server.media import frames, sequences
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline.order import LaterStage, Order
from videomama_server.pipeline.reader import Reader, wanted_of
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.side_kinds import Side, kind_of
from videomama_server.pipeline.sources import DiskSource, KeyMaskSource, NoMasks

HEIGHT, WIDTH = 48, 64
PINS = (Path(__file__).parents[2] / "install" / "constraints.txt").read_text(encoding="utf-8").splitlines()
# Of OpenCV's version the package adds the build: 5.0.0.93.
PINNED = f"numpy=={np.__version__}" in PINS and any(f"headless=={cv2.__version__}." in line for line in PINS)
COMPARED = platform.system() == "Linux" and platform.machine() == "x86_64"
_packages = itertools.count()

GOOD_ENGINE = """
import numpy as np
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.base import PlainEngine, WindowShape

class Own(PlainEngine):
    name = "own"
    protocol = 1
    fingerprint = "own-1"
    window = WindowShape(3, 1)

    @classmethod
    def options(cls):
        return (SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1),)

    def prepare(self, frame, settings):
        return frame.mask

    def refine(self, prepared, settings):
        return np.stack(prepared)
"""

# A machine that is busy with something else is no fault of the code.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")


def write(path, pixels, names, dtype="half", display=None, origin=(0, 0), aspect=1.0, tile=0):
    """Write one picture with OpenImageIO itself; `display` is x, y, w, h and `origin` that of the data window."""
    pixels = np.ascontiguousarray(pixels, np.float32).reshape(*pixels.shape[:2], -1)
    spec = spec_of(pixels, names, dtype, display, origin)
    spec.attribute("PixelAspectRatio", aspect)
    spec.tile_width = spec.tile_height = tile
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(pixels), output.geterror()
    output.close()
    return path


def write_parts(path, parts):
    """Write a multi-part EXR of (part name, pixels, channel names, origin) rows."""
    specs = []
    for name, pixels, names, origin in parts:
        spec = spec_of(pixels, names, "float", (0, 0, WIDTH, HEIGHT), origin)
        spec.attribute("oiio:subimagename", name)
        specs.append(spec)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), tuple(specs)), output.geterror()
    for index, (_, pixels, _, _) in enumerate(parts):
        if index:
            assert output.open(str(path), specs[index], "AppendSubimage"), output.geterror()
        assert output.write_image(np.ascontiguousarray(pixels, np.float32)), output.geterror()
    output.close()
    return path


def spec_of(pixels, names, dtype, display, origin):
    height, width, count = pixels.shape
    spec = oiio.ImageSpec(width, height, count, dtype)
    spec.channelnames = tuple(names)
    spec.x, spec.y = origin
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display or (0, 0, width, height)
    return spec


def scene(number=0, height=HEIGHT, width=WIDTH):
    """Return a plate (H, W, 3) of scene values, some above one, exact in half."""
    noise = np.random.default_rng(number % 1000).random((height, width, 3), dtype=np.float32)
    return (noise * 2).astype(np.float16).astype(np.float32)


def disc(x, y, radius=8.0, height=HEIGHT, width=WIDTH):
    """Return a mask (H, W): one inside a circle, zero outside."""
    rows, columns = np.mgrid[:height, :width]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.float32)


def settle(path):
    """Make a file look old enough for its stat to be trusted."""
    old = time.time_ns() - 60_000_000_000
    os.utime(path, ns=(old, old))


@pytest.fixture(scope="session")
def pictures():
    """The functions above, for tests, which cannot import this file."""
    return SimpleNamespace(write=write, write_parts=write_parts, scene=scene, disc=disc, settle=settle)


@dataclass
class Shot:
    """A plate and a mask on disk, one file per frame; the subject moves a pixel per frame."""

    folder: Path
    ending: str = "exr"  # of the plate

    @property
    def plate(self):
        return str(self.folder / f"plate.####.{self.ending}")

    @property
    def mask(self):
        return str(self.folder / "mask.####.exr")

    def plate_file(self, frame):
        return self.folder / f"plate.{frame:04d}.exr"

    def mask_file(self, frame):
        return self.folder / f"mask.{frame:04d}.exr"

    def put_plate(self, frame, pixels, **options):
        settle(write(self.plate_file(frame), pixels, "RGB", **options))

    def put_mask(self, frame, pixels, **options):
        options = {"dtype": "float", **options}
        settle(write(self.mask_file(frame), pixels, "A", **options))


@pytest.fixture
def make_shot(tmp_path):
    """Make a shot of some frames: `make_shot(range(1001, 1007))`."""

    def make(numbers: Sequence[int], name: str = "shot") -> Shot:
        shot = Shot(tmp_path / name)
        shot.folder.mkdir()
        for index, number in enumerate(numbers):
            shot.put_plate(number, scene(number))
            shot.put_mask(number, disc(24 + index, 24))
        return shot

    return make


class Remembering(PlainSequentialEngine):
    """An engine whose mask of a frame depends on its prompts and on all that it walked over, in order.

    Attributes:
        steps: (frame, start of the walk, whether it goes backward) of each step.
        begun, resumed: (start, whether it goes backward) of each walk that was begun, and resumed.
    """

    name = "remembering"
    protocol = PROTOCOL
    fingerprint = "remembering-1"
    prompts = KINDS
    keep_every = 4

    def __init__(self, config=None):
        self.steps, self.begun, self.resumed = [], [], []

    def encode(self, frame, settings):
        assert frame.plate.shape == (*frame.mask.shape, 3)
        return frame.plate.mean(axis=2) + frame.mask

    def begin(self, brief, settings):
        self.begun.append((brief.start, brief.backward))
        held = self.encoded_of(brief)
        for index, told in enumerate(brief.prompts):
            for (x, y), label in zip(told.points, told.labels, strict=True):
                held[int(y), int(x)] += (index + 1.0) if label else -(index + 1.0)
            if told.box is not None:
                left, top, right, bottom = map(int, told.box)
                held[max(top, 0) : bottom, max(left, 0) : right] += 0.5
            if told.load_mask is not None:
                held += told.load_mask()
        held += len(brief.text) / 100
        return {"held": held.astype(np.float32), "walk": np.array([brief.start, brief.backward])}

    def encoded_of(self, brief):
        return 0.1 * np.mean([brief.encoded(frame) for frame in {brief.start, *self.frames_of(brief)}], axis=0)

    def frames_of(self, brief):
        return [told.frame for told in brief.prompts]

    def step(self, state, number, encoded, settings):
        start, backward = state["walk"].tolist()
        self.steps.append((number, start, bool(backward)))
        state["held"] = (np.float32(0.7) * state["held"] + np.float32(0.3) * encoded).astype(np.float32)
        return np.clip(state["held"], 0, 1)

    def export(self, state):
        return {name: array.copy() for name, array in state.items()}

    def restore(self, kept, brief, settings):
        self.resumed.append((brief.start, brief.backward))
        return dict(kept)

    def forget(self):
        """Begin new lists, and return the steps so far."""
        steps, self.steps, self.begun, self.resumed = self.steps, [], [], []
        return steps


@pytest.fixture(scope="session")
def remembering():
    """The class of engines that walk."""
    return Remembering


class Temporal(PlainEngine):
    """An engine whose alphas depend on every frame of the window, and on which window it is."""

    name = "temporal"
    fingerprint = "temporal-1"

    def __init__(self, length=4, overlap=2, constant=None):
        self.window = WindowShape(length, overlap)
        self.constant = constant
        self.windows: list[tuple[int, ...]] = []
        self.prepared: list[int] = []

    def shape(self, settings):
        return self.window

    def prepare(self, frame, settings):
        self.prepared.append(frame.number)
        assert frame.plate.shape == (*frame.mask.shape, 3)
        for pixels in (frame.plate, frame.mask):
            assert pixels.dtype == np.float32
            assert np.isfinite(pixels).all()
            assert pixels.min() >= 0
            assert pixels.max() <= 1
        return frame.number, frame.mask, frame.plate

    def refine(self, prepared, settings):
        numbers = tuple(number for number, _, _ in prepared)
        self.windows.append(numbers)
        masks = np.stack([mask for _, mask, _ in prepared])
        if self.constant is not None:
            return np.full_like(masks, self.constant)
        shared = np.mean([plate.mean(axis=2) for _, _, plate in prepared], axis=0)
        share = np.float32(numbers[0] % 7 / 20)
        return (0.5 * masks + 0.3 * shared + share * masks.mean(axis=0)).astype(np.float32)


@pytest.fixture(scope="session")
def temporal():
    """The class of the fake temporal engine."""
    return Temporal


@dataclass
class PipelineOutcome:
    """What a job emitted, and where its alphas are."""

    events: list[Any]
    out: Path

    @property
    def planned(self):
        return next(event for event in self.events if isinstance(event, messages.MattePlanned))

    @property
    def done(self):
        assert isinstance(self.events[-1], messages.MatteDone)
        return self.events[-1]

    @property
    def frames(self):
        return {event.frame: event for event in self.events if isinstance(event, messages.FrameDone)}

    @property
    def computed(self):
        return sorted(frame for frame, event in self.frames.items() if not event.cached)

    @property
    def roi(self):
        return ",".join(map(str, self.done.roi))

    def alpha(self, frame):
        return frames.read_mask(Path(self.frames[frame].path), "A").pixels[..., 0]

    def geometry(self, frame):
        return frames.probe(Path(self.frames[frame].path)).geometries[0]


def later_stage(first, engine):
    """Return a stage after the first, of an engine that is there."""
    return LaterStage(engine.name, engine, settings_of(first, Stage(engine.name)))


def side_of(asked):
    """Return a side result as the worker takes it in."""
    delivery = Delivery(sequences.parse(asked.out), dtype=asked.dtype, content=kind_of(asked).content)
    delivery.check()
    return Side(asked, delivery)


@dataclass
class Bench:
    """Runs jobs through `Matte` as the worker does, without a server."""

    folder: Path
    cache: Cache
    memo: Memo
    readers: ThreadPoolExecutor
    writers: ThreadPoolExecutor
    runs: int = 0
    events: list[Any] = field(default_factory=list)

    @property
    def services(self):
        return Services(self.cache, self.memo, self.readers, self.writers, 2)

    def order(self, shot, engine, out=None, then=(), **asked):
        """Return the order of the next job; `asked` are fields of settings and request, `then` later engines."""
        self.runs += 1
        self.events = []
        request_fields = messages.SubmitMatte.__dataclass_fields__
        settings = {name: asked.pop(name) for name in list(asked) if name not in request_fields}
        text = out or str(self.folder / f"out{self.runs}" / "alpha.####.exr")
        mask = asked.pop("mask", shot.mask)
        request = messages.SubmitMatte(
            "r", shot.plate, mask, text, MatteSettings.of(engine=engine.name, **settings), **asked
        )
        plate = DiskSource(messages.PLATE, request.plate, ())
        masks = DiskSource(messages.MASK, request.mask, ()) if mask else NoMasks(plate)
        reader = Reader(plate, masks, self.memo, wanted_of(request.settings), request.rehash)
        delivery = Delivery(sequences.parse(text), request.layer, request.dtype)
        delivery.check()
        painted = [KeyMaskSource(one.role, one.frame, Path(one.file), ()) for one in request.prompts if one.file]
        return Order(
            f"job{self.runs}",
            request,
            engine.name,
            engine,
            reader,
            delivery,
            then=tuple(later_stage(request.settings, one) for one in then),
            sides=tuple(side_of(asked) for asked in request.side_results),
            prompts=request.prompts,
            key_masks={frame: reader.over(source) for source in painted for frame in source.frames()},
        )

    def matte(self, shot, engine, cancelled=None, out=None, **asked):
        """Return the next job's generator of steps."""
        order = self.order(shot, engine, out, **asked)
        return Matte(order, self.services, self.events.append, cancelled or threading.Event()).run()

    def run(self, shot, engine, **asked):
        for pause in self.matte(shot, engine, **asked):
            if pause is not None:
                wait([pause])
        return PipelineOutcome(self.events, self.folder / f"out{self.runs}")


@pytest.fixture
def make_bench(tmp_path):
    """Make a bench with a cache of its own: `make_bench()`, or over a folder that is there."""
    with ThreadPoolExecutor(2) as readers, ThreadPoolExecutor(2) as writers:
        benches = []

        def make(name: str | None = None, cache: Path | None = None) -> Bench:
            folder = tmp_path / (name or f"bench{len(benches)}")
            known = Cache(cache or folder / "cache")
            benches.append(Bench(folder, known, Memo(known.write_root / "memo"), readers, writers))
            return benches[-1]

        yield make
        for bench in benches:
            bench.cache.close()


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a given size in KiB, or skip; `small_disk(256)` returns its folder."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        options = ["-o", f"size={kilobytes}k"]
        reason = run_mount(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)])
        if reason:
            pytest.skip(f"no tmpfs can be mounted here: {reason}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        assert not run_mount(["umount", str(folder)])


@pytest.fixture
def make_reflink_disk(tmp_path):
    """Mount a new file system that has reflinks, `xfs` or `btrfs`, and return its folder, or skip."""
    mounted: list[Path] = []

    def make(kind: str) -> Path:
        image, folder = tmp_path / f"{kind}.img", tmp_path / kind
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(400 << 20)  # xfs takes no less than 300 MiB; the file is sparse
        command = {"xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"], "btrfs": ["mkfs.btrfs", "-q"]}[kind]
        reason = run_mount([*command, str(image)]) or run_mount(["mount", "-o", "loop", str(image), str(folder)])
        if reason:
            pytest.skip(f"no {kind} can be mounted here: {reason}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        assert not run_mount(["umount", str(folder)])


@pytest.fixture(params=["xfs", "btrfs"])
def reflink_disk(request, make_reflink_disk):
    """The folder of a file system that has reflinks."""
    return make_reflink_disk(request.param)


def run_mount(command):
    """Return why it failed; empty when it did not."""
    if not sys.platform.startswith("linux"):
        return f"this is {sys.platform}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"code {done.returncode}"


@pytest.fixture
def make_read_only():
    """Remount a small disk read-only, or skip."""

    def remount(folder: Path) -> None:
        reason = run_mount(["mount", "-o", "remount,ro", str(folder)])
        if reason:
            pytest.skip(f"a disk cannot be made read-only here: {reason}")

    return remount


@pytest.fixture
def raises_with_hint():
    """Assert that a block raises a typed error whose message names things and which says what to do."""

    class Raised:
        def __init__(self, kind: type[Exception], *named: object) -> None:
            self.kind, self.named = kind, named

        def __enter__(self) -> Raised:
            self.context = pytest.raises(self.kind)
            self.info = self.context.__enter__()
            return self

        def __exit__(self, *failure: Any) -> bool:
            if not self.context.__exit__(*failure):
                return False
            error: Any = self.info.value
            assert type(error) is self.kind
            assert error.hint
            for text in self.named:
                assert str(text) in error.message
            return True

    return Raised


class Latent(PlainEngine):
    """An engine whose estimates are no alphas: they are completed in groups, and what is around a frame counts."""

    name = "latent"
    fingerprint = "latent-1"

    def __init__(self, length=6, overlap=2, context=1):
        self.window = WindowShape(length, overlap, context)
        self.windows: list[tuple[int, ...]] = []
        self.groups: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def shape(self, settings):
        return self.window

    def rule(self, settings):
        return RegionRule(fixed=True)

    def prepare(self, frame, settings):
        return frame.number, frame.mask, frame.plate

    def refine(self, prepared, settings):
        numbers = tuple(number for number, _, _ in prepared)
        self.windows.append(numbers)
        mean = np.mean([plate.mean() for _, _, plate in prepared])
        return np.asarray([[mask.mean(), mean, numbers[0] % 7] for _, mask, _ in prepared], np.float32)

    def complete(self, estimates, prepared, wanted, settings):
        numbers = tuple(number for number, _, _ in prepared)
        self.groups.append((numbers, tuple(numbers[at] for at in wanted)))
        around = np.float32(np.stack(estimates).mean() / 10)
        return [0.5 * prepared[at][1] + 0.05 * np.float32(estimates[at].sum()) + around for at in wanted]


@pytest.fixture(scope="session")
def latent():
    """The class of the fake engine that completes groups."""
    return Latent


@pytest.fixture
def good():
    """The code of an engine `own`, whose class is called Own."""
    return GOOD_ENGINE


@pytest.fixture
def installed(packages, monkeypatch):
    """Install packages for this process: `installed(code, version="2.0")` brings an engine `own` and returns its name.

    Each has another name, as Python imports a module once.
    """
    packages.folder.mkdir()
    monkeypatch.syspath_prepend(packages.folder)
    monkeypatch.setattr(engines, "_plugged", {})

    def install(code=GOOD_ENGINE, points=None, version="1.0"):
        name = f"studio-{next(_packages)}"
        packages.put(name, code, points or {"own": "Own"}, version)
        return name

    return install


@pytest.fixture
def lend(monkeypatch):
    """Have processes that are started find modules in a folder, which they are kept from: `lend(folder)`."""

    def allow(folder):
        monkeypatch.setattr(surroundings, "ISOLATED", "-s")
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setenv("VIDEOMAMA_KEEP_ENV", "PYTHONPATH")

    return allow


@pytest.fixture(scope="session")
def unchanged():
    """Compare pixels, (H, W, C), (H, W) or (N,), with those of old, in billionths: `unchanged(pixels, [...])`.

    What is cached, or recorded in figures, rests on these pixels. Each number is the mean of a channel under weights
    that look random, so that what moves or changes anywhere shows. With and without the vector units of a processor
    they differ by less than one in paintings, and by up to `within` elsewhere; another OpenCV changes thousands, so
    that nothing can be said with other libraries than the pinned ones.
    """
    if not (PINNED and COMPARED):
        pytest.skip("the numbers are those of Linux on x86-64 with the NumPy and OpenCV of install/constraints.txt")

    def compare(pixels, known, within=10):
        values = np.asarray(pixels, np.float64)
        values = values.reshape(*values.shape[:2], -1) if values.ndim > 1 else values[:, None, None]
        rows, columns = np.mgrid[: values.shape[0], : values.shape[1]].astype(np.int64)
        weights = (rows * 7919 + columns * 104729 + rows * columns * 31) * 2654435761 % 2**32 / 2**31 - 1
        found = 1e9 * (values * weights[..., None]).mean((0, 1))
        np.testing.assert_allclose(found, known, rtol=0, atol=within, err_msg=str([round(value) for value in found]))

    return compare
