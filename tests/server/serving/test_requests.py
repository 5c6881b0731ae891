"""Tests for the answers to requests; what needs a socket is tested end to end."""

import asyncio
import hashlib
from typing import get_args

import pytest
from videomama_client import messages
from videomama_client.errors import BadInput, Cancelled
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


def inline_order(clip, content=b"pixels"):
    digests = [hashlib.blake2b(content, digest_size=16).hexdigest()]
    return clip.order(inline=True, inline_frame_numbers=[1001], plate_digests=digests, mask_digests=digests)


def test_every_request_of_the_protocol_has_a_handler(answering):
    assert set(answering.handlers) == set(get_args(messages.Request))


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert requests._memory(None) is None
    assert requests._memory(2**22 + 1) is None


def test_an_inline_job_that_is_one_too_many_leaves_no_folder(own, answering, make_clip, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 0)
    with pytest.raises(BadInput, match="jobs wait or run already"):
        asyncio.run(answering._submit(Incoming(OWNER, inline_order(make_clip(count=1)))))
    assert list((own.cache_dir / "spool").iterdir()) == []


def test_a_frame_that_arrives_while_its_job_is_cancelled_leaves_no_folder(own, answering, make_clip, monkeypatch):
    asyncio.run(answering._submit(Incoming(OWNER, inline_order(make_clip(count=1)))))
    (job,) = answering._dispatch.book.running()
    keep = spool.keep

    def cancelled_meanwhile(path, *rest):
        answering._dispatch.cancel(job, Cancelled("the job was cancelled"))
        path.parent.mkdir()  # stands for a folder that could not be removed, as a file was being written in it
        keep(path, *rest)

    monkeypatch.setattr(spool, "keep", cancelled_meanwhile)
    asyncio.run(answering._supply(Incoming(OWNER, messages.SupplyFrame(job.id, messages.PLATE, 1001), b"pixels")))
    assert list((own.cache_dir / "spool").iterdir()) == []
