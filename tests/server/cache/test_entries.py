import errno
import logging
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.cache import entries as cache_module
from videomama_server.cache.entries import Cache
from videomama_server.media import frames
from videomama_server.media.frames import read_mask
from videomama_server.media.geometry import Geometry, Rect

FULL = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))
KEY, OTHER, THIRD = "aa" + "0" * 38, "ab" + "0" * 38, "cc" + "0" * 38


def alpha(seed=1):
    return np.random.default_rng(seed).random((48, 64), dtype=np.float32)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def entry(cache):
    return cache.publish(KEY, alpha(), FULL)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def use(path, age):
    """Say when a file was last used, in seconds ago."""
    stat = path.stat()
    os.utime(path, (time.time() - age, stat.st_mtime))


def hold_of(cache, pid, host=None, age=0.0):
    """Leave the marker of a job of another process."""
    marker = cache.folder / "holds" / f"{host or socket.gethostname()}~{pid}~job"
    marker.parent.mkdir(exist_ok=True)
    marker.touch()
    os.utime(marker, (time.time() - age,) * 2)
    return marker


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_is_published_is_found_bit_for_bit(cache):
    geometry = Geometry(Rect(0, 0, 60, 40), Rect(-2, -4, 64, 48), 2.0)
    path = cache.publish(KEY, alpha(), geometry)
    assert path == cache.folder / "entries" / "aa" / f"{KEY}.exr"
    assert cache.lookup(KEY) == path
    read = read_mask(path, "A")
    np.testing.assert_array_equal(read.pixels[..., 0], alpha())
    assert read.geometry == geometry


def test_what_was_never_published_is_missing(cache):
    assert cache.lookup(KEY) is None


def test_an_entry_is_found_by_another_process_s_cache(cache, entry):
    assert Cache(cache.folder).lookup(KEY) == entry


def test_the_folder_says_whose_it_is(cache):
    assert "videomama cache" in (cache.folder / "README.txt").read_text()


def test_a_new_folder_is_this_users_only(cache):
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_but_the_entry_is_left_after_publishing(cache, entry):
    assert files_in(cache.folder) == ["README.txt", f"entries/aa/{KEY}.exr"]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def shorten_to_its_header(path):
    path.write_bytes(path.read_bytes()[:300])


def fill_with_garbage(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def flip_a_bit_of_the_pixels(path):
    flip(path, -200)


def flip_a_bit_of_the_header(path):
    flip(path, 8)


def flip_a_bit_of_the_seal(path):
    flip(path, path.read_bytes().index(b"videomama:seal") + 30)


def append(path):
    path.write_bytes(path.read_bytes() + b"\0")


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGES = [
    truncate,
    empty,
    shorten_to_its_header,
    fill_with_garbage,
    flip_a_bit_of_the_pixels,
    flip_a_bit_of_the_header,
    flip_a_bit_of_the_seal,
    append,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_missing_logged_and_can_be_published_again(cache, entry, damage, caplog):
    damage(entry)
    assert cache.lookup(KEY) is None
    assert str(entry) in caplog.text
    cache.publish(KEY, alpha(), FULL)
    assert cache.lookup(KEY) == entry


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
        failing.setattr(cache_module.seal, "matches", fail)
        assert cache.verify().removed == 0
        assert cache.lookup(KEY) is None
    assert "cannot be read" in caplog.text
    assert cache.lookup(KEY) == entry


def test_an_entry_that_vanishes_while_it_is_verified_is_no_error(cache, entry, monkeypatch):
    def vanish(path):
        path.unlink()
        return False

    monkeypatch.setattr(cache_module.seal, "matches", vanish)
    assert cache.verify().removed == 0


def test_a_sample_is_spread_over_the_cache_and_changes_nothing(cache):
    keys = [f"{index:02x}" + "0" * 38 for index in range(10)]
    paths = [cache.publish(key, alpha(), FULL) for key in keys]
    before = files_in(cache.folder)
    assert cache_module.sample(cache.folder, 3) == (3, [])
    paths[3].write_bytes(b"garbage")
    assert cache_module.sample(cache.folder, 3) == (3, [paths[3]])
    assert cache_module.sample(cache.folder, 100) == (10, [paths[3]])
    assert files_in(cache.folder) == before
    assert cache_module.sample(cache.folder / "none", 3) == (0, [])


def test_publishing_is_atomic_under_a_full_disk(cache, monkeypatch):
    def full(path, spec, image):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(frames, "_write", full)
    with pytest.raises(OSError, match="disk full"):
        cache.publish(KEY, alpha(), FULL)
    assert files_in(cache.folder) == ["README.txt"]


def test_a_really_full_disk_leaves_no_entry(small_disk):
    cache = Cache(small_disk(128) / "cache")
    published = []

    def fill():
        while True:
            published.append(cache.publish(f"{len(published):040x}", alpha(), FULL))

    with pytest.raises(OSError, match="disk full") as raised:
        fill()
    assert raised.value.errno == errno.ENOSPC
    assert len(published) > 2
    assert len(files_in(cache.folder)) == len(published) + 1
    assert cache.verify().removed == 0


def test_a_crash_between_writing_and_renaming_leaves_no_entry(cache, monkeypatch):
    def killed(path, key):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module.seal, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.publish(KEY, alpha(), FULL)
    assert files_in(cache.folder) == ["README.txt"]


def test_an_entry_under_another_key_is_never_believed(cache):
    path = cache.publish(KEY, alpha(), FULL)
    other = f"aa{'1' * 38}"
    shutil.copy(path, path.with_name(f"{other}.exr"))
    assert cache.lookup(KEY) == path
    assert cache.lookup(other) is None


def test_a_file_without_its_seal_is_never_an_entry(cache, monkeypatch):
    monkeypatch.setattr(cache_module.seal, "put", lambda path, key: None)
    cache.publish(KEY, alpha(), FULL)
    assert cache.lookup(KEY) is None


PUBLISH_MANY = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import numpy as np
    from videomama_server.cache.entries import Cache
    from videomama_server.media.geometry import Geometry, Rect

    cache = Cache(Path(sys.argv[1]))
    full = Rect(0, 0, 64, 48)
    sys.stdin.readline()
    for turn in range(40):
        for number in range(3):
            key = f"{number:02d}" + "0" * 38
            found = cache.lookup(key)
            if turn and not found:
                sys.exit("an entry was there and is not")
            cache.publish(key, np.full((48, 64), number / 4, np.float32), Geometry(full, full))
    """
)


def test_several_processes_publish_the_same_keys_at_once(tmp_path):
    folder = tmp_path / "cache"
    command = [sys.executable, "-c", PUBLISH_MANY, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [(process.returncode, error) for process, error in zip(processes, errors, strict=True)] == [(0, "")] * 3
    cache = Cache(folder)
    assert cache.verify().entries == 3
    assert len(files_in(folder)) == 4
    for number in range(3):
        assert (read_mask(cache.lookup(f"{number:02d}" + "0" * 38)).pixels == number / 4).all()


def test_a_folder_that_cannot_be_made_still_takes_new_entries_for_this_process(tmp_path, caplog):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    assert "cannot be written" in caplog.text
    path = cache.publish(KEY, alpha(), FULL)
    assert cache.lookup(KEY) == path
    assert not path.is_relative_to(tmp_path)
    with cache.hold("job"):
        assert cache.prune(0).removed == 0
    cache.close()
    assert not cache.write_root.exists()


def test_a_read_only_folder_is_looked_up_and_left_alone(small_disk, make_read_only):
    folder = small_disk(512) / "cache"
    entry = Cache(folder).publish(KEY, alpha(), FULL)
    damaged = Cache(folder).publish(THIRD, alpha(3), FULL)
    truncate(damaged)
    hold_of(Cache(folder), dead_process())
    make_read_only(folder.parent)
    cache = Cache(folder)
    assert cache.lookup(KEY) == entry
    assert cache.lookup(THIRD) is None
    fresh = cache.publish(OTHER, alpha(2), FULL)
    assert cache.lookup(OTHER) == fresh
    assert not fresh.is_relative_to(folder)
    report = cache.prune(0)
    assert (report.entries, report.removed) == (2, 0)
    cache.close()
    assert not fresh.exists()
    assert entry.exists()


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


def test_a_look_up_counts_as_use_and_keeps_the_date_of_making(cache):
    paths = [cache.publish(key, alpha(), FULL) for key in (KEY, OTHER)]
    for path, age in zip(paths, (50, 40), strict=True):
        use(path, age)
    made, now = paths[0].stat().st_mtime_ns, time.time_ns()
    cache.lookup(KEY)
    assert paths[0].stat().st_atime_ns >= now  # not left to the mount's habit of noting reads
    assert paths[0].stat().st_mtime_ns == made
    cache.prune(paths[0].stat().st_size)
    assert [path.exists() for path in paths] == [True, False]


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


def test_a_sequence_that_grows_is_pruned_though_no_entry_was_published(cache, entry):
    cache.keep_within(1 << 30)
    copy = cache.folder / "sequences" / "s" / "alpha.1001.exr"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(entry.read_bytes())
    for path in (entry, copy):
        use(path, 50)
    cache.published(copy, False)
    use(copy, 50)
    cache.keep_within(copy.stat().st_size)
    assert cache.stat().bytes == 2 * entry.stat().st_size  # nothing grew, so nobody looked
    cache.published(copy, True)
    cache.keep_within(copy.stat().st_size)
    assert cache.stat().bytes == copy.stat().st_size


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


def test_clear_removes_everything_but_the_readme(cache, entry):
    for name in ("sequences/s/a.exr", "memo/m.json", "spool/x"):
        path = cache.folder / name
        path.parent.mkdir(parents=True)
        path.touch()
    size = entry.stat().st_size
    report = cache.clear()
    assert (report.entries, report.bytes, report.removed, report.freed_bytes) == (0, 0, 1, size)
    assert files_in(cache.folder) == ["README.txt"]


def test_clear_is_refused_while_a_job_runs(cache, entry, raises_with_hint):
    with cache.hold("job"), raises_with_hint(BadInput, cache.folder):
        cache.clear()
    assert entry.exists()
    assert cache.clear().removed == 1


def test_a_hold_ends_with_its_job_however_that_ends(cache):
    def fail():
        with cache.hold("job"):
            assert len(list(cache.folder.glob("holds/*"))) == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(cache.folder.glob("holds/*"))


def test_damage_is_a_warning_in_the_log(cache, entry, caplog):
    truncate(entry)
    with caplog.at_level(logging.WARNING):
        cache.lookup(KEY)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_path_of_an_entry_fans_out_by_two_characters(cache, entry):
    assert entry.relative_to(cache.folder) == Path("entries") / KEY[:2] / f"{KEY}.exr"


@pytest.fixture
def noted(cache):
    """An entry with a note: its file, and the note's."""
    entry = cache.publish(KEY, alpha(), FULL)
    cache.keep_note(entry, "what was measured: é")
    return entry, entry.with_suffix(".json")


def test_a_note_is_kept_with_an_entry(cache, noted):
    entry, _ = noted
    assert cache.note(entry) == "what was measured: é"
    cache.keep_note(entry, "again")
    assert cache.note(cache.lookup(KEY)) == "again"
    assert cache.note(cache.publish(OTHER, alpha(), FULL)) is None
    assert cache.stat().entries == 2


@pytest.mark.parametrize("harm", [b"", b"{}", b"0" * 64 + b"\nwhat was measured", b"\xff\xfe\n\xff"])
def test_a_damaged_note_is_none_and_goes_when_the_cache_is_verified(cache, noted, harm):
    entry, note = noted
    note.write_bytes(harm)
    assert cache.note(entry) is None
    assert cache.verify().removed == 0
    assert not note.exists()
    assert cache.lookup(KEY) == entry


def test_a_note_of_another_entry_is_none(cache, noted):
    _, note = noted
    other = cache.publish(OTHER, alpha(), FULL)
    note.rename(other.with_suffix(".json"))
    assert cache.note(other) is None


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


def test_a_cache_that_was_deleted_while_in_use_is_made_anew_for_this_user_only(cache, entry):
    shutil.rmtree(cache.folder)
    assert cache.publish(KEY, alpha(), FULL) == entry
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert files_in(cache.folder) == ["README.txt", f"entries/aa/{KEY}.exr"]
    shutil.rmtree(cache.folder)
    with cache.hold("job"):
        assert (cache.folder / "README.txt").exists()


def test_a_cache_that_became_read_only_is_still_looked_up_under_a_hold(small_disk, make_read_only, caplog):
    folder = small_disk(512)
    cache = Cache(folder / "cache")
    entry = cache.publish(KEY, alpha(), FULL)
    make_read_only(folder)
    with cache.hold("job"):
        assert cache.lookup(KEY) == entry
        with pytest.raises((OSError, NotPermitted), match=r"[Rr]ead-only"):
            cache.publish(OTHER, alpha(), FULL)
    assert "cannot be held" in caplog.text


def test_what_a_job_uses_is_protected_though_the_clock_jumped_back(cache, entry, monkeypatch):
    with cache.hold("job"):
        monkeypatch.setattr(cache_module.time, "time_ns", lambda: 10**18)  # of the year 2001
        assert cache.lookup(KEY) == entry
        assert cache.prune(0).removed == 0
    assert cache.prune(0).removed == 1


def test_a_cache_is_looked_through_when_this_process_may_have_outgrown_its_limit(cache, monkeypatch):
    looked = []
    monkeypatch.setattr(cache, "prune", looked.append)
    size = cache.publish(KEY, alpha(), FULL).stat().st_size
    limit = 150 * size
    for _ in range(3):
        cache.keep_within(limit)
    assert looked == [limit]
    for key in (KEY, OTHER):
        cache.publish(key, alpha(), FULL)
        cache.keep_within(limit)
    assert looked == [limit, limit]


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
