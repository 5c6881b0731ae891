import os
import struct
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from typing import Optional, Union, get_args, get_origin, get_type_hints

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from videomama_client import wire
from videomama_client.errors import ProtocolError
from videomama_client.messages import (
    KINDS,
    CancelJob,
    FrameDone,
    Hello,
    JobsReported,
    SubmitMatte,
)
from videomama_client.settings import MatteSettings

relaxed = settings(database=None, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))

# As paths come from the system: bytes that are no UTF-8 are surrogate escapes.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.binary(max_size=20).map(os.fsdecode)
ints = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False)


def values_of(hint) -> st.SearchStrategy:
    plain = {str: texts, int: ints, float: floats, bool: st.booleans()}
    if hint in plain:
        return plain[hint]
    if is_dataclass(hint):
        return messages_of(hint)
    if hint == Optional[int]:
        return st.none() | ints
    if hint == Optional[float]:
        return st.none() | floats
    if hint == Optional[str]:
        return st.none() | texts
    if get_origin(hint) is Union:
        return st.one_of(st.none() if part is type(None) else values_of(part) for part in get_args(hint))
    item = get_args(hint)[0]
    items = st.lists(messages_of(item) if is_dataclass(item) else plain[item], max_size=3)
    return items.map(tuple) if get_origin(hint) is tuple else items


def messages_of(kind: type) -> st.SearchStrategy:
    return st.builds(kind, **{name: values_of(hint) for name, hint in get_type_hints(kind).items()})


def packed(content: object) -> bytes:
    return msgpack.packb(content, use_bin_type=True, unicode_errors="surrogateescape")


def cancel(**changes: object) -> dict[str, object]:
    return {"kind": "CancelJob", "request": "r", "job": "j", **changes}


def refusal(content: bytes) -> str:
    with pytest.raises(ProtocolError) as caught:
        wire.decode(content, KINDS)
    return caught.value.message


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_comes_back_as_it_was(kind):
    @relaxed
    @given(messages_of(kind))
    def check(message):
        assert wire.decode(wire.encode(message), KINDS) == message

    check()


def test_a_path_that_is_no_utf8_comes_back():
    path = os.fsdecode(b"/shots/caf\xe9/plate.####.exr")
    message = FrameDone("j", 1, False, path)
    assert os.fsencode(wire.decode(wire.encode(message), KINDS).path) == b"/shots/caf\xe9/plate.####.exr"


def test_fields_with_defaults_may_be_left_out():
    whole = SubmitMatte("r", "plate.#.exr", "mask.#.exr", "", MatteSettings())
    content = msgpack.unpackb(wire.encode(whole))
    kept = {name: content[name] for name in ("kind", "request", "plate", "mask", "out")}
    assert wire.decode(packed({**kept, "settings": {}}), KINDS) == whole


def test_an_int_is_taken_for_a_float_and_nothing_else_is_turned_into_anything():
    message = SubmitMatte("r", "p", "m", "", MatteSettings(exposure=2))
    exposure = wire.decode(wire.encode(message), KINDS).settings.exposure
    assert exposure == 2.0
    assert type(exposure) is float


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (cancel(kind="Nonsense"), "unknown message kind 'Nonsense'"),
        (cancel(kind="object"), "unknown message kind"),
        (cancel(kind="__class__"), "unknown message kind"),
        (cancel(kind=None), "unknown message kind"),
        (cancel(kind=["CancelJob"]), "unknown message kind"),
        ({"request": "r", "job": "j"}, "unknown message kind"),
        (cancel(extra=1), "CancelJob has no field extra"),
        ({"kind": "CancelJob", "request": "r"}, "CancelJob lacks job"),
        (cancel(job=1), "CancelJob.job must be str, not int"),
        (cancel(job=None), "CancelJob.job must be str, not NoneType"),
        (cancel(job=b"j"), "cannot be unpacked"),
        (cancel(job=b""), "CancelJob.job must be str, not bytes"),
        (cancel(job=["j"]), "CancelJob.job must be str, not list"),
        (cancel(job={"j": 1}), "CancelJob.job must be str, not dict"),
        ({"kind": "Hello", "request": "r", "protocol": True, "client": "c"}, "Hello.protocol must be int, not bool"),
        ({"kind": "Hello", "request": "r", "protocol": 1.0, "client": "c"}, "Hello.protocol must be int, not float"),
        ({"kind": "FrameDone", "job": "j", "frame": 1, "cached": 1, "path": "p"}, "must be bool, not int"),
        (
            {"kind": "MattePlanned", "job": "j", "engine": "e", "roi": [1, "2"], "frame_count": 1, "out": ""},
            "roi must be",
        ),
        (
            {"kind": "MattePlanned", "job": "j", "engine": "e", "roi": [True], "frame_count": 1, "out": ""},
            "roi must be",
        ),
        (
            {"kind": "MattePlanned", "job": "j", "engine": "e", "roi": {"0": 1}, "frame_count": 1, "out": ""},
            "roi must be",
        ),
        ([1, 2], "must be a map"),
        ("CancelJob", "must be a map"),
        (None, "must be a map"),
        (msgpack.ExtType(5, b"x"), "cannot be unpacked"),
        (msgpack.ExtType(5, b""), "must be a map"),
        (cancel(job=msgpack.Timestamp(1)), "cannot be unpacked"),
        (cancel(job=msgpack.ExtType(5, b"")), "CancelJob.job must be str"),
        ({**cancel(), 5: 1}, "cannot be unpacked"),
        ({**cancel(), b"": 1}, "has no field"),
        (cancel(job="j" * (wire.MAX_TEXT_BYTES + 1)), "cannot be unpacked"),
        ({f"f{index}": index for index in range(300)}, "cannot be unpacked"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(content, said):
    assert said in refusal(packed(content))


@pytest.mark.parametrize(
    "settings",
    [
        {"nonsense": 1},
        {"window": "8"},
        {"window": 8.5},
        {"window": True},
        {"exposure": "bright"},
        {"exposure": True},
        {"engine": None},
        [],
        None,
        "high",
        {"engine": {"engine": {"engine": {}}}},
        {"engine_options": {"strength": 1.0}},
        {"engine_options": ["strength"]},
        {"engine_options": [{"name": "strength"}]},
        {"engine_options": [{"name": "strength", "value": None}]},
        {"engine_options": [{"name": "strength", "value": [1]}]},
        {"engine_options": [{"name": "strength", "value": 1, "unit": "stops"}]},
    ],
)
def test_settings_are_judged_like_the_message_around_them(settings):
    content = {"kind": "SubmitMatte", "request": "r", "plate": "p", "mask": "m", "out": "", "settings": settings}
    assert refusal(packed(content))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "JobState lacks job"),
        ({"nonsense": 1}, "JobState has no field nonsense"),
        ([], "JobsReported.jobs must be"),
        (None, "JobsReported.jobs must be"),
        ("job", "JobsReported.jobs must be"),
    ],
    ids=str,
)
def test_records_of_a_list_are_judged_like_the_message_around_them(record, said):
    assert said in refusal(packed({"kind": "JobsReported", "request": "r", "jobs": [record]}))


def test_a_list_of_records_is_a_list():
    assert "JobsReported.jobs must be" in refusal(packed({"kind": "JobsReported", "request": "r", "jobs": {}}))
    assert wire.decode(packed({"kind": "JobsReported", "request": "r", "jobs": []}), KINDS) == JobsReported("r", [])


@pytest.mark.parametrize("depth", [100, 100_000])
def test_nested_lists_are_refused(depth):
    assert refusal(b"\x91" * depth)
    assert refusal(b"\x91" * depth + b"\x01")
    assert refusal(b"\x81\xa4kind" * depth)


@pytest.mark.parametrize("head", [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"])
def test_a_length_that_is_announced_but_not_sent_reserves_nothing(head):
    assert refusal(head + struct.pack(">I", 0xFFFFFFFF) + b"\x01")


def test_too_many_items_are_refused():
    planned = {"kind": "MattePlanned", "job": "", "engine": "", "frame_count": 1, "out": ""}
    content = {**planned, "roi": [0] * (wire.MAX_ITEMS + 1)}
    assert "cannot be unpacked" in refusal(packed(content))


def test_too_many_bytes_are_refused_on_both_sides():
    assert "too large" in refusal(bytes(wire.MAX_PACKED_BYTES + 1))
    huge = SubmitMatte("r", "p", "m", "", MatteSettings(), plate_digests=["d" * 1000] * 17_000)
    with pytest.raises(ProtocolError, match="too large"):
        wire.encode(huge)


@pytest.mark.parametrize(
    "message",
    [
        Hello("r", 2**70, "c"),
        CancelJob("r", "\ud800"),
        CancelJob("r", object()),
    ],
    ids=["number", "lone surrogate", "object"],
)
def test_what_no_message_can_hold_is_not_packed(message):
    with pytest.raises(ProtocolError, match="cannot be packed"):
        wire.encode(message)


def test_every_cut_of_a_message_is_refused():
    whole = wire.encode(SubmitMatte("r", "p", "m", "o", MatteSettings(), inline_frame_numbers=[1, 2, 3]))
    for length in range(len(whole)):
        assert refusal(whole[:length])
    assert refusal(whole + b"\0")


@relaxed
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(content):
    assert refusal(content)


@relaxed
@given(st.data())
def test_a_damaged_message_is_a_message_or_refused(data):
    message = SubmitMatte(
        "r", "plate.#.exr", "mask.#.exr", "", MatteSettings(), inline_frame_numbers=[1], plate_digests=["d"]
    )
    content = bytearray(wire.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ProtocolError):
        assert type(wire.decode(bytes(content), KINDS)) in KINDS.values()


json_like = st.recursive(
    st.none() | st.booleans() | ints | floats | st.text(max_size=5) | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(relaxed, max_examples=25)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_fields_filled_with_anything_make_a_sound_message_or_are_refused(name, data):
    kind = KINDS[name]
    content = {field.name: data.draw(json_like) for field in fields(kind)}
    with suppress(ProtocolError):
        message = wire.decode(packed({"kind": name, **content}), KINDS)
        assert wire.decode(wire.encode(message), KINDS) == message


def test_a_kind_that_this_side_was_not_told_of_is_unknown():
    @dataclass(frozen=True)
    class Private:
        x: int

    content = wire.encode(Private(1))
    assert wire.decode(content, {"Private": Private}) == Private(1)
    assert "unknown" in refusal(content)


def test_a_message_of_too_many_values_is_refused_while_they_are_made():
    many = b"\xdd" + struct.pack(">I", wire.MAX_ITEMS) + b"\x90" * wire.MAX_ITEMS
    nested = b"\x81\xa4kind\xdd" + struct.pack(">I", 6) + many * 6
    assert f"more than {wire.MAX_VALUES} values" in refusal(nested)


def test_the_largest_inline_job_fits():
    digests = ["d" * 32] * wire.MAX_ITEMS
    frames = list(range(wire.MAX_ITEMS))
    whole = SubmitMatte(
        "r", "p", "m", "", MatteSettings(), inline_frame_numbers=frames, plate_digests=digests, mask_digests=digests
    )
    assert wire.decode(wire.encode(whole), KINDS) == whole


def test_a_field_that_is_there_twice_is_refused():
    twice = b"\x83" + packed("kind") + packed("ReportJobs") + 2 * (packed("request") + packed("r"))
    assert "names a field twice" in refusal(twice)


def test_a_kind_that_is_no_text_is_told_by_its_type_alone():
    assert "unknown message kind 'list'" in refusal(packed({"kind": [["x"] * 1000] * 10}))


def test_the_limits_are_those_that_the_protocol_page_names():
    assert (wire.MAX_PACKED_BYTES, wire.MAX_TEXT_BYTES) == (16 * 2**20, 64 * 2**10)
    assert (wire.MAX_ITEMS, wire.MAX_VALUES) == (200_000, 1_000_000)


@pytest.mark.parametrize(("length", "taken"), [(wire.MAX_TEXT_BYTES, True), (wire.MAX_TEXT_BYTES + 1, False)])
def test_a_text_may_be_as_long_as_the_limit(length, taken):
    content = packed(cancel(job="j" * length))
    if taken:
        assert len(wire.decode(content, KINDS).job) == length
    else:
        assert "cannot be unpacked" in refusal(content)


@pytest.mark.parametrize(("most", "taken"), [(8, True), (7, False)])
def test_a_message_may_hold_as_many_values_as_the_limit(monkeypatch, most, taken):
    monkeypatch.setattr(wire, "MAX_VALUES", most)
    content = packed({"a": [1, 2, 3], "b": []})  # three in a list, two lists, two fields and the map
    if taken:
        assert "unknown message kind" in refusal(content)
    else:
        assert f"more than {most} values" in refusal(content)


def test_a_map_may_have_256_fields():
    assert "unknown message kind" in refusal(packed({f"f{index}": index for index in range(256)}))
    assert "cannot be unpacked" in refusal(packed({f"f{index}": index for index in range(257)}))


@pytest.mark.parametrize(("most", "taken"), [(0, True), (1, False)])
def test_a_message_may_be_as_long_as_the_limit(monkeypatch, most, taken):
    message = CancelJob("r", "j")
    content = wire.encode(message)
    monkeypatch.setattr(wire, "MAX_PACKED_BYTES", len(content) - most)
    if taken:
        assert wire.decode(wire.encode(message), KINDS) == message
        return
    with pytest.raises(ProtocolError, match=f"a CancelJob of {len(content)} bytes is too large"):
        wire.encode(message)
    assert refusal(content) == f"a message of {len(content)} bytes is too large"


def test_what_is_refused_is_named_shortly():
    assert refusal(packed(cancel(kind="K" * 100))) == f"unknown message kind {'K' * 80!r}"
    fields_said = refusal(packed(cancel(**{f"{index}{'x' * 100}": 1 for index in range(7)})))
    assert fields_said == f"CancelJob has no field {', '.join(str(index) + 'x' * 79 for index in range(5))}"
    with pytest.raises(ProtocolError) as caught:
        wire.encode(CancelJob("r", 2**70))
    assert caught.value.message.startswith("a CancelJob that cannot be packed: ")
    assert refusal(b"\xc7\x05\x01" + b"x" * 5).startswith("a message that cannot be unpacked: ")


def test_bytes_on_the_wire_are_those_that_other_versions_read():
    long = "x" * 40
    packed = b"\x83\xa4kind\xa9CancelJob\xa7request\xa1r\xa3job\xd9\x28" + long.encode()
    assert wire.encode(CancelJob("r", long)) == packed
