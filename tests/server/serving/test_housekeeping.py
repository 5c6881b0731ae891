"""Housekeeping over real books and a real child process in the worker's place."""

import asyncio
import time

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
WAIT_S = 20


class House:
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
def keep_house(monkeypatch):
    """Run an async function with a house whose worker runs: `keep_house(body, read_limit_s=0.01)`."""
    monkeypatch.setattr(supervisor, "_WORKER", ("-c", "import sys; sys.stdin.read()"))

    def run(body, **limits):
        async def kept():
            house = House(**limits)
            house.worker.start()
            try:
                await asyncio.wait_for(body(house), WAIT_S)
            finally:
                house.worker.stop()

        asyncio.run(kept())

    return run


def test_a_file_that_is_read_for_too_long_fails_its_job_and_ends_the_worker(keep_house):
    async def body(house):
        job, other = house.book.add(b"client", REQUEST), house.book.add(b"client", REQUEST)
        pid = house.worker.pid
        house.book.note_begun(other.id)
        house.book.note_files(job.id, ["plate frame 1 (/a)"])
        await house.check_late()
        assert house.done == [("failed", job.id, "plate frame 1 (/a) was not read within 0.01 s")]
        await house.deaths.get()
        assert not psutil.pid_exists(pid)
        assert house.book.after_death() == ([other], [])
        await house.housekeeping.check()
        assert len(house.done) == 1

    keep_house(body, read_limit_s=0.01)


def test_a_death_for_a_hung_file_is_no_other_jobs_fault(keep_house):
    async def body(house):
        other = house.book.add(b"client", REQUEST)
        for _ in range(2):
            job = house.book.add(b"client", REQUEST)
            house.book.note_begun(other.id)
            house.book.note_files(job.id, ["plate frame 1 (/a)"])
            await house.check_late()
            await house.deaths.get()
            assert house.book.after_death() == ([other], [])
            house.worker.start()

    keep_house(body, read_limit_s=0.01)


def test_a_job_whose_client_sends_no_frame_is_given_up(keep_house):
    async def body(house):
        job = house.book.add(b"client", REQUEST)
        house.book.note(FrameWanted(job.id, "mask", 7))
        await house.check_late()
        assert house.done == [("given up", job.id, "mask frame 7 was not sent within 0.01 s")]
        assert house.worker.pid is not None

    keep_house(body, supply_limit_s=0.01)


def test_without_limits_no_job_is_ended(keep_house):
    async def body(house):
        job = house.book.add(b"client", REQUEST)
        house.book.note_files(job.id, ["plate frame 1 (/a)"])
        house.book.note(FrameWanted(job.id, "mask", 7))
        await house.check_late()
        assert house.done == []
        assert not job.ended

    keep_house(body, read_limit_s=0.0, supply_limit_s=0.0)


def test_an_engine_that_nobody_needs_is_retired(keep_house):
    async def body(house):
        await house.check_late()
        assert house.done == ["engine retired"]
        assert house.worker.pid is None
        await house.check_late()
        assert house.done == ["engine retired"]

    keep_house(body, engine_idle_s=0.01)


@pytest.mark.parametrize("idle", ["engine_idle_s", "server_idle_s"])
def test_what_is_in_use_is_not_idle(keep_house, idle):
    async def body(house):
        job = house.book.add(b"client", REQUEST)
        await house.check_late()
        house.book.note(MatteDone(job.id, 0, 0, 0, 0.0, "classic", [0, 0, 1, 1]))
        house.questions.add(b"client", ReportCache("q"))
        await house.check_late()
        house.questions.refuse_all(Cancelled("the question was dropped"))
        house.housekeeping.note_work()
        await house.housekeeping.check()
        assert house.done == []
        await asyncio.sleep(0.2)
        await house.housekeeping.check()
        assert house.done == ["engine retired" if idle == "engine_idle_s" else "server ended"]

    keep_house(body, **{"engine_idle_s": 1e9, idle: 0.1})


def test_a_server_that_was_just_asked_something_is_not_idle(keep_house):
    async def body(house):
        await asyncio.sleep(0.2)
        house.requested = time.monotonic()
        await house.housekeeping.check()
        assert house.done == []
        await asyncio.sleep(0.2)
        await house.housekeeping.check()
        assert house.done == ["server ended"]

    keep_house(body, server_idle_s=0.1)


def test_a_worker_that_hangs_with_a_job_is_killed(keep_house):
    async def body(house):
        house.book.add(b"client", REQUEST)
        await asyncio.sleep(0.7)
        await house.housekeeping.check()
        while house.deaths.empty():
            await house.check_late()
        assert house.deaths.get_nowait() == HUNG

    keep_house(body, engine_hang_s=0.5)


def test_it_checks_again_and_again(keep_house, monkeypatch):
    monkeypatch.setattr(housekeeping, "_CHECK_EVERY_S", 0.01)

    async def body(house):
        work = asyncio.create_task(house.housekeeping.run())
        while house.done.count("server ended") < 3:
            await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    keep_house(body, server_idle_s=0.001)
