"""The supervisor with real worker processes."""

import asyncio
import sys
import time
from contextlib import suppress

import psutil
import pytest
from videomama_client import messages
from videomama_server import pipe
from videomama_server.config import Config
from videomama_server.serving import supervisor
from videomama_server.serving.supervisor import Supervisor

WAIT_S = 60


class Watched:
    """A supervisor in a running event loop, with what it reported."""

    def __init__(self, config):
        self.messages = asyncio.Queue()
        self.exits = asyncio.Queue()
        self.supervisor = Supervisor(config, self.messages.put_nowait, self.exits.put_nowait)

    async def ready(self):
        message = await asyncio.wait_for(self.messages.get(), WAIT_S)
        assert isinstance(message, pipe.WorkerReady)
        return message.pid

    async def event(self, *kinds):
        while not isinstance(message := await asyncio.wait_for(self.messages.get(), WAIT_S), kinds):
            continue
        return message


@pytest.fixture
def supervised(tmp_path):
    """Run an async function with a supervisor, and see that no worker is left: `supervised(body)`."""

    def run(body, **config):
        async def watched():
            watch = Watched(Config(cache_dir=tmp_path / "cache", connection_file=tmp_path / "c.json", **config))
            try:
                await asyncio.wait_for(body(watch), WAIT_S * 2)
            finally:
                watch.supervisor.stop()

        before = set(psutil.Process().children())
        asyncio.run(watched())
        assert set(psutil.Process().children()) <= before

    return run


@pytest.fixture
def fake_worker(tmp_path, monkeypatch):
    """Put a script in the worker's place: `fake_worker("print('nonsense')")`."""

    def fake(script):
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(supervisor.sys, "executable", str(path))

    return fake


def test_it_starts_a_worker_and_carries_messages(supervised, make_clip):
    async def body(watch):
        watch.supervisor.start()
        watch.supervisor.start()
        assert await watch.ready() == watch.supervisor.pid
        watch.supervisor.send(pipe.RunJob("job", "", make_clip(count=1).order()))
        assert (await watch.event(messages.MatteDone)).frame_count == 1
        assert watch.supervisor.restarts == 0

    supervised(body)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc, on Linux, heeds it")
def test_the_worker_asks_for_huge_pages(supervised, monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)

    async def body(watch):
        watch.supervisor.start()
        assert psutil.Process(await watch.ready()).environ()["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"

    supervised(body)


def test_a_message_starts_the_worker_when_none_runs(supervised):
    async def body(watch):
        assert watch.supervisor.pid is None
        watch.supervisor.send(pipe.DropJob("nonsense"))
        assert await watch.ready() == watch.supervisor.pid

    supervised(body)


def test_a_death_is_reported_once_and_the_next_message_starts_another(supervised):
    async def body(watch):
        watch.supervisor.start()
        first = await watch.ready()
        psutil.Process(first).kill()
        assert await asyncio.wait_for(watch.exits.get(), WAIT_S) != 0
        assert watch.supervisor.pid is None
        assert watch.supervisor.restarts == 1
        watch.supervisor.send(pipe.DropJob("nonsense"))
        assert await watch.ready() == watch.supervisor.pid != first
        assert watch.exits.empty()

    supervised(body)


def test_a_message_to_a_dying_worker_is_no_error(supervised, caplog):
    async def body(watch):
        watch.supervisor.start()
        process = psutil.Process(await watch.ready())
        process.kill()
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)  # no await: the event loop has not heard of it yet
        watch.supervisor.send(pipe.DropJob("nonsense"))
        await asyncio.wait_for(watch.exits.get(), WAIT_S)

    supervised(body)
    assert "died" in caplog.text


def test_an_asked_for_end_is_no_death(supervised):
    async def body(watch):
        watch.supervisor.start()
        pid = await watch.ready()
        watch.supervisor.stop()
        watch.supervisor.stop()
        assert watch.supervisor.pid is None
        assert not psutil.pid_exists(pid)
        await asyncio.sleep(0.1)
        assert watch.exits.empty()
        assert watch.supervisor.restarts == 0

    supervised(body)


def test_while_one_worker_retires_a_message_starts_the_next(supervised, make_clip):
    async def body(watch):
        watch.supervisor.start()
        first = await watch.ready()
        retiring = asyncio.create_task(watch.supervisor.retire())
        await asyncio.sleep(0)
        watch.supervisor.send(pipe.RunJob("job", "", make_clip(count=1).order()))
        assert (await watch.event(messages.MatteDone)).frame_count == 1
        await retiring
        assert watch.supervisor.pid not in (None, first)
        assert watch.exits.empty()

    supervised(body)


def test_a_worker_that_sends_nonsense_is_ended(supervised, fake_worker, caplog):
    fake_worker("import sys, time; sys.stdout.write('HTTP/1.1 200 OK'); sys.stdout.flush(); time.sleep(60)")

    async def body(watch):
        watch.supervisor.start()
        assert await asyncio.wait_for(watch.exits.get(), WAIT_S) != 0

    supervised(body)
    assert "sent nonsense" in caplog.text


def test_a_worker_that_cannot_start_is_reported_as_dead(supervised, fake_worker):
    fake_worker("raise SystemExit(7)")

    async def body(watch):
        watch.supervisor.start()
        assert await asyncio.wait_for(watch.exits.get(), WAIT_S) == 7

    supervised(body)


def test_a_worker_that_does_not_end_in_time_is_killed(supervised, fake_worker, monkeypatch):
    monkeypatch.setattr(supervisor, "_END_S", 0.2)
    fake_worker("import time; time.sleep(60)")

    async def body(watch):
        watch.supervisor.start()
        pid = watch.supervisor.pid
        watch.supervisor.stop()
        assert not psutil.pid_exists(pid)

    supervised(body)


def test_a_worker_that_takes_no_messages_holds_nobody_up(supervised, make_clip):
    async def body(watch):
        watch.supervisor.start()
        process = psutil.Process(await watch.ready())
        process.suspend()
        long = make_clip(count=1).order(inline=True, plate_digests=["0" * 32] * 5000)  # more than a pipe holds
        for _ in range(5):
            watch.supervisor.send(pipe.RunJob("job", "", long))
        process.resume()
        watch.supervisor.send(messages.ReportCache("q"))
        assert (await watch.event(messages.CacheReported)).request == "q"

    supervised(body)


async def looked_after(watch):
    """Look after the worker until it is given up, as the server does."""
    while watch.exits.empty():
        watch.supervisor.look_after()
        await asyncio.sleep(0.05)
    return watch.exits.get_nowait()


def test_a_worker_that_hangs_is_killed_and_told_to_have_ended(supervised, caplog):
    async def body(watch):
        watch.supervisor.start()
        process = psutil.Process(await watch.ready())
        process.suspend()
        assert await looked_after(watch) == supervisor.HUNG
        assert (watch.supervisor.pid, watch.supervisor.restarts) == (None, 1)
        process.wait(WAIT_S)
        watch.supervisor.send(pipe.DropJob("nonsense"))
        assert await watch.ready() == watch.supervisor.pid != process.pid
        await asyncio.sleep(0.1)
        assert watch.exits.empty()

    supervised(body, engine_hang_s=1.0)
    assert "hangs and is killed: it has done nothing for 1 s" in caplog.text


def test_an_idle_worker_is_left_alone(supervised):
    async def body(watch):
        watch.supervisor.start()
        await watch.ready()
        for _ in range(120):
            watch.supervisor.look_after()
            await asyncio.sleep(0.05)
        assert watch.exits.empty()

    supervised(body, engine_hang_s=4.0)  # a pulse of each half second may come late on a busy machine


def test_a_worker_that_the_system_does_not_start_counts_a_second_later_as_one_that_died(
    supervised, monkeypatch, caplog
):
    monkeypatch.setattr(supervisor, "_AGAIN_S", 0.05)

    async def body(watch):
        def refused(_):
            raise OSError(24, "too many open files")

        monkeypatch.setattr(watch.supervisor, "_begun", refused)
        watch.supervisor.send(pipe.DropJob("nonsense"))
        again = watch.supervisor._again
        watch.supervisor.start()
        assert watch.supervisor._again is again  # it is waited for
        assert await asyncio.wait_for(watch.exits.get(), WAIT_S) == supervisor.NOT_STARTED
        assert (watch.supervisor.restarts, watch.supervisor.pid, watch.supervisor._again) == (1, None, None)
        watch.supervisor.start()
        watch.supervisor.stop()
        await asyncio.sleep(0.15)
        assert watch.exits.empty()  # the server ends

    supervised(body)
    assert "cannot be started: [Errno 24]" in caplog.text


def test_codes_and_times_are_those_that_the_server_reckons_with():
    assert (supervisor.HUNG, supervisor.NOT_STARTED) == (-9, -1)
    assert (supervisor._END_S, supervisor._AGAIN_S) == (5.0, 1.0)


def test_the_processor_time_of_a_worker_that_is_gone_is_none(supervised):
    async def body(watch):
        watch.supervisor.start()
        await watch.ready()
        process = watch.supervisor._process
        assert 0 < process.cpu_s() < 60
        watch.supervisor.stop()
        assert process.cpu_s() == 0

    supervised(body)
