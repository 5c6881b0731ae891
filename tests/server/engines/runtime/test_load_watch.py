import time

import pytest
from videomama_server.engines.runtime import load_watch
from videomama_server.engines.runtime.load_watch import loading

MEGABYTE = 1_000_000


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(load_watch, "_EVERY_S", 0.01)


def wait_for(told, enough):
    until = time.monotonic() + 60
    while time.monotonic() < until and not (told and enough(told[-1][0])):
        time.sleep(0.01)


def test_what_is_loaded_is_told_as_it_grows_and_never_beyond_the_total(often):
    told = []
    with loading(lambda *known: told.append(known), 60 * MEGABYTE):
        weights = bytearray(b"\1" * (40 * MEGABYTE))
        wait_for(told, lambda done: done >= 30 * MEGABYTE)
        more = bytearray(b"\1" * (80 * MEGABYTE))
        wait_for(told, lambda done: done == 60 * MEGABYTE)
        del weights, more
        time.sleep(0.05)
    counts = [done for done, _ in told]
    assert {total for _, total in told} == {60 * MEGABYTE}
    assert counts == sorted(counts)
    assert counts[-1] == 60 * MEGABYTE
    assert any(0 < count < 60 * MEGABYTE for count in counts)


def test_it_is_told_at_least_once_and_no_more_once_the_block_is_left(often):
    told = []
    with pytest.raises(RuntimeError, match="damaged"), loading(lambda *known: told.append(known), 5):
        raise RuntimeError("damaged weights")
    assert len(told) >= 1
    before = len(told)
    time.sleep(0.05)
    assert len(told) == before
