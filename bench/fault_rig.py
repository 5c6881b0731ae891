"""What the fault benchmarks share: servers that can be hurt, jobs to disturb, disks, and the checks afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from videomama_client import client as client_module
from videomama_client import connection
from videomama_client.client import Client
from videomama_client.engine_settings import engines_with
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError
from videomama_client.messages import FrameDone, MatteDone
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.cache import seal
from videomama_server.cache.entries import Cache
from videomama_server.media import frames
from videomama_server.submission import Submission, submit

START_S = 30.0
QUIET_S = 45.0
FIRST = 1001
_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_KEPT = {"VIDEOMAMA_KEEP_ENV": "LD_PRELOAD"}  # servers and workers are started without it otherwise
_STUCK = """
import os, threading
from videomama_server.worker import worker
from videomama_server.engines.passthrough import PassthroughEngine
refine = PassthroughEngine.refine
def stuck(*arguments):
    try:
        os.unlink(os.environ["STUCK_ENGINE"])
    except FileNotFoundError:
        return refine(*arguments)
    threading.Event().wait()
PassthroughEngine.refine = stuck
worker.main()
"""
# A server whose workers run the lines above: no variable brings them there.
_STUCK_SERVER = f"""
from videomama_server import cli
from videomama_server.serving import supervisor
supervisor._WORKER = ('-c', {_STUCK!r})
cli.main()
"""


def impatient() -> None:
    """Have clients in this process give a silent server up early: real patience only makes rounds longer."""
    client_module.SILENCE_S, client_module.PING_EVERY_S = 1.5, 0.3


class Bridge:
    """A server process with a connection file of its own.

    Args:
        folder: for connection file and log.
        cache: its cache folder.
        flags: more words for `videomama serve`.
        more: variables of its environment.
        start: words that start the command.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        flags: tuple[str, ...] = (),
        more: dict[str, str] | None = None,
        start: tuple[str, ...] = ("-m", "videomama_server"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.connection_file, self.log, self.cache = folder / "connection.json", folder / "server.log", cache
        self._flags, self._environment, self._start = flags, more or {}, start
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Bridge:
        """Start the server unless it runs, and wait until it listens."""
        if self._process is None or self._process.poll() is not None:
            where = ["--connection-file", str(self.connection_file), "--cache-dir", str(self.cache)]
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, *self._start, "serve", *where, *self._flags],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**environment(), **self._environment},
                )
        wait_for(self._listens, f"the server of {self.connection_file} listens", START_S)
        return self

    def wait_dead(self) -> None:
        """Wait for a process that was killed or told to end."""
        assert self._process is not None
        self._process.wait(QUIET_S)

    def stop(self) -> None:
        """End the server; one that does not end is killed."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Yield a greeted client."""
        with Client(connection.read(self.connection_file)) as client:
            client.hello()
            yield client

    def worker(self) -> int:
        """Return the engine worker's process id, waiting until there is one."""
        with self.client() as client:
            wait_for(lambda: client.status().worker_pid is not None, "there is a worker", START_S)
            pid = client.status().worker_pid
            assert pid is not None
            return pid

    def settle(self) -> None:
        """Wait until no job runs."""
        with self.client() as client:
            wait_for(lambda: client.status().jobs_left == 0, "all jobs end", QUIET_S)

    def _listens(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
        try:
            known = connection.read(self.connection_file)
        except VideoMaMaError:
            return False
        return known.pid == self._process.pid and known.listening()


@dataclass
class Case:
    """One job to disturb, and what it must come to."""

    order: Submission
    out: Path
    count: int
    expected: dict[int, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.5  # of the undisturbed run

    @property
    def numbers(self) -> range:
        """Its frame numbers."""
        return range(FIRST, FIRST + self.count)

    def alpha_file(self, frame: int) -> Path:
        """Return the file of an alpha."""
        return self.out / f"alpha.{frame:04d}.exr"

    @property
    def mask(self) -> str:
        """The pattern of its mask, or of its first object's."""
        return self.order.objects[0].mask if self.order.objects else self.order.mask

    def to(self, out: Path) -> Case:
        """Return the same job with another output folder."""
        return replace(self, out=out, order=replace(self.order, out=str(out / "alpha.####.exr")))

    def words(self) -> list[str]:
        """Return the job as words of the command line."""
        order = self.order
        masks = [f"--object={one.name}={one.mask}" for one in order.objects] or ["--mask", order.mask]
        named = ["--plate", order.plate, *masks, "--out", order.out, "--roi", "off"]
        more = ["--window", str(order.settings.window), "--overlap", str(order.settings.overlap)]
        own = [word for option in order.settings.engine_options for word in (f"--{option.name}", str(option.value))]
        for stage in order.then:
            more += ["--then", f"{stage.engine} window={stage.window} overlap={stage.overlap}"]
        return ["matte", *named, "--engine", order.settings.engine, *own, *more]

    def wrong(self) -> list[int]:
        """Return the frames that are not there, or not what an undisturbed run gives, bit for bit."""
        return [frame for frame in self.numbers if not self._right(frame)]

    def _right(self, frame: int) -> bool:
        try:
            return np.array_equal(alpha_of(self.alpha_file(frame)), self.expected[frame])
        except VideoMaMaError:
            return False


def run(client: Client, case: Case) -> MatteDone:
    """Submit a case and return its result; raises what the job failed with."""
    *_, last = submit(client, case.order).events()
    assert isinstance(last, MatteDone)
    return last


def heard_until(client: Client, case: Case, count: int) -> Iterator[object]:
    """Submit a case, take events until some frames are done, and return the rest of them."""
    events = submit(client, case.order).events()
    while count:
        event = next(events)
        count -= isinstance(event, FrameDone)
    return events


def make_case(
    folder: Path,
    rng: np.random.Generator,
    *,
    size: tuple[int, int],
    count: int,
    engines: Sequence[str],
    objects: int = 0,
) -> Case:
    """Write a clip of noise with a soft box for a mask, every file as large as the next of its kind.

    Args:
        folder: to be made.
        rng: of the noise.
        size: width and height in pixels.
        count: of frames.
        engines: one for each stage of the job.
        objects: how many masks there are, whose alphas become layers of one file; 0 for the one mask of a job.
    """
    folder.mkdir(parents=True)
    masks = [f"mask{index}" for index in range(objects)] or ["mask"]
    for frame in range(FIRST, FIRST + count):
        write_frame(folder, frame, rng, size, masks)
    quality = "fast" if engines[0] in engines_with("quality") else None
    settings = MatteSettings.of(engine=engines[0], quality=quality, roi="off", window=4, overlap=1)
    then = tuple(Stage(engine, window=3, overlap=1) for engine in engines[1:])
    out = folder / "out"
    patterns = [str(folder / f"{mask}.####.exr") for mask in masks]
    several = tuple(MaskObject(mask, pattern) for mask, pattern in zip(masks, patterns, strict=True)) if objects else ()
    names = (str(folder / "plate.####.exr"), "" if objects else patterns[0], str(out / "alpha.####.exr"))
    return Case(Submission(*names, settings, transport="path", then=then, objects=several), out, count)


def write_frame(
    folder: Path, frame: int, rng: np.random.Generator, size: tuple[int, int], masks: Sequence[str] = ("mask",)
) -> None:
    """Write plate and masks of one frame; all look a minute old, and are padded to one size."""
    width, height = size
    pictures = [(name, _soft_box(rng, size), "A") for name in masks]
    pictures.append(("plate", rng.random((height, width, 3), np.float32) * 2, "RGB"))
    for name, pixels, channels in pictures:
        path = folder / f"{name}.{frame:04d}.exr"
        frames.write_picture(path, pixels, tuple(channels), "half")
        os.truncate(path, 6 * width * height + 8192)
        old = time.time() - 60
        os.utime(path, (old, old))


def _soft_box(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    mask = np.zeros((height, width), np.float32)
    mask[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = 0.3 + 0.7 * rng.random(dtype=np.float32)
    return mask + rng.random(mask.shape, np.float32) * np.float32(0.2)


def alpha_of(path: Path) -> np.ndarray:
    """Return the alphas of a file (H, W, layers), by the names of its layers."""
    names = sorted(channel.name for channel in frames.probe(path).channels)
    return np.concatenate([frames.read_mask(path, name).pixels for name in names], axis=2)


class RunWatcher:
    """Looks at every published file as soon as it is there, in a thread: is it whole, and does it stay the same one?"""

    def __init__(self, case: Case, cache: Path) -> None:
        self.partial: list[str] = []
        self.rewritten: list[str] = []
        self._case, self._cache = case, cache
        self._seen: dict[Path, tuple[int, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> RunWatcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(0.004):
            self._look()

    def _look(self) -> None:
        for path in self._published():
            with suppress(OSError):
                stat = path.stat()
                stamp = (stat.st_ino, stat.st_mtime_ns)
                if self._seen.get(path) == stamp:
                    continue
                entry = path.parent.parent.parent == self._cache
                if entry and path in self._seen:
                    self.rewritten.append(path.name)
                self._seen[path] = stamp
                if not (seal.matches(path) if entry else self._whole(path)):
                    self.partial.append(str(path))

    def _published(self) -> list[Path]:
        folders = [(self._case.out, "[!.]*.exr"), (self._cache, "entries/*/[!.]*.exr")]
        found: list[Path] = []
        for folder, pattern in folders:
            with suppress(OSError):  # it is being removed
                found += folder.glob(pattern)
        return found

    def _whole(self, path: Path) -> bool:
        try:
            return bool(np.array_equal(alpha_of(path), self._case.expected[int(path.stem.rpartition(".")[2])]))
        except (BadInput, NotPermitted):
            return not path.exists()


def intact_entries(cache: Path) -> dict[Path, int]:
    """Return the inode of every entry that matches its seal."""
    return {path: path.stat().st_ino for path in cache.glob("entries/*/[!.]*.exr") if seal.matches(path)}


def empty(cache: Path) -> None:
    """Forget all entries, so that those of the next round are alone."""
    shutil.rmtree(cache / "entries", ignore_errors=True)


def verified(cache: Path) -> int:
    """Return how many damaged entries `verify` found, which is to find none the second time."""
    found = Cache(cache)
    try:
        first, second = found.verify().removed, found.verify().removed
    finally:
        found.close()
    return first + second


class Disk:
    """A tmpfs that can be filled up and made read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(folder)], check=True)

    def fill(self, left: int) -> None:
        """Take all room but `left` bytes."""
        with (self.folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        size = (self.folder / "ballast").stat().st_size
        os.truncate(self.folder / "ballast", max(0, size - left))

    def remount(self, how: str) -> None:
        """Make it `ro` or `rw`; a file that is being written at this moment is waited for."""
        for _ in range(200):
            if not subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], capture_output=True).returncode:
                return
            time.sleep(0.002)
        raise TimeoutError(f"{self.folder} cannot be made {how}")

    def repair(self) -> None:
        """Give room back and make it writable."""
        self.remount("rw")
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


class Rig:
    """Servers by name, started when they are first needed; all on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.control_file = folder / "faulty"
        self.stuck_file = folder / "stuck"
        self.clock_file = folder / "clock"
        self.clock_file.write_text("+0")
        self.cache_disk, self.out_disk = Disk(folder / "cache-disk"), Disk(folder / "out")
        self._bridges: dict[str, Bridge] = {}

    def bridge(self, name: str) -> Bridge:
        """Return a server, running; `_made` knows the names. `second` shares the cache of `plain`."""
        if name not in self._bridges:
            self._bridges[name] = self._made(name)
        return self._bridges[name].start()

    def shim(self) -> dict[str, str]:
        """Return the variables with which a process has a faulty disk; the shim is compiled at the first call."""
        library = self.folder / "faulty_disk.so"
        if not library.exists():
            source = Path(__file__).with_name("faulty_disk.c")
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
        return {"LD_PRELOAD": str(library), **_KEPT, "FAULTY_DISK": str(self.control_file)}

    def fail(self, operation: str, code: int, prefix: Path) -> None:
        """Have the faulty disk fail from now on."""
        ready = self.control_file.with_suffix(".new")
        ready.write_text(f"{operation} {code} {prefix}")
        ready.replace(self.control_file)

    def heal(self) -> None:
        """Have everything work again."""
        self.control_file.unlink(missing_ok=True)
        self.stuck_file.unlink(missing_ok=True)
        self.clock_file.write_text("+0")
        for disk in (self.cache_disk, self.out_disk):
            disk.repair()

    def close(self) -> None:
        """End all servers and take the disks away."""
        self.heal()
        for bridge in self._bridges.values():
            bridge.stop()
        for disk in (self.cache_disk, self.out_disk):
            disk.close()

    def _made(self, name: str) -> Bridge:
        cache = self.folder / f"cache-{'plain' if name == 'second' else name}"
        flags: tuple[str, ...] = ()
        more: dict[str, str] = {}
        if name == "disk":
            cache = self.cache_disk.folder / "cache"
        elif name in ("faulty", "linking"):
            more = self.shim()
            flags = ("--delivery", "link") if name == "linking" else ()
        elif name == "clock":
            own = {"LD_PRELOAD": str(_FAKETIME), **_KEPT, "FAKETIME_TIMESTAMP_FILE": str(self.clock_file)}
            more = {**own, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        elif name in ("watched", "stuck"):
            flags = ("--engine-hang-s", "2")
        if name == "stuck":
            return Bridge(
                self.folder / "servers" / name,
                cache,
                flags,
                {"STUCK_ENGINE": str(self.stuck_file)},
                start=("-c", _STUCK_SERVER),
            )
        return Bridge(self.folder / "servers" / name, cache, flags, more)


def clock_can_be_moved() -> bool:
    """Whether libfaketime is there."""
    return _FAKETIME.is_file()


def environment() -> dict[str, str]:
    """Return this process's environment without what a person may have configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
    return {**kept, "VIDEOMAMA_CONFIG": os.devnull}


def wait_for(said, what: str, seconds: float) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it does not become so.
    """
    until = time.monotonic() + seconds
    while not said():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.01)


def new_name() -> str:
    """Return a name that nothing has yet."""
    return uuid.uuid4().hex[:12]
