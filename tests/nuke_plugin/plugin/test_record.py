"""What a node remembers of its refine."""

import json
from dataclasses import replace

import pytest
from comps import COUNT, FIRST
from videomama_client.settings import MatteSettings


@pytest.fixture
def comp(offline_comp):
    return offline_comp


@pytest.fixture
def last(comp):
    """The record of a refine."""
    from videomama_nuke import record

    comp.show_alphas()
    return record.read(comp.node())


def test_the_record_is_plain_json_and_can_be_read_again(comp, last):
    from videomama_nuke import record

    kept = json.loads(comp.node()["record"].value())
    assert kept["settings"]["engine"] == "classic"
    assert kept["clip"] == f"{FIRST}-{FIRST + COUNT - 1}"
    assert (kept["version"], kept["gizmo"]) == (3, 2)
    assert record.parse(record.text_of(last)) == last
    assert last.upstream is not None
    assert len(last.upstream.sources) == 2


def test_what_a_later_version_adds_is_kept_and_what_an_earlier_one_lacks_is_its_default(last):
    from videomama_nuke import record

    content = json.loads(record.text_of(last))
    for added in ({"added": {"deep": [1]}}, {"later": 3, "added": None}):
        newer = record.parse(json.dumps({**content, **added}))
        assert replace(newer, later={}) == last
        assert json.loads(record.text_of(replace(newer, engine="other"))) == {**content, **added, "engine": "other"}
    del content["upstream"], content["version"], content["gizmo"]
    earlier = record.parse(json.dumps(content))
    assert (earlier.upstream, earlier.version, earlier.gizmo) == (None, 1, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"key": "0"}', '{"upstream": 3}'])
def test_a_text_that_nobody_can_read_is_no_record(comp, text):
    from videomama_nuke import record

    assert record.parse(text) is None
    comp.node()["record"].setValue(text)
    assert record.read(comp.node()) is None


def test_a_record_is_written_and_forgotten(comp, last):
    from videomama_nuke import record

    record.write(comp.node(), replace(last, engine="other"))
    assert record.read(comp.node()).engine == "other"
    record.write(comp.node(), None)
    assert comp.node()["record"].value() == ""


def test_each_part_of_the_key_counts(comp):
    from videomama_nuke import record

    parts = (MatteSettings(), "rgba.alpha", "1-4", "signature")
    others = (MatteSettings.of(seed=7), "rgba.red", "1-5", "other")
    keys = {record.result_key(*parts)}
    keys |= {record.result_key(*parts[:index], others[index], *parts[index + 1 :]) for index in range(len(parts))}
    assert len(keys) == 5
    assert all(len(key) == 16 for key in keys)
    assert record.result_key(*parts) in keys


def test_the_same_record_is_the_same_text_in_whatever_order_it_was_made(last):
    from videomama_nuke import record

    turned = replace(last, settings=dict(reversed(last.settings.items())), outline={"b": 1, "a": 2})
    assert record.text_of(turned) == record.text_of(replace(last, outline={"a": 2, "b": 1}))


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import record

    assert numbers_left_out(record.Record) == {"version": 1, "gizmo": 1}
