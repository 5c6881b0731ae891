"""A job of the history once more."""

import re

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.web.resubmitting import again


def test_the_same_job_takes_everything_from_the_cache(served, enter, run_fields, wait_for_end):
    answer = enter(served).post("/run/start", data=run_fields())
    first = wait_for_end(re.search(r"/jobs/([0-9a-f]{32})", answer.text)[1])
    with served.client() as client:
        second = wait_for_end(again(served, client, first.state.job))
    assert second.state.job != first.state.job
    assert (second.state.state, second.state.done, second.state.computed) == ("done", 3, 0)
    assert second.submitted.settings == first.submitted.settings


def test_one_outside_the_folders_is_refused(served, server, make_clip):
    clip = make_clip(count=1)  # beside the home
    with server.client() as client:
        job = client.submit(clip.order())
        with pytest.raises(NotPermitted):
            again(served, client, job)


def test_an_unknown_one_is_an_error(served, server):
    with server.client() as client, pytest.raises(BadInput):
        again(served, client, "f" * 32)
