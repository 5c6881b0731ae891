"""Tests for the answers to requests; what needs a socket is tested end to end."""

import asyncio
from typing import get_args

import pytest
from videomama_client import messages
from videomama_client.digests import content_digest
from videomama_client.errors import BadInput, Cancelled, ProtocolError
from videomama_client.inline import InlineFrames
from videomama_server import config
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
    eventually(lambda: asked.status().jobs_running == 0, "no job runs")
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
