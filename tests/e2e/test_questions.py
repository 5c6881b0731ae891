"""What the engine worker is asked beside its jobs: what comes of it when the worker is busy, gone, or dies."""

import signal
import threading
import time
import uuid

import psutil
import pytest
from videomama_client.errors import BadInput, ServerUnreachable, VideoMaMaError
from videomama_client.messages import FrameDone, MatteDone, PlanFrames, ReportCache
from videomama_client.settings import MatteSettings
from videomama_server.media.sequences import parse_range

PLAIN = MatteSettings(engine="passthrough")
MODEL = MatteSettings(engine="videomama")


class Asking:
    """A question that the server has taken in and not answered yet, in a thread with a client of its own."""

    def __init__(self, server, question) -> None:
        self.answer = None
        self.taken_in = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(server, question))
        self.thread.start()
        assert self.taken_in.wait(60)

    def _run(self, server, question) -> None:
        with server.client() as client:
            client._channel.send(question)
            client.status()  # a client's messages are taken in one after the other
            self.taken_in.set()
            try:
                self.answer, _ = client._channel.answer(question.request, 60)
            except VideoMaMaError as error:
                self.answer = error

    def end(self):
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.answer


def plan_question() -> PlanFrames:
    return PlanFrames(uuid.uuid4().hex, PLAIN, "1-3", "2")


def cache_question() -> ReportCache:
    return ReportCache(uuid.uuid4().hex)


def freeze_worker(server) -> psutil.Process:
    """Keep a server's worker from taking anything in; return it."""
    with server.client() as client:
        client.cache_report()  # it is up
    pid = server.status().worker_pid
    assert pid is not None  # psutil would take that for this process
    worker = psutil.Process(pid)
    worker.send_signal(signal.SIGSTOP)
    return worker


@pytest.fixture
def frozen(start_server):
    """A server whose worker is there and takes nothing in, and that worker."""
    server = start_server()
    return server, freeze_worker(server)


def test_questions_are_answered_while_a_job_runs(server, make_long_clip):
    clip = make_long_clip(count=240)
    with server.client() as artist, server.client() as visitor:
        job = artist.submit(clip.order())
        next(event for event in artist.events(job) if isinstance(event, FrameDone))
        assert visitor.plan_frames(PLAIN, "1-100", "5").needed_ranges == "5"
        assert visitor.cache_report().entries > 0
        visitor.prune_cache()
        with pytest.raises(BadInput, match="a job is using the cache"):
            visitor.clear_cache()
        assert visitor.status().jobs_left == 1
        done = list(artist.events(job))[-1]
    assert isinstance(done, MatteDone)
    assert done.frame_count == 240


def test_a_worker_that_was_ended_is_started_for_a_question_and_kept_a_while(start_server, eventually):
    server = start_server("--engine-idle-s", "2")
    eventually(lambda: server.status().worker_pid is None, "the worker is ended")
    with server.client() as client:
        assert client.cache_report().entries == 0
        worker = client.status().worker_pid
        assert worker is not None
        assert client.plan_frames(PLAIN, "1-3", "").needed_ranges == "1-3"
        assert client.status().worker_pid == worker
        eventually(lambda: client.status().worker_pid is None, "the worker is ended again")
        assert client.status().worker_restarts == 0


def test_a_question_that_a_dying_worker_took_along_is_asked_again(frozen, eventually):
    server, worker = frozen
    asked = [Asking(server, plan_question()), Asking(server, cache_question())]
    worker.kill()
    planned, report = (one.end() for one in asked)
    assert planned.needed_ranges == "2"
    assert report.entries == 0
    assert server.status().worker_restarts == 1


def test_a_server_is_not_idle_while_somebody_waits_for_an_answer(start_server):
    server = start_server("--server-idle-s", "3", "--engine-idle-s", "2.5")
    worker = freeze_worker(server)
    asked = Asking(server, plan_question())
    time.sleep(4.5)  # longer than it may be idle
    assert server.process.poll() is None
    worker.send_signal(signal.SIGCONT)
    assert asked.end().needed_ranges == "2"
    assert server.process.wait(60) == 0


def test_a_question_does_not_get_lost_when_the_engine_is_unloaded(frozen):
    server, worker = frozen
    asked = Asking(server, plan_question())
    with server.client() as client:
        client.unload_engine()
    assert asked.end().needed_ranges == "2"
    assert not worker.is_running()


def test_whoever_waits_for_an_answer_is_told_when_the_server_is_ended(frozen):
    server, _ = frozen
    asked = Asking(server, cache_question())
    server.process.send_signal(signal.SIGTERM)
    answer = asked.end()
    assert isinstance(answer, ServerUnreachable)
    assert "the server was ended" in answer.message


@pytest.mark.parametrize(
    ("engine", "shape"),
    [
        ("passthrough", {"window": 6, "overlap": 2}),
        ("passthrough", {}),
        pytest.param("videomama", {"canvas": "128x64", "window": 6, "overlap": 2}, marks=pytest.mark.slow),
    ],
)
def test_a_job_reads_the_frames_that_were_planned_and_no_others(
    start_server, tiny_checkpoint, make_clip, engine, shape
):
    server = start_server("--device", "cpu", "--dtype", "fp32", "--weights", str(tiny_checkpoint))
    clip = make_clip(count=40)
    with server.client() as client:
        planned = client.plan_frames(MatteSettings.of(engine=engine, **shape), "1001-1040", "1018-1019")
    needed = parse_range(planned.needed_ranges)
    assert 2 <= len(needed) < 40
    for frame in set(clip.numbers) - set(needed):
        clip.file("plate", frame).unlink()
        clip.file("mask", frame).unlink()
    job = {"engine": engine, "clip": "1001-1040", "frame_ranges": "1018-1019", **shape}
    assert server.refine(clip, **job).numbers == [1018, 1019]
    for frame in (needed[0], needed[-1]):
        hidden = clip.file("mask", frame).rename(clip.folder / "hidden.exr")
        with pytest.raises(BadInput, match=f"mask frames {frame} "):
            server.refine(clip, **job)
        hidden.rename(clip.file("mask", frame))


@pytest.mark.slow
def test_the_model_plans_without_being_loaded(start_server, tiny_checkpoint):
    server = start_server("--device", "cpu", "--dtype", "fp32", "--weights", str(tiny_checkpoint))
    with server.client() as client:
        planned = client.plan_frames(MODEL, "1001-1100", "1050")
        assert (planned.engine, planned.window, planned.overlap) == ("videomama", 16, 4)
        assert planned.needed_ranges == "1032-1071"
        assert client.status().loaded == []
    assert not (server.cache_dir / "folded").exists()
