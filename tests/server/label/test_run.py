"""Labels through a real server: what is made, what is not made again, and what fails alone."""

import dataclasses
import json

import numpy as np
import pytest
from videomama_client import launch
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.settings import MatteSettings
from videomama_server.datasets.layouts import read_data
from videomama_server.label.records import load
from videomama_server.media import frames

SAM2 = MatteSettings(engine="sam2")


def nobody():
    raise AssertionError("the server is not needed")


def test_each_object_of_a_clip_becomes_a_label_that_training_reads(label, data, tmp_path):
    outcome, heard = label(data.small_sav(tmp_path / "set", count=13))
    assert [(one.name, one.frames) for one in outcome.made] == [
        ("sav_000001_manual-000", [0, 4, 8, 12]),
        ("sav_000001_manual-001", [4, 8, 12]),
    ]
    assert (heard.count, heard.clips, heard.finished, heard.frames) == (1, ["sav_000001"], 1, 7)
    found = read_data(tmp_path / "out" / "labels")
    assert found.broken == []
    first, second = found.clips
    assert (first.numbers, second.numbers) == ([0, 4, 8, 12], [4, 8, 12])
    truth = frames.read_mask(second.truth[8]).pixels[..., 0]
    np.testing.assert_array_equal(truth, data.disc(8, 42))
    plate = frames.read_plate(first.plate[4]).pixels
    assert np.abs(plate - data.plate([data.disc(4, 14), data.disc(4, 42)])).mean() < 0.03


@pytest.mark.slow
def test_frames_between_annotations_come_from_the_maker_and_annotated_masks_stay(label, sam2_server, data, tmp_path):
    def connect():
        return launch.connect(sam2_server.connection_file, start=False)

    outcome, _ = label(data.small_sav(tmp_path / "set", count=13), maker=SAM2, connect=connect)
    assert outcome.failed == {}
    first, second = outcome.made
    assert (first.frames, first.annotated) == (list(range(13)), 4)
    assert second.frames == list(range(4, 13))
    clip = read_data(tmp_path / "out" / "labels").clips[0]
    for number in (0, 4, 8):
        np.testing.assert_array_equal(frames.read_mask(clip.mask[number]).pixels[..., 0], data.disc(number, 14))
    ends = [data.disc(number, 14).astype(float) for number in (0, 4)]
    between = frames.read_mask(clip.mask[2]).pixels[..., 0]
    assert np.abs(between - np.mean(ends, axis=0)).max() > 0.2  # no blend of both
    assert not (tmp_path / "out" / "labels" / first.name / "keys").exists()


def test_an_engine_that_fades_masks_makes_none_between(label, data, tmp_path):
    with pytest.raises(BadInput, match="fades one mask into the next"):
        label(data.small_sav(tmp_path / "set"), maker=MatteSettings(engine="held"))


def test_two_masks_apart_are_no_clip_without_a_maker(label, data, tmp_path):
    outcome, _ = label(data.small_sav(tmp_path / "set"))
    assert [bool(one.reasons) for one in outcome.made] == [False, True]
    assert outcome.made[1].reasons[0].startswith("short: two masks apart")


def test_a_clip_with_all_its_masks_needs_no_maker(label, data, tmp_path):
    outcome, _ = label(data.plain(tmp_path / "set"), maker=SAM2)  # whose weights are not here
    assert [one.annotated for one in outcome.made] == [4]


def test_what_is_done_is_not_done_again(label, data, tmp_path):
    first, _ = label(data.small_sav(tmp_path / "set"))
    again, heard = label(tmp_path / "set", connect=nobody)
    assert again.kept == first.made
    assert again.made == []
    assert heard.finished == 1
    assert again.statistics == first.statistics


def test_other_settings_make_all_labels_again(label, data, tmp_path):
    label(data.plain(tmp_path / "set"))
    again, _ = label(tmp_path / "set", tolerate=0.5)
    assert [one.name for one in again.made] == ["shot_object"]
    assert len((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()) == 1


def test_another_mask_makes_its_labels_again(label, data, tmp_path):
    label(data.plain(tmp_path / "set"))
    data.put(tmp_path / "set" / "shot" / "mask" / "m.1002.png", data.disc(9).astype(np.float32), ("Y",))
    again, _ = label(tmp_path / "set")
    assert [one.name for one in again.made] == ["shot_object"]


def test_a_label_that_the_plate_contradicts_is_rejected_with_the_reason(label, data, tmp_path):
    masked = data.plain(tmp_path / "set", numbers=range(1001, 1009))
    data.put(masked / "shot" / "mask" / "m.1004.png", np.zeros(data.SIZE, np.float32), ("Y",))
    outcome, _ = label(masked, tolerate=0.1)
    (record,) = outcome.made
    assert record.reasons[0].startswith("mask missed on 1004: the mask is gone")
    assert not (tmp_path / "out" / "labels" / record.name).exists()
    assert load(tmp_path / "out" / "rejected" / record.name) == record
    assert outcome.statistics["rejected"] == 1
    accepted, _ = label(masked, tolerate=0.5)
    assert accepted.made[0].reasons == []
    assert not (tmp_path / "out" / "rejected" / record.name).exists()
    assert accepted.made[0].kinds == {"mask missed": 1}


def test_an_object_that_no_mask_shows_is_rejected_as_empty(label, data, tmp_path):
    pictures = [data.plate([data.disc(index)]) for index in range(9)]
    objects = [[data.disc(index) for index in range(9)], [np.zeros(data.SIZE, bool)] * 9]
    data.write_sav(tmp_path / "set", "sav_000007", pictures, objects)
    outcome, _ = label(tmp_path / "set")
    assert [one.reasons for one in outcome.made] == [[], ["empty: no mask shows the object"]]
    assert len(outcome.sheets) == 1


def test_a_clip_that_fails_stops_no_other_and_is_tried_again(label, data, tmp_path):
    folder = data.small_sav(tmp_path / "set", ("sav_000001", "sav_000002"), count=13)
    notes = folder / "sav_000" / "sav_000001_manual.json"
    whole = notes.read_text()
    notes.write_text("{}")
    outcome, heard = label(folder)
    assert list(outcome.failed) == ["sav_000001"]
    assert "is not a file of SA-V" in outcome.failed["sav_000001"].message
    assert {one.clip for one in outcome.made} == {"sav_000002"}
    assert outcome.statistics["failed"] == 1
    assert heard.said[0].startswith("FAILED: sav_000001")
    notes.write_text(whole)
    again, _ = label(folder)
    assert again.statistics["failed"] == 0
    assert again.statistics["labels"] == 4


def test_masks_at_uneven_distances_need_a_maker(label, data, tmp_path):
    folder = data.plain(tmp_path / "set", numbers=range(1001, 1006), masked={1001, 1002, 1005})
    outcome, _ = label(folder)
    assert "not equally far apart" in outcome.failed["shot_object"].message
    assert "--maker" in outcome.failed["shot_object"].hint


def test_two_clips_of_one_name_are_told_apart(label, data, tmp_path):
    data.coloured(tmp_path / "set" / "train", "a_b", every=5, count=11)
    data.coloured(tmp_path / "set" / "train_a", "b", every=5, count=11)
    outcome, _ = label(tmp_path / "set")
    assert {one.clip for one in outcome.made} == {"train/a_b"}
    assert set(outcome.failed) == {"train_a_b_008000", "train_a_b_800000"}


def test_a_server_that_dies_once_costs_nothing(label, server, data, tmp_path):
    calls = []

    def connect():
        calls.append(1)
        if len(calls) == 1:
            return Lost()
        return launch.connect(server.connection_file, start=False)

    outcome, heard = label(data.plain(tmp_path / "set"), connect=connect)
    assert (len(calls), len(outcome.made)) == (2, 1)
    assert heard.said == ["Warning: gone. Trying once more."]
    with pytest.raises(ServerUnreachable):
        label(tmp_path / "set", connect=Lost, tolerate=0.3)


class Lost:
    """A client whose server is gone."""

    def sees_file(self, path):
        raise ServerUnreachable("gone", "Start it.")

    def close(self):
        pass


def test_the_manifest_tells_licence_and_provenance_of_every_label(label, data, tmp_path):
    label(data.small_sav(tmp_path / "set", count=13))
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert [line["folder"] for line in lines] == ["labels/sav_000001_manual-000", "labels/sav_000001_manual-001"]
    first = lines[0]
    assert (first["licence"], first["data"], first["clip"], first["object"]) == (
        "CC0", "sa-v", "sav_000001", "manual-000",
    )  # fmt: skip
    movie = tmp_path / "set" / "sav_000" / "sav_000001.mp4"
    assert first["sources"] == [str(movie), str(movie.with_name("sav_000001_manual.json"))]
    assert first["chain"]["settings"]["engine"] == "passthrough"
    assert first["server"]


def test_a_record_that_is_damaged_is_no_label(label, data, tmp_path):
    outcome, _ = label(data.plain(tmp_path / "set"))
    (tmp_path / "out" / "labels" / "shot_object" / "label.json").write_text("{")
    again, _ = label(tmp_path / "set")
    assert dataclasses.replace(again.made[0], seconds=0, computed=0, cached=0) == dataclasses.replace(
        outcome.made[0], seconds=0, computed=0, cached=0
    )
