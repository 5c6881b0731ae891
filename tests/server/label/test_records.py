"""Records of labels on disk, and what is summed up of them."""

import json
from dataclasses import replace

import pytest
from videomama_client.errors import BadInput
from videomama_server.label import records
from videomama_server.label.records import LabelRecord

ONE = LabelRecord("a_dog", "a", "dog", "plain", "CC0", ["a/plate"], "f", [1, 2, 3], 2, {}, computed=3, seconds=1.5)


def put(folder, record):
    place = folder / record.state / record.name
    place.mkdir(parents=True)
    record.save(place)


def test_a_record_comes_back_from_where_it_belongs(tmp_path):
    bad = replace(ONE, name="b_dog", clip="b", reasons=["hole on 1: x"], kinds={"hole": 3})
    put(tmp_path, ONE)
    put(tmp_path, bad)
    assert records.done(tmp_path, "a_dog") == ONE
    assert records.done(tmp_path, "b_dog") == bad
    assert records.done(tmp_path, "c_dog") is None
    assert list(records.all_done(tmp_path)) == [ONE, bad]


def test_what_cannot_be_read_is_no_record(tmp_path):
    (tmp_path / "labels" / "x").mkdir(parents=True)
    for text in ("", "[]", '{"name": "x"}', '{"more": 1}'):
        (tmp_path / "labels" / "x" / "label.json").write_text(text)
        assert records.done(tmp_path, "x") is None
    assert list(records.all_done(tmp_path)) == []


def test_manifest_and_statistics_tell_of_all(tmp_path):
    bad = replace(ONE, name="a_cat", object="cat", reasons=["hole on 1: x"], kinds={"hole": 3}, licence="own")
    records.note_failure(tmp_path, "c", "broken", "Copy it again.")
    statistics = records.write_manifest(tmp_path, [bad, ONE])
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [(line["state"], line["folder"]) for line in lines] == [
        ("rejected", "rejected/a_cat"),
        ("labels", "labels/a_dog"),
    ]
    assert statistics == json.loads((tmp_path / "statistics.json").read_text())
    counts = [statistics[name] for name in ("clips", "labels", "rejected", "failed", "frames", "annotated_frames")]
    assert counts == [1, 1, 1, 1, 3, 2]
    assert (statistics["flagged"], statistics["licences"], statistics["seconds"]) == ({"hole": 1}, {"CC0": 1}, 3.0)
    records.forget_failure(tmp_path, "c")
    assert records.write_manifest(tmp_path, [])["failed"] == 0


def test_a_name_that_another_clip_has_is_refused():
    records.refuse_twin(None, ONE)
    records.refuse_twin(replace(ONE, fingerprint="older"), ONE)
    with pytest.raises(BadInput, match="b, dog, has the same name"):
        records.refuse_twin(replace(ONE, clip="b"), ONE)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(LabelRecord) == {"computed": 0, "cached": 0, "seconds": 0.0}
