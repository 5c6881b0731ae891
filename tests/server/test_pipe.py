import io
import os
import threading

import pytest
from videomama_client import messages, wire
from videomama_client.errors import ProtocolError
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server import pipe

SUBMIT = messages.SubmitMatte(
    "r", "/p.####.exr", "/m.####.exr", "", MatteSettings(window=4), inline_frame_numbers=[1, 2]
)
MESSAGES = [
    pipe.RunJob("j", "/spool", SUBMIT),
    pipe.DropJob("j"),
    pipe.SetPriority("j", "batch", 3),
    pipe.FrameSupplied("j", "plate", -5),
    pipe.WorkerReady(123),
    pipe.JobBegun("j"),
    pipe.FilesRead("j", ["plate frame 7 (/p.0007.exr)"]),
    pipe.EnginesHold([messages.LoadedEngine("videomama", "cuda:0", "fp16", 2_500_000_000, None)]),
    pipe.Pulse(2**40, True),
    messages.PhaseChanged("j", messages.Phase("loading", 2**31, None, "sam2")),
    messages.MattePlanned("j", "classic", [0, 0, 64, 48], 3, "/o.####.exr"),
    messages.FrameWanted("j", "mask", 7),
    messages.StageBegun("j", 1, "adjust", 3),
    messages.StageFrameDone("j", 0, 7, False),
    messages.FrameDone("j", 7, True, "/o.0007.exr"),
    messages.SideFrameDone("j", "foreground", 7, False, "/f.0007.exr"),
    messages.MatteDone("j", 3, 2, 1, 0.25, "classic", [0, 0, 64, 48], ["a warning"]),
    messages.MatteFailed("j", "internal", "message", "hint"),
    messages.PlanFrames("q", MatteSettings(overlap=2), "1001-1100", "1010"),
    messages.ReportEngines("q"),
    messages.ReportCache("q"),
    messages.PruneCache("q", 1.5),
    messages.ClearCache("q"),
    messages.FramesPlanned("q", "classic", 8, 2, "1006-1013"),
    messages.EnginesReported("q", list(specs_of(MatteSettings)), [messages.EngineState("own", [], "broken", "hint")]),
    messages.CacheReported("q", "/cache", 3, 2**40, 2**41, 1, 7),
    messages.RequestRefused("q", "bad-input", "message", "hint"),
]


def test_every_kind_of_message_is_tried_below():
    assert {type(message).__name__ for message in MESSAGES} == set(pipe.KINDS)


def test_messages_arrive_as_they_were_sent_and_in_order():
    stream = io.BytesIO()
    for message in MESSAGES:
        pipe.send(stream, message)
    stream.seek(0)
    assert [pipe.receive(stream) for _ in MESSAGES] == MESSAGES
    assert pipe.receive(stream) is None


def test_messages_cross_a_real_pipe_while_the_reader_waits():
    read, write = os.pipe()
    received = []
    with os.fdopen(read, "rb") as inbox, os.fdopen(write, "wb") as outbox:
        reader = threading.Thread(target=lambda: received.append(pipe.receive(inbox)))
        reader.start()
        pipe.send(outbox, SUBMIT_RUN)
        reader.join(60)
        arrived = list(received)  # before the end of the block sends what was left behind
    assert arrived == [SUBMIT_RUN]


SUBMIT_RUN = pipe.RunJob("j", "", SUBMIT)


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 10, -1])
def test_a_stream_that_ends_early_means_that_the_other_side_is_gone(cut):
    stream = io.BytesIO()
    pipe.send(stream, SUBMIT_RUN)
    assert pipe.receive(io.BytesIO(stream.getvalue()[:cut])) is None


def test_a_length_out_of_all_bounds_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="4294967295"):
        pipe.receive(io.BytesIO(b"\xff\xff\xff\xff"))


def test_a_message_of_the_largest_size_passes_and_a_larger_one_does_not(monkeypatch):
    framed = pipe.packed(SUBMIT_RUN)
    monkeypatch.setattr(wire, "MAX_PACKED_BYTES", len(framed) - 4)
    assert pipe.receive(io.BytesIO(framed)) == SUBMIT_RUN
    monkeypatch.setattr(wire, "MAX_PACKED_BYTES", len(framed) - 5)
    with pytest.raises(ProtocolError, match=f"announces {len(framed) - 4} bytes"):
        pipe.receive(io.BytesIO(framed))


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x81\xa4kind\xa4Nope", wire.encode(messages.ReportStatus("r"))])
def test_nonsense_is_a_protocol_error(packed):
    with pytest.raises(ProtocolError):
        pipe.receive(io.BytesIO(len(packed).to_bytes(4, "little") + packed))


def test_sending_to_a_closed_pipe_is_an_oserror():
    read, write = os.pipe()
    os.close(read)
    outbox = os.fdopen(write, "wb", buffering=0)
    with outbox, pytest.raises(OSError, match="pipe"):
        pipe.send(outbox, SUBMIT_RUN)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(pipe.RunJob) == {"turn": 0}


def test_a_message_is_framed_by_its_length_in_four_bytes():
    assert pipe.packed(pipe.DropJob("j")) == b"\x14\0\0\0" + wire.encode(pipe.DropJob("j"))
