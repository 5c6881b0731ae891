"""Clips with masks in every layout: names, frames, objects and their pixels."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.annotated_layouts import find_clips

spec = importlib.util.spec_from_file_location("annotated_sets", Path(__file__).with_name("annotated.py"))
sets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sets)


def masks_of(clip, name):
    return {number: read() for number, read in clip.objects[name].items()}


def test_sa_v_movies_have_masks_on_every_fourth_frame(tmp_path):
    pytest.importorskip("av")
    sets.small_sav(tmp_path, ("sav_000001", "sav_000002"))
    found = find_clips(tmp_path)
    assert list(found) == ["sav_000001", "sav_000002"]
    clip = found["sav_000001"]()
    assert (clip.data, sorted(clip.plate)) == ("sa-v", list(range(9)))
    assert list(clip.objects) == ["manual-000", "manual-001"]
    assert sorted(clip.objects["manual-000"]) == [0, 4, 8]
    second = masks_of(clip, "manual-001")
    assert not second[0].any()
    np.testing.assert_array_equal(second[8], sets.disc(8, 42))


def test_both_kinds_of_annotations_of_sa_v_are_read(tmp_path):
    pytest.importorskip("av")
    sets.small_sav(tmp_path)
    sets.write_sav(tmp_path, "sav_000001", [sets.plate([sets.disc(0)])] * 9, [[sets.disc(0)] * 9], "auto")
    assert list(find_clips(tmp_path)["sav_000001"]().objects) == ["manual-000", "manual-001", "auto-000"]


def test_movies_of_one_name_are_told_apart_by_their_folders(tmp_path):
    pytest.importorskip("av")
    for part in ("a", "b"):
        sets.small_sav(tmp_path / part)
    assert list(find_clips(tmp_path)) == ["b/sav_000/sav_000001", "sav_000001"]


def test_masks_after_the_end_of_a_movie_are_refused(tmp_path):
    pytest.importorskip("av")
    movie = sets.write_sav(tmp_path, "sav_000001", [sets.plate([sets.disc(0)])] * 9, [[sets.disc(0)] * 9])
    sets.write_movie(movie, [sets.plate([sets.disc(0)])] * 6)
    with pytest.raises(BadInput, match="masks without plate on frames 8"):
        find_clips(tmp_path)["sav_000001"]()


@pytest.mark.parametrize("text", ["{", "[]", '{"masklet": 3}', '{"masklet": [1]}'])
def test_a_file_that_is_not_sa_vs_is_named(tmp_path, text):
    pytest.importorskip("av")
    movie = sets.small_sav(tmp_path) / "sav_000" / "sav_000001.mp4"
    movie.with_name("sav_000001_manual.json").write_text(text)
    with pytest.raises(BadInput, match=r"sav_000001_manual\.json"):
        find_clips(tmp_path)["sav_000001"]()


def test_sa_v_pictures_have_a_folder_of_masks_for_each_object(tmp_path):
    for index in range(9):
        sets.put(tmp_path / "JPEGImages_24fps" / "v" / f"{index:05d}.png", sets.plate([]), ("R", "G", "B"))
        if index % 4 == 0:
            for place in (0, 1):
                mask = sets.disc(index, 14 + 28 * place).astype(np.float32)
                sets.put(tmp_path / "Annotations_6fps" / "v" / f"{place:03d}" / f"{index:05d}.png", mask, ("Y",))
    clip = find_clips(tmp_path)["v"]()
    assert (clip.data, list(clip.objects)) == ("sa-v-pictures", ["000", "001"])
    np.testing.assert_array_equal(masks_of(clip, "001")[4], sets.disc(4, 42))


@pytest.mark.parametrize(("size", "layout"), [("", "youtube-vos"), ("480p", "davis")])
def test_objects_are_told_apart_by_their_colour(tmp_path, size, layout):
    sets.coloured(tmp_path, "bear", size, every=5 if not size else 1)
    clip = find_clips(tmp_path)["bear"]()
    assert (clip.data, list(clip.objects), len(clip.plate)) == (layout, ["008000", "800000"], 6)
    assert sorted(clip.objects["800000"]) == ([0, 5] if not size else list(range(6)))
    np.testing.assert_array_equal(masks_of(clip, "800000")[5], sets.disc(5, 14))
    np.testing.assert_array_equal(masks_of(clip, "008000")[0], sets.disc(0, 42))


def test_masks_with_a_palette_have_the_colours_of_the_palette(tmp_path):
    image = pytest.importorskip("PIL.Image")
    sets.coloured(tmp_path, "bear", "480p", count=2)
    for index in range(2):
        picture = image.fromarray(sets.disc(index).astype(np.uint8), "P")
        picture.putpalette([0, 0, 0, 128, 0, 0])
        picture.save(tmp_path / "Annotations" / "480p" / "bear" / f"{index:05d}.png")
    clip = find_clips(tmp_path)["bear"]()
    assert list(clip.objects) == ["800000"]
    np.testing.assert_array_equal(masks_of(clip, "800000")[1], sets.disc(1))


def test_grey_masks_hold_the_numbers_of_objects(tmp_path):
    sets.coloured(tmp_path, "bear", "480p", count=2)
    for index in range(2):
        picture = sets.disc(index, 14).astype(np.uint8) + 2 * sets.disc(index, 42).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "Annotations" / "480p" / "bear" / f"{index:05d}.png"), picture)
    assert list(find_clips(tmp_path)["bear"]().objects) == ["010101", "020202"]


def test_resolutions_and_parts_stand_before_a_clips_name(tmp_path):
    for size in ("480p", "1080p"):
        sets.coloured(tmp_path / "davis", "bear", size)
    assert list(find_clips(tmp_path / "davis")) == ["1080p/bear", "480p/bear"]
    sets.coloured(tmp_path / "vos" / "train", "abc")
    assert list(find_clips(tmp_path / "vos")) == ["train/abc"]
    assert list(find_clips(tmp_path / "vos" / "train")) == ["abc"]


def test_plain_folders_have_one_object_or_several(tmp_path):
    sets.plain(tmp_path, "one")
    sets.plain(tmp_path, "two", objects=("cat", "dog"), masked={1001, 1003})
    found = find_clips(tmp_path)
    assert list(found["one"]().objects) == ["object"]
    two = found["two"]()
    assert list(two.objects) == ["cat", "dog"]
    np.testing.assert_array_equal(masks_of(two, "dog")[1003], sets.disc(2, 42))
    assert list(find_clips(tmp_path / "two")) == ["two"]


def test_a_folder_of_another_kind_tells_what_is_expected(tmp_path):
    with pytest.raises(BadInput, match="no clips with masks were found") as told:
        find_clips(tmp_path)
    assert told.value.hint.count("\n") == 5
    sets.plain(tmp_path)
    with pytest.raises(BadInput, match="no clips with masks"):
        find_clips(tmp_path, "davis")
