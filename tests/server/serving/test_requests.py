"""Tests for the answers to requests; what needs a socket is tested end to end."""

import asyncio
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from videomama_client import __version__, messages
from videomama_client.digests import content_digest, proof
from videomama_client.errors import BadInput, Cancelled, NotPermitted, ProtocolError
from videomama_client.inline import InlineFrames
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_server import config, pipe
from videomama_server.cache import spool
from videomama_server.serving import jobs, requests
from videomama_server.serving.dispatch import Dispatch
from videomama_server.serving.router import Incoming

OWNER = b"owner"


@pytest.fixture
def own(tmp_path):
    return config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"})


@pytest.fixture
def answering(own):
    async def send(*_):
        pass

    return requests.Requests(own, Dispatch(own, lambda *_: None, lambda: None), send, lambda: None)


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


def inline_order(clip):
    files = {role: {1001: clip.file(role, 1001)} for role in ("plate", "mask")}
    digests = {role: [content_digest(known[1001])] for role, known in files.items()}
    order = clip.order(
        inline=True, inline_frame_numbers=[1001], plate_digests=digests["plate"], mask_digests=digests["mask"]
    )
    return order, InlineFrames(files["plate"], files["mask"])


def test_every_request_of_the_protocol_has_a_handler(answering):
    assert set(answering.handlers) == set(get_args(messages.Request))


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert requests._memory(None) is None
    assert requests._memory(2**22 + 1) is None


def test_an_inline_job_that_is_one_too_many_leaves_no_folder(own, answering, make_clip, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 0)
    with pytest.raises(BadInput, match="jobs wait or run already"):
        asyncio.run(answering._submit(Incoming(OWNER, inline_order(make_clip(count=1))[0])))
    assert list((own.cache_dir / "spool").iterdir()) == []


def test_a_frame_that_arrives_while_its_job_is_cancelled_leaves_no_folder(own, answering, make_clip, monkeypatch):
    clip = make_clip(count=1)
    asyncio.run(answering._submit(Incoming(OWNER, inline_order(clip)[0])))
    plate = clip.file("plate", 1001).read_bytes()
    (job,) = answering._dispatch.book.running()
    keep = spool.keep

    def cancelled_meanwhile(path, *rest):
        answering._dispatch.cancel(job, Cancelled("the job was cancelled"))
        path.parent.mkdir()  # stands for a folder that could not be removed, as a file was being written in it
        keep(path, *rest)

    monkeypatch.setattr(spool, "keep", cancelled_meanwhile)
    asyncio.run(answering._supply(Incoming(OWNER, messages.SupplyFrame(job.id, messages.PLATE, 1001), plate)))
    assert list((own.cache_dir / "spool").iterdir()) == []


def test_an_inline_job_takes_the_frames_that_it_asked_for_and_its_alpha_can_be_fetched(asked, make_clip):
    clip = make_clip(count=1)
    order, files = inline_order(clip)
    job = asked.submit(order)
    assert list(asked.events(job, files))[-1].computed == 1
    assert asked.fetch_alpha(job, 1001)[:4] == b"\x76\x2f\x31\x01"
    with pytest.raises(BadInput, match="frame 1002 of this job is not done"):
        asked.fetch_alpha(job, 1002)


@pytest.mark.parametrize("odd", ["without bytes", "another frame", "another client"])
def test_a_frame_that_nobody_asked_for_is_refused(asked, server, make_clip, odd):
    order, files = inline_order(make_clip(count=1))
    job = asked.submit(order)
    number = 1002 if odd == "another frame" else 1001
    frame = messages.SupplyFrame(job, "plate", number)
    with server.client() as other:
        sender = other if odd == "another client" else asked
        sender._channel.send(frame, None if odd == "without bytes" else b"bytes")
        with pytest.raises(ProtocolError, match="a frame that nobody asked for"):
            sender._channel.answer("any", 20)
    assert list(asked.events(job, files))[-1].computed == 1


def test_a_frame_that_comes_after_its_job_has_ended_is_passed_over(asked, make_clip):
    order, files = inline_order(make_clip(count=1))
    job = asked.submit(order)
    list(asked.events(job, files))
    asked._channel.send(messages.SupplyFrame(job, "plate", 1001), b"bytes")
    asked._channel.send(messages.ReportStatus("after"))
    reply, _ = asked._channel.answer("after", 20)
    assert isinstance(reply, messages.StatusReported)


def test_a_status_counts_a_job_that_has_ended_and_names_no_engine_for_it(asked, make_clip, eventually):
    before = asked.status().jobs_finished
    job = asked.submit(make_clip(count=1).order())
    assert next(asked.events(job)).job == job
    list(asked.events(job))
    eventually(lambda: asked.status().jobs_left == 0, "no job runs")
    status = asked.status()
    assert (status.engine, status.jobs) == (None, [])
    assert status.jobs_finished > before
    assert asked.jobs()[0].job == job


def test_an_alpha_that_was_taken_away_cannot_be_fetched(asked, make_clip):
    clip = make_clip(count=1)
    job = asked.submit(clip.order())
    list(asked.events(job))
    assert asked.fetch_alpha(job, 1001) == clip.alpha_file(1001).read_bytes()
    clip.alpha_file(1001).unlink()
    with pytest.raises(BadInput, match="the alpha of frame 1001 cannot be read: No such file"):
        asked.fetch_alpha(job, 1001)


def test_the_engine_ends_when_no_job_needs_it_and_the_server_when_it_is_told_to(start_server, make_clip, eventually):
    server = start_server()
    with server.client() as client:
        list(client.events(client.submit(make_clip(count=1).order())))
        assert client.status().worker_memory_bytes > 0
        client.unload_engine()
        status = client.status()
        assert (status.worker_pid, status.worker_memory_bytes) == (None, None)
        client.stop_server()
    eventually(lambda: server.process.poll() is not None, "the server ends")


class Desk:
    """Requests without a socket and a worker: what clients and the worker are sent is kept."""

    def __init__(self, own):
        self.sent, self.told, self.ordered, self.ended = [], [], [], []
        self.dispatch = Dispatch(own, lambda client, message: self.told.append((client, message)), lambda: None)
        self.dispatch.worker.send = self.ordered.append
        self.requests = requests.Requests(own, self.dispatch, self._send, lambda: self.ended.append(list(self.sent)))

    async def _send(self, client, message):
        self.sent.append((client, message))

    def ask(self, message, bulk=None, client=OWNER):
        answer = asyncio.run(self.requests.handlers[type(message)](Incoming(client, message, bulk)))
        return answer and answer[0]

    def submit(self, order):
        self.ask(order)
        return self.dispatch.find(self.sent[-1][1].job)


@pytest.fixture
def desk(own):
    return Desk(own)


def test_a_client_of_the_same_protocol_is_greeted_and_of_two_others_the_older_side_is_to_be_updated(desk):
    protocol = messages.PROTOCOL_VERSION
    assert desk.ask(messages.Hello("r", protocol, "nuke")) == messages.Greeted("r", protocol, __version__, os.getpid())
    for theirs, side in ((protocol - 1, "Update the client; in Nuke"), (protocol + 1, "Update the server, and end")):
        with pytest.raises(ProtocolError) as refused:
            desk.ask(messages.Hello("r", theirs, "nuke"))
        assert f"(nuke) speaks protocol {theirs}, the server ({__version__}) {protocol}" in refused.value.message
        assert refused.value.hint.startswith(side)


def test_a_status_says_what_is_known_and_none_for_what_is_not(desk, own, make_clip):
    before = desk.ask(messages.ReportStatus("r"))
    assert (before.request, before.server, before.pid) == ("r", __version__, os.getpid())
    assert (before.cache_dir, before.log_file) == (str(own.cache_dir), str(own.log_file))
    assert (before.engine, before.worker_pid, before.worker_memory_bytes) == (None, None, None)
    assert (before.jobs_left, before.jobs_finished, before.worker_restarts, before.jobs) == (0, 0, 0, [])
    assert {value.name: value.value for value in before.config} == config.as_texts(own)
    order = make_clip(count=1).order()
    jobs = [desk.submit(order) for _ in range(52)]
    jobs[0].planned = messages.MattePlanned(jobs[0].id, "classic", [0, 0, 8, 8], 1, "a")
    jobs[0].begun = True
    desk.dispatch.fail(jobs[1], BadInput("no"))
    status = desk.ask(messages.ReportStatus("r"))
    assert (status.jobs_running, status.jobs_waiting) == (1, 50)
    assert [(job.job, job.jobs_before) for job in status.jobs[:2]] == [(jobs[0].id, 0), (jobs[2].id, 1)]
    assert (status.jobs_left, status.jobs_finished, status.engine) == (51, 1, "classic")
    assert len(status.jobs) == 50  # no more than a screen of them
    assert 0 <= before.uptime_s < status.uptime_s < 600
    brief = desk.ask(messages.ReportStatus("r", brief=True))
    assert (brief.jobs, brief.config, brief.loaded) == ([], [], [])
    assert (brief.jobs_left, brief.engine) == (51, "classic")


def test_a_job_is_accepted_before_the_worker_is_given_it(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    assert [type(message) for _, message in desk.sent] == [messages.JobAccepted]
    assert [run.job for run in desk.ordered] == [job.id]
    assert (job.client, job.spool) == (OWNER, "")
    inline = desk.submit(inline_order(make_clip(count=1))[0])
    assert desk.ordered[-1].spool == inline.spool != ""


def test_anybody_may_cancel_a_job(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    assert desk.ask(messages.CancelJob("r", job.id), client=b"another") is None
    assert job.state == messages.CANCELLED
    with pytest.raises(BadInput, match="unknown job nobody"):
        desk.ask(messages.CancelJob("r", "nobody"))


def test_a_frame_that_was_asked_for_is_kept_and_the_worker_told(desk, make_clip):
    clip = make_clip(count=1)
    job = desk.submit(inline_order(clip)[0])
    job.supply.note_wanted("mask", 1001)
    desk.ask(messages.SupplyFrame(job.id, "mask", 1001), clip.file("mask", 1001).read_bytes())
    assert desk.ordered[-1] == pipe.FrameSupplied(job.id, "mask", 1001)
    assert job.supply.wanted == {}
    assert [file.read_bytes() for file in Path(job.spool).iterdir()] == [clip.file("mask", 1001).read_bytes()]


@pytest.mark.parametrize(
    ("client", "frame", "bulk"),
    [(b"another", 1001, b"pixels"), (OWNER, 1002, b"pixels"), (OWNER, 1001, None)],
    ids=["of another client", "not announced", "without bytes"],
)
def test_only_the_announced_frames_of_its_own_client_are_taken(desk, make_clip, client, frame, bulk):
    job = desk.submit(inline_order(make_clip(count=1))[0])
    with pytest.raises(ProtocolError, match="a frame that nobody asked for"):
        desk.ask(messages.SupplyFrame(job.id, "plate", frame), bulk, client)
    assert list(Path(job.spool).iterdir()) == []


def test_a_job_by_path_takes_no_frames(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    with pytest.raises(ProtocolError, match="a frame that nobody asked for"):
        desk.ask(messages.SupplyFrame(job.id, "plate", 1001), b"pixels")


def test_a_frame_with_other_bytes_than_announced_ends_its_job(desk, make_clip):
    job = desk.submit(inline_order(make_clip(count=1))[0])
    assert desk.ask(messages.SupplyFrame(job.id, "plate", 1001), b"other pixels") is None
    assert (job.state, job.failure.code) == (messages.FAILED, BadInput.code)
    assert desk.ordered[-1] == pipe.DropJob(job.id)
    assert not Path(job.spool).exists()


def test_a_full_disk_ends_a_job_whose_frames_are_sent(desk, make_clip, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool, "keep", full)
    job = desk.submit(inline_order(make_clip(count=1))[0])
    desk.ask(messages.SupplyFrame(job.id, "plate", 1001), b"pixels")
    assert job.failure.code == NotPermitted.code
    assert job.failure.message == "cannot keep the frames of this job: [Errno 28] No space left on device"
    assert job.failure.hint == "Free some space."


@pytest.mark.parametrize(("count", "said"), [(1, "1 job still needs the engine"), (2, "2 jobs still need the engine")])
def test_an_engine_that_is_needed_is_not_unloaded(desk, make_clip, count, said):
    for _ in range(count):
        desk.submit(make_clip(count=1).order())
    with pytest.raises(BadInput, match=said):
        desk.ask(messages.UnloadEngine("r"))


def test_the_answer_to_a_stop_goes_out_before_the_server_ends(desk):
    assert desk.ask(messages.StopServer("r")) is None
    assert desk.ended == [[(OWNER, messages.ServerStopping("r"))]]


def test_a_file_that_cannot_be_read_is_proved_by_nothing(desk, tmp_path):
    (tmp_path / "plate.exr").write_bytes(b"pixels")
    with (tmp_path / "plate.exr").open("rb") as file:
        right = proof(file, "nonce")
    assert desk.ask(messages.ProveFile("r", str(tmp_path / "plate.exr"), "nonce")) == messages.FileProved("r", right)
    assert desk.ask(messages.ProveFile("r", str(tmp_path / "none.exr"), "nonce")) == messages.FileProved("r", "")


def test_a_question_for_the_worker_is_passed_on(desk):
    assert desk.ask(messages.ReportCache("r")) is None
    assert [type(message) for message in desk.ordered] == [messages.ReportCache]


def test_an_alpha_larger_than_a_message_may_be_is_refused(desk, make_clip, monkeypatch):
    clip = make_clip(count=1)
    job = desk.submit(clip.order())
    job.done[1001] = {"": str(clip.file("mask", 1001))}
    size = clip.file("mask", 1001).stat().st_size
    for limit, fits in ((size, True), (size - 1, False)):
        monkeypatch.setattr(requests, "MAX_BULK_BYTES", limit)
        if fits:
            assert desk.ask(messages.FetchAlpha("r", job.id, 1001)) == messages.AlphaFetched("r", job.id, 1001)
        else:
            with pytest.raises(BadInput, match="the alpha of frame 1001 cannot be read: File too large"):
                desk.ask(messages.FetchAlpha("r", job.id, 1001))


@pytest.mark.parametrize(
    ("inline", "out", "guarded"), [(False, True, True), (False, False, False), (True, True, False)]
)
def test_what_a_client_named_is_read_within_the_roots_alone(own, make_clip, tmp_path, inline, out, guarded):
    """An alpha that the server named itself lies in its cache, which need not be among them."""
    clip = make_clip(count=1)
    desk = Desk(replace(own, roots=(tmp_path / "elsewhere",)))
    order = inline_order(clip)[0] if inline else clip.order()
    job = desk.submit(order if out else replace(order, out=""))
    job.done[1001] = {"": str(clip.file("mask", 1001))}
    if guarded:
        with pytest.raises(NotPermitted, match="outside the server's roots"):
            desk.ask(messages.FetchAlpha("r", job.id, 1001))
    else:
        assert desk.ask(messages.FetchAlpha("r", job.id, 1001)).frame == 1001


def test_a_job_that_waits_or_runs_gets_another_priority_from_anybody(desk, make_clip):
    order = make_clip(count=1).order()
    first, second = desk.submit(replace(order, priority="batch")), desk.submit(replace(order, priority="batch"))
    assert desk.ask(messages.SetPriority("r", second.id, "interactive"), client=b"other") == messages.PrioritySet("r")
    assert pipe.SetPriority(second.id, "interactive", 0) in desk.ordered
    assert [(job.id, job.request.priority) for job in desk.dispatch.book.queue()] == [
        (second.id, "interactive"), (first.id, "batch"),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="unknown priority 'soon'"):
        desk.ask(messages.SetPriority("r", second.id, "soon"))
    desk.dispatch.fail(second, BadInput("no"))
    with pytest.raises(BadInput, match="has ended: failed"):
        desk.ask(messages.SetPriority("r", second.id, "batch"))


def test_the_jobs_there_are_are_reported(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    told = desk.ask(messages.ReportJobs("r"))
    assert (told.request, [state.job for state in told.jobs]) == ("r", [job.id])


def test_a_frame_of_a_job_that_has_ended_is_passed_over(desk, make_clip):
    job = desk.submit(inline_order(make_clip(count=1))[0])
    desk.dispatch.fail(job, BadInput("no"))
    del desk.ordered[:]
    assert desk.ask(messages.SupplyFrame(job.id, "plate", 1001), b"pixels") is None
    assert desk.ordered == []


def test_a_painted_frame_and_a_mask_of_an_object_are_kept_under_names_of_their_own(desk, make_clip):
    clip = make_clip(count=1)
    content = clip.file("mask", 1001).read_bytes()
    digest = content_digest(clip.file("mask", 1001))
    key = Prompt("mask", 1001, file=clip.mask.replace("####", "1001"), digest=digest)
    pair = tuple(MaskObject(name, clip.mask, mask_digests=[digest]) for name in ("hero", "dog"))
    order = replace(inline_order(clip)[0], mask="", mask_digests=[], objects=pair, prompts=(key,))
    job = desk.submit(order)
    for role, name in ((key.role, ""), ("mask", "hero"), ("mask", "dog")):
        job.supply.note_wanted(jobs.named_role(role, name), 1001)
        desk.ask(messages.SupplyFrame(job.id, role, 1001, name), content)
        assert desk.ordered[-1] == pipe.FrameSupplied(job.id, role, 1001, name)
    assert job.supply.wanted == {}
    kept = sorted(Path(job.spool).iterdir())
    assert len(kept) == 3
    assert {path.read_bytes() for path in kept} == {content}


@pytest.mark.parametrize(("side", "event"), [("", "FrameDone"), ("foreground", "SideFrameDone")])
def test_a_frame_that_is_not_done_cannot_be_fetched(desk, make_clip, side, event):
    job = desk.submit(make_clip(count=1).order())
    with pytest.raises(BadInput, match="frame 1001 of this job is not done") as refused:
        desk.ask(messages.FetchAlpha("r", job.id, 1001, side_kind=side))
    assert refused.value.hint == f"Wait for its {event}."


def test_a_side_result_is_fetched_as_it_was_delivered(desk, make_clip):
    clip = make_clip(count=1)
    path = clip.file("mask", 1001)
    colour = messages.SideResult("foreground", str(clip.folder / "fg.####.exr"), "")
    job = desk.submit(replace(clip.order(), side_results=(colour,)))
    desk.dispatch.take(messages.SideFrameDone(job.id, "foreground", 1001, False, str(path)))
    fetch = messages.FetchAlpha("r", job.id, 1001, side_kind="foreground")
    answer = asyncio.run(desk.requests.handlers[messages.FetchAlpha](Incoming(OWNER, fetch)))
    assert answer == (messages.AlphaFetched("r", job.id, 1001), path.read_bytes())
    path.unlink()
    with pytest.raises(BadInput, match="the foreground of frame 1001 cannot be read: No such file") as refused:
        desk.ask(fetch)
    assert refused.value.hint == "Run the job again."


def test_an_engine_that_nobody_needs_is_unloaded(desk, monkeypatch):
    unloaded = []

    async def unload():
        unloaded.append(True)

    monkeypatch.setattr(desk.dispatch, "unload_engine", unload)
    assert desk.ask(messages.UnloadEngine("r")) == messages.EngineUnloaded("r")
    assert unloaded == [True]


def test_who_asks_a_job_to_stop_is_in_its_log_once(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    for _ in range(2):
        desk.ask(messages.CancelJob("r", job.id))
    lines = desk.dispatch.history.ask(lambda rows: rows.lines(job.id, 100), []).result(60)
    desk.dispatch.history.close()
    assert [line.text for line in lines].count("it is asked to stop") == 1


def test_a_priority_and_its_value_are_refused_in_words(desk, make_clip):
    job = desk.submit(make_clip(count=1).order())
    with pytest.raises(BadInput) as refused:
        desk.ask(messages.SetPriority("r", job.id, "x" * 100))
    assert refused.value.message == f"unknown priority {'x' * 80!r}"
    assert refused.value.hint == "There are: interactive, batch."
