"""Housekeeping over real books and a real child process in the worker's place."""

import asyncio
import time
from types import SimpleNamespace

import psutil
import pytest
from videomama_client.errors import Cancelled
from videomama_client.messages import FrameWanted, MatteDone, MatteFailed, ReportCache, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.config import Config
from videomama_server.serving import housekeeping, supervisor
from videomama_server.serving.housekeeping import Controls, Housekeeping
from videomama_server.serving.jobs import JobBook
from videomama_server.serving.questions import QuestionBook
from videomama_server.serving.supervisor import HUNG, Supervisor

REQUEST = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())
LATE_S = 0.05
WAIT_S = 60


class Rig:
    """Books, a worker that does nothing, and what housekeeping did with them."""

    def __init__(self, **limits):
        config = Config(**limits)
        self.book, self.questions = JobBook(), QuestionBook(lambda *_: None)
        self.deaths = asyncio.Queue()
        self.worker = Supervisor(config, lambda _: None, self.deaths.put_nowait)
        self.done, self.requested = [], time.monotonic()
        controls = Controls(
            fail=lambda job, error: self._end("failed", job, error),
            give_up=lambda job, error: self._end("given up", job, error),
            retire_engine=self._retire,
            end_server=lambda: self.done.append("server ended"),
            tell_queue=lambda: None,
            last_request=lambda: self.requested,
        )
        self.housekeeping = Housekeeping(config, self.book, self.questions, self.worker, controls)

    def _end(self, how, job, error):
        self.book.note(MatteFailed.by(job.id, error))
        self.done.append((how, job.id, error.message))

    async def _retire(self):
        self.done.append("engine retired")
        await self.worker.retire()

    async def check_late(self):
        await asyncio.sleep(LATE_S)
        await self.housekeeping.check()


@pytest.fixture
def run_rig(monkeypatch):
    """Run an async function with a rig whose worker runs: `run_rig(body, read_limit_s=0.01)`."""
    monkeypatch.setattr(supervisor, "_WORKER", ("-c", "import sys; sys.stdin.read()"))

    def run(body, **limits):
        async def kept():
            rig = Rig(**limits)
            rig.worker.start()
            try:
                await asyncio.wait_for(body(rig), WAIT_S)
            finally:
                rig.worker.stop()

        asyncio.run(kept())

    return run


@pytest.fixture
def clock(monkeypatch):
    """Housekeeping's clock, which stands still but for `clock.now += 100`: no machine is too slow for it."""
    found = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(housekeeping, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_a_file_that_is_read_for_too_long_fails_its_job_and_ends_the_worker(run_rig):
    async def body(rig):
        job, other = rig.book.add(b"client", REQUEST), rig.book.add(b"client", REQUEST)
        pid = rig.worker.pid
        rig.book.note_begun(other.id)
        rig.book.note_files(job.id, ["plate frame 1 (/a)"])
        for _ in range(2):  # the second time before the death was noticed
            await rig.check_late()
            assert rig.done == [("failed", job.id, "plate frame 1 (/a) was not read within 0.01 s")]
        await rig.deaths.get()
        assert not psutil.pid_exists(pid)
        assert rig.book.after_death() == ([other], [])
        await rig.housekeeping.check()
        assert len(rig.done) == 1

    run_rig(body, read_limit_s=0.01)


def test_a_death_for_a_hung_file_is_no_other_jobs_fault(run_rig):
    async def body(rig):
        other = rig.book.add(b"client", REQUEST)
        for _ in range(2):
            job = rig.book.add(b"client", REQUEST)
            rig.book.note_begun(other.id)
            rig.book.note_files(job.id, ["plate frame 1 (/a)"])
            await rig.check_late()
            await rig.deaths.get()
            assert rig.book.after_death() == ([other], [])
            rig.worker.start()

    run_rig(body, read_limit_s=0.01)


def test_a_job_whose_client_sends_no_frame_is_given_up(run_rig):
    async def body(rig):
        job = rig.book.add(b"client", REQUEST)
        rig.book.note(FrameWanted(job.id, "mask", 7))
        await rig.check_late()
        assert rig.done == [("given up", job.id, "mask frame 7 was not sent within 0.01 s")]
        assert rig.worker.pid is not None

    run_rig(body, supply_limit_s=0.01)


def test_without_limits_no_job_is_ended(run_rig):
    async def body(rig):
        job = rig.book.add(b"client", REQUEST)
        rig.book.note_files(job.id, ["plate frame 1 (/a)"])
        rig.book.note(FrameWanted(job.id, "mask", 7))
        await rig.check_late()
        assert rig.done == []
        assert not job.ended

    run_rig(body, read_limit_s=0.0, supply_limit_s=0.0)


def test_an_engine_that_nobody_needs_is_retired(run_rig):
    async def body(rig):
        await rig.check_late()
        assert rig.done == ["engine retired"]
        assert rig.worker.pid is None
        await rig.check_late()
        assert rig.done == ["engine retired"]

    run_rig(body, engine_idle_s=0.01)


@pytest.mark.parametrize("idle", ["engine_idle_s", "server_idle_s"])
def test_what_is_in_use_is_not_idle(run_rig, clock, idle):
    async def body(rig):
        job = rig.book.add(b"client", REQUEST)
        clock.now += 100
        await rig.housekeeping.check()
        rig.book.note(MatteDone(job.id, 0, 0, 0, 0.0, "classic", [0, 0, 1, 1]))
        rig.questions.add(b"client", ReportCache("q"))
        await rig.housekeeping.check()
        rig.questions.refuse_all(Cancelled("the question was dropped"))
        rig.housekeeping.note_work()
        await rig.housekeeping.check()
        assert rig.done == []
        clock.now += 100
        await rig.housekeeping.check()
        assert rig.done == ["engine retired" if idle == "engine_idle_s" else "server ended"]

    run_rig(body, **{"engine_idle_s": 1e9, idle: 60.0})


def test_a_server_that_was_just_asked_something_is_not_idle(run_rig, clock):
    async def body(rig):
        clock.now += 100
        rig.requested = clock.now
        await rig.housekeeping.check()
        assert rig.done == []
        clock.now += 100
        await rig.housekeeping.check()
        assert rig.done == ["server ended"]

    run_rig(body, server_idle_s=60.0)


def test_a_worker_that_hangs_with_a_job_is_killed(run_rig):
    async def body(rig):
        rig.book.add(b"client", REQUEST)
        await asyncio.sleep(0.7)
        await rig.housekeeping.check()
        while rig.deaths.empty():
            await rig.check_late()
        assert rig.deaths.get_nowait() == HUNG

    run_rig(body, engine_hang_s=0.5)


def test_it_checks_again_and_again(run_rig, monkeypatch):
    assert housekeeping._CHECK_EVERY_S == 1.0  # what the watchdog takes for granted
    monkeypatch.setattr(housekeeping, "_CHECK_EVERY_S", 0.01)

    async def body(rig):
        work = asyncio.create_task(rig.housekeeping.run())
        while rig.done.count("server ended") < 3:
            await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    run_rig(body, server_idle_s=0.001)
