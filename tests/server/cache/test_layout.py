"""Tests for how the cache's folder is laid out."""

from videomama_server.cache import layout

KEY = "ab" + "0" * 38


def test_entries_fan_out_by_the_first_two_characters_of_their_keys(tmp_path):
    entry = layout.entry(tmp_path, KEY)
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
