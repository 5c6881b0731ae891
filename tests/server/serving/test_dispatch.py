"""Tests for what passes between clients and worker."""

import pytest
from videomama_client import messages
from videomama_client.errors import BadInput, Cancelled
from videomama_client.settings import MatteSettings
from videomama_server import config, pipe
from videomama_server.serving.dispatch import Dispatch

CLIENT = b"a client"
HELD = messages.LoadedEngine("videomama", "cuda:0", "float16", 1, 2)
OTHER = messages.LoadedEngine("other", "cuda:0", "float16", 3, None)


class Heard(Dispatch):
    """A dispatch without a worker process: what it is sent, and what clients are sent, is kept."""

    def __init__(self, own):
        self.told, self.ordered, self.worked = [], [], []
        super().__init__(
            own, lambda client, message: self.told.append((client, message)), lambda: self.worked.append(1)
        )
        self.worker.send = self.ordered.append

    def job(self, **words):
        made = self.book.add(
            CLIENT, messages.SubmitMatte("r", plate="p", mask="m", out="", settings=MatteSettings(), **words)
        )
        self.start(made)
        return made


@pytest.fixture
def dispatch(tmp_path):
    return Heard(config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"}))


def test_what_each_engine_holds_is_as_the_worker_said_last(dispatch):
    dispatch.take(pipe.EnginesHold([HELD]))
    dispatch.take(pipe.EnginesHold([HELD, OTHER]))
    assert dispatch.loaded == [HELD, OTHER]
    dispatch.take(pipe.EnginesHold([]))
    assert dispatch.loaded == []


def test_what_a_dead_worker_held_is_forgotten(dispatch):
    dispatch.take(pipe.EnginesHold([HELD]))
    dispatch._take_death(-9)
    assert dispatch.loaded == []


def test_every_event_of_a_job_is_entered_in_the_book(dispatch):
    handlers = dispatch._handlers
    assert {handlers[kind] for kind in messages.JOB_EVENTS} == {handlers[messages.FrameDone]}


def test_a_message_of_the_worker_that_asks_for_nothing_changes_nothing(dispatch):
    dispatch.take(pipe.WorkerReady(7))
    assert dispatch.loaded == []
    assert dispatch.book.report() == []


def test_an_event_goes_to_the_client_of_its_job_and_counts_as_work(dispatch):
    job = dispatch.job()
    done = messages.FrameDone(job.id, 1001, False, "a.exr")
    dispatch.take(done)
    assert dispatch.told == [(CLIENT, done)]
    assert len(dispatch.worked) == 1


def test_an_event_of_a_job_that_ended_is_heard_by_nobody(dispatch):
    job = dispatch.job()
    dispatch.fail(job, BadInput("no"))
    del dispatch.told[:]
    dispatch.take(messages.FrameDone(job.id, 1001, False, "a.exr"))
    assert dispatch.told == []


def test_a_waiting_job_that_is_cancelled_ends_at_once_and_a_running_one_when_the_worker_says_so(dispatch):
    waiting, running = dispatch.job(), dispatch.job()
    dispatch.take(pipe.JobBegun(running.id))
    del dispatch.ordered[:]
    for job in (waiting, running):
        dispatch.cancel(job, Cancelled("the job was cancelled"))
    assert dispatch.ordered == [pipe.DropJob(waiting.id), pipe.DropJob(running.id)]
    assert (waiting.ended, running.ended, running.cancelled) == (True, False, True)
    assert [message.job for _, message in dispatch.told] == [waiting.id]


def test_a_job_that_ended_is_not_cancelled_again(dispatch):
    job = dispatch.job()
    dispatch.fail(job, BadInput("no"))
    del dispatch.ordered[:]
    dispatch.cancel(job, Cancelled("the job was cancelled"))
    assert dispatch.ordered == []
    assert job.state == messages.FAILED


def test_a_plan_counts_as_work_and_a_look_at_the_cache_does_not(dispatch):
    dispatch.ask(CLIENT, messages.ReportCache("r"))
    assert dispatch.worked == []
    dispatch.ask(CLIENT, messages.PlanFrames("r", MatteSettings(), "1-3", "1"))
    assert len(dispatch.worked) == 1
    assert len(dispatch.ordered) == 2


def test_the_next_worker_gets_the_jobs_and_questions_of_a_dead_one(dispatch):
    job = dispatch.job()
    dispatch.ask(CLIENT, messages.ReportCache("r"))
    given = list(dispatch.ordered)
    del dispatch.ordered[:]
    dispatch._take_death(-9)
    assert dispatch.ordered == given
    assert not job.ended


def test_when_the_server_ends_every_job_and_question_hears_so(dispatch):
    jobs = [dispatch.job(), dispatch.job()]
    dispatch.ask(CLIENT, messages.ReportCache("r"))
    dispatch.fail_all(BadInput("it ends"))
    assert [type(message) for _, message in dispatch.told] == [messages.MatteFailed] * 2 + [messages.RequestRefused]
    assert all(job.ended for job in jobs)


def test_a_job_that_nobody_knows_is_named_and_cut_to_a_line(dispatch):
    with pytest.raises(BadInput, match=r"no job is called x{80}\n"):
        dispatch.find("x" * 500)
