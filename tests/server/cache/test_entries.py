"""Tests for look-up and publishing in the cache."""

import errno
import logging
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time

import numpy as np
import OpenImageIO as oiio
import pytest
from cache_cases import DAMAGES, FULL, KEY, OTHER, THIRD, alpha, dead_process, files_in, hold_of, truncate, use
from videomama_client.errors import NotPermitted
from videomama_server.cache import entries as cache_module
from videomama_server.cache import layout
from videomama_server.cache.entries import Cache, Look
from videomama_server.media import frames
from videomama_server.media.frames import read_mask
from videomama_server.media.geometry import Geometry, Rect


def test_what_is_published_is_found_bit_for_bit(cache):
    geometry = Geometry(Rect(0, 0, 60, 40), Rect(-2, -4, 64, 48), 2.0)
    path = cache.publish(KEY, alpha(), geometry)
    assert path == layout.entry(cache.folder, KEY)
    assert cache.lookup(KEY) == path
    read = read_mask(path, "A")
    np.testing.assert_array_equal(read.pixels[..., 0], alpha())
    assert read.geometry == geometry


def test_what_was_made_of_an_alpha_is_an_entry_like_any_other(cache, entry):
    colour = np.random.default_rng(1).random((FULL.canvas.h, FULL.canvas.w, 3), dtype=np.float32)
    made = cache.publish(OTHER, colour, FULL, Look(("R", "G", "B"), "half", {"Software": "VideoMaMa"}))
    assert cache.lookup(OTHER) == made
    source = oiio.ImageInput.open(str(made))
    spec = source.spec()
    source.close()
    assert (str(spec.format), spec.channelnames, spec["Software"]) == ("half", ("R", "G", "B"), "VideoMaMa")
    np.testing.assert_array_equal(frames.read_plate(made).pixels, colour.astype(np.float16).astype(np.float32))
    assert (cache.stat().entries, cache.verify().removed) == (2, 0)
    truncate(made)
    assert cache.verify().removed == 1
    assert cache.lookup(OTHER) is None
    assert cache.lookup(KEY) == entry


def test_what_was_never_published_is_missing(cache):
    assert cache.lookup(KEY) is None


def test_an_entry_is_found_by_another_process_s_cache(cache, entry):
    assert Cache(cache.folder).lookup(KEY) == entry


def test_the_folder_says_whose_it_is(cache):
    assert "videomama cache" in (cache.folder / "README.txt").read_text()


def test_a_new_folder_is_this_users_only(cache):
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_but_the_entry_is_left_after_publishing(cache, entry):
    assert files_in(cache.folder) == ["README.txt", f"entries/aa/{layout.entry(cache.folder, KEY).name}", "format.txt"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_missing_logged_and_can_be_published_again(cache, entry, damage, caplog):
    damage(entry)
    assert cache.lookup(KEY) is None
    assert str(entry) in caplog.text
    cache.publish(KEY, alpha(), FULL)
    assert cache.lookup(KEY) == entry


def test_publishing_is_atomic_under_a_full_disk(cache, monkeypatch):
    def full(path, spec, image):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(frames, "_write", full)
    with pytest.raises(OSError, match="disk full"):
        cache.publish(KEY, alpha(), FULL)
    assert files_in(cache.folder) == ["README.txt", "format.txt"]


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
    assert len(files_in(cache.folder)) == len(published) + 2  # README and format
    assert cache.verify().removed == 0


def test_a_crash_between_writing_and_renaming_leaves_no_entry(cache, monkeypatch):
    def killed(path, key):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module.seal, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.publish(KEY, alpha(), FULL)
    assert files_in(cache.folder) == ["README.txt", "format.txt"]


def test_an_entry_under_another_key_is_never_believed(cache):
    path = cache.publish(KEY, alpha(), FULL)
    other = f"aa{'1' * 38}"
    shutil.copy(path, layout.entry(cache.folder, other))
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
    from videomama_server.cache.entries import Cache, Look
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
    assert len(files_in(folder)) == 5  # with README and format
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
    assert entry.parent == cache.folder / "entries" / KEY[:2]
    assert entry.name.startswith(KEY)


def test_a_note_is_kept_with_an_entry(cache, noted):
    entry, _ = noted
    assert cache.note(entry) == "what was measured: é"
    cache.keep_note(entry, "again")
    assert cache.note(cache.lookup(KEY)) == "again"
    assert cache.note(cache.publish(OTHER, alpha(), FULL)) is None
    assert cache.stat().entries == 2


def test_a_note_of_another_entry_is_none(cache, noted):
    _, note = noted
    other = cache.publish(OTHER, alpha(), FULL)
    note.rename(other.with_suffix(".json"))
    assert cache.note(other) is None


def test_a_cache_that_was_deleted_while_in_use_is_made_anew_for_this_user_only(cache, entry):
    shutil.rmtree(cache.folder)
    assert cache.publish(KEY, alpha(), FULL) == entry
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert files_in(cache.folder) == ["README.txt", f"entries/aa/{layout.entry(cache.folder, KEY).name}", "format.txt"]
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


def test_a_cache_that_cannot_be_written_is_neither_verified_nor_cleared(tmp_path, raises_with_hint):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    for work in (cache.verify, cache.clear):
        with raises_with_hint(NotPermitted, f"the cache {tmp_path / 'file' / 'cache'} cannot be written"):
            work()
    assert cache.trouble
    cache.close()


@pytest.mark.parametrize(
    ("code", "there", "lasting"), [("ENOSPC", True, True), ("ENOSPC", False, False), ("EIO", True, False)]
)
def test_a_disk_that_is_full_is_not_taken_for_read_only(tmp_path, monkeypatch, code, there, lasting):
    def failing(folder):
        if there:
            folder.mkdir()
        raise OSError(getattr(errno, code), "no")

    monkeypatch.setattr(cache_module.private, "make_folder", failing)
    cache = Cache(tmp_path / "cache")
    assert (not cache.trouble) == lasting
    cache.close()


def test_a_cache_is_looked_through_again_after_a_hundredth_of_its_limit(cache, monkeypatch):
    looked = []
    monkeypatch.setattr(cache, "prune", looked.append)
    cache.keep_within(1000)
    for grown, times in ((10, 1), (11, 2), (10, 2)):
        cache._grown = grown
        cache.keep_within(1000)
        assert len(looked) == times


def test_a_file_that_shares_its_blocks_with_an_entry_is_no_growth(cache, entry):
    cache.keep_within(1 << 40)
    before = cache._grown
    shared = entry.with_name("shared.exr")
    shared.hardlink_to(entry)
    cache.published(shared, True)
    assert cache._grown == before
    with pytest.raises(FileNotFoundError):
        cache.published(entry.with_name("gone.exr"), True)


def test_folders_that_killed_processes_left_behind_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cache_module.tempfile, "tempdir", str(tmp_path))
    mark = f"{socket.gethostname()}~{dead_process()}~"
    left, other = tmp_path / f"videomama-cache-{mark}", tmp_path / "videomama-cache-mine"
    for folder in (left, other):
        folder.mkdir()
        os.utime(folder, (0, time.time() - 3600))
    made = cache_module._make_overlay()
    assert made.parent == tmp_path
    assert made.name.startswith("videomama-cache-")
    assert (left.exists(), other.exists()) == (False, True)
