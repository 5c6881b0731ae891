"""The kinds of accident that happen to a job: each does one, at a moment of its own, and leaves mending to others."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import fault_rig
import numpy as np
import psutil
from fault_rig import Bridge, Case, Rig
from videomama_client.errors import VideoMaMaError
from videomama_client.messages import MatteDone

Outcome = MatteDone | VideoMaMaError | None
LATE, LOST = -1, -2


class FaultScene:
    """One job about to be disturbed.

    Attributes:
        outcome: what the disturbed job came to; None when nobody was left to hear.
    """

    def __init__(self, rig: Rig, bridge: Bridge, case: Case, rng: np.random.Generator) -> None:
        self.rig, self.bridge, self.case, self.rng = rig, bridge, case, rng
        self.outcome: Outcome = None
        self._strange: BaseException | None = None

    @contextmanager
    def job(self) -> Iterator[None]:
        """Have the job run meanwhile, in a thread of its own, and see that it ends."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        yield
        thread.join(fault_rig.QUIET_S)
        if thread.is_alive():
            raise TimeoutError("the job does not end")
        if self._strange is not None:
            raise self._strange

    def moment(self) -> None:
        """Wait for a moment somewhere in the job, or just after."""
        time.sleep(self.rng.uniform(0.0, 1.2) * self.case.seconds)

    def _run(self) -> None:
        try:
            with self.bridge.client() as client:
                self.outcome = fault_rig.run(client, self.case)
        except VideoMaMaError as error:
            self.outcome = error
        except BaseException as error:  # noqa: BLE001  (told where the job is waited for)
            self._strange = error


@dataclass(frozen=True)
class FaultKind:
    """One kind of accident.

    Attributes:
        hurt: does it.
        bridge: which server it happens to.
        goes_on: the disturbed job has to end well all the same; else it may fail with a typed error.
        size, count: of the clip.
        rewrites: several write the same entries at once, so one may take the place of another.
    """

    hurt: Callable[[FaultScene], None]
    bridge: str = "plain"
    goes_on: bool = False
    size: tuple[int, int] = (160, 96)
    count: int = 12
    rewrites: bool = False


def _signal_worker(number: int) -> Callable[[FaultScene], None]:
    def hurt(scene: FaultScene) -> None:
        pid = scene.bridge.worker()
        with scene.job():
            scene.moment()
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    return hurt


def _signal_server(number: int) -> Callable[[FaultScene], None]:
    def hurt(scene: FaultScene) -> None:
        with scene.job():
            scene.moment()
            os.kill(scene.bridge.pid, number)
            scene.bridge.wait_dead()

    return hurt


def _signal_client(number: int) -> Callable[[FaultScene], None]:
    def hurt(scene: FaultScene) -> None:
        process = command(scene.bridge, scene.case)
        time.sleep(scene.rng.uniform(0.4, 1.6))
        process.send_signal(number)
        process.wait(fault_rig.QUIET_S)

    return hurt


def _full_cache(scene: FaultScene) -> None:
    with scene.job():
        scene.moment()
        scene.rig.cache_disk.fill(int(scene.rng.integers(0, 400_000)))


def _full_output(scene: FaultScene) -> None:
    _move_out(scene)
    with scene.job():
        scene.moment()
        scene.rig.out_disk.fill(int(scene.rng.integers(0, 400_000)))


def _full_spool(scene: FaultScene) -> None:
    _inline(scene)
    _full_cache(scene)


def _failing(operation: str, where: str, *codes: int) -> Callable[[FaultScene], None]:
    def hurt(scene: FaultScene) -> None:
        if where == "spool":
            _inline(scene)
        elif where == "out" and operation != "link" and not scene.case.order.objects and scene.rng.random() < 0.5:
            # converted as often as copied; layers of objects always are
            scene.case = replace(scene.case, order=replace(scene.case.order, layer="roto"))
        folder = scene.case.out if where == "out" else scene.bridge.cache / where
        with scene.job():
            scene.moment()
            scene.rig.fail(operation, int(scene.rng.choice(codes)), folder)
        scene.rig.heal()

    return hurt


def _unreadable(scene: FaultScene) -> None:
    """Have entries that cannot be read for a while: that is no reason to remove them."""
    with scene.job():
        pass
    scene.rig.fail("read", errno.EIO, scene.bridge.cache / "entries")
    words = ["cache", "--cache-dir", str(scene.bridge.cache), "verify"]
    environment = {**fault_rig.environment(), **scene.rig.shim()}
    subprocess.run([sys.executable, "-m", "videomama_server", *words], env=environment, check=True, capture_output=True)


def _read_only_cache(scene: FaultScene) -> None:
    with scene.job():
        scene.moment()
        scene.rig.cache_disk.remount("ro")


def _read_only_output(scene: FaultScene) -> None:
    _move_out(scene)
    with scene.job():
        scene.moment()
        scene.rig.out_disk.remount("ro")


def _deleted_cache(scene: FaultScene) -> None:
    with scene.job():
        scene.moment()
        shutil.rmtree(scene.bridge.cache, ignore_errors=True)


def _clock_back(scene: FaultScene) -> None:
    with scene.job():
        scene.moment()
        scene.rig.clock_file.write_text(f"-{scene.rng.integers(1, 48)}h")


def _fooled_memo(scene: FaultScene) -> None:
    """Edit a mask so that its stat says nothing of it: `rehash` has to see it; what was expected before is not."""
    with scene.job():
        pass
    frame = int(scene.rng.choice(scene.case.numbers))
    path = Path(scene.case.mask.replace("####", f"{frame:04d}"))
    before = path.stat()
    other = scene.case.out.parent / "other"
    other.mkdir()
    fault_rig.write_frame(other, frame, scene.rng, (160, 96), [path.name.partition(".")[0]])
    path.write_bytes((other / path.name).read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    scene.case = replace(scene.case, order=replace(scene.case.order, rehash=True))
    expect(scene.rig, scene.case)
    with scene.job():
        pass


def _shared_cache(scene: FaultScene) -> None:
    bridges = [scene.bridge, scene.rig.bridge("second")]
    outs = [scene.case.to(scene.case.out.with_name(f"out{index}")) for index in range(4)]
    running = [command(bridges[index % 2], case) for index, case in enumerate(outs)]
    codes = [process.wait(fault_rig.QUIET_S) for process in running]
    wrong = [case.wrong() for case in outs]
    if any(codes) or any(wrong):
        raise AssertionError(f"four jobs at once ended with codes {codes}, wrong frames {wrong}")


def _out_of_memory(scene: FaultScene) -> None:
    worker = psutil.Process(scene.bridge.worker())
    with scene.job():
        scene.moment()
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            least = worker.memory_info().vms + int(scene.rng.integers(0, 8_000_000))
            resource.prlimit(worker.pid, resource.RLIMIT_AS, (least, resource.RLIM_INFINITY))
    with suppress(ProcessLookupError):
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(worker.pid, resource.RLIMIT_AS, unlimited)


def _stuck_engine(scene: FaultScene) -> None:
    scene.bridge.worker()
    scene.case = replace(scene.case, order=replace(scene.case.order, settings=passthrough(scene.case)))
    expect(scene.rig, scene.case)
    with scene.job():
        scene.moment()
        scene.rig.stuck_file.touch()


KINDS = {
    "kill -9 of the worker": FaultKind(_signal_worker(signal.SIGKILL), goes_on=True),
    "kill -9 of the server": FaultKind(_signal_server(signal.SIGKILL)),
    "kill -9 of the client": FaultKind(_signal_client(signal.SIGKILL)),
    "SIGTERM of the worker": FaultKind(_signal_worker(signal.SIGTERM), goes_on=True),
    "SIGTERM of the server": FaultKind(_signal_server(signal.SIGTERM)),
    "SIGTERM of the client": FaultKind(_signal_client(signal.SIGTERM)),
    "ENOSPC on the cache": FaultKind(_full_cache, "disk"),
    "ENOSPC on the output": FaultKind(_full_output),
    "ENOSPC on the spool": FaultKind(_full_spool, "disk"),
    "EIO on the cache": FaultKind(_failing("write", "entries", errno.EIO), "faulty"),
    "EIO on the output": FaultKind(_failing("write", "out", errno.EIO), "faulty"),
    "EIO on the spool": FaultKind(_failing("write", "spool", errno.EIO), "faulty"),
    "EIO while entries are verified": FaultKind(_unreadable, "faulty", goes_on=True),
    "read-only remount of the cache": FaultKind(_read_only_cache, "disk"),
    "read-only remount of the output": FaultKind(_read_only_output),
    "cache folder deleted": FaultKind(_deleted_cache, rewrites=True),
    "clock jumps back": FaultKind(_clock_back, "clock", goes_on=True),
    "same-size same-mtime edit": FaultKind(_fooled_memo, goes_on=True),
    "two servers, four jobs, one cache": FaultKind(_shared_cache, rewrites=True),
    "rename fails (EXDEV, ESTALE)": FaultKind(_failing("rename", "entries", errno.EXDEV, errno.ESTALE), "faulty"),
    "rename of the output fails": FaultKind(_failing("rename", "out", errno.EXDEV, errno.ESTALE), "faulty"),
    "rename comes late": FaultKind(_failing("rename", "entries", LATE), "faulty", goes_on=True),
    "rename done, answer lost": FaultKind(_failing("rename", "entries", LOST), "faulty"),
    "no hard links": FaultKind(
        _failing("link", "out", errno.EPERM, errno.EXDEV, errno.EMLINK), "linking", goes_on=True
    ),
    "out of memory": FaultKind(_out_of_memory, size=(960, 540), count=5),
    "worker stopped (SIGSTOP)": FaultKind(_signal_worker(signal.SIGSTOP), "watched", goes_on=True),
    "engine stuck in Python": FaultKind(_stuck_engine, "stuck", goes_on=True),
}


def expect(rig: Rig, case: Case) -> None:
    """Find out what a case comes to undisturbed, and how long it takes, on a server that nothing happens to."""
    control = rig.bridge("control")
    there = case.to(case.out.with_name(f"control-{fault_rig.new_name()}"))
    started = time.monotonic()
    with control.client() as client:
        fault_rig.run(client, there)
    case.seconds = time.monotonic() - started
    case.expected.update({frame: fault_rig.alpha_of(there.alpha_file(frame)) for frame in case.numbers})


def command(bridge: Bridge, case: Case) -> subprocess.Popen[bytes]:
    """Start a job by the command line."""
    words = [*case.words(), "--connection-file", str(bridge.connection_file), "--no-start"]
    quiet = subprocess.DEVNULL
    started = [sys.executable, "-m", "videomama_server", *words]
    return subprocess.Popen(started, stdin=quiet, stdout=quiet, stderr=quiet, env=fault_rig.environment())


def passthrough(case: Case):
    """Return the settings of a case for the engine that can be stuck, without options that another engine has."""
    return replace(case.order.settings, engine="passthrough", engine_options=())


def _inline(scene: FaultScene) -> None:
    scene.case = replace(scene.case, order=replace(scene.case.order, transport="inline"))


def _move_out(scene: FaultScene) -> None:
    scene.case = scene.case.to(scene.rig.out_disk.folder / fault_rig.new_name())
