import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from videomama_server.cache import memo as memo_module
from videomama_server.cache.memo import Facts, FileId, Memo, Stamp, pixel_digest
from videomama_server.files import settling
from videomama_server.media.declared_colour import Declared
from videomama_server.media.frames import Picture, read_plate
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.mask_values import MaskLook

FULL = Rect(0, 0, 64, 48)
FACTS = Facts(
    digest="abc",
    geometry=Geometry(FULL, Rect(-1, 2, 70, 48), 2.0),
    is_float=False,
    declared=Declared("gamma 2.2", ("g22_rec709",)),
    orientation=6,
    support=Rect(3, 4, 5, 6),
    low=0.25,
    peak=0.75,
    look=MaskLook(largest=255.0, colours=("#800000",), is_picture=True, edge=0.5, outside=0.25, sure=0.125),
)


@pytest.fixture
def picture_file(tmp_path, pictures):
    path = tmp_path / "plate.1001.exr"
    path.write_bytes(b"pixels")
    pictures.settle(path)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "memo"


def book_of(folder):
    (path,) = folder.glob("*.json")
    return path


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_facts_are_remembered_by_file_and_channels(picture_file, folder):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:A", FACTS)
    assert memo.get(FileId.of(picture_file), "mask:A") == FACTS
    assert memo.get(FileId.of(picture_file), "mask:R") is None


def test_facts_outlive_the_process(picture_file, folder):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    assert Memo(folder).get(FileId.of(picture_file), "mask:") == FACTS
    assert names_in(folder) == [book_of(folder).name]


def test_without_a_folder_facts_are_kept_in_memory_only(picture_file, tmp_path):
    memo = Memo(None)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    assert memo.get(FileId.of(picture_file), "mask:") == FACTS
    assert names_in(tmp_path) == [picture_file.name]


def test_a_file_that_may_still_change_is_not_remembered(picture_file, folder):
    os.utime(picture_file)
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    assert memo.get(FileId.of(picture_file), "mask:") is None


def change_size(path):
    stat = path.stat()
    path.write_bytes(b"more pixels")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def change_time(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 1))


def change_inode(path):
    stat = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("numbers", [[0.5, -3.0, 1e9], []], ids=str)
def test_numbers_measured_on_a_file_are_kept_under_what_they_are(picture_file, folder, numbers):
    memo = Memo(folder)
    memo.put_numbers(FileId.of(picture_file), "fit", numbers)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    again = Memo(folder)
    assert again.numbers(FileId.of(picture_file), "fit") == numbers
    assert again.numbers(FileId.of(picture_file), "other") is None
    assert again.get(FileId.of(picture_file), "mask:") == FACTS
    assert again.get(FileId.of(picture_file), "fit") is None
    change_size(picture_file)
    assert again.numbers(FileId.of(picture_file), "fit") is None


@pytest.mark.parametrize("row", [3, [1], ["text"] * 9, None], ids=str)
def test_a_row_of_other_than_numbers_is_none(picture_file, folder, row):
    memo = Memo(folder)
    stamp = FileId.of(picture_file).stamp
    memo.put_numbers(FileId.of(picture_file), "fit", [1.0])
    memo.save()
    (book,) = folder.glob("*.json")
    kept = json.loads(book.read_text())
    whole = [stamp.size, stamp.mtime_ns, stamp.inode, *row] if isinstance(row, list) and len(row) > 1 else row
    book.write_text(json.dumps(dict.fromkeys(kept, whole)))
    assert Memo(folder).numbers(FileId.of(picture_file), "fit") is None


@pytest.mark.parametrize("change", [change_size, change_time, change_inode])
def test_a_changed_stat_forgets(picture_file, folder, change):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    change(picture_file)
    assert memo.get(FileId.of(picture_file), "mask:") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b'"text"'])
def test_a_garbage_memo_file_is_ignored_and_replaced(picture_file, folder, content):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    book_of(folder).write_bytes(content)
    again = Memo(folder)
    assert again.get(FileId.of(picture_file), "mask:") is None
    again.put(FileId.of(picture_file), "mask:", FACTS)
    again.save()
    assert Memo(folder).get(FileId.of(picture_file), "mask:") == FACTS


@pytest.mark.parametrize("row", [None, 5, "text", {"a": 1}, [], [1, 2, 3], "stamp", "long", "text in a corner", "old"])
def test_a_garbage_row_is_ignored(picture_file, folder, row):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    (known,) = json.loads(book_of(folder).read_text()).values()
    rows = {
        "stamp": known[:3],
        "long": [*known, 1],
        "text in a corner": [*known[:-1], "x"],
        "old": [*known[:3], 1, *known[4:]],
    }
    book_of(folder).write_text(json.dumps({f"{picture_file.name}|mask:": rows.get(str(row), row)}))
    assert Memo(folder).get(FileId.of(picture_file), "mask:") is None


def test_a_row_with_something_odd_at_any_place_is_ignored(picture_file, folder):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    (known,) = json.loads(book_of(folder).read_text()).values()
    for place in range(len(known)):
        for odd in ({"odd": 1}, [{"odd": 1}], [*known[place], {"odd": 1}] if isinstance(known[place], list) else None):
            row = [*known[:place], odd, *known[place + 1 :]]
            book_of(folder).write_text(json.dumps({f"{picture_file.name}|mask:": row}))
            assert Memo(folder).get(FileId.of(picture_file), "mask:") is None, (place, odd)


def test_two_memos_merge_what_they_learned(tmp_path, folder, pictures):
    files = [tmp_path / f"p.{number}.exr" for number in (1, 2)]
    memos = [Memo(folder), Memo(folder)]
    for path, memo in zip(files, memos, strict=True):
        path.write_bytes(b"pixels")
        pictures.settle(path)
        memo.put(FileId.of(path), "plate:", Facts(path.name, Geometry(FULL, FULL)))
    for memo in memos:
        memo.save()
    merged = Memo(folder)
    assert [merged.get(FileId.of(path), "plate:") for path in files] == [
        Facts(path.name, Geometry(FULL, FULL)) for path in files
    ]


def test_each_source_folder_has_a_book_of_its_own(tmp_path, folder, pictures):
    memo = Memo(folder)
    for name in ("a", "b"):
        path = tmp_path / name / "p.1.exr"
        path.parent.mkdir()
        path.write_bytes(b"pixels")
        pictures.settle(path)
        memo.put(FileId.of(path), "plate:", Facts(name, Geometry(FULL, FULL)))
    memo.save()
    assert len(list(folder.glob("*.json"))) == 2
    again = Memo(folder)
    assert [again.get(FileId.of(tmp_path / name / "p.1.exr"), "plate:") for name in "ab"] == [
        Facts("a", Geometry(FULL, FULL)),
        Facts("b", Geometry(FULL, FULL)),
    ]


def test_names_that_are_no_text_are_remembered(tmp_path, folder, pictures):
    path = tmp_path / os.fsdecode(b"caf\xe9.1.exr")
    path.write_bytes(b"pixels")
    pictures.settle(path)
    memo = Memo(folder)
    memo.put(FileId.of(path), "plate:", FACTS)
    memo.save()
    assert Memo(folder).get(FileId.of(path), "plate:") == FACTS


def test_a_memo_that_cannot_be_saved_is_a_warning_and_leaves_nothing(picture_file, folder, monkeypatch, caplog):
    memo = Memo(folder)
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    monkeypatch.setattr(Path, "replace", _disk_full)
    memo.save()
    assert "not saved" in caplog.text
    assert names_in(folder) == []


def test_a_folder_that_cannot_be_made_is_a_warning(picture_file, caplog):
    memo = Memo(picture_file / "memo")
    memo.put(FileId.of(picture_file), "mask:", FACTS)
    memo.save()
    assert "not saved" in caplog.text


def _disk_full(*_):
    raise OSError(28, "No space left on device")


def test_a_stamp_settles_with_age(picture_file):
    assert Stamp.of(picture_file).settled
    now = time.time_ns()
    assert not Stamp(1, now, 1).settled
    assert not Stamp(1, now + 10**12, 1).settled


def test_a_stamp_of_a_young_file_never_settles_while_its_pixels_are_read_for_long():
    """An edit in the tick of its stat may have come between, and would be taken for what was read before it."""
    young = Stamp(1, time.time_ns(), 1, taken=time.time())
    old = Stamp(1, time.time_ns() - 2 * 10**9, 1)
    time.sleep(settling.SETTLED_S + 0.1)
    assert not young.settled
    assert old.settled
    assert young == replace(young, taken=0.0)


def picture(pixels, geometry=None):
    return Picture(np.ascontiguousarray(pixels, np.float32), geometry or Geometry(FULL, FULL))


def test_the_digest_is_of_pixels_and_geometry():
    pixels = np.zeros((48, 64, 1), np.float32)
    changed = pixels.copy()
    changed[-1, -1] = 1e-7
    wider = Geometry(FULL, FULL, 2.0)
    digests = [pixel_digest(picture(pixels)), pixel_digest(picture(changed)), pixel_digest(picture(pixels, wider))]
    digests.append(pixel_digest(picture(pixels.reshape(64, 48, 1))))
    assert len(set(digests)) == 4
    assert pixel_digest(picture(pixels.copy())) == digests[0]


def test_the_digest_of_known_pixels_is_the_one_that_caches_already_hold():
    """Another digest here means that every cache is computed again."""
    pixels = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8
    known = picture(pixels, Geometry(Rect(0, 0, 3, 2), Rect(-1, 0, 5, 2), 2.0))
    assert pixel_digest(known) == "ed76dbe17d0574e5703b39e08c91edca"


def test_the_digest_does_not_depend_on_the_file(tmp_path, pictures):
    one = pictures.write(tmp_path / "a.exr", pictures.scene(), "RGB")
    other = pictures.write(tmp_path / "b.exr", pictures.scene(), "RGB", "float", tile=16)
    assert one.read_bytes() != other.read_bytes()
    assert pixel_digest(read_plate(one)) == pixel_digest(read_plate(other))


def test_a_book_forgets_what_was_learned_longest_ago(picture_file, folder, monkeypatch):
    monkeypatch.setattr(memo_module, "_MOST_ROWS", 3)
    memo = Memo(folder)
    for channels in ("a", "b", "a", "c", "d"):
        memo.put(FileId.of(picture_file), channels, FACTS)
    memo.save()
    rows = json.loads(book_of(folder).read_text())
    assert [name.rpartition("|")[2] for name in rows] == ["a", "c", "d"]
    assert memo.get(FileId.of(picture_file), "b") is None


def test_books_that_are_too_many_to_keep_are_read_again(picture_file, folder, monkeypatch):
    monkeypatch.setattr(memo_module, "_MOST_BOOKS", 1)
    memo, file = Memo(folder), FileId.of(picture_file)
    for name in ("one", "two"):
        memo.put(FileId(picture_file.parent / name, file.name, file.stamp), "a", FACTS)
    memo.save()
    assert memo.get(FileId(picture_file.parent / "one", file.name, file.stamp), "a") == FACTS


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Facts) == {"is_float": True, "orientation": 1, "low": 0.0, "peak": 0.0}


def test_ten_thousand_rows_and_64_books_are_kept():
    assert (memo_module._MOST_ROWS, memo_module._MOST_BOOKS, settling.SETTLED_S) == (10_000, 64, 1.0)
    assert memo_module._VERSION == 2  # another one forgets what every cache knows of its plates
