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
    with pytest.raises(BadInput, match=r"unknown job x{80}\n"):
        dispatch.find("x" * 500)


def phases(dispatch):
    return [(event.job, event.phase) for _, event in dispatch.told if isinstance(event, messages.PhaseChanged)]


def test_clients_hear_what_their_jobs_wait_for_once_and_again_when_it_changes(dispatch):
    first, second = dispatch.job(), dispatch.job(priority="batch")
    for _ in range(2):
        dispatch.tell_queue()
    assert phases(dispatch) == [(first.id, messages.Phase("starting")), (second.id, messages.Phase("queued", 1))]
    dispatch.take(pipe.WorkerReady(7))
    dispatch.take(pipe.JobBegun(first.id))
    dispatch.told.clear()
    third = dispatch.job()
    dispatch.tell_queue()
    assert phases(dispatch) == [(third.id, messages.Phase("queued", 1)), (second.id, messages.Phase("queued", 2))]
    dispatch._take_death(-9)
    dispatch.tell_queue()
    assert (first.id, messages.Phase("starting")) not in phases(dispatch)  # it was begun


def test_a_new_job_hears_at_once_what_it_waits_for(dispatch):
    job = dispatch.book.add(CLIENT, messages.SubmitMatte("r", plate="p", mask="m", out="", settings=MatteSettings()))
    dispatch.enter(job)
    assert phases(dispatch) == [(job.id, messages.Phase("starting"))]
    dispatch.history.close()


def test_what_the_worker_says_of_a_jobs_phase_reaches_its_client(dispatch):
    job, phase = dispatch.job(), messages.Phase("loading", 1, 2, "sam2")
    for _ in range(2):
        dispatch.take(messages.PhaseChanged(job.id, phase))
    assert phases(dispatch) == [(job.id, phase)]
    assert job.phase == phase


def enter(dispatch, again=False, **words):
    job = dispatch.book.add(
        CLIENT, messages.SubmitMatte("r", plate="p", mask="m", out="", settings=MatteSettings(), **words)
    )
    dispatch.enter(job, again)
    return job


def kept(dispatch, job):
    """What the history has of a job, and the texts and levels of its log."""
    details = dispatch.history.ask(lambda rows: rows.details(job.id), None).result(60)
    lines = dispatch.history.ask(lambda rows: rows.lines(job.id, 100), []).result(60)
    return details, [(one.text, one.level) for one in lines]


@pytest.fixture
def keeping(dispatch):
    yield dispatch
    dispatch.history.close()


def test_a_new_job_is_kept_with_its_request_and_given_to_the_worker(keeping):
    job = enter(keeping, label="a shot")
    details, lines = kept(keeping, job)
    assert (details.state.job, details.state.state, details.state.label) == (job.id, messages.WAITING, "a shot")
    assert (details.request.plate, details.request.request) == ("p", "")
    assert lines == [("submitted: interactive, a shot to the cache", "info")]
    assert [order.job for order in keeping.ordered] == [job.id]
    assert kept(keeping, enter(keeping, again=True))[1] == [("resumed: interactive, p to the cache", "info")]


def test_a_new_job_behind_another_hears_its_place(keeping):
    enter(keeping)
    second = enter(keeping)
    assert phases(keeping)[-1] == (second.id, messages.Phase("queued", 1))


def test_the_first_begin_of_a_job_is_kept_and_a_second_is_not(keeping):
    job = enter(keeping)
    for _ in range(2):
        keeping.take(pipe.JobBegun(job.id))
    details, lines = kept(keeping, job)
    assert details.state.state == messages.RUNNING
    assert [text for text, _ in lines[1:]] == ["begun"]
    keeping.take(pipe.JobBegun("nobody's"))


def test_another_priority_is_told_to_the_worker_the_waiting_clients_and_the_history(keeping):
    first, second = enter(keeping), enter(keeping)
    del keeping.ordered[:]
    keeping.told.clear()
    keeping.set_priority(first, "batch")
    assert keeping.ordered == [pipe.SetPriority(first.id, "batch", first.turn)]
    assert phases(keeping) == [(second.id, messages.Phase("starting")), (first.id, messages.Phase("queued", 1))]
    details, lines = kept(keeping, first)
    assert (details.state.priority, details.request.priority) == ("batch", "batch")
    assert lines[-1] == ("its priority is batch now", "info")


def test_what_happens_to_a_job_is_kept_until_its_end(keeping):
    job = enter(keeping)
    keeping.take(messages.MattePlanned(job.id, "classic", [0, 0, 64, 48], 2, "/out/a.####.exr"))
    assert kept(keeping, job)[0].state.frame_count == 2
    keeping.take(messages.FrameDone(job.id, 1, False, "a.exr"))
    assert kept(keeping, job)[0].result is None
    keeping.take(messages.MatteDone(job.id, 2, 2, 0, 0.5, "classic", [0, 0, 64, 48], ["odd"]))
    details, lines = kept(keeping, job)
    assert (details.state.state, details.result.frame_count) == (messages.DONE, 2)
    assert [text.split(":")[0] for text, _ in lines] == ["submitted", "planned", "odd", "done"]
    assert lines[2][1] == "warning"


def test_a_failure_is_kept_and_the_folder_of_the_jobs_frames_is_removed(keeping, tmp_path):
    job, running = enter(keeping), enter(keeping)
    for one in (job, running):
        one.spool = str(tmp_path / one.id)
        (tmp_path / one.id).mkdir()
    keeping.fail(job, BadInput("the disk is full"))
    details, lines = kept(keeping, job)
    assert (details.state.state, details.state.message) == (messages.FAILED, "the disk is full")
    assert lines[-1] == ("failed (bad-input): the disk is full", "error")
    keeping.take(messages.FrameDone(running.id, 1, False, "a.exr"))
    assert (not (tmp_path / job.id).exists(), (tmp_path / running.id).exists()) == (True, True)


def test_a_job_without_a_client_tells_nobody(dispatch):
    job = dispatch.book.add(b"", messages.SubmitMatte("r", plate="p", mask="m", out="", settings=MatteSettings()))
    dispatch.take(messages.FrameDone(job.id, 1001, False, "a.exr"))
    assert (dispatch.told, len(dispatch.worked)) == ([], 1)


def test_the_log_of_a_job_that_was_begun_has_its_workers_death(keeping):
    begun, waiting = enter(keeping), enter(keeping)
    keeping.take(pipe.JobBegun(begun.id))
    keeping._take_death(-9)
    said = ("the engine worker ended with code -9; it starts again", "warning")
    assert (said in kept(keeping, begun)[1], said in kept(keeping, waiting)[1]) == (True, False)


def test_a_job_that_kills_its_worker_twice_fails_and_its_client_hears_so(dispatch):
    job = dispatch.job()
    for _ in range(2):
        dispatch.take(pipe.JobBegun(job.id))
        dispatch._take_death(-9)
    assert [type(message) for _, message in dispatch.told] == [messages.MatteFailed]
    assert job.ended
    dispatch.history.close()


@pytest.mark.anyio
async def test_questions_outlive_an_engine_that_is_unloaded(dispatch, monkeypatch):
    dispatch.take(pipe.EnginesHold([HELD]))
    dispatch.take(pipe.WorkerReady(7))
    retired = []

    async def retire():
        retired.append(dispatch.questions.waiting()[0])
        dispatch.questions.settle(messages.RequestRefused.by(retired[0].request, BadInput("late")))

    monkeypatch.setattr(dispatch.worker, "retire", retire)
    for _ in range(2):
        dispatch.ask(CLIENT, messages.ReportCache("r"))
    answered, open_ = dispatch.ordered
    del dispatch.ordered[:]
    await dispatch.unload_engine()
    assert retired == [answered]
    assert (dispatch.ordered, dispatch.loaded) == ([open_], [])
    job = dispatch.job()
    dispatch.tell_queue()
    assert phases(dispatch) == [(job.id, messages.Phase("starting"))]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Dispatch.enter) == {"again": False}
    assert numbers_left_out(Dispatch._keep) == {"request": False}
