"""A real worker process, spoken to over its pipe as the server does."""

import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
from videomama_client import messages
from videomama_client.digests import content_digest
from videomama_client.engine_options import EngineOption
from videomama_client.settings import MatteSettings
from videomama_server import pipe
from videomama_server.config import Config, as_flags
from videomama_server.worker.error_boundary import EXIT_DEVICE_LOST
from videomama_server.worker.worker import EXIT_DEAF, Worker

ENDS = (messages.MatteDone, messages.MatteFailed)
WAIT_S = 60
MODULE = ["-m", "videomama_server.worker"]


class LiveWorker:
    """A worker process and what it has said so far."""

    def __init__(self, folder, script="", **config):
        self.config = Config(cache_dir=folder / "cache", connection_file=folder / "connection.json", **config)
        with (folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *(["-c", script] if script else MODULE), json.dumps(as_flags(self.config))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.said, self.pulses = queue.Queue(), queue.Queue()
        self.listener = threading.Thread(target=self._listen)
        self.listener.start()

    def _listen(self):
        while (message := pipe.receive(self.process.stdout)) is not None:
            (self.pulses if isinstance(message, pipe.Pulse) else self.said).put(message)

    def send(self, *sent):
        for message in sent:
            pipe.send(self.process.stdin, message)

    def hear(self):
        return self.said.get(timeout=WAIT_S)

    def hear_until(self, *kinds):
        heard = [self.hear()]
        while not isinstance(heard[-1], kinds):
            heard.append(self.hear())
        return heard

    def run(self, job, request):
        """Do one job and return its events, without the notes on files that were read."""
        self.send(pipe.RunJob(job, "", request))
        heard = [event for event in self.hear_until(*ENDS) if getattr(event, "job", "") == job]
        return [event for event in heard if not isinstance(event, pipe.FilesRead)]

    @contextmanager
    def held(self):
        """Stop the process meanwhile: its job is not over before it is told what comes next."""
        process = psutil.Process(self.process.pid)
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(WAIT_S)
        self.listener.join(WAIT_S)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    live = LiveWorker(tmp_path_factory.mktemp("worker"), threads=2)
    assert live.hear() == pipe.WorkerReady(live.process.pid)
    yield live
    assert live.end() == 0


@pytest.fixture
def start_worker(tmp_path):
    started = []

    def start(**config):
        started.append(LiveWorker(tmp_path, **config))
        return started[-1]

    yield start
    for live in started:
        if not live.process.stdin.closed:
            live.end()


def inline(clip, **changes):
    digests = {
        f"{role}_digests": [content_digest(clip.file(role, n)) for n in clip.numbers] for role in ("plate", "mask")
    }
    return clip.order(inline=True, inline_frame_numbers=list(clip.numbers), **digests, **changes)


def test_everything_that_the_server_sends_has_a_handler(tmp_path):
    handlers = Worker(Config(cache_dir=tmp_path / "cache"), io.BytesIO(), io.BytesIO())._handlers
    assert set(handlers) == {pipe.RunJob, pipe.DropJob, pipe.SetPriority, pipe.FrameSupplied, *pipe.QUESTIONS}


def test_a_job_is_begun_planned_done_frame_by_frame_and_ended(worker, make_clip):
    clip = make_clip(count=2)
    events = worker.run("job1", clip.order())
    phases = [event.phase.code for event in events if isinstance(event, messages.PhaseChanged)]
    # Plates are told only where a window has to wait for one.
    told = [code for code in dict.fromkeys(phases) if code != "reading-plates"]
    assert told == ["loading", "reading-masks", "computing"]
    events = [event for event in events if not isinstance(event, messages.PhaseChanged)]
    assert events[0] == pipe.JobBegun("job1")
    planned = messages.MattePlanned("job1", "passthrough", [0, 0, 96, 64], 2, clip.out, stages=["passthrough"])
    assert events[1] == planned
    assert {event.frame for event in events[2:-1]} == {1001, 1002}
    assert (events[-1].frame_count, events[-1].computed, events[-1].cached) == (2, 2, 0)


def test_an_error_ends_the_job_and_not_the_worker(worker, make_clip):
    events = worker.run("job2", make_clip(count=1).order(engine="nonsense"))
    assert events[-1].code == "bad-input"
    assert isinstance(worker.run("job3", make_clip(count=1).order())[-1], messages.MatteDone)


def test_the_urgent_job_is_begun_first_and_the_other_goes_on_after_it(worker, make_clip, make_long_clip):
    slow, quick = make_long_clip(count=30), make_clip(count=1)
    worker.send(pipe.RunJob("slow", "", slow.order(priority=messages.BATCH)))
    heard = worker.hear_until(messages.FrameDone)
    with worker.held():
        worker.send(pipe.RunJob("quick", "", quick.order()))
    heard += worker.hear_until(*ENDS)
    assert heard[-1].job == "quick"
    heard += worker.hear_until(*ENDS)
    assert (heard[-1].job, heard[-1].frame_count) == ("slow", 30)
    begun = [event.job for event in heard if isinstance(event, pipe.JobBegun)]
    assert begun == ["slow", "quick", "slow"]


def test_jobs_of_one_priority_are_done_in_their_order(worker, make_clip):
    for number in range(3):
        worker.send(pipe.RunJob(f"row{number}", "", make_clip(count=2).order()))
    assert [worker.hear_until(*ENDS)[-1].job for _ in range(3)] == ["row0", "row1", "row2"]


def test_a_dropped_job_ends_with_cancelled_and_nothing_lands_after_that(worker, make_long_clip):
    clip = make_long_clip(count=40)
    worker.send(pipe.RunJob("dropped", "", clip.order()))
    worker.hear_until(messages.FrameDone)
    with worker.held():
        worker.send(pipe.DropJob("dropped"))
    assert worker.hear_until(*ENDS)[-1].code == "cancelled"
    landed = sorted(path.name for path in clip.folder.glob("out/*"))
    assert 0 < len(landed) < 40
    assert not any(name.startswith(".") for name in landed)
    assert list(worker.config.cache_dir.glob("holds/*")) == []


def test_a_job_dropped_before_it_is_begun_does_nothing(worker, make_long_clip, make_clip):
    slow, dropped = make_long_clip(count=10), make_clip(count=2)
    worker.send(
        pipe.RunJob("before", "", slow.order()), pipe.RunJob("never", "", dropped.order()), pipe.DropJob("never")
    )
    assert worker.hear_until(*ENDS)[-1].job == "before"
    assert worker.hear_until(*ENDS)[-1].code == "cancelled"
    assert not dropped.alpha_file(1001).exists()


def test_a_drop_of_no_job_is_passed_over(worker, make_clip):
    worker.send(pipe.DropJob("nonsense"), pipe.FrameSupplied("nonsense", "plate", 1))
    assert isinstance(worker.run("after", make_clip(count=1).order())[-1], messages.MatteDone)


def test_a_job_that_is_told_twice_is_done_once(worker, make_long_clip, make_clip):
    clip = make_long_clip(count=10)
    worker.send(pipe.RunJob("twice", "", clip.order()), pipe.RunJob("twice", "", clip.order()))
    assert worker.hear_until(*ENDS)[-1].computed == 10
    assert [type(event) for event in worker.run("once", make_clip(count=1).order())][-1] is messages.MatteDone


def test_inline_frames_are_asked_for_and_taken_from_the_spool(worker, make_clip, tmp_path, eventually):
    clip = make_clip(count=2)
    spool = tmp_path / "spool"
    spool.mkdir()
    worker.send(pipe.RunJob("inline", str(spool), inline(clip)))
    heard = []
    while not isinstance(event := worker.hear(), ENDS):
        heard.append(event)
        if isinstance(event, messages.FrameWanted):
            content = clip.file(event.role, event.frame).read_bytes()
            (spool / f"{event.role}.{event.frame}.exr").write_bytes(content)
            worker.send(pipe.FrameSupplied("inline", event.role, event.frame))
    assert event.computed == 2
    wanted = [(event.role, event.frame) for event in heard if isinstance(event, messages.FrameWanted)]
    assert {("plate", 1001), ("plate", 1002), ("mask", 1001), ("mask", 1002)} <= set(wanted)
    eventually(lambda: not spool.exists(), "the worker removes the folder")


def test_an_inline_job_that_fails_waits_for_no_further_frames(worker, make_clip, tmp_path):
    clip, spool = make_clip(count=6), tmp_path / "spool"
    spool.mkdir()
    worker.send(pipe.RunJob("broken", str(spool), inline(clip)))
    event = worker.hear_until(messages.FrameWanted)[-1]
    (spool / f"{event.role}.{event.frame}.exr").write_bytes(b"no picture")
    worker.send(pipe.FrameSupplied("broken", event.role, event.frame))
    assert worker.hear_until(*ENDS)[-1].code == "bad-input"
    assert isinstance(worker.run("after", make_clip(count=1).order())[-1], messages.MatteDone)


def test_what_engines_hold_is_told_before_a_job_is_said_to_be_over(tmp_path, monkeypatch):
    outbox = io.BytesIO()
    told = Worker(Config(cache_dir=tmp_path / "cache"), io.BytesIO(), outbox)
    monkeypatch.setattr(told._shelf, "report_usage", lambda: pipe.send(outbox, pipe.EnginesHold([])))
    ends = [
        messages.MatteDone("j", 0, 0, 0, 0.0, "classic", [0, 0, 1, 1]),
        messages.MatteFailed("j", "bad-input", "no", "Do."),
    ]
    for message in (pipe.JobBegun("j"), *ends):
        told._emit(message)
    outbox.seek(0)
    said = [pipe.receive(outbox) for _ in range(5)]
    assert said == [pipe.JobBegun("j"), pipe.EnginesHold([]), ends[0], pipe.EnginesHold([]), ends[1]]


def test_frames_that_nobody_waits_for_do_not_deafen_it(worker, make_clip, tmp_path):
    clip = make_clip(count=1)
    worker.send(pipe.RunJob("deaf", str(tmp_path), inline(clip)))
    worker.hear_until(messages.FrameWanted)
    worker.send(pipe.FrameSupplied("deaf", "depth", 1001), pipe.DropJob("deaf"))
    assert worker.hear_until(*ENDS)[-1].code == "cancelled"


def test_ctrl_c_in_the_terminal_is_the_servers_to_handle(worker, make_clip):
    os.kill(worker.process.pid, signal.SIGINT)
    assert isinstance(worker.run("unmoved", make_clip(count=1).order())[-1], messages.MatteDone)


def test_it_says_nothing_where_nothing_is_wrong(start_worker, make_clip, tmp_path):
    live = start_worker()
    live.run("j", make_clip(count=1).order())
    assert live.end() == 0
    assert (tmp_path / "worker.log").read_text() == ""


def test_it_ends_with_its_pipe_even_in_the_middle_of_a_job(start_worker, make_long_clip):
    live = start_worker()
    live.send(pipe.RunJob("cut", "", make_long_clip(count=40).order()))
    live.hear_until(messages.FrameDone)
    assert live.end() == 0


def test_the_cache_is_pruned_to_its_limit_after_a_job(start_worker, make_long_clip, make_clip):
    live = start_worker(cache_limit_gb=0.0)
    live.run("big", make_long_clip(count=5).order(out=""))
    live.run("small", make_clip(count=1).order())
    live.end()
    assert len(list(live.config.cache_dir.glob("entries/*/*.exr"))) <= 1


def test_a_cache_folder_that_cannot_be_written_is_replaced_for_this_process(start_worker, make_clip, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    live = start_worker()
    assert live.run("read only", make_clip(count=1).order())[-1].computed == 1
    assert live.run("read only 2", make_clip(count=1).order(out=""))[-1].computed == 1
    live.end()
    assert "cannot be written" in (tmp_path / "worker.log").read_text()


def test_a_job_dropped_before_it_is_begun_loads_no_engine_for_it(worker, make_long_clip, make_clip):
    worker.send(
        pipe.RunJob("ahead", "", make_long_clip(count=10).order()),
        pipe.RunJob("dropped unseen", "", make_clip(count=1).order(engine="nonsense")),
        pipe.DropJob("dropped unseen"),
    )
    worker.hear_until(*ENDS)
    assert worker.hear_until(*ENDS)[-1].code == "cancelled"


def plan_question(request="q", **settings):
    return messages.PlanFrames(request, MatteSettings(engine="passthrough", **settings), "1001-1010", "1004")


def test_questions_are_answered_without_a_job(worker):
    worker.send(plan_question(window=4), messages.ReportCache("c"), messages.PruneCache("p", -1.0))
    heard = {answer.request: answer for answer in (worker.hear(), worker.hear(), worker.hear())}
    assert heard["q"] == messages.FramesPlanned("q", "passthrough", 4, 0, "1001-1007")
    assert heard["c"].folder == str(worker.config.cache_dir)
    assert heard["p"].code == "bad-input"


_WITH_PACKAGES = "import sys; sys.path.append(FOLDER); from videomama_server.worker.worker import main; main()"


def test_options_of_an_engine_make_other_pixels_and_other_entries(start_worker, make_clip, packages, good):
    fainter = good.replace("frame.mask", "frame.mask * settings.options_of(self.options())['strength']")
    packages.put("studio-own", fainter, {"own": "Own"})
    live, clip = start_worker(script=_WITH_PACKAGES.replace("FOLDER", repr(str(packages.folder)))), make_clip(count=2)

    def alpha(job, *options):
        done = live.run(job, clip.order(engine="own", engine_options=options))[-1]
        return done, clip.read_alpha(1001)

    plain, half = alpha("plain")
    assert (plain.engine, plain.computed, half.max() > 0.2) == ("own", 2, True)
    assert alpha("at its default", EngineOption("strength", 0.5))[0].cached == 2
    other, quarter = alpha("other", EngineOption("strength", 0.25))
    assert other.computed == 2
    np.testing.assert_array_equal(quarter, half / 2)
    assert alpha("again", EngineOption("strength", 0.25))[0].cached == 2
    failed = live.run("refused", clip.order(engine="own", engine_options=(EngineOption("strength", 7.0),)))[-1]
    assert (failed.code, failed.message) == ("bad-input", "engine own: strength 7 is out of range")


def test_a_cleared_cache_takes_new_jobs(start_worker, make_clip, tmp_path):
    live, clip = start_worker(), make_clip(count=2)
    spool = live.config.cache_dir / "spool" / "gone"
    assert live.run("before", clip.order())[-1].computed == 2
    live.send(messages.ClearCache("q"))
    cleared = live.hear_until(messages.CacheReported)[-1]
    assert (cleared.entries, cleared.removed) == (0, 2)
    assert live.run("after", clip.order())[-1].computed == 2
    live.send(pipe.RunJob("inline", str(spool), inline(clip)))
    live.hear_until(messages.FrameWanted)
    assert spool.is_dir()


_STUCK_IN_A_WINDOW = """
import pathlib, time
from videomama_server.engines import passthrough
from videomama_server.worker.worker import main

def refine(self, prepared, settings):
    pathlib.Path(GO).with_suffix(".begun").touch()
    while not pathlib.Path(GO).exists():
        time.sleep(0.01)
    return original(self, prepared, settings)

original, passthrough.PassthroughEngine.refine = passthrough.PassthroughEngine.refine, refine
main()
"""


def test_a_window_that_takes_long_holds_no_question_up(start_worker, make_clip, tmp_path, eventually):
    go, clip = tmp_path / "go", make_clip(count=2)
    live = start_worker(script=_STUCK_IN_A_WINDOW.replace("GO", repr(str(go))))
    live.send(pipe.RunJob("long", "", clip.order()))
    eventually(go.with_suffix(".begun").exists, "the window is begun")
    for question in (plan_question(window=4), messages.ReportCache("c"), messages.ClearCache("x")):
        live.send(question)
    answers = {}
    while len(answers) < 3:
        message = live.hear()
        if isinstance(message, pipe.ANSWERS):
            answers[message.request] = message
    assert not go.exists()
    assert answers["q"].needed_ranges == "1001-1007"
    assert isinstance(answers["c"], messages.CacheReported)
    assert (answers["x"].code, answers["x"].message) == ("bad-input", "a job is using the cache")
    go.touch()
    assert live.hear_until(*ENDS)[-1].computed == 2


_LOSING_ITS_DEVICE = """
from videomama_server.engines import base, passthrough
from videomama_server.worker.worker import main

def lose(*_):
    raise base.DeviceLost("CUDA error")

passthrough.PassthroughEngine.refine = lose
main()
"""


def test_a_worker_that_lost_its_device_ends_and_leaves_the_job_to_the_next(tmp_path, make_clip):
    clip = make_clip(count=1)
    config = Config(cache_dir=tmp_path / "cache", connection_file=tmp_path / "connection.json")
    process = subprocess.Popen(
        [sys.executable, "-c", _LOSING_ITS_DEVICE, json.dumps(as_flags(config))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        pipe.send(process.stdin, pipe.RunJob("j", "", clip.order()))
        assert process.wait(WAIT_S) == EXIT_DEVICE_LOST
        heard = []
        while (message := pipe.receive(process.stdout)) is not None:
            if not isinstance(message, (pipe.Pulse, pipe.FilesRead, messages.PhaseChanged)):
                heard.append(type(message))
        assert b"the device is lost" in process.stderr.read()
    assert heard == [pipe.WorkerReady, pipe.JobBegun, messages.MattePlanned]


def test_pulses_tell_whether_there_is_a_job_and_whether_it_gets_on(start_worker, make_clip, tmp_path, eventually):
    go, clip = tmp_path / "go", make_clip(count=2)
    live = start_worker(script=_STUCK_IN_A_WINDOW.replace("GO", repr(str(go))))
    assert not live.pulses.get(timeout=WAIT_S).busy
    live.send(pipe.RunJob("long", "", clip.order()))
    eventually(go.with_suffix(".begun").exists, "the window is begun")
    while not (stuck := live.pulses.get(timeout=WAIT_S)).busy:
        continue
    assert stuck.beats > 0
    assert live.pulses.get(timeout=WAIT_S) == live.pulses.get(timeout=WAIT_S)
    go.touch()
    live.hear_until(*ENDS)
    while (last := live.pulses.get(timeout=WAIT_S)).busy:
        continue
    assert last.beats > stuck.beats


def test_a_worker_that_can_hear_no_more_ends_and_says_why_in_its_log(start_worker, tmp_path):
    live = start_worker()
    live.hear()
    live.process.stdin.write(b"\xff\xff\xff\xff")  # a message of four gigabytes
    live.process.stdin.flush()
    assert live.process.wait(WAIT_S) == EXIT_DEAF
    said = (tmp_path / "worker.log").read_text()
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("videomama_")  # the error, by its whole name


_DYING_IN_A_DECODER = """
import os
from videomama_server.media import frames
from videomama_server.worker.worker import main
read = frames.read_plate
frames.read_plate = lambda path, *chosen: os.abort() if path.with_suffix(".poison").exists() else read(path, *chosen)
main()
"""


def test_a_worker_that_dies_in_a_decoder_has_said_which_file_it_read(start_worker, make_clip):
    clip = make_clip(count=3)
    clip.file("plate", 1002).with_suffix(".poison").touch()
    worker = start_worker(script=_DYING_IN_A_DECODER, threads=1)
    worker.send(pipe.RunJob("j", "", clip.order()))
    assert worker.process.wait(WAIT_S) == -signal.SIGABRT
    worker.listener.join(WAIT_S)
    notes = [message for message in worker.said.queue if isinstance(message, pipe.FilesRead)]
    assert notes[-1] == pipe.FilesRead("j", [f"plate frame 1002 ({clip.file('plate', 1002)})"])
