"""The requests about jobs that may be over, to a server without a socket and a worker."""

import asyncio
from dataclasses import replace

import pytest
from videomama_client import messages
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.settings import MatteSettings
from videomama_server import config, pipe
from videomama_server.serving.dispatch import Dispatch
from videomama_server.serving.requests import Requests
from videomama_server.serving.router import Incoming

REQUEST = messages.SubmitMatte(
    "r", "/p.####.exr", "/m.####.exr", "/o.####.exr", MatteSettings(), label="shot010",
    submitter=messages.Submitter("ann", "ws", "nuke"),
)  # fmt: skip


class Desk:
    """Requests without a socket and a worker: what the worker is sent is kept."""

    def __init__(self, folder):
        own = config.load({"connection_file": folder / "connection.json", "cache_dir": folder / "cache"})
        self.ordered, self.told = [], []
        self.dispatch = Dispatch(own, lambda client, message: self.told.append(message), lambda: None)
        self.dispatch.worker.send = self.ordered.append
        self.handlers = Requests(own, self.dispatch, self._send, lambda: None).handlers

    async def _send(self, client, message):
        self.told.append(message)

    def ask(self, message):
        answer = asyncio.run(self.handlers[type(message)](Incoming(b"client", message)))
        return answer and answer[0]

    def submit(self, request=REQUEST):
        self.ask(request)
        accepted = [one for one in self.told if isinstance(one, messages.JobAccepted)]
        return self.dispatch.find(accepted[-1].job)

    def history(self, **words):
        return self.ask(messages.ReportHistory("r", **words))

    def done(self, job):
        self.dispatch.take(messages.MattePlanned(job.id, "classic", [0, 0, 8, 8], 1, "/o"))
        self.dispatch.take(messages.FrameDone(job.id, 1, False, "/o"))
        result = messages.MatteDone(job.id, 1, 1, 0, 1.0, "classic", [0, 0, 8, 8], ["a warning"])
        self.dispatch.take(result)
        return result

    def end(self):
        self.dispatch.fail_all(ServerUnreachable("the server was ended"))
        self.dispatch.history.close()

    def die(self):
        self.dispatch.history.close()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.dispatch.history.close()


@pytest.fixture
def next_desk(tmp_path):
    """Begin a server after the one before; whoever calls it has ended that one."""
    made = []

    def begin():
        made.append(Desk(tmp_path))
        return made[-1]

    yield begin
    for one in made:
        one.dispatch.history.close()


def test_jobs_that_run_and_jobs_that_ended_are_in_the_history_as_they_are_now(desk):
    first, second = desk.submit(), desk.submit()
    desk.done(first)
    desk.dispatch.take(pipe.JobBegun(second.id))
    desk.dispatch.take(messages.PhaseChanged(second.id, messages.Phase("computing")))
    told = desk.history().jobs
    assert [(state.job, state.state) for state in told] == [(second.id, "running"), (first.id, "done")]
    assert told[0].phase == messages.Phase("computing")
    assert (told[1].computed, told[1].warnings, told[1].submitter) == (1, ["a warning"], REQUEST.submitter)


def test_a_history_is_told_in_pages_by_words_and_states(desk):
    jobs = [desk.submit(replace(REQUEST, label=f"shot-{number}")) for number in range(3)]
    desk.dispatch.fail(jobs[0], BadInput("broken"))
    page = desk.history(limit=2)
    assert [state.job for state in page.jobs] == [jobs[2].id, jobs[1].id]
    assert [state.job for state in desk.history(limit=2, before=page.next_before).jobs] == [jobs[0].id]
    assert [state.job for state in desk.history(search="SHOT-1 ann").jobs] == [jobs[1].id]
    assert [state.job for state in desk.history(states=["failed"]).jobs] == [jobs[0].id]


@pytest.mark.parametrize("words", [{"limit": 0}, {"limit": 501}, {"states": ["asleep"]}])
def test_a_page_that_cannot_be_is_refused(desk, words):
    with pytest.raises(BadInput):
        desk.history(**words)


def test_a_job_is_described_with_its_request_and_result_also_by_a_later_server(desk, next_desk):
    job = desk.submit()
    result = desk.done(job)
    for one in (desk, next_desk()):
        told = one.ask(messages.DescribeJob("r", job.id[:6]))
        assert (told.state.job, told.state.state) == (job.id, "done")
        assert told.submitted == replace(REQUEST, request=told.submitted.request)
        assert told.result.warnings == result.warnings
        one.die()


def test_a_job_is_known_before_the_history_has_it(desk, tmp_path):
    (tmp_path / "connection.history.sqlite").mkdir()  # a history that cannot be opened
    job = desk.submit()
    assert desk.ask(messages.DescribeJob("r", job.id[:6])).state.job == job.id
    assert "cannot be written" in desk.history().trouble


@pytest.mark.parametrize("kind", [messages.DescribeJob, messages.ReportLog])
def test_an_unknown_job_and_an_id_that_is_too_short_are_refused(desk, kind):
    job = desk.submit()
    for known in ("f" * 32, job.id[:3], ""):
        with pytest.raises(BadInput, match="unknown job"):
            desk.ask(kind("r", known))


def test_the_log_of_a_job_tells_all_that_happened_to_it(desk):
    job = desk.submit()
    desk.dispatch.take(pipe.JobBegun(job.id))
    desk.dispatch.take(pipe.JobBegun(job.id))  # again, after another job
    desk.ask(messages.SetPriority("r", job.id, "batch"))
    desk.done(job)
    told = desk.ask(messages.ReportLog("r", job.id[:8]))
    assert told.job == job.id
    assert [line.text.partition(":")[0] for line in told.lines] == [
        "submitted by ann@ws with nuke from no folder", "begun", "its priority is batch now", "planned", "a warning",
        "done",
    ]  # fmt: skip
    assert [line.text for line in desk.ask(messages.ReportLog("r", job.id, 1)).lines] == [told.lines[-1].text]
    with pytest.raises(BadInput, match="limit"):
        desk.ask(messages.ReportLog("r", job.id, 0))


@pytest.mark.parametrize("end", [Desk.end, Desk.die])
def test_jobs_that_a_server_left_are_queued_again_by_the_next_under_their_ids(desk, next_desk, end):
    waiting, running, done = desk.submit(), desk.submit(), desk.submit()
    desk.dispatch.take(pipe.JobBegun(running.id))
    desk.done(done)
    end(desk)
    later = next_desk()
    assert {state.job: state.resumable for state in later.history().jobs} == {
        waiting.id: True, running.id: True, done.id: False,
    }  # fmt: skip
    told = later.ask(messages.ResumeJobs("r"))
    assert (told.jobs, told.left) == ([waiting.id, running.id], [])
    orders = [one for one in later.ordered if isinstance(one, pipe.RunJob)]
    assert [(one.job, replace(one.submit, request="")) for one in orders] == [
        (job.id, replace(REQUEST, request="")) for job in (waiting, running)
    ]
    assert later.history().jobs[0].state == "done"
    later.done(later.dispatch.find(waiting.id))
    assert [state.state for state in later.history().jobs] == ["done", "waiting", "done"]
    assert later.told == []  # nobody follows these jobs
    assert [line.text.partition(":")[0] for line in later.ask(messages.ReportLog("r", waiting.id)).lines][-4:] == [
        "resumed", "planned", "a warning", "done",
    ]  # fmt: skip
    assert later.ask(messages.ResumeJobs("r")).jobs == []


def test_a_job_that_is_named_is_resumed_alone_and_one_that_cannot_be_says_why(desk, next_desk):
    one, other, done = desk.submit(), desk.submit(), desk.submit()
    inline = desk.submit(
        replace(REQUEST, inline=True, inline_frame_numbers=[1], plate_digests=["d"], mask_digests=["d"])
    )
    desk.done(done)
    desk.die()
    later = next_desk()
    told = later.ask(messages.ResumeJobs("r", [one.id[:8], done.id, inline.id]))
    assert told.jobs == [one.id]
    assert "it is done" in told.left[0]
    assert told.left[1] == (
        f"{inline.id[:8]} shot010: its pictures are with the client that submitted it; "
        "submit it there again: finished frames are cached"
    )
    assert later.ask(messages.ResumeJobs("r", [one.id])).left == [
        f"{one.id[:8]} shot010: it is waiting, not interrupted"
    ]
    assert later.ask(messages.ResumeJobs("r")).jobs == [other.id]


def test_an_id_that_several_jobs_of_this_server_begin_with_is_refused(desk):
    book = desk.dispatch.book
    for known in ("abcdef1", "abcdef2"):
        desk.dispatch.enter(book.add(b"client", REQUEST, known))
    with pytest.raises(BadInput, match="several jobs begin with abcdef"):
        desk.ask(messages.DescribeJob("r", "abcdef"))
    assert desk.ask(messages.DescribeJob("r", "abcdef1")).state.job == "abcdef1"
