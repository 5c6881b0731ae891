"""The cache folder in every state that it is found in; nothing in it is changed."""

import shutil
from dataclasses import replace

import pytest
from videomama_server.cache.entries import Cache
from videomama_server.config import Config
from videomama_server.doctor import storage


@pytest.fixture
def config(tmp_path):
    return replace(Config(), cache_dir=tmp_path / "cache")


def named(config, name=storage.NAME):
    return next((line for line in storage.examine(config) if line.name == name), None)


def test_a_folder_that_is_not_there_yet(config):
    assert named(config).state == "ok"
    assert "first job makes it" in named(config).what
    assert not config.cache_dir.exists()


def test_a_file_in_the_place_of_the_folder(config):
    config.cache_dir.touch()
    assert named(config).state == "warning"
    assert named(config, "disk").state in ("ok", "warning")


def test_an_empty_folder_stays_empty(config):
    config.cache_dir.mkdir()
    assert named(config).state == "ok"
    assert list(config.cache_dir.iterdir()) == []


def test_a_folder_of_other_things(config):
    config.cache_dir.mkdir()
    (config.cache_dir / "holiday.jpg").touch()
    assert named(config).state == "warning"
    assert "not the cache's" in named(config).what
    assert [path.name for path in config.cache_dir.iterdir()] == ["holiday.jpg"]


def test_a_cache_with_entries_whole_and_damaged(start_server, make_clip, config):
    server = start_server()
    server.refine(make_clip(count=3))
    config = replace(config, cache_dir=server.cache_dir)
    assert "3 entries" in named(config).what
    assert named(config, "cache entries").what == "3 were looked at and are whole"
    server.entries()[1].write_bytes(b"garbage")
    line = named(config, "cache entries")
    assert (line.state, str(server.entries()[1]) in line.what) == ("warning", True)
    assert "cache verify" in line.fix
    assert len(server.entries()) == 3


def test_a_cache_without_entries(config):
    Cache(config.cache_dir).close()
    assert named(config).state == "ok"
    assert named(config, "cache entries") is None
    assert named(replace(config, cache_limit_gb=0.0)).state == "ok"


def test_a_cache_of_a_newer_format_is_left_alone(config):
    Cache(config.cache_dir).close()
    (config.cache_dir / "format.txt").write_text("7\n")
    line = named(config)
    assert (line.state, "has format 7" in line.what, "Update VideoMaMa." in line.fix) == ("warning", True, True)
    assert named(config, "cache entries") is None


def test_nothing_is_written_into_a_cache_that_does_not_say_its_format(config):
    Cache(config.cache_dir).close()
    (config.cache_dir / "format.txt").unlink()
    assert named(config).state == "ok"
    assert not (config.cache_dir / "format.txt").exists()


def test_a_cache_over_its_limit(start_server, make_clip, config):
    server = start_server()
    server.refine(make_clip(count=1))
    line = named(replace(config, cache_dir=server.cache_dir, cache_limit_gb=0.0))
    assert (line.state, "cache prune" in line.fix) == ("warning", True)


def test_a_disk_with_little_room(config, small_disk):
    disk = small_disk(512)
    line = named(replace(config, cache_dir=disk / "cache"), "disk")
    assert line.state == "problem"
    assert "0.0 GB are free" in line.what
    assert "VIDEOMAMA_CACHE_DIR" in line.fix


def test_a_disk_that_is_read_only(config, small_disk, make_read_only):
    disk = small_disk(512)
    Cache(disk / "cache").close()
    make_read_only(disk)
    line = named(replace(config, cache_dir=disk / "cache"))
    assert (line.state, "cannot be written" in line.what) == ("warning", True)


def test_a_disk_that_does_not_say_how_much_is_free(config, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    line = named(config, "disk")
    assert (line.state, "does not say how much space is free" in line.what) == ("warning", True)


@pytest.mark.parametrize(
    ("free", "state", "said"),
    [
        (499_999_999, "problem", "0.5 GB are free"),
        (500_000_000, "warning", "0.5 GB are free"),
        (9_999_999_999, "warning", "10.0 GB are free"),
        (10_000_000_000, "ok", "10.0 GB are free"),
        (None, "warning", "does not say how much space is free"),
    ],
)
def test_half_a_gigabyte_is_too_little_and_ten_are_enough(config, monkeypatch, free, state, said):
    monkeypatch.setattr(storage.disk_space, "free", lambda _: free)
    line = named(config, "disk")
    assert (line.state, said in line.what) == (state, True)


def test_a_cache_may_be_as_full_as_its_limit(config):
    Cache(config.cache_dir).close()
    (config.cache_dir / "sequences" / "s").mkdir(parents=True)
    (config.cache_dir / "sequences" / "s" / "a.1.exr").write_bytes(bytes(1_000_000))
    for limit, state in ((0.001, "ok"), (0.000999, "warning")):
        assert named(replace(config, cache_limit_gb=limit)).state == state
    assert "0 entries, 0.0 GB of 0.001 GB" in named(replace(config, cache_limit_gb=0.001)).what


def test_two_dozen_entries_are_looked_at(config, monkeypatch):
    asked = []
    monkeypatch.setattr(storage.upkeep, "sample", lambda folder, count: (asked.append(count), (0, []))[1])
    assert storage._entries(config.cache_dir) == []
    assert asked == [24]
