"""When the UNet is recorded and when it is replayed, with a recorder that needs no card."""

import logging
from contextlib import contextmanager

import pytest
import torch
from videomama_server.engines.videomama.network.graph import CudaRecorder, Replayed, _Seen


class FakeRecorder:
    """Records what work gives, times a hundred, so that a replay can be told from work."""

    def __init__(self):
        self.recorded = []

    def record(self, work, given):
        self.recorded.append(tuple(given.shape))
        return lambda x: work(x) * 100


@pytest.fixture
def recorder():
    return FakeRecorder()


def run(replayed, x, steady="plan", room=True):
    return replayed(lambda x: x + 1, x, steady, room=room)[0].item()


def test_the_third_window_of_a_shape_is_replayed(recorder):
    replayed, x = Replayed(recorder), torch.zeros(2)
    assert [run(replayed, x) for _ in range(4)] == [1, 1, 100, 100]
    assert recorder.recorded == [(2,)]
    assert run(replayed, x + 4) == 500


@pytest.mark.parametrize("change", [{"x": torch.zeros(3)}, {"x": torch.zeros(2).half()}, {"steady": "other plan"}])
def test_another_shape_format_or_plan_is_recorded_of_its_own(recorder, change):
    replayed, x = Replayed(recorder), torch.zeros(2)
    for _ in range(3):
        run(replayed, x)
    assert [run(replayed, **{"x": x, **change}) for _ in range(3)] == [1, 1, 100]
    assert len(recorder.recorded) == 2


def test_without_room_or_a_recorder_nothing_is_recorded(recorder):
    assert [run(Replayed(recorder), torch.zeros(2), room=False) for _ in range(4)] == [1] * 4
    assert [run(Replayed(None), torch.zeros(2)) for _ in range(4)] == [1] * 4
    assert recorder.recorded == []


def test_what_was_forgotten_is_recorded_again(recorder):
    replayed, x = Replayed(recorder), torch.zeros(2)
    for _ in range(3):
        run(replayed, x)
    replayed.forget()
    assert [run(replayed, x) for _ in range(3)] == [1, 1, 100]


def test_a_recording_that_fails_is_said_and_not_tried_again(recorder, caplog, monkeypatch):
    def failing(*_):
        recorder.recorded.append("failed")
        raise RuntimeError("not permitted when stream is capturing")

    monkeypatch.setattr(recorder, "record", failing)
    replayed = Replayed(recorder)
    with caplog.at_level(logging.WARNING):
        assert [run(replayed, torch.zeros(2)) for _ in range(4)] == [1] * 4
    assert recorder.recorded == ["failed"]
    assert "without a recording: not permitted" in caplog.text


def test_of_a_long_error_of_a_recording_three_hundred_letters_are_logged(recorder, caplog, monkeypatch):
    def failing(*_):
        raise RuntimeError("x" * 999)

    monkeypatch.setattr(recorder, "record", failing)
    replayed = Replayed(recorder)
    for _ in range(2):
        run(replayed, torch.zeros(2))
    assert caplog.messages[-1] == f"the network is run without a recording: {'x' * 300}"


def test_the_warm_up_is_announced_once_for_a_shape(recorder, caplog):
    replayed = Replayed(recorder)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            run(replayed, torch.zeros(2))
    assert [record.message for record in caplog.records] == [
        "warming up for (2,): the first window of a size takes longer"
    ]


class FakeGraph:
    """Stands in for a CUDA graph: does again what was done to the same tensors, when it is told to."""

    def __init__(self):
        self.again = lambda: None

    def replay(self):
        self.again()


def test_a_recording_takes_each_x_in_and_gives_a_result_of_its_own(monkeypatch):
    seen = {}

    @contextmanager
    def recording(graph):
        seen["graph"] = graph
        yield

    def work(x):
        result = x + 1
        seen["graph"].again = lambda: result.copy_(x + 1)
        return result

    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    given = torch.zeros(2)
    replay = CudaRecorder().record(work, given)
    first = replay(torch.tensor([1.0, 2.0]))
    second = replay(torch.tensor([5.0, 6.0]))
    assert (first.tolist(), second.tolist(), given.tolist()) == ([2, 3], [6, 7], [0, 0])


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(_Seen) == {"times": 0}
