"""What the tests of several folders share: server processes, the command line, and small clips on disk."""

import importlib.util
import inspect
import itertools
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import uuid
import zipfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
from videomama_client import connection, launch
from videomama_client.client import Client
from videomama_client.engine_settings import own_specs
from videomama_client.messages import FrameDone, MatteDone, MattePlanned, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server import cli
from videomama_server.media import frames, sequences

BENCH = Path(__file__).parents[1] / "bench"
START_S = 90.0
END_S = 60.0
_SETTINGS = {known.name for known in fields(MatteSettings)} | own_specs().keys()
_seeds = itertools.count(1)


def pytest_configure() -> None:
    """Where several processes share the tests, leave each a core: torch would start threads for all of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def wait_until(said: Callable[[], object], what: str, seconds: float = START_S) -> None:
    """Wait for something to become true, and fail naming it when it does not in time."""
    until = time.monotonic() + seconds
    while not said():
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.02)


@pytest.fixture
def eventually():
    """Wait for something, bounded: `eventually(lambda: done(), "it is done")`."""
    return wait_until


def order(plate: str, mask: str, out: str, **changes) -> SubmitMatte:
    """Make a request; names of settings and of request fields may be mixed."""
    settings = {name: changes.pop(name) for name in _SETTINGS & changes.keys()}
    settings = MatteSettings.of(**{"engine": "passthrough", "roi": "off", **settings})
    return SubmitMatte(uuid.uuid4().hex, plate, mask, out, settings, **changes)


@dataclass(frozen=True)
class ClipFiles:
    """A clip on disk: plate.####.exr and mask.####.exr in one folder, alphas to go to another."""

    folder: Path
    first: int
    count: int

    @property
    def plate(self) -> str:
        return str(self.folder / "plate.####.exr")

    @property
    def mask(self) -> str:
        return str(self.folder / "mask.####.exr")

    @property
    def out(self) -> str:
        return str(self.folder / "out" / "alpha.####.exr")

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)

    def file(self, role: str, frame: int) -> Path:
        return sequences.parse(str(self.folder / f"{role}.####.exr")).path(frame)

    def alpha_file(self, frame: int) -> Path:
        return sequences.parse(self.out).path(frame)

    def read_mask(self, frame: int):
        return frames.read_mask(self.file("mask", frame)).pixels[..., 0]

    def read_alpha(self, frame: int):
        return frames.read_mask(self.alpha_file(frame)).pixels[..., 0]

    def order(self, **changes) -> SubmitMatte:
        names = {"plate": self.plate, "mask": self.mask, "out": self.out, **changes}
        return order(names.pop("plate"), names.pop("mask"), names.pop("out"), **names)

    def flags(self, *more: str) -> list[str]:
        """Return the command line of the same job."""
        named = ["--plate", self.plate, "--mask", self.mask, "--out", self.out]
        return ["matte", *named, "--engine", "passthrough", "--roi", "off", *more]


@dataclass
class JobOutcome:
    """What a client heard of one job."""

    planned: MattePlanned | None = None
    frames: list[FrameDone] = field(default_factory=list)
    done: MatteDone | None = None

    @property
    def numbers(self) -> list[int]:
        return sorted(event.frame for event in self.frames)


def follow(client: Client, request: SubmitMatte) -> JobOutcome:
    """Submit a job and take in its events to the end."""
    outcome = JobOutcome()
    for event in client.events(client.submit(request)):
        if isinstance(event, MattePlanned):
            outcome.planned = event
        elif isinstance(event, FrameDone):
            outcome.frames.append(event)
        elif isinstance(event, MatteDone):
            outcome.done = event
    return outcome


def environment() -> dict[str, str]:
    """Return this process's environment without what a person may have configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOMAMA_")}
    return {**kept, "VIDEOMAMA_CONFIG": os.devnull}


class RunningServer:
    """A server process on a connection file and a cache folder of its own."""

    def __init__(self, folder: Path, flags: tuple[str, ...], python: str = sys.executable) -> None:
        self.python = python
        self.connection_file = folder / "connection.json"
        self.cache_dir = folder / "cache"
        self.log_file = folder / "server.log"
        self.flags = ("--cache-dir", str(self.cache_dir), *flags)
        self.process = self.start()

    def start(self) -> subprocess.Popen:
        """Start the process, also again after its end, and wait until it listens."""
        command = [self.python, "-m", "videomama_server", "serve", "--connection-file", str(self.connection_file)]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment()
            )
        wait_until(lambda: self.process.poll() is not None or self.listens(), "the server listens")
        assert self.process.poll() is None, self.log_file.read_text()
        return self.process

    def listens(self) -> bool:
        if not self.connection_file.exists():
            return False
        known = connection.read(self.connection_file)
        return known.pid == self.process.pid and known.listening()

    @contextmanager
    def client(self):
        with Client(connection.read(self.connection_file)) as client:
            yield client

    def refine(self, files: ClipFiles, /, **changes) -> JobOutcome:
        """Do one job over a client of its own."""
        with self.client() as client:
            return follow(client, files.order(**changes))

    def status(self):
        with self.client() as client:
            return client.status()

    def worker(self) -> psutil.Process:
        """Return the engine worker, which is started where there is none."""
        with self.client() as client:
            client.cache_report()
            return psutil.Process(client.status().worker_pid)

    @staticmethod
    @contextmanager
    def held(worker: psutil.Process):
        """Stop the worker meanwhile: its job is not over before the test has looked, however late that comes to it."""
        worker.suspend()
        try:
            yield
        finally:
            worker.resume()

    def entries(self) -> list[Path]:
        """Return the whole entries; hidden files are being written, or were when their writer was killed."""
        return sorted(path for path in self.cache_dir.glob("entries/*/*.exr") if not path.name.startswith("."))

    def kill(self) -> None:
        """End the process as a crash does."""
        self.process.kill()
        self.process.wait(END_S)

    def end(self) -> None:
        """End the process as a person does, and see that it and its worker are gone."""
        family = self._family()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(END_S)
        _, left = psutil.wait_procs(family, END_S)
        for process in left:
            process.kill()
        assert not left, f"left running: {left}"

    def _family(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


@pytest.fixture(scope="session")
def run_server():
    """Run servers on a folder, for fixtures that see to their end: `run_server(folder, ("--threads", "1"))`."""
    return RunningServer


@pytest.fixture
def start_server(tmp_path):
    """Start servers that end with the test: `start_server("--threads", "1")`."""
    started: list[RunningServer] = []

    def start(*flags: str) -> RunningServer:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        started.append(RunningServer(folder, flags))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture(scope="session", autouse=True)
def ended_servers():
    """See off the servers that commands in this process started: whoever starts one need not wait for its end."""
    yield
    launch.end_started()
    for process in launch._STARTED:
        if isinstance(process, subprocess.Popen):
            process.wait(END_S)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server of every test that leaves it as it found it; each brings pixels of its own."""
    running = RunningServer(tmp_path_factory.mktemp("shared"), ())
    yield running
    assert running.process.poll() is None, running.log_file.read_text()
    assert running.status().worker_restarts == 0, running.log_file.read_text()
    running.end()


def write_frame(path: Path, kind: str, rng: np.random.Generator, size: tuple[int, int]) -> None:
    """Write a plate, or a mask (a box with a soft edge), with noise that no other test has."""
    width, height = size
    if kind == "plate":
        frames.write_picture(path, rng.random((height, width, 3), np.float32) * 2, ("R", "G", "B"), "half")
        return
    mask = np.zeros((height, width), np.float32)
    box = mask[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    box[...] = 0.25 + 0.75 * rng.random(box.shape, np.float32)
    frames.write_picture(path, mask, ("A",), "half")


_PYTHONS = (
    (Path.home(), ".pyenv/versions/{0}.*/bin/python"),
    (Path.home(), ".local/share/uv/python/cpython-{0}.*/bin/python"),
    (Path.home(), "*conda*/envs/*/bin/python{0}"),
    (Path("/opt"), "*/bin/python{0}"),
    (Path("/usr/local/bin"), "python{0}"),
)


@pytest.fixture(scope="session")
def find_python():
    """Return a Python of a version, wherever it is installed: `find_python("3.9")`; skip where there is none."""

    def find(version: str) -> str:
        known = [path for folder, form in _PYTHONS for path in sorted(folder.glob(form.format(version)), reverse=True)]
        on_path = [Path(folder, f"python{version}") for folder in os.environ["PATH"].split(os.pathsep)]
        for candidate in (*known, *on_path, Path(sys.executable)):
            if candidate.is_file() and _version_of(candidate) == version:
                return str(candidate)
        return pytest.skip(f"no Python {version} is installed here")

    return find


def _version_of(python: Path) -> str:
    """Return what a Python says it is; empty for one that does not run, such as a shim of another version."""
    said = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
    )
    return said.stdout.strip()


@pytest.fixture
def make_clip(tmp_path):
    """Write clips: `make_clip(count=4)`."""
    made = itertools.count()

    def make(count: int = 4, first: int = 1001, size: tuple[int, int] = (96, 64)) -> ClipFiles:
        clip = ClipFiles(tmp_path / f"clip{next(made)}", first, count)
        clip.folder.mkdir()
        rng = np.random.default_rng(next(_seeds))
        for frame in clip.numbers:
            for role in ("plate", "mask"):
                write_frame(clip.file(role, frame), role, rng, size)
        return clip

    return make


@dataclass(frozen=True)
class Coded:
    """How `make_movie` codes pictures: FFmpeg's names, and what the movie says of itself."""

    codec: str = "libx264"
    layout: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    rate: int = 24
    timecode: str = ""
    times: Sequence[int] = ()  # of each picture, in frames
    turned: int = 0  # degrees
    aspect: int = 1
    tags: dict[str, int] = field(default_factory=dict)  # of the codec context, such as `color_trc`
    matrix: str = "ITU601"


_WEIGHTS = {
    "ITU709": (0.2126, 0.0722),
    "ITU601": (0.299, 0.114),
    "SMPTE240M": (0.212, 0.087),
    "BT2020": (0.2627, 0.0593),
}


@pytest.fixture
def numbered():
    """Return what makes pictures that tell their number: `numbered(12)`."""
    return _numbered_pictures


def _numbered_pictures(count: int, size: tuple[int, int] = (64, 48), alpha: bool = False) -> list[np.ndarray]:
    """Return pictures (H, W, 3 or 4), 0..1: an upright grey ramp whose level tells the picture's number."""
    width, height = size
    ramp = np.linspace(0, 0.2, height, dtype=np.float32)[:, None, None]
    found = []
    for number in range(count):
        picture = np.broadcast_to(ramp + 0.2 + 0.5 * number / max(1, count - 1), (height, width, 3))
        opaque = np.full((height, width, 1), 1 - number / 100, np.float32)
        found.append(np.concatenate([picture, opaque], axis=2) if alpha else np.array(picture))
    return found


@pytest.fixture
def make_movie(tmp_path):
    """Write movies: `make_movie("plate.mov", numbered(12), codec="prores_ks", layout="yuv422p10le")`."""
    av = pytest.importorskip("av", reason="movies are read with PyAV, which is not installed")

    def make(name: str, pictures: Sequence[np.ndarray], **how) -> Path:
        coded, path = Coded(**how), tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(coded.codec, rate=coded.rate, options=dict(coded.options))
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = coded.layout
            stream.codec_context.sample_aspect_ratio = Fraction(coded.aspect)
            stream.codec_context.time_base = Fraction(1, coded.rate)
            for tag, value in coded.tags.items():
                setattr(stream.codec_context, tag, value)
            if coded.timecode:
                stream.metadata["timecode"] = coded.timecode
            if coded.turned:
                stream.set_display_rotation(coded.turned)
            for place, picture in enumerate(pictures):
                frame = _coded_frame(av, picture, coded)
                frame.pts = coded.times[place] if coded.times else place
                frame.time_base = Fraction(1, coded.rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


def _coded_frame(av, picture: np.ndarray, coded: Coded):
    """Return a picture as a decoder of this layout gives it; FFmpeg's own way there is exact to some 1/400 alone."""
    if not coded.layout.startswith("yuv"):
        whole = np.ascontiguousarray(np.clip(picture, 0, 1) * 65535 + 0.5).astype(np.uint16)
        frame = av.VideoFrame.from_ndarray(whole, format="rgba64le" if picture.shape[2] == 4 else "rgb48le")
        return frame.reformat(format=coded.layout)
    frame = av.VideoFrame(picture.shape[1], picture.shape[0], coded.layout)
    frame.color_range = coded.tags.get("color_range", 2 if "yuvj" in coded.layout else 1)
    bits = frame.format.components[0].bits
    scale, whole = 1 << (bits - 8), (1 << bits) - 1
    black, white, swing = (0, whole, whole) if frame.color_range == 2 else (16 * scale, 235 * scale, 224 * scale)
    red, blue = _WEIGHTS[coded.matrix]
    values = picture.astype(np.float64)
    luma = red * values[..., 0] + (1 - red - blue) * values[..., 1] + blue * values[..., 2]
    levels = [black + luma * (white - black)]
    for difference, weight in ((values[..., 2] - luma, blue), (values[..., 0] - luma, red)):
        levels.append(128 * scale + difference / (2 - 2 * weight) * swing)
    levels.append(values[..., -1] * whole)
    for plane, numbers in zip(frame.planes, levels, strict=False):
        down, across = numbers.shape[0] // plane.height, numbers.shape[1] // plane.width
        means = numbers.reshape(plane.height, down, plane.width, across).mean(axis=(1, 3))
        rows = np.zeros((plane.height, plane.line_size // (2 if bits > 8 else 1)), np.uint16 if bits > 8 else np.uint8)
        rows[:, : plane.width] = np.clip(means + 0.5, 0, whole)
        plane.update(rows.tobytes())
    return frame


@pytest.fixture
def make_long_clip(make_clip):
    """Write clips that keep a server busy: large noisy frames, one file under many numbers."""

    def make(count: int = 60, size: tuple[int, int] = (384, 216)) -> ClipFiles:
        one = make_clip(count=1, size=size)
        clip = ClipFiles(one.folder, one.first, count)
        for frame in clip.numbers[1:]:
            for role in ("plate", "mask"):
                os.link(one.file(role, one.first), clip.file(role, frame))
        return clip

    return make


@dataclass(frozen=True)
class Said:
    """What the command line answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def videomama(monkeypatch, capsys, tmp_path_factory):
    """Run the command in this process: `videomama("status", "--json")`; an error it lets through fails the test."""
    for name in [name for name in os.environ if name.startswith("VIDEOMAMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(tmp_path_factory.getbasetemp() / "nobody.json"))
    monkeypatch.chdir(Path.cwd())  # a server leaves the folder that it is started in

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["videomama", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as leave:
            code = leave.code or 0
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def load_bench():
    """Import a script of bench/ as a module: `load_bench("straight")`."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up there
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def make_checkpoint(load_bench):
    """`make(kind, folder, seed=0)` of bench/make_checkpoint.py."""
    return load_bench("make_checkpoint").make


@pytest.fixture(scope="session")
def tiny_checkpoint(make_checkpoint, tmp_path_factory):
    """The folder of a checkpoint for all tests of a run: not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    make_checkpoint("tiny", folder)
    return folder


@pytest.fixture(scope="session")
def tiny_edge_networks(load_bench, tmp_path_factory):
    """A folder of weights with a tiny ViTMatte in the place of `small`, and a MEMatte: not to be changed."""
    make = load_bench("make_edge_networks")
    folder = tmp_path_factory.mktemp("edges")
    make.save_vitmatte(folder / make.SMALL)
    make.save_mematte(folder / make.MEMATTE)
    return folder


@pytest.fixture
def own_checkpoint(tiny_checkpoint, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")


@dataclass
class Packages:
    """Packages that bring engines, in a folder, as an installer would write them."""

    folder: Path

    def put(self, package: str, code: str, engines: dict[str, str], version: str = "1.0", module: str = "") -> None:
        """Write a package of one module.

        Args:
            package: its name.
            code: of the module.
            engines: the classes in it by the names of their engines.
            version: of the package.
            module: name of the module; by default like the package's.
        """
        stem = package.replace("-", "_")
        module, info = module or stem, f"{stem}-{version}.dist-info"
        points = [f"{name} = {module}:{kind}" for name, kind in engines.items()]
        written = {
            f"{module}.py": code,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": "\n".join(["[videomama.engines]", *points, ""]),
        }
        written[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*written, f"{info}/RECORD"])
        for name, text in written.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)

    def wheels(self) -> list[Path]:
        """Make a wheel of each package, for pip."""
        made = []
        for record in self.folder.glob("*.dist-info/RECORD"):
            made.append(self.folder / f"{record.parent.stem}-py3-none-any.whl")
            with zipfile.ZipFile(made[-1], "w") as wheel:
                for name in record.read_text().split(",,\n")[:-1]:
                    wheel.write(self.folder / name, name)
        return made


@pytest.fixture(scope="session")
def make_environment():
    """Make an environment that has all that this one has; return its Python and the folder of its packages."""

    def make(home: Path) -> tuple[Path, Path]:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
        python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(subprocess.check_output([python, "-I", "-c", asked], text=True).strip())
        (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        return python, site

    return make


@pytest.fixture(scope="session")
def studio_server(run_server, make_environment):
    """Start a server in an environment that has all that this one has, and packages that bring engines.

    `studio_server(folder, {"package": (code, {"engine": "Class"})}, "--device", "cpu")`
    """

    def start(folder: Path, brought: dict[str, tuple[str, dict[str, str]]], *flags: str) -> RunningServer:
        python, site = make_environment(folder / "environment")
        for package, (code, engines) in brought.items():
            Packages(site).put(package, code, engines)
        return run_server(folder, flags, str(python))

    return start


@pytest.fixture
def packages(tmp_path):
    """Write packages that bring engines into a folder that nothing imports from yet: `packages.put(...)`."""
    return Packages(tmp_path / "packages")


@pytest.fixture(scope="session")
def numbers_left_out():
    """Return the numbers and switches of a dataclass or a function where nobody gives any: `{name: value}`."""

    def left_out(kind):
        if is_dataclass(kind):
            defaults = {field.name: field.default for field in fields(kind)}
        else:
            defaults = {name: one.default for name, one in inspect.signature(kind).parameters.items()}
        return {name: value for name, value in defaults.items() if isinstance(value, (int, float))}

    return left_out
