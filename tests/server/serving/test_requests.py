"""Tests for the answers to requests; what needs a socket is tested end to end."""

from typing import get_args

import pytest
from videomama_client import messages
from videomama_server import config
from videomama_server.serving import requests
from videomama_server.serving.dispatch import Dispatch


@pytest.fixture
def own(tmp_path):
    return config.load({"connection_file": tmp_path / "connection.json", "cache_dir": tmp_path / "cache"})


def test_every_request_of_the_protocol_has_a_handler(own):
    dispatch = Dispatch(own, lambda *_: None, lambda: None)
    answering = requests.Requests(own, dispatch, lambda *_: None, lambda: None)
    assert set(answering.handlers) == set(get_args(messages.Request))


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert requests._memory(None) is None
    assert requests._memory(2**22 + 1) is None
