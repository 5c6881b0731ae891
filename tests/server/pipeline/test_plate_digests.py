import threading
from dataclasses import replace

import pytest
from videomama_client.errors import BadInput, Cancelled
from videomama_client.job_records import Phase
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames
from videomama_server.pipeline import plate_digests


@pytest.fixture
def told():
    return []


@pytest.fixture
def order(bench, make_shot, told):
    return replace(bench.order(make_shot(range(1001, 1005)), PassthroughEngine()), tell=told.append)


@pytest.fixture
def reader(order):
    return order.reader


def test_only_plates_that_nothing_is_known_of_are_read(bench, order, reader, told, take, monkeypatch):
    read = []
    real = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *more: (read.append(path.name), real(path, *more))[1])
    reader.digest_plate(1002)
    take(plate_digests.digest(order, [1001, 1002, 1003], bench.services, threading.Event()))
    assert sorted(read) == ["plate.1001.exr", "plate.1002.exr", "plate.1003.exr"]
    assert reader.plate_facts(1003) is not None
    assert told == [Phase("reading-plates", 0, 2), Phase("reading-plates", 1, 2)]


def test_a_plate_that_cannot_be_read_and_a_cancelled_job_end_it(bench, order, reader, take):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        take(plate_digests.digest(order, [1001], bench.services, stop))
    reader.plate.path(1003).write_bytes(b"no picture")
    with pytest.raises(BadInput, match="plate frame 1003"):
        take(plate_digests.digest(order, [1003], bench.services, threading.Event()))
