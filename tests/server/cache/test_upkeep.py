"""Tests for what looks after the cache's folder."""

import errno
import os
import socket
import time
from dataclasses import replace

import pytest
from cache_cases import DAMAGES, FULL, KEY, OTHER, THIRD, alpha, dead_process, files_in, hold_of, use
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.cache import entries as cache_module
from videomama_server.cache import layout, upkeep
from videomama_server.cache.entries import Cache


@pytest.mark.parametrize("damage", DAMAGES)
def test_verify_removes_what_is_damaged_and_nothing_else(cache, entry, damage):
    cache.publish(OTHER, alpha(2), FULL)
    damage(entry)
    size = entry.stat().st_size
    report = cache.verify()
    assert (report.entries, report.removed, report.freed_bytes) == (1, 1, size)
    assert not entry.exists()
    assert cache.lookup(OTHER)


def test_an_entry_that_cannot_be_read_now_is_not_removed(cache, entry, monkeypatch, caplog):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(upkeep.seal, "matches", fail)
        assert cache.verify().removed == 0
        assert cache.lookup(KEY) is None
    assert "cannot be read" in caplog.text
    assert cache.lookup(KEY) == entry


def test_an_entry_that_vanishes_while_it_is_verified_is_no_error(cache, entry, monkeypatch):
    def vanish(path):
        path.unlink()
        return False

    monkeypatch.setattr(upkeep.seal, "matches", vanish)
    assert cache.verify().removed == 0


def test_a_sample_is_spread_over_the_cache_and_changes_nothing(cache):
    keys = [f"{index:02x}" + "0" * 38 for index in range(10)]
    paths = [cache.publish(key, alpha(), FULL) for key in keys]
    before = files_in(cache.folder)
    assert upkeep.sample(cache.folder, 3) == (3, [])
    paths[3].write_bytes(b"garbage")
    assert upkeep.sample(cache.folder, 3) == (3, [paths[3]])
    assert upkeep.sample(cache.folder, 100) == (10, [paths[3]])
    assert files_in(cache.folder) == before
    assert upkeep.sample(cache.folder / "none", 3) == (0, [])


@pytest.mark.parametrize("work", [Cache.verify, Cache.clear])
def test_what_cannot_be_written_cannot_be_cleaned(tmp_path, work, raises_with_hint):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    with raises_with_hint(NotPermitted, cache.folder):
        work(cache)
    cache.close()


def test_stat_counts_entries_and_bytes(cache, entry):
    second = cache.publish(OTHER, alpha(2), FULL)
    report = cache.stat()
    assert (report.folder, report.entries) == (str(cache.folder), 2)
    assert report.bytes == entry.stat().st_size + second.stat().st_size
    assert (report.removed, report.freed_bytes) == (0, 0)


def test_a_published_sequence_that_shares_its_file_counts_once(cache, entry):
    link = cache.folder / "sequences" / "s" / "alpha.1001.exr"
    link.parent.mkdir(parents=True)
    os.link(entry, link)
    assert cache.stat() == replace(cache.stat(), entries=1, bytes=entry.stat().st_size)


def test_prune_takes_the_least_recently_used_first(cache):
    paths = [cache.publish(key, alpha(), FULL) for key in (KEY, OTHER, THIRD)]
    for path, age in zip(paths, (30, 50, 40), strict=True):
        use(path, age)
    size = paths[0].stat().st_size
    report = cache.prune(2 * size)
    assert (report.entries, report.removed, report.freed_bytes) == (2, 1, size)
    assert [path.exists() for path in paths] == [True, False, True]
    cache.prune(size)
    assert [path.exists() for path in paths] == [True, False, False]


def test_prune_does_nothing_under_the_limit(cache, entry):
    use(entry, 50)
    assert cache.prune(entry.stat().st_size).removed == 0
    assert entry.exists()


def test_prune_takes_an_entry_with_the_sequences_that_share_it(cache, entry):
    link = cache.folder / "sequences" / "s" / "alpha.1001.exr"
    link.parent.mkdir(parents=True)
    os.link(entry, link)
    use(entry, 50)
    report = cache.prune(0)
    assert (report.entries, report.bytes, report.removed) == (0, 0, 1)
    assert not link.exists()


def test_prune_never_takes_a_sequences_file_that_a_running_job_found_up_to_date(cache):
    paths = [cache.folder / "sequences" / "s" / f"alpha.{frame}.exr" for frame in (1001, 1002)]
    paths[0].parent.mkdir(parents=True)
    for path in paths:
        path.write_bytes(b"an alpha")
        use(path, 50)
    with cache.hold("job"):
        cache.published(paths[0], False)
        cache.prune(0)
        assert [path.exists() for path in paths] == [True, False]


def test_prune_never_takes_what_a_running_job_uses(cache):
    old, looked_up = (cache.publish(key, alpha(), FULL) for key in (KEY, OTHER))
    for path in (old, looked_up):
        use(path, 50)
    with cache.hold("job"):
        cache.lookup(OTHER)
        fresh = cache.publish(THIRD, alpha(), FULL)
        cache.prune(0)
        assert [path.exists() for path in (old, looked_up, fresh)] == [False, True, True]
    cache.prune(0)
    assert not looked_up.exists()


def test_the_oldest_of_several_jobs_protects(cache, entry):
    use(entry, 50)
    hold_of(cache, os.getpid(), age=100)
    with cache.hold("younger"):
        assert cache.prune(0).removed == 0


def test_a_job_on_another_machine_protects(cache, entry):
    use(entry, 50)
    hold_of(cache, 1, "elsewhere", age=100)
    assert cache.prune(0).removed == 0


@pytest.mark.parametrize("kind", ["dead", "stale"])
def test_what_a_dead_or_day_old_process_left_does_not_protect(cache, entry, kind):
    use(entry, 50)
    marker = hold_of(cache, dead_process(), age=100) if kind == "dead" else hold_of(cache, 1, "elsewhere", 25 * 3600)
    assert cache.prune(0).removed == 1
    assert not marker.exists()


def test_prune_sweeps_what_killed_processes_left_and_empty_folders_only(cache, entry):
    hidden = f".videomama-{socket.gethostname()}~"
    old, young = entry.with_name(f"{hidden}{dead_process()}~old.exr"), entry.with_name(f"{hidden}{os.getpid()}~new.exr")
    empty_folder = cache.folder / "sequences" / "empty"
    stray = cache.folder / "sequences" / ".DS_Store"
    empty_folder.mkdir(parents=True)
    for path in (old, young, stray):
        path.touch()
    for path in (old, young):
        os.utime(path, (time.time() - 4000,) * 2)
    cache.prune(10**9)
    assert [path.exists() for path in (old, young, stray, empty_folder, entry)] == [False, True, True, False, True]


def test_clear_removes_everything_but_readme_and_format(cache, entry):
    for name in ("sequences/s/a.exr", "memo/m.json", "spool/x"):
        path = cache.folder / name
        path.parent.mkdir(parents=True)
        path.touch()
    size = entry.stat().st_size
    report = cache.clear()
    assert (report.entries, report.bytes, report.removed, report.freed_bytes) == (0, 0, 1, size)
    assert files_in(cache.folder) == ["README.txt", "format.txt"]


def test_clear_is_refused_while_a_job_runs(cache, entry, raises_with_hint):
    with cache.hold("job"), raises_with_hint(BadInput, cache.folder):
        cache.clear()
    assert entry.exists()
    assert cache.clear().removed == 1


@pytest.mark.parametrize("harm", [b"", b"{}", b"0" * 64 + b"\nwhat was measured", b"\xff\xfe\n\xff"])
def test_a_damaged_note_is_none_and_goes_when_the_cache_is_verified(cache, noted, harm):
    entry, note = noted
    note.write_bytes(harm)
    assert cache.note(entry) is None
    assert cache.verify().removed == 0
    assert not note.exists()
    assert cache.lookup(KEY) == entry


def test_a_note_goes_with_its_entry(cache, noted):
    entry, note = noted
    cache.verify()
    assert note.exists()
    cache.prune(0)
    assert not entry.exists()
    assert not note.exists()


def test_a_note_whose_entry_was_damaged_goes_too(cache, noted):
    entry, note = noted
    entry.write_bytes(b"no picture")
    assert cache.verify().removed == 1
    assert not note.exists()


def test_clearing_takes_notes_along(cache, noted):
    cache.clear()
    assert not noted[1].exists()


@pytest.mark.parametrize("place", ["entries", "sequences"])
@pytest.mark.parametrize(
    "act", [lambda cache: cache.prune(0), Cache.verify, Cache.clear], ids=["prune", "verify", "clear"]
)
def test_a_link_in_the_cache_leads_to_no_file_that_is_removed(cache, tmp_path, place, act):
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("plate.0001.exr", "note.json", ".hidden"):
        (outside / name).write_bytes(b"precious")
        os.utime(outside / name, (1, 1))
    (cache.folder / place).mkdir(exist_ok=True)
    (cache.folder / place / "ab").symlink_to(outside)
    assert cache.stat().bytes == 0
    act(cache)
    assert sorted(path.name for path in outside.iterdir()) == [".hidden", "note.json", "plate.0001.exr"]


def test_spools_and_overlays_of_killed_processes_are_swept(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module.tempfile, "tempdir", str(tmp_path))
    old = time.time() - 100
    folders = []
    for parent, start in ((cache.folder / "spool", ""), (tmp_path, "videomama-cache-")):
        for pid in (dead_process(), os.getpid()):
            folders.append(parent / f"{start}{socket.gethostname()}~{pid}~x")
            folders[-1].mkdir(parents=True)
            os.utime(folders[-1], (old, old))
    cache.prune(10**9)
    (tmp_path / "file").touch()
    Cache(tmp_path / "file").close()
    assert [folder.exists() for folder in folders] == [False, True, False, True]


def test_what_vanishes_while_it_is_looked_at_counts_for_nothing(tmp_path):
    gone = tmp_path / "gone.exr"
    assert upkeep._size(gone) == 0
    assert not upkeep._content_damaged(gone)
    assert upkeep._mtime(gone) == pytest.approx(time.time(), abs=60)
    (tmp_path / "there.exr").write_bytes(b"12345")
    assert upkeep._size(tmp_path / "there.exr") == 5


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(upkeep.CacheReport) == {
        "removed": 0,
        "freed_bytes": 0,
        "older_entries": 0,
        "older_bytes": 0,
    }


def test_only_entries_of_versions_before_are_older_and_go_first(cache, entry):
    version = layout.KEY_VERSION
    before = layout.entry(cache.folder, OTHER, version - 1)
    after = layout.entry(cache.folder, THIRD, version + 1)
    for path in (before, after):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.read_bytes())
    for age, path in ((300, after), (200, entry), (100, before)):
        use(path, age)
    size = entry.stat().st_size
    report = cache.stat()
    assert (report.entries, report.older_entries, report.older_bytes) == (3, 1, size)
    for left in ({after, entry}, {entry}):  # the older version first, then what was not used for longest
        assert cache.prune(len(left) * size).removed == 1
        assert {path for path in (before, after, entry) if path.exists()} == left
