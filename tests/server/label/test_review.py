"""Pictures to review labels by."""

from dataclasses import replace

import numpy as np
from videomama_client.settings import MatteSettings
from videomama_server.label import review
from videomama_server.label.records import LabelRecord
from videomama_server.media import frames

ONE = LabelRecord("a", "a", "dog", "plain", "CC0", [], "f", [1], 1, {})


def put(folder, record, pixels, suffix=".png"):
    place = folder / record.state / record.name
    place.mkdir(parents=True, exist_ok=True)
    frames.write_picture(place / f"plate.0001{suffix}", pixels, dtype="uint8" if suffix == ".png" else "half")
    frames.write_picture(place / "truth.0001.exr", (pixels[..., 0] > 0.5).astype(np.float32), ("A",), "float")
    patterns = place / f"plate.####{suffix}", place / "truth.####.exr"
    review.write_thumb(place / "review.png", patterns, [1], MatteSettings())


def picture(red):
    made = np.full((72, 96, 3), 0.1, np.float32)
    made[:, 48:, 0] = red
    return made


def test_a_small_picture_shows_the_plate_and_the_subject_over_green(tmp_path):
    put(tmp_path, ONE, picture(0.9))
    small = frames.read_plate(tmp_path / "labels" / "a" / "review.png").pixels
    high, wide = small.shape[0], small.shape[1] // 2
    plate, comp = small[:, :wide], small[:, wide:]
    assert (high, wide) == (128, 170)
    assert np.allclose(plate[64, 20], 0.1, atol=0.02)
    assert comp[64, 20].argmax() == 1  # the background is gone
    assert np.allclose(comp[64, 150], plate[64, 150], atol=0.02)


def test_a_scene_linear_plate_is_shown_as_a_person_sees_it(tmp_path):
    put(tmp_path, ONE, picture(0.9), ".exr")
    small = frames.read_plate(tmp_path / "labels" / "a" / "review.png").pixels
    assert np.allclose(small[64, 20], 0.35, atol=0.02)  # 0.1 in sRGB


def test_there_is_a_sheet_for_every_hundred(tmp_path):
    put(tmp_path, ONE, picture(0.9))
    many = [replace(ONE, name=f"l{number:03d}") for number in range(149)]
    sheets = review.write_sheets(tmp_path, [ONE, *many])
    assert [path.name[:5] for path in sheets] == ["0001-", "0002-"]
    first, second = (frames.read_plate(path).pixels for path in sheets)
    assert (first.shape, second.shape) == ((3000, 1800, 3), (1500, 1800, 3))
    assert first[22:150, :340].std() > 0.1  # the small picture of the first


def test_only_sheets_that_change_are_written_again(tmp_path):
    (old,) = review.write_sheets(tmp_path, [ONE])
    stamp = old.stat().st_mtime_ns
    assert review.write_sheets(tmp_path, [ONE]) == [old]
    assert old.stat().st_mtime_ns == stamp
    (new,) = review.write_sheets(tmp_path, [replace(ONE, reasons=["hole on 1: x"])])
    assert new != old
    assert not old.exists()


def test_captions_are_what_and_where_they_always_were(tmp_path, unchanged):
    rejected = replace(ONE, name="x" * 20 + "a_long_name_that_is_cut_in_front", reasons=["flicker on 1001-1004"])
    cells = [review._cell(tmp_path / "none", one) for one in (ONE, rejected)]
    unchanged(np.concatenate(cells, axis=1) / 255, [-108134, -91505, -88216])
