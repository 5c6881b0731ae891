"""Tests for how the cache's folder is laid out."""

from contextlib import suppress

import pytest
from videomama_server.cache import layout

KEY = "ab" + "0" * 38


def test_entries_fan_out_by_the_first_two_characters_of_their_keys(tmp_path):
    entry = layout.entry(tmp_path, KEY, version=1)
    assert entry == tmp_path / "entries" / "ab" / f"{KEY}.exr"
    assert layout.note(entry) == tmp_path / "entries" / "ab" / f"{KEY}.json"


def test_only_files_of_real_folders_inside_are_yielded(tmp_path):
    for name in ("own/a.exr", "own/b.json", "own/.c.json", "elsewhere/d.exr"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    cache = tmp_path / "cache"
    cache.mkdir()
    (tmp_path / "own").rename(cache / "own")
    (cache / "link").symlink_to(tmp_path / "elsewhere")
    assert [path.name for path in layout.own(cache)] == ["own"]
    assert [path.name for path in layout.within(cache, "*.exr")] == ["a.exr"]
    assert [path.name for path in layout.within(cache, layout.NOTES)] == ["b.json"]


def test_nothing_is_in_a_folder_that_is_not_there(tmp_path):
    assert list(layout.within(tmp_path / "gone", "*")) == []


@pytest.mark.parametrize(("version", "name"), [(1, f"{KEY}.exr"), (2, f"{KEY}.v2.exr"), (31, f"{KEY}.v31.exr")])
def test_the_name_of_an_entry_says_its_version(tmp_path, version, name):
    entry = layout.entry(tmp_path, KEY, version)
    assert entry.name == name
    assert layout.version_of(entry) == version
    assert layout.note(entry).name == name.replace(".exr", ".json")


@pytest.mark.parametrize("name", ["alpha.exr", f"{KEY}.vnext.exr", f"{KEY}.v.exr", f"{KEY}.v-3.exr"])
def test_a_name_without_a_version_is_of_the_first(tmp_path, name):
    assert layout.version_of(tmp_path / name) == 1


def test_a_folder_says_its_format_once(tmp_path):
    assert layout.unknown_format(tmp_path) == ""
    layout.say_format(tmp_path)
    assert (tmp_path / "format.txt").read_text() == f"{layout.FORMAT}\n"
    assert layout.unknown_format(tmp_path) == ""
    (tmp_path / "format.txt").write_text("0\n")
    layout.say_format(tmp_path)
    assert (tmp_path / "format.txt").read_text() == "0\n"
    assert [path.name for path in tmp_path.iterdir()] == ["format.txt"]


@pytest.mark.parametrize(
    ("text", "said"), [(str(layout.FORMAT + 1), str(layout.FORMAT + 1)), ("two", "two"), ("", "without a number")]
)
def test_a_format_that_is_not_known_is_told(tmp_path, text, said):
    (tmp_path / "format.txt").write_text(text)
    assert layout.unknown_format(tmp_path) == said


def test_a_disk_that_is_full_has_no_format_and_is_no_error(small_disk):
    folder = small_disk(64)
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    layout.say_format(folder)
    assert layout.unknown_format(folder) == ""
